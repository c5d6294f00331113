"""A request of subtitles as a worker leaves it: a small video, heard, with three cues."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from darkroom.accounts.models import User
from darkroom.media import ffmpeg, requests
from darkroom.media.requests import Received, Wish
from darkroom.media.sound import look_at
from darkroom.media.subtitles import exports, results, sheets
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.sheets import Sheet
from darkroom.media.subtitles.wishes import Asked
from darkroom.queue.models import Run
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets
from darkroom.storage.assets import StoredFile

from .conftest import Site

CUES = (
    Cue(500, 2500, ("And so, my fellow Americans,",)),
    Cue(2600, 3000, ("ask not what your country can do for you,", "ask what you can do.")),
    Cue(3200, 5000, ("For your country.",)),
)


def film(folder: Path, *options: str, name: str = "film.mp4", seconds: int = 6) -> Path:
    """A video of so many seconds with a tone."""
    given = [
        *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    ]
    ffmpeg.run([*given, *options, name], folder)
    return folder / name


def heard(
    site: Site,
    owner: User,
    folder: Path,
    cues: Sequence[Cue] = CUES,
    path: Path | None = None,
    asked: Asked | None = None,
) -> UUID:
    """Write what the worker would; the request's id."""
    asked, path = asked or Asked(), path or film(folder)

    def put(source: Path, *, mime: str, key: str, pixels: Any = None) -> StoredFile:
        return assets.put(site.services.store, source, mime=mime, key=key, pixels=pixels)

    media = look_at(path)
    mime = "video/mp4" if media.picture else "audio/wav"
    source = Received("source", path.name, put(path, mime=mime, key=f"media/{uuid4()}"), media)
    wish = Wish("subtitles", "A speech", asked.as_json(), [source])
    with site.database.session() as session:
        run_id = requests.begin(session, owner.id, wish, "nobody.works", "gpu", lambda *_: None)
        request_id = requests.of_run(session, run_id).row.id
    sheet = Sheet(request_id, "en", 25.0, 1, tuple(cues))
    made = exports.stored(sheet, asked, path.name, "v1", folder, put)
    order = requests.load(site.database, request_id)
    with site.database.session() as session:
        sheets.begin(session, sheet)
        result = results.heard(sheet, media, media.seconds, 0.9)
        requests.finish(Transaction(session, run_id), order, result, made, "whisper")
        run = session.get_one(Run, run_id)
        run.status, run.open_steps = "completed", 0
    return request_id


def fields(page: str) -> dict[str, list[str]]:
    """What the form of the cues on a page would send."""
    form = re.search(r"<form class=\"cue-form\".*?</ol>", page, re.DOTALL)
    assert form is not None
    times = {
        name: re.findall(rf'name="{name}" value="([^"]*)"', form[0])
        for name in ("version", "start", "end")
    }
    texts = re.findall(r"<textarea[^>]*>(.*?)</textarea>", form[0], re.DOTALL)
    return {**times, "text": texts}
