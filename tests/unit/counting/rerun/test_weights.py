import shutil
import zipfile
from pathlib import Path

import pytest

from darkroom.counting.rerun import weights
from darkroom.vision import weights as vision


def test_bundled_weights_are_known_by_what_they_are_for(tmp_path: Path):
    assert weights.BUNDLED == vision.BUNDLED
    known = {name: weights.names(task, tmp_path) for name, task in vision.TASKS.items()}
    assert known == {"plants": ["plants"], "containers": ["containers"]}


def test_added_weights_are_known_as_their_checkpoint_says(tmp_path: Path):
    shutil.copyfile(vision.BUNDLED / "containers.pt", tmp_path / "crates.pt")
    assert weights.names(weights.CONTAINERS, tmp_path) == ["containers", "crates"]
    assert [one.name for one in vision.listing(tmp_path) if one.facts.task == "segment"] == [
        "containers",
        "crates",
    ]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_files_that_are_no_checkpoints_are_left_out(tmp_path: Path, content: bytes):
    (tmp_path / "broken.pt").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02 not a pickle")
    assert weights.names(weights.PLANTS, tmp_path) == ["plants"]


def test_weights_that_were_replaced_are_read_again(tmp_path: Path):
    added = tmp_path / "ours.pt"
    shutil.copyfile(vision.BUNDLED / "containers.pt", added)
    assert "ours" not in weights.names(weights.PLANTS, tmp_path)
    shutil.copyfile(vision.BUNDLED / "plants.pt", added)
    assert "ours" in weights.names(weights.PLANTS, tmp_path)
