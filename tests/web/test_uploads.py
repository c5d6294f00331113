"""How photos come in: streamed to disk, and not from strangers."""

import io
import os
from dataclasses import replace
from pathlib import Path

from flask import request

from darkroom.media import ffmpeg
from darkroom.web.app import create_app

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


def small(site: Site, **media: int) -> Site:
    """The site with a limit of little more than a megabyte on forms of photos."""
    settings = site.services.settings
    chosen = replace(settings, max_photos=1, media=replace(settings.media, **media))
    return Site(create_app(replace(chosen, max_upload_bytes=1000), site.database))


def test_a_media_service_takes_more_than_the_photos_may_have(site: Site, tmp_path: Path) -> None:
    ffmpeg.run(["-f", "lavfi", "-i", "sine=duration=20", "a.wav"], tmp_path)
    content = (tmp_path / "a.wav").read_bytes()
    found = small(site)
    assert len(content) > found.app.config["MAX_CONTENT_LENGTH"]
    visitor = found.visitor()
    sent = {"file": (io.BytesIO(content), "a.wav")}
    answer = visitor.send("/studio/subtitles", page="/studio/subtitles", **sent)
    assert answer.status_code == 303
    sent = {"file": (io.BytesIO(content), "a.wav")}
    keyed = visitor.client.post("/api/subtitles", data=sent, headers={"Idempotency-Key": "one"})
    assert keyed.status_code == 202


def test_json_is_limited_before_it_is_read(site: Site) -> None:
    client = small(site, max_bytes=2000).visitor().client
    for headers in ({}, {"Idempotency-Key": "one"}):
        answer = client.post("/api/subtitles", json={"file": "A" * 3000}, headers=headers)
        assert answer.status_code == 413


def test_strangers_cannot_send_large_files_to_the_studio(closed_site: Site) -> None:
    sent = {"file": (io.BytesIO(b"x" * 100_000), "a.wav")}
    assert closed_site.visitor().send("/studio/subtitles", **sent).status_code == 413
