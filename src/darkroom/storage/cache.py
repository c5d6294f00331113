"""Copies of stored files on this machine's own disk, within a limit of size.

A copy is known by the SHA-256 of its content, and checked against it each time it is used: what a
crash or a disk spoiled is removed and counts as missing. Any number of processes share the folder.
Copies appear whole or not at all, and one that is in use outlasts its removal, since a user holds a
link of their own. Where room is needed the copies used longest ago go first.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from darkroom.settings import Settings

_ASIDE = ".new-"


@dataclass(frozen=True)
class _Copy:
    path: Path
    size: int
    used_at: int


class FileCache:
    """A folder of copies.

    Parameters
    ----------
    folder
        Made when the first copy is kept.
    limit
        Bytes that all copies together may take; 0 keeps none.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit

    def take(self, sha256: str, size: int, to: Path) -> bool:
        """Put the copy with that content at the path `to`, where nothing is; False without one."""
        copy = self._folder / sha256
        try:
            _link(copy, to)
        except FileNotFoundError:
            return False
        if matches(to, sha256, size):
            _mark_used(copy)
            return True
        to.unlink()
        copy.unlink(missing_ok=True)
        return False

    def keep(self, sha256: str, file: Path) -> None:
        """Keep a copy of a file with that content, which must not be changed afterwards.

        A file larger than the limit is not kept.
        """
        size = file.stat().st_size
        if size > self._limit:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._make_room(size)
            # Another process may have kept it meanwhile.
            with suppress(FileExistsError):
                _link(file, self._folder / sha256)
        _mark_used(self._folder / sha256)

    def _make_room(self, size: int) -> None:
        copies = sorted(self._copies(), key=lambda copy: copy.used_at)
        taken = size + sum(copy.size for copy in copies)
        for copy in copies:
            if taken <= self._limit:
                return
            copy.path.unlink(missing_ok=True)
            taken -= copy.size

    def _copies(self) -> Iterator[_Copy]:
        """All files here, also what a killed process left half copied: it ages like the others."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found = entry.stat()
                    yield _Copy(Path(entry.path), found.st_size, found.st_atime_ns)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else keeps a copy meanwhile; ends with its holder, however that ends."""
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def matches(file: Path, sha256: str, size: int) -> bool:
    """Whether a file has that content."""
    if file.stat().st_size != size:
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == sha256


def file_cache(settings: Settings) -> FileCache:
    """The cache of originals of this machine."""
    return FileCache(settings.originals_dir, settings.originals_cache_bytes)


def _link(file: Path, to: Path) -> None:
    """The same file under a second name; a copy where the names lie on different disks."""
    try:
        os.link(file, to)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        _copy(file, to)


def _copy(file: Path, to: Path) -> None:
    handle, aside = tempfile.mkstemp(prefix=_ASIDE, dir=to.parent)
    os.close(handle)
    try:
        shutil.copyfile(file, aside)
        os.replace(aside, to)
    finally:
        Path(aside).unlink(missing_ok=True)


def _mark_used(copy: Path) -> None:
    """Disks are often mounted so that reading leaves no mark."""
    with suppress(FileNotFoundError):
        os.utime(copy)
