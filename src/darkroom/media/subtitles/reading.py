"""Cues from files: SRT, WebVTT, ASS and JSON, as other programs write them, too."""

import html
import json
import re
from collections.abc import Callable, Mapping

from darkroom.errors import Invalid
from darkroom.media.subtitles.cues import Cue, insist_in_order
from darkroom.media.subtitles.writing import JOINER

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"{_TIME}\s*-->\s*{_TIME}")
_DIALOGUE = re.compile(rf"Dialogue:[^,]*,\s*{_TIME}\s*,\s*{_TIME}\s*,(?:[^,]*,){{6}}(.*)")
_MARKS = re.compile(r"</?[a-zA-Z][^>]*>")
_ASS_ORDERS = re.compile(r"(?<!\\)\{[^}]*\}")


def read(content: str, kind: str) -> list[Cue]:
    """The cues of a file of the kind "srt", "vtt", "ass" or "json", in order of time.

    Raises
    ------
    Invalid
        When there are none in it, or one cannot be.
    """
    if kind not in _READERS:
        raise Invalid(f"Subtitles are read from: {', '.join(_READERS)}.", "format")
    found = _READERS[kind](content.removeprefix("\ufeff").replace("\r\n", "\n"))
    # Other programs leave cues without text; nobody would miss them.
    cues = [cue for cue in found if cue.lines]
    if not cues:
        raise Invalid(f"There are no {kind} subtitles in this file.", "file")
    ordered = sorted(cues, key=lambda cue: cue.start)
    insist_in_order(ordered)
    return ordered


def _srt(content: str) -> list[Cue]:
    return [_cue(times, _MARKS.sub("", rows).split("\n")) for times, rows in _blocks(content)]


def _vtt(content: str) -> list[Cue]:
    return [
        _cue(times, html.unescape(_MARKS.sub("", rows)).split("\n"))
        for times, rows in _blocks(content)
    ]


def _blocks(content: str) -> list[tuple["re.Match[str]", str]]:
    """Each cue's times and what is written below them."""
    found = []
    for block in re.split(r"\n[ \t]*\n", content):
        times = _TIMES.search(block)
        if times is not None:
            _, _, rows = block[times.end() :].partition("\n")
            found.append((times, rows.strip("\n")))
    return found


def _ass(content: str) -> list[Cue]:
    found = _DIALOGUE.finditer(content)
    return [_cue(line, [_seen(row) for row in re.split(r"\\[Nn]", line[9])]) for line in found]


def _seen(written: str) -> str:
    """What ASS shows of a row."""
    shown = _ASS_ORDERS.sub("", written).replace(r"\{", "{").replace(r"\}", "}")
    return shown.replace(f"\\{JOINER}", "\\")


def _json(content: str) -> list[Cue]:
    try:
        told = json.loads(content)["cues"]
        return [
            Cue(round(cue["start"] * 1000), round(cue["end"] * 1000), tuple(map(str, cue["lines"])))
            for cue in told
        ]
    except (ValueError, KeyError, TypeError) as error:
        form = '{"cues": [{"start": 1.5, "end": 3, "lines": ["…"]}]}'
        raise Invalid(f"Subtitles in JSON look like this: {form}.", "file") from error


def _cue(times: "re.Match[str]", rows: list[str]) -> Cue:
    """Of a match whose first eight groups are two times."""
    lines = tuple(row.strip() for row in rows if row.strip())
    return Cue(_milliseconds(*times.groups()[:4]), _milliseconds(*times.groups()[4:8]), lines)


def _milliseconds(hours: str | None, minutes: str, seconds: str, part: str) -> int:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(part.ljust(3, "0"))


_READERS: Mapping[str, Callable[[str], list[Cue]]] = {
    "srt": _srt, "vtt": _vtt, "ass": _ass, "json": _json,
}  # fmt: skip
