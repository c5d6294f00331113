"""Which jobs are meant: one filter for the pages, the API, the command line and the audit.

It is strict. A name that is not known is an error and never left out, for a bulk action with half
of its filter would touch everything that the other half was to keep.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from darkroom.errors import Invalid

Pairs = Iterable[tuple[str, str]]
Json = dict[str, Any]

STATES = ("waiting", "scheduled", "running", "succeeded", "failed", "cancelled")
MAX_IDS = 1000
MAX_TEXT = 200
LARGEST_ID = 2**63 - 1
LARGEST_OWNER = 2**31 - 1
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_TOKEN = re.compile(r'([A-Za-z][\w.\-]*):("[^"]*"|\S+)')
_AGO = re.compile(r"(\d{1,6})\s?([smhdw])")


@dataclass(frozen=True)
class JobFilter:
    """Jobs that fit every condition given; an empty one fits all.

    Parameters
    ----------
    state
        Any of these: waiting, scheduled, running, succeeded, failed, cancelled.
    owner
        A user's number, or their e-mail address.
    error
        The class of an error that one of its attempts ended with, or a part of its message.
    args
        Path and value: `("photo.id", "12")` fits `{"photo": {"id": 12}}` as well as `"12"`.
    created_after, created_before, finished_after, finished_before
        Aware times; after is inclusive, before is not.
    text
        A part of the task's name, the step's label or the run's title; or a job's or run's id.
    id
        Any of these jobs.
    """

    state: tuple[str, ...] = ()
    lane: str | None = None
    task: str | None = None
    run: UUID | None = None
    owner: str | None = None
    error: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    finished_after: datetime | None = None
    finished_before: datetime | None = None
    text: str | None = None
    id: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when it fits every job."""
        return self == JobFilter()

    @classmethod
    def parse(cls, pairs: Pairs, now: datetime | None = None) -> "JobFilter":
        """Read names and values as a query string holds them; empty values are left out.

        `text` may hold conditions of its own: `sky args.photo_id:12 state:failed`. Times are ISO
        8601 (UTC unless they say otherwise) or an age like `2h`, counted from `now`.

        Raises
        ------
        Invalid
            Naming the field that is not known or cannot be read.
        """
        given = _Given(now or datetime.now(UTC))
        for name, value in pairs:
            given.take(name, value.strip())
        return cls(**given.values())

    @classmethod
    def from_json(cls, body: Mapping[str, Any], now: datetime | None = None) -> "JobFilter":
        """Read a JSON object: lists where several are allowed, `args` as an object of paths."""
        return cls.parse(_json_pairs(body), now)

    def pairs(self) -> list[tuple[str, str]]:
        """The filter as names and values that `parse` reads back."""
        return [
            (f"args.{value[0]}", value[1]) if field.name == "args" else (field.name, _text(value))
            for field in fields(self)
            for value in _each(getattr(self, field.name))
        ]

    def as_json(self) -> Json:
        """The filter as JSON that `from_json` reads back; conditions not set are left out."""
        found: Json = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "args" and value:
                found["args"] = dict(value)
            elif isinstance(value, tuple) and value:
                found[field.name] = list(value)
            elif value not in (None, ()):
                found[field.name] = _text(value)
        return found


NAMES = frozenset(field.name for field in fields(JobFilter))


class _Given:
    """What was read so far, field by field."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.found: dict[str, Any] = {}

    def take(self, name: str, value: str) -> None:
        if not value:
            return
        if "\x00" in value or len(value) > MAX_TEXT:
            raise Invalid(f"At most {MAX_TEXT} characters, and none of them NUL.", name)
        if name == "text":
            self._take_text(value)
        elif name.startswith("args.") or name == "args":
            self._take_args(name, value)
        elif name in NAMES:
            self._put(name, value)
        else:
            known = ", ".join(sorted(NAMES))
            raise Invalid(f"There is no filter called {name!r}. There are: {known}.", name)

    def values(self) -> dict[str, Any]:
        return self.found

    def _take_text(self, value: str) -> None:
        rest = value
        for token in _TOKEN.finditer(value):
            name = token.group(1)
            if name in NAMES - {"text", "args"} or name.startswith("args."):
                self.take(name, token.group(2).strip('"'))
                rest = rest.replace(token.group(0), " ", 1)
        words = " ".join(rest.split())
        if words:
            self._once("text", words)

    def _take_args(self, name: str, value: str) -> None:
        path, wanted = name.removeprefix("args").removeprefix("."), value
        if not path:
            path, _, wanted = value.removeprefix("args.").partition(":")
        if not all(path.split(".")) or not wanted:
            raise Invalid("Name a path and its value, like photo_id:12.", "args")
        pair = (path, wanted.strip('"'))
        self.found["args"] = tuple(dict.fromkeys((*self.found.get("args", ()), pair)))

    def _put(self, name: str, value: str) -> None:
        if name == "state":
            self._add(name, [_state(part) for part in _parts(value)])
        elif name == "id":
            self._add(name, [_number(name, part, LARGEST_ID) for part in _parts(value)])
        elif name == "run":
            self._once(name, _uuid(value))
        elif name == "owner":
            self._once(name, _owner(value))
        elif name.endswith(("_after", "_before")):
            self._once(name, _moment(name, value, self.now))
        else:
            self._once(name, value)

    def _add(self, name: str, values: list[Any]) -> None:
        known = self.found.get(name, ())
        self.found[name] = tuple(dict.fromkeys((*known, *values)))
        if len(self.found[name]) > MAX_IDS:
            raise Invalid(f"At most {MAX_IDS} at once.", name)

    def _once(self, name: str, value: Any) -> None:
        if self.found.setdefault(name, value) != value:
            raise Invalid(f"Give {name} only once.", name)


def _parts(value: str) -> list[str]:
    return [part for part in (piece.strip() for piece in value.split(",")) if part]


def _state(value: str) -> str:
    if value not in STATES:
        raise Invalid(f"There is no state {value!r}. There are: {', '.join(STATES)}.", "state")
    return value


def _number(name: str, value: str, largest: int) -> int:
    if not value.isascii() or not value.isdecimal() or not 0 <= int(value) <= largest:
        raise Invalid(f"{value!r} is not a number of that kind.", name)
    return int(value)


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(f"{value!r} is not a run's id.", "run") from None


def _owner(value: str) -> str:
    return value.lower() if "@" in value else str(_number("owner", value, LARGEST_OWNER))


def _moment(name: str, value: str, now: datetime) -> datetime:
    ago = _AGO.fullmatch(value)
    try:
        if ago:
            return now - timedelta(**{UNITS[ago.group(2)]: int(ago.group(1))})
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{value!r} is not a time like 2026-05-01T12:00 (UTC), nor an age like 2h."
        raise Invalid(message, name) from None


def _each(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _json_pairs(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in body.items():
        if name == "args" and isinstance(value, Mapping):
            pairs += [(f"args.{path}", _scalar(name, wanted)) for path, wanted in value.items()]
        else:
            several = value if isinstance(value, list) else [value]
            pairs += [(name, _scalar(name, one)) for one in several if one is not None]
    return pairs


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Invalid("A text or a number is wanted here.", name)
