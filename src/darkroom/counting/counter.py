"""The photo counter of a worker process: its models, loaded once."""

from darkroom.counting.parameters import Parameters
from darkroom.counting.photo import PhotoCounter
from darkroom.counting.vegetation import ColourRange
from darkroom.settings import CountingSettings, Settings
from darkroom.vision import weights
from darkroom.vision.detect import PlantDetector
from darkroom.vision.segment import ContainerSegmenter


def photo_counter(settings: Settings) -> PhotoCounter:
    """Load the models the settings name and make a counter of them."""
    chosen = settings.counting
    return PhotoCounter(
        ContainerSegmenter(
            weights.resolve(chosen.container_weights, settings.weights_dir),
            cache_dir=settings.cache_dir,
        ),
        PlantDetector(
            weights.resolve(chosen.plant_weights, settings.weights_dir),
            cache_dir=settings.cache_dir,
        ),
        chosen,
        parameters(chosen),
    )


def parameters(settings: CountingSettings) -> Parameters:
    """What the settings say about every container."""
    return Parameters(
        colours=ColourRange(settings.hsv_low, settings.hsv_high),
        alpha=settings.alpha,
        figure="unbiased" if settings.stock_figure == "unbiased" else "buffered",
    )
