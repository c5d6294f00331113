"""Cues as the pages show them, and as their forms send them back."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask_babel import get_locale
from werkzeug.datastructures import MultiDict

from darkroom.errors import Invalid
from darkroom.media.subtitles import checking, cues, sheets
from darkroom.media.subtitles.checking import Violation
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.languages import LANGUAGES
from darkroom.media.subtitles.sheets import Sheet
from darkroom.web.words import N_, say

Json = dict[str, Any]

RULES: Mapping[str, str] = {
    checking.LINE: N_("Characters in a line"),
    checking.LINES: N_("Lines"),
    checking.SPEED: N_("Characters a second"),
    checking.SHORTEST: N_("Shown long enough"),
    checking.LONGEST: N_("Not shown too long"),
    checking.GAP: N_("Time between cues"),
    checking.GLUED: N_("Names and numbers in one line"),
}
MISSES: Mapping[str, str] = {
    checking.LINE: N_("{found} characters in a line, at most {allowed}"),
    checking.LINES: N_("{found} lines, at most {allowed}"),
    checking.SPEED: N_("{found} characters a second, at most {allowed}"),
    checking.SHORTEST: N_("shown for {found} ms, at least {allowed}"),
    checking.LONGEST: N_("shown for {found} ms, at most {allowed}"),
    checking.GAP: N_("{found} ms before the next one, at least {allowed}"),
    checking.GLUED: N_("a name or a number goes over two lines"),
}
"""What is said of a cue that misses a rule."""
HELPLESS = N_("cannot be helped: it is spoken so fast, or one word is so long")
MODES: Mapping[str, str] = {
    "none": N_("Files only"),
    "burn": N_("In the pictures"),
    "soft": N_("As a track that players can switch off"),
}
POSITIONS: Mapping[str, str] = {"bottom": N_("Bottom"), "middle": N_("Middle"), "top": N_("Top")}

_CLOCK = re.compile(r"(?:(\d{1,6}):)?(?:(\d{1,6}):)?(\d{1,6})(?:[.,](\d{1,3}))?")
_ORDER = re.compile(r"(split|merge|remove|after)-(\d{1,6})")
_NEW = 2000
"""Milliseconds of a cue that people add."""


def languages() -> list[tuple[str, str]]:
    """Codes and names of what can be written down, by their names."""
    locale = get_locale()
    known: Mapping[str, str] = locale.languages if locale else {}
    named = [(code, known.get(code, code)) for code in LANGUAGES]
    return sorted(named, key=lambda each: each[1].casefold())


def misses(sheet: Sheet) -> Mapping[int, list[str]]:
    """What is to be said of each cue, by its number."""
    said: dict[int, list[str]] = {}
    for one in sheet.report.violations:
        said.setdefault(one.number, []).append(_said(one))
    return said


def clock(at: int) -> str:
    """Milliseconds as people write times: 1:02:03.450."""
    seconds, rest = divmod(at, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"{head}:{seconds:02}.{rest:03}"


def changed(sheet: Sheet, form: MultiDict[str, str]) -> list[Cue] | tuple[Cue, ...]:
    """The cues as a form without scripts leaves them: what was written, then what was pressed.

    Raises
    ------
    Invalid
        When one cannot be.
    """
    written = replace(sheet, cues=_written(form))
    order = form.get("do", "")
    if order == "shift":
        by = sheets.milliseconds(_number(form, "by"), "by", least=-sheets.LATEST)
        return cues.shift(written.cues, by, int(_number(form, "first")))
    pressed = _ORDER.fullmatch(order)
    return _obeyed(written, pressed[1], int(pressed[2])) if pressed else written.cues


def _obeyed(sheet: Sheet, order: str, number: int) -> list[Cue]:
    if order == "merge":
        return cues.merge(sheet.cues, number, sheet.tongue)
    if order == "split":
        at = _middle(sheet.cues[number - 1].text) if number <= len(sheet.cues) else 0
        return cues.split(sheet.cues, number, at, sheet.tongue, sheet.fps)
    left = list(sheet.cues)
    if order == "remove":
        return left[: number - 1] + left[number:]
    start = left[number - 1].end if 0 < number <= len(left) else 0
    return [*left[:number], Cue(start, start + _NEW, ("…",)), *left[number:]]


def _middle(text: str) -> int:
    """Where the word begins that is nearest to the middle."""
    starts = [found.end() for found in re.finditer(r"\s+", text)]
    return min(starts, key=lambda at: abs(2 * at - len(text)), default=len(text) // 2)


def _written(form: MultiDict[str, str]) -> tuple[Cue, ...]:
    rows = zip(form.getlist("start"), form.getlist("end"), form.getlist("text"), strict=False)
    told = [
        {
            "start": _milliseconds(start) / 1000,
            "end": _milliseconds(end) / 1000,
            "lines": text.splitlines() or [""],
        }
        for start, end, text in rows
    ]
    return sheets.read(told)


def _milliseconds(given: str) -> int:
    found = _CLOCK.fullmatch(given.strip())
    if found is None:
        raise Invalid(N_("A time is written like 1:02.500 (minutes, seconds)."), "cues")
    parts = [part for part in found.groups()[:3] if part is not None]
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int((found[4] or "0").ljust(3, "0"))


def _number(form: MultiDict[str, str], name: str) -> float:
    try:
        found = float(form.get(name, "").replace(",", "."))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise Invalid(N_("Write the seconds as a number, like 0.5 or -2."), name)
    return found


def _said(one: Violation) -> str:
    values = {"found": f"{one.found:g}", "allowed": f"{one.allowed:g}"}
    said = say(MISSES[one.rule], values)
    return said if one.is_avoidable else f"{said} ({say(HELPLESS)})"
