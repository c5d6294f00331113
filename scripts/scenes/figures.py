"""How well weights count, through the whole counting way: containers, crops, slices, estimate."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from darkroom.counting.counter import parameters
from darkroom.counting.photo import PhotoCounter
from darkroom.settings import CountingSettings
from darkroom.vision.detect import PlantDetector
from darkroom.vision.segment import ContainerSegmenter
from darkroom.vision.weights import bundled

from .photo import make_photo
from .real import RealTray
from .truth import Image, Photo

UNSEEN = range(6_000_000, 6_000_024)

View = Callable[[Image], Image]


def scaled(factor: float) -> View:
    """The photo at another resolution."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return lambda image: _bytes(cv2.resize(image, None, fx=factor, fy=factor, interpolation=how))


def lit(gain: tuple[float, float, float], lift: float = 0) -> View:
    """The photo with its channels brightened or dimmed."""
    return lambda image: _bytes(image * np.array(gain, np.float32) + lift)


def turned(quarters: int) -> View:
    """The photo turned by quarter turns."""
    return lambda image: np.ascontiguousarray(np.rot90(image, quarters))


def blurred(sigma: float) -> View:
    """The photo out of focus."""
    return lambda image: _bytes(cv2.GaussianBlur(image, (0, 0), sigma))


def compressed(quality: int) -> View:
    """The photo as a JPEG of poor quality."""

    def view(image: Image) -> Image:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return _bytes(cv2.imdecode(data, cv2.IMREAD_COLOR))

    return view


def _bytes(image: np.ndarray) -> Image:
    return np.clip(image, 0, 255).astype(np.uint8)


VIEWS: dict[str, View] = {
    "as it is": lambda image: image,
    "0.25×": scaled(0.25),
    "0.35×": scaled(0.35),
    "0.5×": scaled(0.5),
    "0.75×": scaled(0.75),
    "1.5×": scaled(1.5),
    "turned 90°": turned(1),
    "turned 180°": turned(2),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "darker (0.6)": lit((0.6, 0.6, 0.6)),
    "brighter (1.3)": lit((1.3, 1.3, 1.3)),
    "low contrast": lit((0.6, 0.6, 0.6), 70),
    "warm cast": lit((1.2, 1.0, 0.75)),
    "cold cast": lit((0.8, 1.0, 1.2)),
    "blurred (3 px)": blurred(3),
    "JPEG quality 30": compressed(30),
}

CROPS = {
    "left half": (0, 0, 1296, 1944),
    "right half": (1296, 0, 2592, 1944),
    "upper half": (0, 0, 2592, 972),
    "lower half": (0, 972, 2592, 1944),
    "one tray": (120, 480, 2450, 1920),
    "four pots": (600, 520, 1520, 1420),
}


def real_views(real: RealTray) -> Iterator[tuple[str, Image, int]]:
    """Views of the real tray: what was changed, the image, and the plants in it."""
    for name, view in VIEWS.items():
        yield name, view(real.photo.image), len(real.photo.plants)
    for name, (x1, y1, x2, y2) in CROPS.items():
        inside = sum(
            x1 <= known.centre[0] < x2 and y1 <= known.centre[1] < y2 for known in real.photo.plants
        )
        yield name, np.ascontiguousarray(real.photo.image[y1:y2, x1:x2]), inside


def counter(folder: Path, cache: Path) -> PhotoCounter:
    """The product's own photo counter, on the weights of `folder` (else the bundled ones)."""

    def file(name: str) -> Path:
        return path if (path := folder / f"{name}.pt").is_file() else bundled(name)

    settings = CountingSettings()
    return PhotoCounter(
        ContainerSegmenter(file("containers"), cache_dir=cache, device="cpu"),
        partial(nullcontext, PlantDetector(file("plants"), cache_dir=cache, device="cpu")),
        settings,
        parameters(settings),
    )


def count(counting: PhotoCounter, image: Image) -> tuple[int, int, int]:
    """Segmented containers, plants detected, and plants detected or estimated (unbiased)."""
    found = counting.count(image, lambda *told: None)
    detected = sum(len(item.plants) for item in found)
    estimated = sum(item.estimate.unbiased_count for item in found)
    return sum(item.is_segmented for item in found), detected, detected + estimated


def print_figures(folder: Path, real: RealTray | None, cache: Path) -> None:
    """Print the tables of the model card."""
    counting = counter(folder, cache)
    if real is not None:
        print("| real tray | true | containers | detected | with estimate |\n|---|--:|--:|--:|--:|")
        for name, image, true in real_views(real):
            containers, detected, total = count(counting, image)
            print(f"| {name} | {true} | {containers} | {detected} | {total} |", flush=True)
    for kind, source in (("drawn", None), ("half with real plants", real)):
        _print_unseen(counting, kind, [make_photo(s, (1600, 1200), real=source) for s in UNSEEN])


def _print_unseen(counting: PhotoCounter, kind: str, photos: list[Photo]) -> None:
    counts = np.array([(len(p.plants), *count(counting, p.image)[1:]) for p in photos])
    true, detected, total = counts.sum(axis=0)
    apart = np.abs(counts[:, 2] - counts[:, 0]).sum()
    print(
        f"{len(photos)} unseen photos ({kind}): {true} plants, {detected} detected "
        f"({detected / true - 1:+.1%}), {total} with the estimate ({total / true - 1:+.1%}), "
        f"errors photo by photo {apart / true:.1%}",
        flush=True,
    )
