"""Copies of originals on local disk: right, bounded, shared, and safe from crashes."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.storage.cache import FileCache

KILO = b"x" * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "originals"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def kept(cache: FileCache, tmp_path: Path, content: bytes) -> str:
    file = tmp_path / "to keep"
    file.unlink(missing_ok=True)
    file.write_bytes(content)
    cache.keep(sha256(content), file)
    return sha256(content)


def taken(cache: FileCache, tmp_path: Path, content: bytes) -> bool:
    to = tmp_path / "taken"
    to.unlink(missing_ok=True)
    found = cache.take(sha256(content), len(content), to)
    assert found == to.exists() and (not found or to.read_bytes() == content)
    return found


def number(content: int) -> bytes:
    return content.to_bytes(4, "big") + KILO[4:]


def used_at(folder: Path, content: bytes, when: int) -> None:
    os.utime(folder / sha256(content), (when, when))


def test_what_was_kept_can_be_taken_again_and_again(tmp_path: Path, folder: Path) -> None:
    cache = FileCache(folder, 10_000)
    assert not taken(cache, tmp_path, KILO)
    kept(cache, tmp_path, KILO)
    assert taken(cache, tmp_path, KILO) and taken(cache, tmp_path, KILO)


def test_the_copies_used_longest_ago_go_first(tmp_path: Path, folder: Path) -> None:
    cache = FileCache(folder, 3000)
    for content in (1, 2, 3):
        kept(cache, tmp_path, number(content))
        used_at(folder, number(content), content)
    assert taken(cache, tmp_path, number(1))
    kept(cache, tmp_path, number(4))
    left = [content for content in (1, 2, 3, 4) if (folder / sha256(number(content))).exists()]
    assert left == [1, 3, 4]


def test_the_folder_never_grows_beyond_its_limit(tmp_path: Path, folder: Path) -> None:
    cache = FileCache(folder, 2500)
    for content in range(20):
        kept(cache, tmp_path, number(content))
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 2500


@pytest.mark.parametrize("limit", [0, 999])
def test_a_file_larger_than_the_limit_is_not_kept(tmp_path: Path, folder: Path, limit: int) -> None:
    cache = FileCache(folder, limit)
    kept(cache, tmp_path, KILO)
    assert not taken(cache, tmp_path, KILO)


@pytest.mark.parametrize("spoiled", [b"", KILO[:-1], KILO[:-1] + b"y"])
def test_a_spoiled_copy_counts_as_missing_and_goes(
    tmp_path: Path, folder: Path, spoiled: bytes
) -> None:
    cache = FileCache(folder, 10_000)
    copy = folder / kept(cache, tmp_path, KILO)
    copy.unlink()
    copy.write_bytes(spoiled)
    assert not taken(cache, tmp_path, KILO)
    assert not copy.exists()


def test_a_copy_in_use_outlasts_its_removal(tmp_path: Path, folder: Path) -> None:
    cache = FileCache(folder, 1000)
    kept(cache, tmp_path, number(1))
    assert cache.take(sha256(number(1)), 1000, tmp_path / "in use")
    kept(cache, tmp_path, number(2))
    assert not taken(cache, tmp_path, number(1))
    assert (tmp_path / "in use").read_bytes() == number(1)


def test_names_on_different_disks_are_copied(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    cache = FileCache(folder, 10_000)
    kept(cache, tmp_path, KILO)
    assert taken(cache, tmp_path, KILO)
    assert [path.name for path in folder.iterdir()] == [sha256(KILO)]


def test_what_a_killed_process_left_half_copied_ages_like_the_rest(
    tmp_path: Path, folder: Path
) -> None:
    cache = FileCache(folder, 1500)
    kept(cache, tmp_path, number(1))
    (folder / ".new-abc").write_bytes(KILO[:500])
    os.utime(folder / ".new-abc", (1, 1))
    used_at(folder, number(1), 2)
    kept(cache, tmp_path, number(2))
    assert [path.name for path in folder.iterdir()] == [sha256(number(2))]


BUSY = """
import hashlib, sys
from pathlib import Path
from darkroom.storage.cache import FileCache
folder, own = Path(sys.argv[1]), Path(sys.argv[2])
own.mkdir()
cache = FileCache(folder, 20_000)
rounds = int(sys.argv[3])
for turn in range(rounds):
    content = (turn * 7 % 40).to_bytes(4, "big") * 500
    digest, file = hashlib.sha256(content).hexdigest(), own / "file"
    file.unlink(missing_ok=True)
    if cache.take(digest, 2000, file):
        assert file.read_bytes() == content
    else:
        file.write_bytes(content)
        cache.keep(digest, file)
    print(turn, flush=True)
"""


def started(folder: Path, own: Path, rounds: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", BUSY, str(folder), str(own), str(rounds)], stdout=subprocess.PIPE
    )


def test_several_processes_share_a_folder_and_one_killed_harms_nobody(
    tmp_path: Path, folder: Path
) -> None:
    doomed = started(folder, tmp_path / "doomed", 1_000_000)
    others = [started(folder, tmp_path / f"own{number}", 400) for number in range(2)]
    assert doomed.stdout is not None and doomed.stdout.readline()
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    assert [
        other.communicate(timeout=60)[0] is not None and other.returncode for other in others
    ] == [0, 0]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 20_000
    doomed.stdout.close()
