"""Uploads: streamed in pieces, limited, named safely, removed in the end."""

import hashlib
import io
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage

from darkroom.errors import Invalid
from darkroom.storage.uploads import CHUNK, clean_filename, received


class Counting(io.RawIOBase):
    """An endless stream that counts what is taken from it."""

    def __init__(self) -> None:
        self.taken = 0
        self.largest = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        self.largest = max(self.largest, size)
        return bytes(size)


def part(content: bytes | IO[bytes], filename: str | None = "photo.jpg") -> FileStorage:
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    return FileStorage(stream, filename=filename)


def test_upload_lies_on_disk_while_it_is_used_and_is_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "tmp"
    with received(part(b"pixels"), folder, max_bytes=100, field="file") as upload:
        assert upload.path.read_bytes() == b"pixels"
        assert (upload.filename, upload.size) == ("photo.jpg", 6)
        assert upload.sha256 == hashlib.sha256(b"pixels").hexdigest()
    assert list(folder.iterdir()) == []


def test_upload_is_removed_when_its_use_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), received(part(b"x"), tmp_path, max_bytes=9, field="file"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_upload_of_just_the_limit_passes_and_one_byte_more_does_not(tmp_path: Path) -> None:
    limit = 2 * 1024 * 1024
    with received(part(bytes(limit)), tmp_path, max_bytes=limit, field="file") as upload:
        assert upload.size == limit
    with (
        pytest.raises(Invalid, match=r"photo\.jpg.* too large: at most 2 MB") as caught,
        received(part(bytes(limit + 1)), tmp_path, max_bytes=limit, field="file"),
    ):
        pass
    assert (caught.value.code, caught.value.status, caught.value.field) == (
        "too_large",
        413,
        "file",
    )
    assert list(tmp_path.iterdir()) == []


def test_status_of_a_large_file_is_the_callers_choice(tmp_path: Path) -> None:
    with (
        pytest.raises(Invalid) as caught,
        received(part(b"12345"), tmp_path, max_bytes=4, field="file", status=400),
    ):
        pass
    assert caught.value.status == 400


def test_endless_upload_is_read_in_pieces_and_no_further_than_needed(tmp_path: Path) -> None:
    endless = Counting()
    with pytest.raises(Invalid), received(part(endless), tmp_path, max_bytes=10, field="file"):
        pass
    assert endless.taken == endless.largest == CHUNK


@pytest.mark.parametrize(
    ("sent", "code"),
    [(None, "missing"), (part(b"x", ""), "missing"), (part(b"", "a.jpg"), "empty")],
)
def test_missing_and_empty_files_are_told_apart(
    tmp_path: Path, sent: FileStorage | None, code: str
) -> None:
    with (
        pytest.raises(Invalid) as caught,
        received(sent, tmp_path, max_bytes=9, field="photo"),
    ):
        pass
    assert (caught.value.code, caught.value.field) == (code, "photo")


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ana\\piña 1.JPG", "piña 1.JPG"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie: x.png"),
        ("x" * 500 + ".jpg", "x" * 196 + ".jpg"),
    ],
)
def test_file_names_lose_folders_and_control_characters(given_name: str, kept: str) -> None:
    assert clean_filename(given_name) == kept


@given(st.text())
def test_no_name_leads_anywhere(name: str) -> None:
    kept = clean_filename(name)
    assert "/" not in kept and "\\" not in kept and kept.isprintable() and len(kept) <= 200
