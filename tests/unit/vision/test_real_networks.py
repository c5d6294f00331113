"""Real-ESRGAN's own networks: tiles leave no seams, and each way to run them makes the same.

Measured when the gates were set, in decibels of PSNR (from 40 on few people see a difference):
tiles against the whole 71.0 and 42.0 (of tiles a quarter as wide as the real ones, so that a seam
counts for more), OpenVINO against torch 120 in full precision and 56 in that for 8 bits.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from darkroom.settings import ROOT
from darkroom.vision import esrgan
from darkroom.vision.enlarging import Enlargement
from darkroom.vision.esrgan import Floats, Network, OpenVinoNetwork, TorchNetwork
from darkroom.vision.ncnn import Layer

WEIGHTS = ROOT / ".darkroom" / "weights"
SEAMLESS = {"realesr-animevideov3": 65.0, "RealESRGAN_x4plus": 41.0}
"""The second sees farther than tiles overlap."""
EXACT, USUAL = 100.0, 45.0
SIDE = 64
"""Of the tiles, so that a small picture has several."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=SEAMLESS)
def model(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if not esrgan.is_here(name, WEIGHTS):
        pytest.skip(f"the weights of {name} are not here: darkroom weights fetch")
    return name


@pytest.fixture(scope="module")
def layers(model: str) -> tuple[Layer, ...]:
    return esrgan.layers(model, WEIGHTS)


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """Lines, edges and noise: what networks make something of."""
    random = np.random.default_rng(7)
    blobs = Image.fromarray(random.integers(0, 256, (5, 6, 3)).astype(np.uint8))
    soft = np.asarray(blobs.resize((80, 80), Image.Resampling.BICUBIC), np.int16).copy()
    rows, columns = np.indices((80, 80))
    soft[(rows + 2 * columns) % 23 < 2] = 20
    soft[(rows - 48) ** 2 + (columns - 48) ** 2 < 300] += 40
    return np.clip(soft + random.integers(-6, 7, soft.shape), 0, 255).astype(np.uint8)


def enlarged(network: Network, picture: NDArray[np.uint8]) -> tuple[Floats, int]:
    """The picture and how many tiles it was made of."""
    work = Enlargement(network, picture, lambda done, tiles: None, lambda: None)
    return np.concatenate([strip.copy() for strip in work.strips()]), work.tiles


def psnr(one: Floats, other: Floats) -> float:
    assert one.shape == other.shape
    shown = np.clip(one, 0, 1) - np.clip(other, 0, 1)
    return float(-10 * np.log10(max(np.square(shown).mean(), 1e-12)))


def test_tiles_of_a_real_network_leave_no_seams(
    model: str, layers: tuple[Layer, ...], picture: NDArray[np.uint8]
) -> None:
    network = OpenVinoNetwork(layers, exact=True)
    whole, one = enlarged(network, picture)
    network.side = SIDE
    tiled, several = enlarged(network, picture)
    found = psnr(tiled, whole)
    print(f"{several} tiles against {one}: {found:.1f} dB")
    assert (one, several) == (1, 4)
    assert found >= SEAMLESS[model]


def test_openvino_and_torch_make_the_same_of_real_weights(
    layers: tuple[Layer, ...], picture: NDArray[np.uint8]
) -> None:
    tile = np.ascontiguousarray(picture[:SIDE, :SIDE], np.float32) / 255
    torchs = TorchNetwork(layers, "cpu").run(tile)
    assert torchs.shape == (4 * SIDE, 4 * SIDE, 3)
    exact = psnr(OpenVinoNetwork(layers, exact=True).run(tile), torchs)
    usual = psnr(OpenVinoNetwork(layers).run(tile), torchs)
    print(f"exact {exact:.1f} dB, as for 8 bits {usual:.1f} dB")
    assert exact >= EXACT and usual >= USUAL
