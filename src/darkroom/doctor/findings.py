"""What an examination finds: one finding a line, with what to do about it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Parameters
    ----------
    level
        `fail` where something does not work, `warn` where it soon may not.
    subject
        What was looked at: "database", "lane gpu".
    said
        How it is, in a sentence.
    fix
        What to do about it; empty where nothing is to be done.
    """

    level: Level
    subject: str
    said: str
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding as programs get it."""
        return asdict(self)


def ok(subject: str, said: str) -> Finding:
    """All is well."""
    return Finding("ok", subject, said)


def warn(subject: str, said: str, fix: str) -> Finding:
    """It works, but somebody should look."""
    return Finding("warn", subject, said, fix)


def fail(subject: str, said: str, fix: str) -> Finding:
    """It does not work."""
    return Finding("fail", subject, said, fix)


def or_ok(found: Iterable[Finding], subject: str, said: str) -> list[Finding]:
    """The findings, or one that says that all is well."""
    return list(found) or [ok(subject, said)]
