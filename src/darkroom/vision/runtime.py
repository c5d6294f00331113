"""What the models run on: library settings, a torchvision that imports, the device."""

import functools
import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom import memory

if TYPE_CHECKING:
    import torch

T4 = 15 * 1024**3
BUFFER = 2 * 1024**3
DEVICE_FILES = tuple(map(Path, ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")))
"""One of these is there where a driver is that torch's CUDA can use: Nvidia's, WSL's, AMD's."""


def prepare(config_dir: Path, threads: int | None = None) -> None:
    """Make ultralytics importable here, writing only under `config_dir` and never going online.

    Call it before anything imports ultralytics or sahi; calling it again only changes the threads.

    Parameters
    ----------
    config_dir : where ultralytics keeps its own settings
    threads : CPU threads that torch may use; left alone where None
    """
    folder = config_dir / "ultralytics"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_CONFIG_DIR"] = str(folder)
    mend_torchvision()
    if threads is not None:
        _limit_threads(threads)


def pick_device() -> str:
    """ "cuda" where torch can use one, else "cpu"."""
    # Torch takes 300 MB and seconds: not only to learn that there is no device.
    if not any(file.exists() for file in DEVICE_FILES):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def empty_device_cache() -> None:
    """Give the device back what torch holds of its memory for later; nothing without one."""
    # What has not been imported holds nothing.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def model_memory() -> int:
    """Bytes that models may take by default.

    On a CUDA device its own memory without a buffer for what they compute (the T4 that the media
    services were laid out for has 15 GB, 2 of them buffer); on a CPU as much as a T4 would give,
    but at most half of the machine's.
    """
    if pick_device() == "cpu":
        return min(T4 - BUFFER, memory.total() // 2)
    import torch

    total: int = torch.cuda.get_device_properties(0).total_memory
    return max(total - BUFFER, total // 2)


def _limit_threads(threads: int) -> None:
    import torch
    from ultralytics.utils import torch_utils

    # Ultralytics sets torch to "all cores but one" whenever it selects a device.
    torch_utils.NUM_THREADS = threads  # type: ignore[attr-defined]
    torch.set_num_threads(threads)


@functools.cache
def mend_torchvision() -> None:
    """Import torchvision, giving it an `nms` of its own where its compiled one does not load.

    The registry's torchvision is built for CUDA; beside a CPU build of torch its operators are
    missing and its import fails. Nothing is touched where torchvision is whole.
    """
    os.environ["YOLO_OFFLINE"] = "1"
    os.environ.setdefault("YOLO_VERBOSE", "false")
    # Ultralytics writes into the home folder unless it is told another one before its import.
    os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / "darkroom-yolo"))
    Path(os.environ["YOLO_CONFIG_DIR"]).mkdir(parents=True, exist_ok=True)
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        _define_nms()


def _define_nms() -> None:
    import torch

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _nms, "CPU")
    importlib.import_module("torchvision")
    boxes = importlib.import_module("torchvision.ops.boxes")
    boxes._assert_has_ops = lambda: None  # type: ignore[attr-defined]
    # Operators vanish when their library object is collected.
    _define_nms.library = library  # type: ignore[attr-defined]


def _nms(boxes: "torch.Tensor", scores: "torch.Tensor", iou_threshold: float) -> "torch.Tensor":
    from ultralytics.utils.nms import TorchNMS

    return TorchNMS.nms(boxes, scores, iou_threshold)
