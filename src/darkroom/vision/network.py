"""One YOLO checkpoint, ready to run on a batch of images: OpenVINO on CPU, torch on CUDA.

OpenVINO runs an export of the checkpoint. Bundled weights may come with one in 8-bit integers, made
and measured by `scripts/quantise_weights.py`; all others are exported in full precision on first
use. Either kind lies in a folder named for the SHA-256 of the checkpoint it was made from.
"""

import json
import platform
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.vision.batching import Halving
from darkroom.vision.export import export_aside
from darkroom.vision.runtime import empty_device_cache, pick_device, prepare
from darkroom.vision.weights import BUNDLED, Facts, read_facts, sha256_of

if TYPE_CHECKING:
    from openvino import Model

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]

CPU_BATCH = 4
"""Images for each of the requests that run at once."""
CUDA_BATCH = 32
CPU_WORKSPACE = 64 * 1024**2
"""What OpenVINO needs beside the weights, for its compiled code and between layers (measured)."""

ASIDE = ".export-"
LONGEST_EXPORT = 3600.0
"""Seconds after which the folder of an unfinished export was left by somebody dead."""

QUANTISED = BUNDLED / "openvino"
"""The exports that come with the bundled weights."""


class Network(Protocol):
    """What the detector and the segmenter need of a model.

    Attributes
    ----------
    facts : task, class names, and the image side (pixels) the weights were trained at
    batch : how many images are best given to one call
    size_bytes : memory of the device that it takes
    """

    facts: Facts

    @property
    def batch(self) -> int: ...

    @property
    def size_bytes(self) -> int: ...

    def run(self, images: Images) -> list[Floats]:
        """The raw outputs for RGB images (B, side, side, 3)."""
        ...


def load(weights: Path, cache_dir: Path, device: str | None = None) -> Network:
    """The network of a checkpoint on `device` ("cpu", "cuda", "cuda:1"; None picks the best)."""
    chosen = device or pick_device()
    if chosen == "cpu":
        return OpenVinoNetwork(exported(weights, cache_dir))
    prepare(cache_dir)
    return TorchNetwork(weights, chosen)


def export_of(weights: Path, cache_dir: Path) -> Path:
    """Where the checkpoint's OpenVINO export lies: beside the bundled weights, else in the cache.

    In the cache it may still have to be made.
    """
    digest = sha256_of(weights)
    ours = QUANTISED / digest
    return ours if ours.is_dir() and _is_x86() else cache_dir / "openvino" / digest


def _is_x86() -> bool:
    """Whether this processor is of the kind that the quantised exports were measured on."""
    return platform.machine().lower() in ("x86_64", "amd64")


def exported(weights: Path, cache_dir: Path) -> Path:
    """The folder with the checkpoint's OpenVINO export, made once per file content.

    Several processes may ask at once: each exports into a folder of its own and the first to end
    puts its folder in place.
    """
    target = export_of(weights, cache_dir)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=ASIDE) as folder:
        made = export_aside(weights, Path(folder), cache_dir)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    return target


def _clear_abandoned(parent: Path) -> None:
    """Remove the folders of exports whose process was killed."""
    for folder in parent.glob(f"{ASIDE}*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > LONGEST_EXPORT:
                shutil.rmtree(folder, ignore_errors=True)


@dataclass
class OpenVinoNetwork:
    """A network run by OpenVINO on the CPU. Not thread-safe: one per thread."""

    facts: Facts
    batch: int
    size_bytes: int

    def __init__(self, folder: Path) -> None:
        import openvino

        told = json.loads((folder / "facts.json").read_text())
        self.facts = Facts(told["task"], tuple(told["names"]), told["side"])
        core = openvino.Core()
        model = core.read_model(next(folder.glob("*.xml")))
        compiled = core.compile_model(
            _takes_bytes(model, self.facts.side), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"}
        )
        # Several requests at once, each on a share of the cores, wait less for one another than
        # one request on all of them.
        count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [compiled.create_infer_request() for _ in range(count)]
        self.batch = CPU_BATCH * count
        weights = sum(file.stat().st_size for file in folder.glob("*.bin"))
        # The processor's own layout of the weights lies beside them.
        self.size_bytes = 2 * weights + CPU_WORKSPACE

    def run(self, images: Images) -> list[Floats]:
        """The raw outputs for RGB images (B, side, side, 3), copied."""
        parts = np.array_split(images, min(len(self._requests), len(images)))
        running = list(zip(self._requests, parts, strict=False))
        for request, part in running:
            request.start_async([part], share_inputs=True)
        for request, _ in running:
            request.wait()
        outputs = [request.results.to_tuple() for request, _ in running]
        return [np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]


def _takes_bytes(model: "Model", side: int) -> "Model":
    """The model with its scaling and layout change inside: it takes bytes (B, side, side, 3)."""
    import openvino
    from openvino.preprocess import PrePostProcessor

    model.reshape([-1, 3, side, side])
    steps = PrePostProcessor(model)
    taken = steps.input()
    taken.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    taken.preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    taken.model().set_layout(openvino.Layout("NCHW"))
    return steps.build()


class TorchNetwork:
    """A network run by torch, in half precision on CUDA. Not thread-safe: one per thread."""

    def __init__(self, weights: Path, device: str) -> None:
        import torch
        from ultralytics.nn.tasks import load_checkpoint

        self.facts = read_facts(weights)
        self._batches = Halving(CUDA_BATCH, empty_device_cache)
        self._type = torch.float16 if device.startswith("cuda") else torch.float32
        model, _ = load_checkpoint(  # type: ignore[no-untyped-call]
            str(weights), device=device, fuse=True
        )
        model.model[-1].export = True
        model.model[-1].format = "torchscript"
        self._model = model.to(self._type).eval()
        self._device = device

    @property
    def batch(self) -> int:
        """How many images the device took at once without running out of memory."""
        return self._batches.size

    @property
    def size_bytes(self) -> int:
        """What the weights take on the device."""
        parts = (*self._model.parameters(), *self._model.buffers())
        return sum(part.numel() * part.element_size() for part in parts)

    def run(self, images: Images) -> list[Floats]:
        """The raw outputs for RGB images (B, side, side, 3), in as many batches as it takes."""
        return self._batches.run(images, self._forward)

    def _forward(self, images: Images) -> list[Floats]:
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2)
            found = self._model(batch.to(self._type) / 255)
        outputs: Sequence[torch.Tensor] = found if isinstance(found, (tuple, list)) else [found]
        return [output.float().cpu().numpy() for output in outputs]
