"""Folders that are gone after every end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.storage import temporary

OWNER = """
import sys
from pathlib import Path
from darkroom.storage import temporary
with temporary.folder(Path(sys.argv[1])) as folder:
    (folder / "original").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def owner(parent: Path) -> "subprocess.Popen[bytes]":
    """A process with a folder of its own, which it holds until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline()
    return process


def test_the_folder_is_gone_after_the_block(tmp_path: Path) -> None:
    with temporary.folder(tmp_path / "tmp") as folder:
        (folder / "file").write_bytes(b"x")
        assert list(folder.iterdir()) == [folder / "file"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_folder_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), temporary.folder(tmp_path):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_process_is_cleared_and_that_of_a_living_one_is_not(
    tmp_path: Path,
) -> None:
    dead, alive = owner(tmp_path), owner(tmp_path)
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    assert temporary.count_abandoned(tmp_path) == 1
    assert temporary.clear_abandoned(tmp_path) == 1
    assert len(list(tmp_path.glob("*/files/original"))) == 1
    alive.communicate(timeout=20)
    assert list(tmp_path.iterdir()) == []


def test_what_died_while_it_removed_its_folder_is_cleared(tmp_path: Path) -> None:
    (tmp_path / f"{temporary.PREFIX}half" / "files").mkdir(parents=True)
    assert temporary.clear_abandoned(tmp_path) == 1


def test_a_missing_parent_holds_nothing(tmp_path: Path) -> None:
    assert temporary.clear_abandoned(tmp_path / "none") == 0
