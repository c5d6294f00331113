"""The photo counter of a worker process: its models, loaded once."""

from pathlib import Path

from darkroom.counting.parameters import Parameters
from darkroom.counting.photo import PhotoCounter
from darkroom.counting.vegetation import ColourRange
from darkroom.settings import CountingSettings, Settings
from darkroom.vision import weights
from darkroom.vision.detect import PlantDetector
from darkroom.vision.network import export_of
from darkroom.vision.segment import ContainerSegmenter


def photo_counter(settings: Settings) -> PhotoCounter:
    """Load the models the settings name and make a counter of them."""
    containers, plants = weight_files(settings)
    return PhotoCounter(
        ContainerSegmenter(containers, cache_dir=settings.cache_dir),
        PlantDetector(plants, cache_dir=settings.cache_dir),
        settings.counting,
        parameters(settings.counting),
    )


def weight_files(settings: Settings) -> tuple[Path, Path]:
    """The weights that the settings name: of the containers and of the plants."""
    chosen = settings.counting
    return (
        weights.resolve(chosen.container_weights, settings.weights_dir),
        weights.resolve(chosen.plant_weights, settings.weights_dir),
    )


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
