"""Files in a local folder, with signed links that expire."""

import errno
import fcntl
import hashlib
import hmac
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from darkroom.errors import NotFound, Permanent, Transient
from darkroom.storage.store import Entry, checked_key

PREFIX = "/files"
"""Where the web process serves the links of this store."""

# No key starts with a dot, so that unfinished files are never taken for stored ones.
_ASIDE = ".new-"

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


def _now() -> datetime:
    return datetime.now(UTC)


class LocalStore:
    """A folder of files.

    Parameters
    ----------
    folder
        Made when the first file is stored.
    secret
        Signs the links; all processes that make or check them share it.
    now
        The clock that links expire by (aware).
    """

    bucket = "local"

    def __init__(self, folder: Path, secret: str, now: Callable[[], datetime] = _now) -> None:
        self._folder = folder
        self._secret = secret.encode()
        self._now = now

    def put(self, key: str, source: Path | BinaryIO, mime: str) -> None:
        """Store a file or stream, written aside and renamed (`mime` is the asset's to know)."""
        target = self._path(key)
        opened = source.open("rb") if isinstance(source, Path) else nullcontext(source)
        with opened as stream, _edge(key):
            target.parent.mkdir(parents=True, exist_ok=True)
            with _replacing(target, self._locked(fcntl.LOCK_SH)) as file:
                shutil.copyfileobj(stream, file, 1024 * 1024)
                file.flush()
                os.fsync(file.fileno())
            _sync_folder(target.parent)

    def open(self, key: str) -> BinaryIO:
        """The file as a readable stream."""
        path = self._path(key)
        with _edge(key):
            return path.open("rb")

    def fetch(self, key: str, to: Path) -> None:
        """Copy the file to `to`, whole or not at all."""
        with self.open(key) as source, _edge(key), _replacing(to) as file:
            shutil.copyfileobj(source, file, 1024 * 1024)

    def exists(self, key: str) -> bool:
        """Whether there is a file of that key."""
        return self._path(key).is_file()

    def keeps(self, key: str) -> bool:
        """Whether the file is there; it then counts as just stored."""
        path = self._path(key)
        if not path.is_file():
            return False
        try:
            with _edge(key), self._locked(fcntl.LOCK_SH):
                os.utime(path)
        except NotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        path = self._path(key)
        with _edge(key):
            path.unlink(missing_ok=True)

    def discard(self, key: str, older_than: timedelta) -> bool:
        """Remove the file unless it is younger than that; nobody stores it meanwhile."""
        path = self._path(key)
        if not path.exists():
            return True
        with _edge(key), self._locked(fcntl.LOCK_EX), suppress(FileNotFoundError):
            if self._age(path) < older_than:
                return False
            path.unlink()
        return True

    def listing(self, prefix: str) -> Iterator[Entry]:
        """The files below a folder, but for those that are being written."""
        for folder, _, names in os.walk(self._folder / prefix):
            for path in (Path(folder, name) for name in names if not name.startswith(".")):
                with suppress(FileNotFoundError):
                    stored = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield Entry(path.relative_to(self._folder).as_posix(), stored)

    def clear_unfinished(self, prefix: str, older_than: timedelta) -> int:
        """Remove the files that writers set aside and never put in place."""
        cleared = 0
        for path in (self._folder / prefix).rglob(f"{_ASIDE}*"):
            with _edge(path.name), suppress(FileNotFoundError):
                if self._age(path) >= older_than:
                    path.unlink()
                    cleared += 1
        return cleared

    def url(self, key: str, expires: timedelta, filename: str | None = None) -> str:
        """A path on the web process, `/files/<key>?expires=…&signature=…`."""
        until = int((self._now() + expires).timestamp())
        query = {"expires": str(until), "signature": self._sign(key, until, filename)}
        if filename is not None:
            query["filename"] = filename
        return f"{PREFIX}/{quote(checked_key(key))}?{urlencode(query)}"

    def verify(
        self, key: str, expires: int, signature: str, now: datetime, filename: str | None = None
    ) -> bool:
        """Whether a link is ours, unchanged and still good (compared in constant time)."""
        expected = self._sign(key, expires, filename).encode()
        return hmac.compare_digest(expected, signature.encode()) and now.timestamp() < expires

    def _sign(self, key: str, expires: int, filename: str | None) -> str:
        # Neither a key nor a number holds a line break, so that no two links share a text.
        named = "" if filename is None else f"\n{filename}"
        signed = f"files\n{key}\n{expires}{named}".encode()
        return hmac.new(self._secret, signed, hashlib.sha256).hexdigest()

    def _age(self, path: Path) -> timedelta:
        return self._now() - datetime.fromtimestamp(path.stat().st_mtime, UTC)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Shared by all who store, held alone by one who removes; ends with its holder."""
        with (self._folder / ".lock").open("wb") as file:
            fcntl.flock(file, how)
            yield

    def _path(self, key: str) -> Path:
        return self._folder / checked_key(key)


@contextmanager
def _edge(key: str) -> Iterator[None]:
    """Where the system's errors become ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {key}.", "key") from error
    except OSError as error:
        kind = Transient if error.errno in _PASSING else Permanent
        raise kind(f"The file {key} cannot be used: {error.strerror}.") from error


@contextmanager
def _replacing(
    target: Path, guard: AbstractContextManager[None] | None = None
) -> Iterator[BinaryIO]:
    """A new file beside the target that takes its place, under the guard, when the block ends."""
    handle, name = tempfile.mkstemp(prefix=_ASIDE, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        with guard or nullcontext():
            os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
