"""Folders for what lasts no longer than a step: gone at its end, whatever end that is.

Whoever works in such a folder holds a lock on a file in it. The kernel lets go of that when its
holder dies, also by SIGKILL or on a machine without room for it: so a folder that can be locked was
left behind, and `clear_abandoned` (at each start of a worker, and by upkeep) removes it.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "work-"
_UNLOCKED = ".making-"
_LOCK = ".alive"


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """An empty folder below `parent`, for as long as the block lasts."""
    parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=_UNLOCKED, dir=parent))
    with (made / _LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # It gets its name once it is locked: whoever finds it under that knows what to think of it.
        home = made.rename(parent / made.name.replace(_UNLOCKED, PREFIX))
        inside = home / "files"
        inside.mkdir()
        try:
            yield inside
        finally:
            shutil.rmtree(home, ignore_errors=True)


def clear_abandoned(parent: Path) -> int:
    """Remove the folders whose owners are dead; answers how many."""
    found = parent.glob(f"{PREFIX}*") if parent.is_dir() else ()
    return sum(_cleared(home) for home in found)


def count_abandoned(parent: Path) -> int:
    """How many folders `clear_abandoned` would remove."""
    found = parent.glob(f"{PREFIX}*") if parent.is_dir() else ()
    return sum(_is_abandoned(home) for home in found)


def _cleared(home: Path) -> bool:
    if not _is_abandoned(home):
        return False
    shutil.rmtree(home, ignore_errors=True)
    return not home.exists()


def _is_abandoned(home: Path) -> bool:
    try:
        with (home / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except FileNotFoundError:
        # Its owner removes it, or died over that.
        return True
