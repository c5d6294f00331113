"""Files in a local folder, with signed links that expire."""

import errno
import hashlib
import hmac
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from darkroom.errors import NotFound, Permanent, Transient
from darkroom.storage.store import checked_key

PREFIX = "/files"
"""Where the web process serves the links of this store."""

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
            with _replacing(target) as file:
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

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        path = self._path(key)
        with _edge(key):
            path.unlink(missing_ok=True)

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
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A new file beside the target that takes its place when the block ends well."""
    # No key starts with a dot, so that unfinished files are never taken for stored ones.
    handle, name = tempfile.mkstemp(prefix=".new-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
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
