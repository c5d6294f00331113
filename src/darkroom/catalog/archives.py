"""ZIP files of pictures, never unpacked as a whole: pictures are looked up by name and copied out.

A name is only ever looked for, never written to, so that no entry can lead out of a folder. No
entry is read further than the size it declares, and those sizes are capped, each and all together.
"""

import shutil
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from darkroom.errors import Invalid

FIELD, COLUMN = "zip", "imagen"
MOST_ENTRIES = 50_000
UTF8_NAMES = 0x800
"""The flag of an entry whose name is in UTF-8."""

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What reading an entry raises: damage, unknown compression, a password."""


class Archive:
    """The pictures of an open ZIP by name. Pictures may be copied out in several threads.

    Parameters
    ----------
    max_bytes, max_bytes_in_all
        How large a picture may be, and those that are copied out together.
    """

    def __init__(self, file: zipfile.ZipFile, max_bytes: int, max_bytes_in_all: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._max_bytes_in_all = max_bytes_in_all
        self._paths: dict[str, list[zipfile.ZipInfo]] = {}
        self._names: dict[str, list[zipfile.ZipInfo]] = {}
        for entry in file.infolist():
            if not entry.is_dir() and (path := _path(entry)):
                self._paths.setdefault(path, []).append(entry)
                self._names.setdefault(path.rpartition("/")[2], []).append(entry)

    def insist_on_size(self, names: Iterable[str]) -> None:
        """Raise `Invalid` when the pictures of these names are too much together."""
        found = [entry for name in names for entry in self._found(name)[:1]]
        if sum(entry.file_size for entry in found) > self._max_bytes_in_all:
            limit = self._max_bytes_in_all // 2**20
            raise Invalid(f"The pictures of the ZIP take more than {limit} MB: split it.", FIELD)

    def copy(self, name: str, to: Path) -> None:
        """Copy out the picture of a name (with its folder or without); `Invalid` says why not."""
        entry = self._entry(name)
        try:
            with self._file.open(entry) as source, to.open("wb") as target:
                shutil.copyfileobj(source, target)
        except _DAMAGED as error:
            message = f"{name} cannot be read from the ZIP: pack it again, without a password."
            raise Invalid(message, COLUMN) from error

    def _entry(self, name: str) -> zipfile.ZipInfo:
        found = self._found(name)
        if not found:
            raise Invalid(f"The ZIP holds no picture {name}: correct the name or add it.", COLUMN)
        if len(found) > 1:
            message = f"The ZIP holds {name} more than once: write its folder before it."
            raise Invalid(message, COLUMN)
        if found[0].file_size > self._max_bytes:
            limit = self._max_bytes // 2**20
            raise Invalid(f"{name} is larger than {limit} MB: make it smaller.", COLUMN)
        return found[0]

    def _found(self, name: str) -> list[zipfile.ZipInfo]:
        return self._paths.get(_key(name)) or self._names.get(_key(name), [])


@contextmanager
def opened(source: BinaryIO, *, max_bytes: int, max_bytes_in_all: int) -> Iterator[Archive]:
    """The ZIP for as long as the block lasts; `Invalid` when it is none."""
    try:
        file = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Invalid("The file is no ZIP that can be read.", FIELD) from error
    with file:
        if len(file.infolist()) > MOST_ENTRIES:
            raise Invalid(f"The ZIP holds more than {MOST_ENTRIES} files: split it.", FIELD)
        yield Archive(file, max_bytes, max_bytes_in_all)


def _path(entry: zipfile.ZipInfo) -> str:
    """What an entry is found by; empty for what a Mac adds of its own."""
    name = entry.filename
    if not entry.flag_bits & UTF8_NAMES:
        name = _decoded(name)
    key = _key(name)
    return "" if key.startswith("__macosx/") or key.rpartition("/")[2].startswith(".") else key


def _decoded(name: str) -> str:
    """Names that some programs write in UTF-8 without saying so."""
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").strip("/ ")).casefold()
