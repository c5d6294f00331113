"""When a cron job is due: a cron expression in UTC (`17 3 * * *`), or `every 10m`.

Pure arithmetic over aware datetimes; the clock is the caller's.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from croniter import CroniterError, croniter

from darkroom.errors import Invalid

OFF = "off"
MOST_COUNTED = 1000
"""Due times that are counted one by one; of a longer gap only so many are said to be missed."""

HELP = (
    "Write five fields in UTC (“17 3 * * *”), a name such as @daily, “every 10m” (s, m, h or d), "
    "or “off”."
)

_EVERY = re.compile(r"every (\d{1,6}) ?([smhd])", re.ASCII)
_NAMES = {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@annually", "@yearly"}
_FIELDS = re.compile(r"[0-9A-Za-z*/,#?\-]+( [0-9A-Za-z*/,#?\-]+){4}", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Schedule(Protocol):
    """A row of due times without an end."""

    def after(self, now: datetime) -> datetime:
        """The first due time later than `now`, for a job that has never been due."""

    def following(self, due: datetime, now: datetime) -> datetime:
        """The first due time later than `now` in the row that `due` belongs to."""

    def count(self, due: datetime, now: datetime) -> int:
        """How many due times lie in [due, now]; no more than `MOST_COUNTED` + 1."""


@dataclass(frozen=True)
class Cron:
    """The times that a cron expression names, in UTC."""

    expression: str

    def after(self, now: datetime) -> datetime:
        """The first time later than `now` that the expression names."""
        found: datetime = croniter(self.expression, now.astimezone(UTC)).get_next(datetime)
        return found

    def following(self, due: datetime, now: datetime) -> datetime:
        """The first time later than `now` that the expression names."""
        return self.after(now)

    def count(self, due: datetime, now: datetime) -> int:
        """How many such times lie in [due, now], `due` counting as one."""
        times = croniter(self.expression, due.astimezone(UTC))
        counted = 1
        while counted <= MOST_COUNTED and times.get_next(datetime) <= now:
            counted += 1
        return counted


@dataclass(frozen=True)
class Every:
    """A time every so often, counted from the first."""

    interval: timedelta

    def after(self, now: datetime) -> datetime:
        """One interval from now."""
        return now + self.interval

    def following(self, due: datetime, now: datetime) -> datetime:
        """The next whole number of intervals after `due` that is later than `now`."""
        return due + self.interval * ((now - due) // self.interval + 1)

    def count(self, due: datetime, now: datetime) -> int:
        """How many such times lie in [due, now]."""
        return min((now - due) // self.interval, MOST_COUNTED) + 1


def parse(text: str, field: str = "schedule") -> Schedule | None:
    """The schedule that a text describes; None for `off`.

    Raises
    ------
    Invalid
        Naming `field`, when the text is none or names no time that ever comes.
    """
    words = " ".join(text.split())
    if words.lower() == OFF:
        return None
    every = _EVERY.fullmatch(words)
    if every and int(every[1]) > 0:
        return Every(timedelta(**{_UNITS[every[2]]: int(every[1])}))
    if words in _NAMES or _FIELDS.fullmatch(words):
        return _cron(words, text, field)
    raise _unreadable(text, field)


def _cron(words: str, text: str, field: str) -> Cron:
    found = Cron(words)
    try:
        found.after(_SOME_DAY)
    except (CroniterError, ValueError) as error:
        raise _unreadable(text, field) from error
    # croniter draws a time of its own for R, another one at each reading.
    if re.search(r"(^| )R", words):
        raise _unreadable(text, field)
    return found


def _unreadable(text: str, field: str) -> Invalid:
    return Invalid(f"{field}: {text!r} is not a schedule. {HELP}", field)
