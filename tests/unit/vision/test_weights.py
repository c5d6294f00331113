"""Weights are found by name; what is no YOLO checkpoint of the right task is refused."""

import hashlib
import pickle
from pathlib import Path

import pytest
import torch

from darkroom.errors import Invalid
from darkroom.vision import weights


def test_bundled_weights_say_what_they_are() -> None:
    plants = weights.read_facts(weights.bundled("plants"))
    containers = weights.read_facts(weights.bundled("containers"))
    assert (plants.task, plants.names) == ("detect", ("plant",))
    assert (containers.task, containers.names) == ("segment", ("plug", "box", "segment"))


def test_a_name_without_a_file_of_its_own_means_the_bundled_weights(tmp_path: Path) -> None:
    assert weights.resolve("plants", tmp_path) == weights.bundled("plants")


def test_added_weights_win_over_bundled_ones(tmp_path: Path) -> None:
    added = weights.add("plants", weights.bundled("plants"), tmp_path)
    assert weights.resolve("plants", tmp_path) == added.path == tmp_path / "plants.pt"
    assert added.sha256 == hashlib.sha256(added.path.read_bytes()).hexdigest()
    assert {item.name: item.is_bundled for item in weights.listing(tmp_path)} == {
        "plants": False,
        "containers": True,
    }


def test_weights_of_the_wrong_task_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="segment"):
        weights.add("containers", weights.bundled("plants"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_weights_under_a_name_of_their_own_may_be_of_either_task(tmp_path: Path) -> None:
    added = weights.add("my-trays", weights.bundled("containers"), tmp_path)
    assert added.facts.task == "segment"


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps({"a": 1})])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes(content)
    with pytest.raises(Invalid):
        weights.add("plants", file, tmp_path / "weights")


def test_a_checkpoint_without_a_network_is_refused(tmp_path: Path) -> None:
    torch.save({"model": None}, tmp_path / "model.pt")
    with pytest.raises(Invalid, match="no network"):
        weights.add("plants", tmp_path / "model.pt", tmp_path / "weights")


class Trap:
    """Runs code when a pickle that holds it is loaded carelessly."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.victim,)


def test_a_checkpoint_that_would_run_code_is_refused_without_running_it(tmp_path: Path) -> None:
    torch.save({"model": Trap(tmp_path / "owned")}, tmp_path / "model.pt")
    with pytest.raises(Invalid, match="foreign code"):
        weights.add("plants", tmp_path / "model.pt", tmp_path / "weights")
    assert not (tmp_path / "owned").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nothing\.pt"):
        weights.add("plants", tmp_path / "nothing.pt", tmp_path)


@pytest.mark.parametrize("name", ["", "../plants", "Plants", "a b", ".hidden"])
def test_a_name_that_is_no_plain_word_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        weights.resolve(name, tmp_path)


def test_unknown_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cabbages"):
        weights.resolve("cabbages", tmp_path)
