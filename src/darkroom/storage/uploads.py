"""Files on their way in: streamed to disk in pieces, with a limit on their size."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from darkroom.errors import Invalid

CHUNK = 256 * 1024
_NAME_LENGTH = 200


class Incoming(Protocol):
    """What a web framework hands over for a file part (werkzeug's `FileStorage` is one)."""

    @property
    def stream(self) -> IO[bytes]:
        """The content, to be read once."""

    @property
    def filename(self) -> str | None:
        """The name that the sender gives it."""


@dataclass(frozen=True)
class Upload:
    """A file that has come in whole.

    `filename` is the sender's, without folders and control characters; `path` is where it lies
    for as long as the block of `received` lasts.
    """

    path: Path
    filename: str
    size: int
    sha256: str


@contextmanager
def received(
    part: Incoming | None, folder: Path, *, max_bytes: int, field: str, status: int = 413
) -> Iterator[Upload]:
    """Stream a file part to a temporary file, removed when the block ends.

    Parameters
    ----------
    part
        The part, or None when the request had none.
    folder
        Where the temporary file goes; made when missing.
    max_bytes
        The largest size allowed; reading stops right after it.
    field
        The part's name, for the error.
    status
        The HTTP status of the error for a file that is too large.

    Raises
    ------
    Invalid
        With the codes `missing`, `empty` and `too_large`.
    """
    if part is None or not part.filename:
        raise Invalid(
            f"No file came with the request: send one in the part “{field}”.", field, code="missing"
        )
    filename = clean_filename(part.filename)
    too_large = Invalid(
        f"The file “{filename}” is too large: at most {max_bytes / 1024**2:.3g} MB are allowed.",
        field,
        status=status,
        code="too_large",
    )
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="upload-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            size, sha256 = _copy(part.stream, file, max_bytes, too_large)
        if size == 0:
            raise Invalid(f"The file “{filename}” is empty.", field, code="empty")
        yield Upload(Path(name), filename, size, sha256)
    finally:
        os.unlink(name)


def clean_filename(given: str) -> str:
    """The last part of a name as any system writes it, without control characters."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-_NAME_LENGTH:]


def _copy(source: IO[bytes], to: IO[bytes], max_bytes: int, too_large: Invalid) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > max_bytes:
            raise too_large
        digest.update(chunk)
        to.write(chunk)
    return size, digest.hexdigest()
