"""The models of the pipelines, as a `ModelCache` loads them."""

from pathlib import Path

from darkroom.vision.cache import Model
from darkroom.vision.detect import PlantDetector
from darkroom.vision.network import CPU_WORKSPACE
from darkroom.vision.runtime import pick_device
from darkroom.vision.segment import ContainerSegmenter
from darkroom.vision.swapping import InsightSwapper, MeshSwapper, Swapper, has_inswapper
from darkroom.vision.transcribe import Transcriber
from darkroom.vision.upscale import Upscaler

UPSCALING = {"cpu": 1024**3, "cuda": 2 * 1024**3}
"""The most that enlarging takes (measured on a CPU): the largest network, in full precision."""
TRANSCRIBING = 1024**3
"""What Whisper's base network takes, several passages at a time."""

FACE_MESH = 128 * 1024**2
"""What the networks of a face's points take on a CPU."""
INSWAPPING = 2 * 1024**3
"""What InsightFace takes with its detector (the seed's figure)."""


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
    return Model("upscaler", UPSCALING[pick_device()], lambda: Upscaler(weights_dir))


def transcriber(weights_dir: Path) -> Model[Transcriber]:
    """What writes down speech."""
    return Model("transcriber", TRANSCRIBING, lambda: Transcriber(weights_dir))


def face_swapper(weights_dir: Path, insight_dir: Path) -> Model[Swapper]:
    """What swaps faces: InsightFace where it is installed, else the faces' points."""
    if has_inswapper(insight_dir):
        return Model("inswapper", INSWAPPING, lambda: InsightSwapper(insight_dir))
    return Model("face mesh", FACE_MESH, lambda: MeshSwapper(weights_dir))


def _name(task: str, weights: Path) -> str:
    """Tells versions of a file apart: people replace theirs while the worker runs."""
    return f"{task} {weights} {weights.stat().st_mtime_ns}"


def _size(weights: Path) -> int:
    return 2 * weights.stat().st_size + CPU_WORKSPACE
