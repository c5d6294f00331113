"""Sheets: the cues of a request, changed by people, one version after another."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.media.subtitles import checking, rules
from darkroom.media.subtitles.checking import Report
from darkroom.media.subtitles.cues import Cue, insist_in_order
from darkroom.media.subtitles.models import Subtitles

Json = dict[str, Any]

MOST_CUES = 10_000
LONGEST_LINE, MOST_LINES = 500, 10
LATEST = 24 * 3600.0
"""Seconds; none is later."""
_UNSEEN = ("Cc", "Cs")
"""Control characters and half ones, which no file may hold."""


@dataclass(frozen=True)
class Sheet:
    """The cues of a request as they were at a version.

    Attributes
    ----------
    language : that is spoken; None where nobody speaks
    fps : frames a second of the video; `rules.FPS` of sound alone
    """

    request_id: UUID
    language: str | None
    fps: float
    version: int
    cues: tuple[Cue, ...]

    @property
    def tongue(self) -> str:
        """The language that lines are broken by."""
        return self.language or "en"

    @property
    def report(self) -> Report:
        """Which cues miss which rules."""
        return checking.check(self.cues, self.tongue, self.fps)


def load(session: Session, request_id: UUID) -> Sheet:
    """The cues as they are now; `NotFound` before anything was heard."""
    return _sheet(_row(session, request_id))


def begin(session: Session, sheet: Sheet) -> None:
    """Write the first version."""
    row = Subtitles(
        request_id=sheet.request_id,
        language=sheet.language,
        fps=sheet.fps,
        cues=_stored(sheet.cues),
    )
    session.add(row)
    session.flush()


def change(session: Session, sheet: Sheet) -> None:
    """Write the cues as the sheet's version, which follows the one they were made of.

    Raises
    ------
    Conflict
        When somebody else changed them meanwhile.
    """
    row = _row(session, sheet.request_id, locked=True)
    insist_version(sheet.version - 1, row.version)
    row.cues, row.version = _stored(sheet.cues), sheet.version
    row.updated_at = func.clock_timestamp()
    session.flush()


def insist_version(seen: int, now: int) -> None:
    """`Conflict` where other cues are there than those that were seen."""
    if seen != now:
        raise Conflict("Somebody has changed these cues meanwhile. Load them again.", "version")


def read(given: object) -> tuple[Cue, ...]:
    """Cues as programs send them: `[{"start": 1.5, "end": 3, "lines": ["…"]}]`, in seconds.

    Raises
    ------
    Invalid
        When one cannot be.
    """
    if not isinstance(given, list):
        raise Invalid("cues must be a list of cues.", "cues")
    if len(given) > MOST_CUES:
        raise Invalid(f"There are more than {MOST_CUES} cues: that is too many.", "cues")
    cues = tuple(_cue(each, number) for number, each in enumerate(given, 1))
    insist_in_order(cues)
    return cues


def milliseconds(given: object, field: str, least: float = 0.0) -> int:
    """A time in seconds as milliseconds; `Invalid` where it is no number, or out of all bounds."""
    # Not a number is between nothing.
    if isinstance(given, int | float) and not isinstance(given, bool) and least <= given <= LATEST:
        return round(given * 1000)
    raise Invalid(f"{field} must be a number of seconds.", field)


def as_json(sheet: Sheet) -> Json:
    """A sheet as programs see it, with what is to be said of each rule."""
    report = sheet.report
    return {
        "id": str(sheet.request_id),
        "language": sheet.language,
        "fps": sheet.fps,
        "version": sheet.version,
        "cues": [_told(cue, number) for number, cue in enumerate(sheet.cues, 1)],
        "report": {**summary(report), "violations": [vars(one) for one in report.violations]},
    }


def summary(report: Report) -> Json:
    """How often each rule is missed, and how often that could be helped."""
    avoidable = [one.rule for one in report.avoidable]
    return {
        "cues": report.cues,
        "avoidable": len(avoidable),
        "rules": {
            rule: {"violations": report.count(rule), "avoidable": avoidable.count(rule)}
            for rule in checking.RULES
        },
    }


def limits(fps: float) -> Json:
    """The rules' figures; times in seconds."""
    return {
        "line": rules.LINE,
        "lines": rules.LINES,
        "speed": rules.SPEED,
        "shortest": rules.SHORTEST / 1000,
        "longest": rules.LONGEST / 1000,
        "gap": rules.gap(fps) / 1000,
    }


def _row(session: Session, request_id: UUID, *, locked: bool = False) -> Subtitles:
    row = session.get(Subtitles, request_id, with_for_update=locked or None)
    if row is None:
        raise NotFound("There are no cues yet: nothing was heard so far.")
    return row


def _sheet(row: Subtitles) -> Sheet:
    cues = tuple(Cue(each["start"], each["end"], tuple(each["lines"])) for each in row.cues)
    return Sheet(row.request_id, row.language, row.fps, row.version, cues)


def _stored(cues: Sequence[Cue]) -> list[Json]:
    return [{"start": cue.start, "end": cue.end, "lines": list(cue.lines)} for cue in cues]


def _told(cue: Cue, number: int) -> Json:
    times = {"start": cue.start / 1000, "end": cue.end / 1000}
    speed = round(cue.letters * 1000 / max(1, cue.duration), 1)
    return {"number": number, **times, "lines": list(cue.lines), "speed": speed}


def _cue(given: object, number: int) -> Cue:
    if not isinstance(given, dict):
        raise Invalid(f"Cue {number} must have start, end and lines.", "cues")
    start, end = (milliseconds(given.get(name), "cues") for name in ("start", "end"))
    return Cue(start, end, _lines(given.get("lines"), number))


def _lines(given: object, number: int) -> tuple[str, ...]:
    if isinstance(given, list) and 0 < len(given) <= MOST_LINES and all(map(_is_line, given)):
        return tuple(line.strip() for line in given if line.strip())
    raise Invalid(
        f"The lines of cue {number} must be a list of 1 to {MOST_LINES} texts, each of at most "
        f"{LONGEST_LINE} characters.",
        "cues",
    )


def _is_line(given: object) -> bool:
    if not isinstance(given, str) or len(given) > LONGEST_LINE:
        return False
    return not any(unicodedata.category(letter) in _UNSEEN for letter in given)
