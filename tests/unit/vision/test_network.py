"""A checkpoint is exported once, if it has no export yet; OpenVINO and torch agree."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.vision import weights
from darkroom.vision.network import OpenVinoNetwork, TorchNetwork, exported, load


def test_a_checkpoint_is_exported_once(own_plants: Path, model_cache: Path) -> None:
    first = exported(own_plants, model_cache)
    made = next(first.glob("*.xml")).stat().st_mtime_ns
    assert exported(own_plants, model_cache) == first
    assert next(first.glob("*.xml")).stat().st_mtime_ns == made


def test_two_processes_may_export_at_once(own_plants: Path, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(exported, own_plants, tmp_path) for _ in range(2)]
        assert len({job.result() for job in jobs}) == 1
    assert len(list((tmp_path / "openvino").iterdir())) == 1


def test_openvino_and_torch_agree(own_plants: Path, model_cache: Path) -> None:
    ours = load(own_plants, model_cache, "cpu")
    assert isinstance(ours, OpenVinoNetwork)
    side = ours.facts.side
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    left, right = ours.run(images)[0], TorchNetwork(own_plants, "cpu").run(images)[0]
    assert np.abs(left[:, 4:] - right[:, 4:]).max() < 0.02


def test_a_batch_too_large_for_the_device_is_halved(
    model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = TorchNetwork(weights.bundled("plants"), "cpu")
    whole = network._model
    side = network.facts.side

    def small_device(batch: torch.Tensor) -> torch.Tensor:
        if len(batch) > 2:
            raise torch.OutOfMemoryError("too many")
        return whole(batch)

    monkeypatch.setattr(network, "_model", small_device)
    images = np.random.default_rng(0).integers(0, 256, (5, side, side, 3), dtype=np.uint8)
    assert len(network.run(images)[0]) == 5
    assert network.batch <= 2
