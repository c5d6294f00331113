"""Networks in ncnn's format: read exactly, and the same in OpenVINO and in torch."""

from pathlib import Path

import numpy as np
import pytest

from darkroom.errors import Invalid
from darkroom.settings import UPSCALE_MODELS
from darkroom.vision import esrgan, ncnn
from darkroom.vision.esrgan import OpenVinoNetwork, TorchNetwork
from darkroom.vision.graph import graph

from . import small_network


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = small_network.write(esrgan.folder(tmp_path))
    monkeypatch.setitem(esrgan.MODELS, small_network.NAME, source)  # type: ignore[arg-type]
    return tmp_path


def files(weights: Path) -> tuple[Path, Path]:
    folder = esrgan.folder(weights)
    return folder / "small.param", folder / "small.bin"


def test_openvino_and_torch_make_the_same_of_a_tile(weights: Path) -> None:
    layers = esrgan.layers("small", weights)
    tile = np.random.default_rng(1).random((20, 31, 3), np.float32)
    ours, torchs = (
        OpenVinoNetwork(layers, exact=True).run(tile),
        TorchNetwork(layers, "cpu").run(tile),
    )
    assert ours.shape == (80, 124, 3)
    np.testing.assert_allclose(ours, torchs, atol=1e-5)


def test_the_settings_name_the_networks_that_there_are() -> None:
    assert set(UPSCALE_MODELS) == set(esrgan.MODELS)


def test_weights_with_another_byte_are_not_taken_for_the_pinned_ones(weights: Path) -> None:
    assert esrgan.is_here("small", weights)
    numbers = files(weights)[1]
    numbers.write_bytes(numbers.read_bytes()[:-1] + b"\1")
    assert not esrgan.is_here("small", weights)


def test_an_unknown_model_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="RealESRGAN_x4plus"):
        esrgan.is_here("waifu", tmp_path)


@pytest.mark.parametrize(("change", "said"), [(b"\0\0\0\0", "more than"), (None, "too short")])
def test_numbers_that_do_not_fit_the_layers_are_refused(
    weights: Path, change: bytes | None, said: str
) -> None:
    param, numbers = files(weights)
    data = numbers.read_bytes()
    numbers.write_bytes(data + change if change else data[:-4])
    with pytest.raises(Invalid, match=said):
        ncnn.read(param, numbers)


def test_weights_that_are_not_16_bit_floats_are_refused(weights: Path) -> None:
    param, numbers = files(weights)
    numbers.write_bytes(bytes(4) + numbers.read_bytes()[4:])
    with pytest.raises(Invalid, match="unknown kind"):
        ncnn.read(param, numbers)


@pytest.mark.parametrize("text", ["", "something else\n1 1\n"])
def test_a_file_of_another_format_is_refused(weights: Path, text: str) -> None:
    param, numbers = files(weights)
    param.write_text(text)
    with pytest.raises(Invalid, match="not an ncnn network"):
        ncnn.read(param, numbers)


def test_a_layer_of_an_unknown_kind_is_refused(weights: Path) -> None:
    param, numbers = files(weights)
    param.write_text(param.read_text().replace("BinaryOp ", "Softmax "))
    with pytest.raises(Invalid, match="Softmax"):
        graph(ncnn.read(param, numbers))
