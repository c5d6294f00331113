"""How photos come in: streamed to disk, and not from strangers."""

import io
import os
from pathlib import Path

from flask import request

from .conftest import Site, jpeg


def test_files_stream_to_the_folder_of_darkroom(site: Site) -> None:
    @site.app.post("/api/where")
    def where() -> dict[str, str]:
        return {"path": os.readlink(f"/proc/self/fd/{request.files['file'].stream.fileno()}")}

    data = {"file": (jpeg(), "a.jpg")}
    path = Path(site.visitor().client.post("/api/where", data=data).json["path"])
    assert path.is_relative_to(site.services.settings.temp_dir)


def test_nothing_stays_in_the_folder_after_a_refusal(site: Site) -> None:
    data = {"file": (io.BytesIO(b"text"), "a.jpg")}
    assert site.visitor().client.post("/api/v1/stock/photo", data=data).status_code == 400
    assert list(site.services.settings.temp_dir.iterdir()) == []


def test_strangers_cannot_send_large_forms(closed_site: Site) -> None:
    stranger = closed_site.visitor()
    sent = stranger.send("/count", file=(io.BytesIO(b"x" * 100_000), "a.jpg"))
    assert sent.status_code == 413


def test_strangers_are_turned_away_from_the_api_unread(closed_site: Site) -> None:
    data = {"file": (jpeg(), "a.jpg")}
    answer = closed_site.visitor().client.post("/api/v1/stock/photo", data=data)
    assert answer.status_code == 401
    assert not closed_site.services.settings.temp_dir.exists()
