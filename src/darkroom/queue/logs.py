"""What an attempt logs: its last lines, kept on its row when it is settled.

Kept is what Darkroom's own modules and those of `jobs/` log in the step's thread, at the level that
the worker logs at. Libraries are not listened to, as they log addresses with keys in them; of an
error only the message is kept; and what still looks like a secret is blotted out.

The lines are held in memory until the attempt is settled. A worker that is killed takes those of
its running attempts with it (its own output has them), and what a step's `save` logs is not kept:
by then its row is written.
"""

import logging
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from darkroom.queue.said import LONGEST, message_of, storable

OWN = ("darkroom", "jobs")
LINES = 200
LONGEST_LINE = 2_000
HEAD = 100
"""Characters that are left for the line which says how many are missing."""

_SECRETS = (
    # User and password of an address, and all that is asked of it: signatures, keys.
    (re.compile(r"(://)[^/@\s]+(?=@)"), r"\1…"),
    (re.compile(r"(://[^\s?]+\?)[^\s\"'<>]+"), r"\1…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 …"),
    (
        re.compile(
            r"(?i)((?:key|token|secret|password|signature|authorization|cookie)"
            r"[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+"
        ),
        r"\1…",
    ),
)


class AttemptLog:
    """The last lines that an attempt has logged. Any thread may add to it and read it."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINES)
        self._count = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note here what this thread logs inside the block, if this process listens (`listen`)."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def add(self, said: str) -> None:
        """Note one or more lines."""
        lines = [line[:LONGEST_LINE] for line in said.splitlines()]
        self._count += len(lines)
        self._lines.extend(lines)

    def text(self) -> str | None:
        """The last lines, at most `LINES` and `LONGEST` characters of them; None without any."""
        if not self._count:
            return None
        # `list` copies in one go; the step's thread may log meanwhile.
        kept = _last(list(self._lines))
        left_out = self._count - len(kept)
        head = [f"({left_out} earlier lines are not kept)"] if left_out else []
        return storable(_without_secrets("\n".join(head + kept)))


_current: ContextVar[AttemptLog | None] = ContextVar("attempt_log", default=None)


class _Listener(logging.Handler):
    """Notes what is logged in the log of the attempt that the thread works on, if any."""

    def emit(self, record: logging.LogRecord) -> None:
        log = _current.get()
        if log is None:
            return
        try:
            log.add(_line(record))
        except Exception:
            self.handleError(record)


_LISTENER = _Listener()


def listen() -> None:
    """Have this process listen to what its steps log. To say so again changes nothing."""
    for name in OWN:
        logging.getLogger(name).addHandler(_LISTENER)


def _line(record: logging.LogRecord) -> str:
    at = time.strftime("%H:%M:%S", time.gmtime(record.created))
    line = f"{at} {record.levelname} {record.name}: {record.getMessage()}"
    error = record.exc_info[1] if record.exc_info else None
    return line if error is None else f"{line} ({message_of(error)})"


def _last(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    room = LONGEST - HEAD
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]


def _without_secrets(said: str) -> str:
    for pattern, blotted in _SECRETS:
        said = pattern.sub(blotted, said)
    return said
