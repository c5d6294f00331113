"""What this machine has for models: its device, and what of the device's memory is left."""

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from darkroom import memory
from darkroom.vision import esrgan, faces, liveportrait, mediapipe, swapping, whisper
from darkroom.vision.runtime import pick_device

Json = dict[str, Any]

PACKAGES = ("torch", "openvino", "faster-whisper", "ultralytics", "insightface", "mediapipe")
PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Device:
    """What models run on.

    Attributes
    ----------
    name : tells it from all other devices
    kind : "cuda" or "cpu"
    title : what its maker calls it
    """

    name: str
    kind: str
    title: str


def device() -> Device:
    """The one that models of this process run on."""
    if pick_device() == "cpu":
        return Device(f"cpu {platform.node()}", "cpu", _processor())
    import torch

    found = torch.cuda.get_device_properties(0)
    return Device(f"cuda {found.uuid}", "cuda", found.name)


def device_memory(of: Device) -> Json:
    """Bytes of the device: all there are, what is free, and on CUDA what this process holds."""
    if of.kind == "cpu":
        return {"total": memory.total(), "free": memory.available()}
    import torch

    free, total = torch.cuda.mem_get_info(0)
    held = {"allocated": torch.cuda.memory_allocated(0), "reserved": torch.cuda.memory_reserved(0)}
    return {"total": total, "free": free, **held}


@dataclass(frozen=True)
class Places:
    """Folders of weights: those that are fetched, InsightFace's, a checkout of LivePortrait."""

    weights: Path
    insightface: Path
    liveportrait: Path | None


def weights(at: Places) -> Json:
    """Which weights that do not come with Darkroom lie there, whole."""
    return {
        **{model: esrgan.is_here(model, at.weights) for model in esrgan.MODELS},
        "whisper": whisper.is_here(at.weights),
        "face mesh": mediapipe.is_here(at.weights),
        "insightface": faces.is_here(at.insightface),
        "inswapper": swapping.has_inswapper(at.insightface),
        "liveportrait": at.liveportrait is not None and not liveportrait.missing(at.liveportrait),
    }


def packages() -> dict[str, str]:
    """The versions of those that run models, as far as they are installed."""
    return {name: version for name in PACKAGES if (version := _version(name))}


def _processor() -> str:
    """What the processor's maker calls it; its kind where the system does not say."""
    try:
        lines = PROCESSORS.read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
