"""The models of the pipelines, as a `ModelCache` loads them."""

from pathlib import Path

from darkroom.vision.cache import Model
from darkroom.vision.detect import PlantDetector
from darkroom.vision.network import CPU_WORKSPACE
from darkroom.vision.segment import ContainerSegmenter
from darkroom.vision.upscale import Upscaler

UPSCALING = 1024**3
"""The most that enlarging takes on a CPU (measured): the largest network, in full precision."""


def plants(weights: Path, cache_dir: Path) -> Model[PlantDetector]:
    """The plant detector of a weight file."""
    return Model(
        _name("plants", weights),
        _size(weights),
        lambda: PlantDetector(weights, cache_dir=cache_dir),
        lambda loaded: loaded.size_bytes,
    )


def containers(weights: Path, cache_dir: Path) -> Model[ContainerSegmenter]:
    """The container segmenter of a weight file."""
    return Model(
        _name("containers", weights),
        _size(weights),
        lambda: ContainerSegmenter(weights, cache_dir=cache_dir),
        lambda loaded: loaded.size_bytes,
    )


def upscaler(weights_dir: Path) -> Model[Upscaler]:
    """What enlarges pictures, with whichever of its networks a picture is for."""
    return Model("upscaler", UPSCALING, lambda: Upscaler(weights_dir))


def _name(task: str, weights: Path) -> str:
    """Tells versions of a file apart: people replace theirs while the worker runs."""
    return f"{task} {weights} {weights.stat().st_mtime_ns}"


def _size(weights: Path) -> int:
    return 2 * weights.stat().st_size + CPU_WORKSPACE
