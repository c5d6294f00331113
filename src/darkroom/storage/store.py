"""What a store of files can do, whichever it is: a local folder or an S3 bucket.

A file is known by its key, a relative path such as `uploads/7/original.jpg`. Both stores write a
file whole or not at all, and raise the same errors:

- `NotFound`: there is no file of that key.
- `Transient`: the disk is full, the endpoint does not answer; trying again may help.
- `Permanent`: no right to write, no such bucket; trying again does not help.
- `Invalid`: the key is not one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from darkroom.errors import Invalid
from darkroom.settings import Settings
from darkroom.storage.secret import secret_key

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
_KEY_LENGTH = 500
_PART_LENGTH = 200


@dataclass(frozen=True)
class Entry:
    """A file of a store: its key, and when it was stored (aware)."""

    key: str
    stored_at: datetime


class Store(Protocol):
    """Keeps files by key. Its errors are those of the module's introduction."""

    @property
    def bucket(self) -> str:
        """The name under which assets remember this store."""

    def put(self, key: str, source: Path | BinaryIO, mime: str) -> None:
        """Store a file, or what a binary stream still holds; an older one is replaced."""

    def open(self, key: str) -> BinaryIO:
        """The file as a readable stream, for a `with` statement."""

    def fetch(self, key: str, to: Path) -> None:
        """Copy the file to a path of this machine."""

    def exists(self, key: str) -> bool:
        """Whether there is a file of that key."""

    def keeps(self, key: str) -> bool:
        """Whether the file is there and counts as just stored; otherwise store it (again)."""

    def delete(self, key: str) -> None:
        """Remove the file; a missing one is fine."""

    def discard(self, key: str, older_than: timedelta) -> bool:
        """Remove the file unless it was stored more recently than that; answers whether it is gone.

        What a `put` or `keeps` of another process touches at the same moment is never removed.
        """

    def listing(self, prefix: str) -> Iterator[Entry]:
        """The files whose keys begin with `prefix` (whole folders: `assets/`), in no order."""

    def clear_unfinished(self, prefix: str, older_than: timedelta) -> int:
        """Remove what killed processes left half stored; answers how many pieces."""

    def url(self, key: str, expires: timedelta, filename: str | None = None) -> str:
        """A link that lets anyone read the file until it expires.

        Parameters
        ----------
        expires
            Counted from now. S3 allows no more than seven days; longer is shortened to that.
        filename
            The name that a browser saves the file under; without it, the browser shows it.
        """


def checked_key(key: str) -> str:
    """The key itself, or `Invalid`: no `..`, no absolute path, plain ASCII without spaces."""
    parts_fit = all(len(part) <= _PART_LENGTH for part in key.split("/"))
    if len(key) > _KEY_LENGTH or not parts_fit or not _KEY.fullmatch(key):
        raise Invalid(f"{key[:80]!r} is not the key of a file.", "key")
    return key


def from_settings(settings: Settings, secret: str) -> Store:
    """The store that the settings name: the S3 bucket if there is one, else the local folder."""
    # Imported here: both build on this module, and boto3 is slow to load.
    if settings.s3 is not None:
        from darkroom.storage.s3 import S3Store

        return S3Store(settings.s3)
    from darkroom.storage.local import LocalStore

    return LocalStore(settings.files_dir, secret)


def open_store(settings: Settings) -> Store:
    """The store of this installation, with its own secret to sign links."""
    return from_settings(settings, secret_key(settings))
