"""Faults that can be ordered, a route each.

A fault waits until `after` requests of its route have passed, then befalls the next `times` of
them. Where several wait for the same request the oldest takes it; the others do not count it.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Self

from darkroom.errors import Invalid

KINDS: Mapping[str, str] = {
    "limit": "429: too many requests; options: seconds (to wait, 0 for none said)",
    "quota": "429: the quota of the day is used up",
    "error": "5xx; options: status",
    "slow": "the answer waits; options: seconds",
    "drip": "the answer comes in drops; options: seconds (for all of it)",
    "cut": "the connection ends; options: portion (of the answer that is still sent)",
    "malformed": "the answer is broken JSON",
    "no_picture": "a success without a picture",
    "blocked": "refused for safety",
    "gone": "there is no such model any more",
    "expired": "the token or key is not valid (any more)",
    "forbidden": "no right to do that",
    "unfinished": "WordPress: the file is kept, but then a 5xx",
}
ON_THE_WIRE = {"slow", "drip", "cut", "malformed"}
"""These let the service do its work, and then keep the answer from arriving as it should."""
SECONDS = {"limit": 2.0, "slow": 5.0, "drip": 20.0}
LONGEST_SECONDS = 3600.0
MOST = 100
OPTIONS = {"seconds", "status", "portion", "containing"}
FIELDS = {"route", "kind", "times", "after", "options"}


@dataclass(frozen=True)
class Fault:
    """What is to go wrong.

    Parameters
    ----------
    route
        A pattern of paths, such as "/gemini/*" or "*:generateContent".
    kind
        One of `KINDS`.
    times
        How many requests it befalls; None: all.
    after
        How many requests it lets pass before.
    containing
        A text that the path or the body must hold.
    seconds, status, portion
        How: see `KINDS`.
    """

    route: str
    kind: str
    times: int | None = 1
    after: int = 0
    containing: str = ""
    seconds: float = 0.0
    status: int = 503
    portion: float = 0.0

    @classmethod
    def from_json(cls, given: Any) -> Self:
        """Read an order for a fault; `Invalid` names the field that is wrong."""
        said = _object(given, "The fault", FIELDS)
        options = _object(said.get("options") or {}, "options", OPTIONS)
        kind = said.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise Invalid(f"kind must be one of {', '.join(KINDS)}.", "kind")
        route = said.get("route")
        if not isinstance(route, str) or not route.startswith(("/", "*")):
            raise Invalid("route must be a pattern of paths like /gemini/*.", "route")
        times = said.get("times", 1)
        return cls(
            route=route,
            kind=kind,
            times=None if times is None else int(_number(times, "times", 1, 1_000_000)),
            after=int(_number(said.get("after", 0), "after", 0, 1_000_000)),
            containing=str(options.get("containing", "")),
            seconds=_number(
                options.get("seconds", SECONDS.get(kind, 0.0)), "seconds", 0, LONGEST_SECONDS
            ),
            status=int(_number(options.get("status", 503), "status", 500, 599)),
            portion=_number(options.get("portion", 0.0), "portion", 0, 0.99),
        )

    def matches(self, path: str, body: bytes) -> bool:
        """Whether it is about such a request."""
        if not fnmatchcase(path, self.route):
            return False
        return self.containing in path or self.containing.encode() in body


@dataclass
class Standing:
    """A fault that was ordered, and how far it has come."""

    id: int
    fault: Fault
    passed: int = 0
    done: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it befalls nobody any more."""
        return self.fault.times is not None and self.done >= self.fault.times

    def take(self) -> bool:
        """Count a request; True when the fault befalls it."""
        if self.is_over:
            return False
        if self.passed < self.fault.after:
            self.passed += 1
            return False
        self.done += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The fault as programs get it."""
        fault = self.fault
        options = {
            "seconds": fault.seconds,
            "status": fault.status,
            "portion": fault.portion,
            "containing": fault.containing,
        }
        return {
            "id": self.id,
            "route": fault.route,
            "kind": fault.kind,
            "times": fault.times,
            "after": fault.after,
            "options": options,
            "passed": self.passed,
            "done": self.done,
            "is_over": self.is_over,
        }


@dataclass
class Faults:
    """All faults that were ordered. Safe to share between threads."""

    _standing: list[Standing] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterable[int] = field(default_factory=lambda: count(1))

    def add(self, fault: Fault) -> Standing:
        """Order one. Those that are over make room; `Invalid` when there is none."""
        with self._lock:
            if len(self._standing) >= MOST:
                self._standing = [each for each in self._standing if not each.is_over]
            if len(self._standing) >= MOST:
                raise Invalid(f"There are {MOST} faults already: clear some.", "route")
            standing = Standing(next(iter(self._numbers)), fault)
            self._standing.append(standing)
        return standing

    def take(self, path: str, body: bytes) -> Fault | None:
        """The fault that befalls this request, if any does."""
        with self._lock:
            for each in self._standing:
                if each.fault.matches(path, body) and each.take():
                    return each.fault
        return None

    def is_gone(self, path: str) -> bool:
        """Whether a request for a model, at that path, would find it gone."""
        with self._lock:
            return any(
                each.fault.kind == "gone" and each.fault.matches(path, b"") and not each.is_over
                for each in self._standing
            )

    def listing(self) -> list[Standing]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._standing)

    def clear(self, id: int | None = None) -> int:
        """Forget one, or all; answers how many."""
        with self._lock:
            kept = [each for each in self._standing if id is not None and each.id != id]
            cleared = len(self._standing) - len(kept)
            self._standing = kept
        return cleared


def _object(given: Any, name: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Invalid(f"{name} must be a JSON object.", name)
    unknown = sorted(set(given) - known)
    if unknown:
        raise Invalid(f"{name} knows no {unknown[0]!r}, only {', '.join(sorted(known))}.", name)
    return given


def _number(given: Any, name: str, low: float, high: float) -> float:
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = float("nan")
    if isinstance(given, bool) or not low <= value <= high:
        raise Invalid(f"{name} must be between {low:g} and {high:g}, not {given!r}.", name)
    return value
