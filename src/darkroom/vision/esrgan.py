"""Real-ESRGAN's networks: what there is, where its files lie, and the networks made from them.

The weights come in ncnn's format. On a CPU OpenVINO runs the graph as the file tells it: no torch
is loaded. On CUDA the same weights, under the names that torch's checkpoints give them, are loaded
by spandrel.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Invalid
from darkroom.vision import ncnn
from darkroom.vision.graph import graph
from darkroom.vision.ncnn import Layer
from darkroom.vision.runtime import mend_torchvision, pick_device

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32]

FACTOR = 4
"""All of them make four pixels of one, either way."""
CPU_SIDE = 256
CUDA_SIDE = 512
"""Sides of the largest tiles, in pixels: 0.5 GB of work on a CPU, 2 GB on a CUDA device."""


@dataclass(frozen=True)
class Source:
    """Where a network comes from: its files' name in the package, and their SHA-256."""

    file: str
    param_sha256: str
    bin_sha256: str

    @property
    def pins(self) -> dict[str, str]:
        """SHA-256 by file name."""
        return {f"{self.file}.param": self.param_sha256, f"{self.file}.bin": self.bin_sha256}


MODELS: Mapping[str, Source] = {
    "RealESRGAN_x4plus": Source(
        "realesrgan-x4plus",
        "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86",
        "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
    ),
    "RealESRGAN_x4plus_anime_6B": Source(
        "realesrgan-x4plus-anime",
        "2b8fb6e0ae4d2d85704ca08c119a2f5ea40add4f2ecd512eb7f4cd44b6127ed4",
        "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
    ),
    "realesr-animevideov3": Source(
        "realesr-animevideov3-x4",
        "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e",
        "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
    ),
}
"""By Real-ESRGAN's own names."""


def folder(weights_dir: Path) -> Path:
    """Where the files lie."""
    return weights_dir / "esrgan"


def is_here(model: str, weights_dir: Path) -> bool:
    """Whether the files of a network lie there, whole; `Invalid` where none is called so."""
    pins = _source(model).pins.items()
    return all(_is_whole(folder(weights_dir) / name, sha256) for name, sha256 in pins)


def layers(model: str, weights_dir: Path) -> tuple[Layer, ...]:
    """The layers of a network whose files are here."""
    param, numbers = (folder(weights_dir) / name for name in _source(model).pins)
    return ncnn.read(param, numbers)


def _source(model: str) -> Source:
    if model not in MODELS:
        raise Invalid(f"There is no model {model!r}; there are: {', '.join(MODELS)}.", "model")
    return MODELS[model]


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


class Network(Protocol):
    """A network that makes four pixels of one.

    Attributes
    ----------
    side : of the largest tile that it should be given, in pixels
    """

    side: int

    def run(self, tile: Floats) -> Floats:
        """A tile (H, W, 3) of 0 to 1, enlarged to (4 H, 4 W, 3)."""
        ...


def load(found: tuple[Layer, ...], *, exact: bool, device: str | None = None) -> Network:
    """The network of these layers on `device` ("cpu", "cuda"; None picks the best).

    `exact` asks for full precision, which 16-bit pictures need: half of it is good for 8 bits.
    """
    chosen = device or pick_device()
    return OpenVinoNetwork(found, exact) if chosen == "cpu" else TorchNetwork(found, chosen, exact)


class OpenVinoNetwork:
    """A network run by OpenVINO on the CPU, compiled for one size of tiles at a time."""

    side = CPU_SIDE

    def __init__(self, found: tuple[Layer, ...], exact: bool = False) -> None:
        import openvino

        self._core = openvino.Core()
        able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if "BF16" in able and not exact else "f32"
        self._model = graph(found)
        self._request: Any = None
        self._shape: tuple[int, ...] = ()

    def run(self, tile: Floats) -> Floats:
        """A tile (H, W, 3) of 0 to 1, enlarged to (4 H, 4 W, 3)."""
        if tile.shape != self._shape:
            self._compile(tile.shape)
        self._request.infer([tile[None]])
        return np.asarray(self._request.get_output_tensor().data[0].copy(), np.float32)

    def _compile(self, shape: tuple[int, ...]) -> None:
        # What it takes goes before as much is taken anew.
        self._request, self._shape = None, ()
        self._model.reshape([1, *shape])
        config = {"INFERENCE_PRECISION_HINT": self._precision, "PERFORMANCE_HINT": "LATENCY"}
        compiled = self._core.compile_model(self._model, "CPU", config)
        self._request, self._shape = compiled.create_infer_request(), shape


class TorchNetwork:
    """A network run by torch, in half precision on CUDA unless it is to be exact."""

    side = CUDA_SIDE

    def __init__(self, found: tuple[Layer, ...], device: str, exact: bool = False) -> None:
        import torch

        is_half = device.startswith("cuda") and not exact
        self._type = torch.float16 if is_half else torch.float32
        self._device = device
        self._model = torch_model(found).to(device, self._type).eval()

    def run(self, tile: Floats) -> Floats:
        """A tile (H, W, 3) of 0 to 1, enlarged to (4 H, 4 W, 3)."""
        import torch

        with torch.inference_mode():
            taken = torch.from_numpy(tile).to(self._device, self._type).permute(2, 0, 1)[None]
            made = self._model(taken)[0].permute(1, 2, 0)
        return np.asarray(made.float().cpu().numpy(), np.float32)


def torch_model(found: tuple[Layer, ...]) -> "torch.nn.Module":
    """The network in torch, made by spandrel from its weights."""
    import torch

    # Spandrel imports torchvision.
    mend_torchvision()
    import spandrel

    state = {name: torch.from_numpy(part) for name, part in _state(found)}
    model: torch.nn.Module = spandrel.ModelLoader().load_from_state_dict(state).model
    return model


def _state(found: tuple[Layer, ...]) -> Iterator[tuple[str, Floats]]:
    """The weights under the names that torch's checkpoints of these networks give them."""
    learned = [layer for layer in found if layer.weight is not None]
    is_compact = any(layer.kind == "PReLU" for layer in learned)
    names = _body(len(learned)) if is_compact else _dense((len(learned) - 6) // 15)
    for name, layer in zip(names, learned, strict=True):
        for part, values in (("weight", layer.weight), ("bias", layer.bias)):
            if values is not None:
                yield f"{name}.{part}", values


def _body(count: int) -> list[str]:
    return [f"body.{index}" for index in range(count)]


def _dense(blocks: int) -> list[str]:
    """Of blocks of three parts of five convolutions, with one before and five after them."""
    body = [
        f"body.{block}.rdb{part}.conv{index}"
        for block in range(blocks)
        for part in (1, 2, 3)
        for index in range(1, 6)
    ]
    return ["conv_first", *body, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
