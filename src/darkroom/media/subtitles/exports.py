"""The files that a sheet is exported as, made and stored."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from darkroom.media import fonts
from darkroom.media.requests import Made
from darkroom.media.subtitles import writing
from darkroom.media.subtitles.sheets import Sheet
from darkroom.media.subtitles.wishes import Asked
from darkroom.storage.assets import StoredFile

MIMES: Mapping[str, str] = {
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "ass": "text/x-ssa",
    "json": "application/json",
    "txt": "text/plain",
}
_WRITERS: Mapping[str, Callable[[Sheet], str]] = {
    "srt": lambda sheet: writing.srt(sheet.cues),
    "vtt": lambda sheet: writing.vtt(sheet.cues),
    "json": lambda sheet: writing.as_json(sheet.cues, sheet.tongue),
    "txt": lambda sheet: writing.text(sheet.cues),
}


class Put(Protocol):
    """Stores a file."""

    def __call__(
        self, path: Path, *, mime: str, key: str, pixels: tuple[int, int] | None = None
    ) -> StoredFile: ...


def stored(sheet: Sheet, asked: Asked, name: str, mark: str, folder: Path, put: Put) -> list[Made]:
    """Store the files that were asked for.

    Parameters
    ----------
    name : of the file that was heard, which theirs begin with
    mark : what tells their keys from those of other versions
    folder : where they are written before
    """
    stem = f"{Path(name).stem or 'subtitles'}.{sheet.tongue}"
    made = []
    for kind in asked.formats:
        path = folder / f"cues.{kind}"
        path.write_text(content(sheet, kind, asked), encoding="utf-8")
        key = f"media/{sheet.request_id}/{mark}.{kind}"
        made.append(Made(kind, put(path, mime=MIMES[kind], key=key), f"{stem}.{kind}"))
    return made


def content(sheet: Sheet, kind: str, asked: Asked) -> str:
    """A sheet as a file of that kind."""
    if kind == "ass":
        return writing.ass(sheet.cues, asked.style, asked.font or fonts.FAMILY)
    return _WRITERS[kind](sheet)
