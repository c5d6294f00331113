"""What the models run on: library settings, a torchvision that imports, the device."""

import functools
import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


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
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


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
