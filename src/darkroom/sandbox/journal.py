"""What the sandbox was asked: sizes and hashes, never contents, headers or keys."""

import hashlib
import threading
from collections import deque
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

LONGEST = 10_000
"""So many requests are remembered; `seen` goes on counting."""
SECRET_ROUTES = ("/slack/",)


@dataclass(frozen=True)
class Entry:
    """One request. `status` is None while it is at work, and 0 when its answer was cut off.

    Parameters
    ----------
    at
        When it came, in seconds since 1970.
    size, sha256
        Of the request's body.
    fault
        The kind of fault it met; empty for none.
    """

    number: int
    at: float
    method: str
    path: str
    size: int
    sha256: str
    fault: str = ""
    status: int | None = None
    answer_size: int = 0
    answer_sha256: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The entry as programs get it."""
        return asdict(self)


class Journal:
    """The requests, oldest first. Safe to share between threads."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LONGEST)
        self._lock = threading.Lock()
        self._seen = 0

    @property
    def seen(self) -> int:
        """How many requests came since the start or the last `clear`."""
        return self._seen

    def begin(self, at: float, method: str, path: str, body: bytes, fault: str) -> Entry:
        """Note that a request came."""
        with self._lock:
            self._seen += 1
            number = self._seen
            entry = Entry(number, at, method, _shown(path), len(body), _digest(body), fault)
            self._entries.append(entry)
        return entry

    def end(self, entry: Entry, status: int, answer: bytes, seconds: float) -> None:
        """Note what it was answered."""
        ended = replace(
            entry,
            status=status,
            answer_size=len(answer),
            answer_sha256=_digest(answer),
            seconds=seconds,
        )
        with self._lock:
            at = next((i for i, each in enumerate(self._entries) if each is entry), None)
            if at is not None:
                self._entries[at] = ended

    def find(self, route: str = "*", limit: int = LONGEST) -> list[Entry]:
        """The latest requests whose path matches a pattern like `/gemini/*`, newest first."""
        with self._lock:
            found = [each for each in self._entries if fnmatchcase(each.path, route)]
        return found[::-1][:limit]

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._entries.clear()
            self._seen = 0


def _shown(path: str) -> str:
    """A path without what is secret in it: Slack's webhooks are known by nothing else."""
    for secret in SECRET_ROUTES:
        if path.startswith(secret):
            return secret + _digest(path.encode())[:8]
    return path


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
