"""The photo counter of a step, with the models that its settings name."""

from pathlib import Path

from darkroom.counting.parameters import Parameters
from darkroom.counting.photo import PhotoCounter
from darkroom.counting.sight import GatedDetector, GatedSegmenter
from darkroom.counting.vegetation import ColourRange
from darkroom.queue.task import Task
from darkroom.settings import CountingSettings, Settings
from darkroom.vision import models, weights
from darkroom.vision.cache import model_cache
from darkroom.vision.network import export_of


def photo_counter(task: Task, settings: Settings, parameters: Parameters) -> PhotoCounter:
    """A counter whose models the settings name; they are loaded if they are not."""
    containers, plants = weight_files(settings)
    segmenter = GatedSegmenter(task, models.containers(containers, settings.cache_dir))
    detector = GatedDetector(task, models.plants(plants, settings.cache_dir))
    segmenter.load()
    detector.load()
    return PhotoCounter(segmenter, detector.held, settings.counting, parameters)


def prepare(settings: Settings) -> None:
    """Load the models once, outside of any step: on a CPU that exports them."""
    containers, plants = weight_files(settings)
    cache = model_cache(settings)
    with cache.using(models.containers(containers, settings.cache_dir)):
        pass
    with cache.using(models.plants(plants, settings.cache_dir)):
        pass


def weight_files(settings: Settings) -> tuple[Path, Path]:
    """The weights that the settings name: of the containers and of the plants."""
    chosen = settings.counting
    return (
        weights.resolve(chosen.container_weights, settings.weights_dir),
        weights.resolve(chosen.plant_weights, settings.weights_dir),
    )


def model_version(settings: Settings) -> str:
    """The plant weights that the settings name, and the beginning of their SHA-256."""
    _, plants = weight_files(settings)
    return f"{settings.counting.plant_weights}@{weights.sha256_of(plants)[:12]}"


def is_prepared(settings: Settings) -> bool:
    """Whether the models were exported for this machine's processor before."""
    files = weight_files(settings)
    return all(export_of(file, settings.cache_dir).is_dir() for file in files)


def parameters(settings: CountingSettings) -> Parameters:
    """What the settings say about every container."""
    return Parameters(
        colours=ColourRange(settings.hsv_low, settings.hsv_high),
        alpha=settings.alpha,
        figure="unbiased" if settings.stock_figure == "unbiased" else "buffered",
    )
