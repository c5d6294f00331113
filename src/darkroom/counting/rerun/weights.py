"""The weights that can be chosen, by name, and without torch: the web process does not load it.

A checkpoint is a zip with a pickle in it, which says what the network was trained for. That is read
from the pickle's own words; nothing of it is run.
"""

import pickletools
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

BUNDLED = Path(__file__).parents[2] / "vision" / "weights"
PLANTS, CONTAINERS = "detect", "segment"
"""The tasks that plants and containers are found by."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_WORDS = frozenset({"BINUNICODE", "SHORT_BINUNICODE", "UNICODE"})
_MEMOS = frozenset({"BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"})


def names(task: str, weights_dir: Path) -> list[str]:
    """The names of weights for a task; those that people added hide bundled ones of their name."""
    files = {path.stem: path for path in BUNDLED.glob("*.pt")}
    files |= {path.stem: path for path in weights_dir.glob("*.pt")}
    return sorted(
        name for name, path in files.items() if _NAME.fullmatch(name) and _task_of(path) == task
    )


def _task_of(path: Path) -> str | None:
    try:
        state = path.stat()
        return _read_task(path, state.st_mtime_ns, state.st_size)
    except OSError:
        return None


@lru_cache(maxsize=256)
def _read_task(path: Path, written: int, size: int) -> str | None:
    """The word after `task` in the pickle; None where the file is no checkpoint."""
    try:
        with zipfile.ZipFile(path) as archive:
            inner = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            words = list(_words(archive.read(inner)))
    except (zipfile.BadZipFile, zlib.error, StopIteration, ValueError, RuntimeError):
        return None
    return next((after for word, after in pairwise(words) if word == "task"), None)


def _words(pickle: bytes) -> Iterator[str | None]:
    """The texts of a pickle in order, None for anything between them."""
    for code, argument, _ in pickletools.genops(pickle):
        if code.name in _WORDS:
            yield str(argument)
        elif code.name not in _MEMOS:
            yield None
