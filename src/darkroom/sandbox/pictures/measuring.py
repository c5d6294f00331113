"""What can be told of a picture without knowing what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from darkroom.sandbox.pictures.pixels import Mask, Pixels
from darkroom.sandbox.pictures.subject import subject

SIDE = 512
SHARP = 900.0
"""The variance of the Laplacian (at that side) of a picture that is as sharp as can be."""
PALETTE: Mapping[str, tuple[int, int, int]] = {
    "black": (16, 16, 18),
    "dark grey": (72, 74, 78),
    "grey": (132, 134, 138),
    "light grey": (198, 200, 202),
    "white": (250, 250, 250),
    "red": (196, 44, 44),
    "pink": (238, 164, 180),
    "orange": (232, 134, 48),
    "brown": (122, 82, 54),
    "beige": (226, 208, 176),
    "yellow": (242, 210, 72),
    "lime": (164, 202, 78),
    "green": (74, 140, 72),
    "dark green": (36, 74, 44),
    "teal": (52, 138, 138),
    "sky blue": (134, 190, 228),
    "blue": (48, 96, 180),
    "navy": (24, 36, 82),
    "purple": (118, 78, 156),
}
MOST_COLOURS = 5
LEAST_SHARE = 0.04
SKIN_LOW, SKIN_HIGH = (60, 136, 82), (255, 176, 126)


@dataclass(frozen=True)
class Colour:
    """A colour with its name ("dark green"), as "#rrggbb", and its share of the area."""

    name: str
    hex: str
    share: float


@dataclass(frozen=True)
class Measures:
    """A picture in figures; shares and strengths are 0 to 1.

    Parameters
    ----------
    box
        Of the subject: left, top, right, bottom, as shares of the size.
    faces
        How many parts look like one, by colour and shape alone.
    text
        How much looks like lines of writing.
    """

    width: int
    height: int
    brightness: float
    contrast: float
    sharpness: float
    saturation: float
    noise: float
    colours: tuple[Colour, ...]
    subject_colours: tuple[Colour, ...]
    subject_share: float
    box: tuple[float, float, float, float]
    ground: Colour
    is_ground_plain: bool
    faces: int
    text: float


def measured(pixels: Pixels) -> Measures:
    """Measure a picture."""
    small = _small(pixels)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    mask = subject(small)
    inside, rim = mask > 0.5, mask < 0.1
    ground = small[rim] if rim.any() else small.reshape(-1, 3)
    return Measures(
        width=pixels.shape[1],
        height=pixels.shape[0],
        brightness=_share(grey.mean() / 255),
        contrast=_share(grey.std() / 100),
        sharpness=_share(cv2.Laplacian(grey, cv2.CV_32F).var() / SHARP),
        saturation=_share(hsv[..., 1].mean() / 255),
        noise=_share(_noise(np.asarray(grey, np.uint8)) / 20),
        colours=_colours(small.reshape(-1, 3)),
        subject_colours=_colours(small[inside] if inside.any() else small.reshape(-1, 3)),
        subject_share=_share(inside.mean()),
        box=_box(mask),
        ground=_colours(ground)[0],
        is_ground_plain=bool(ground.std(axis=0).mean() < 14),
        faces=_faces(small),
        text=_share(_text(np.asarray(grey, np.uint8))),
    )


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _share(value: float) -> float:
    return round(float(np.clip(value, 0, 1)), 3)


def _noise(grey: npt.NDArray[np.uint8]) -> float:
    """Its standard deviation in grey levels (Immerkær 1996, "Fast noise variance estimation")."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    high = np.abs(cv2.filter2D(grey.astype(np.float32), -1, kernel))
    # The median, so that edges do not count as noise.
    return float(np.median(np.asarray(high)) / 0.6745 / 6)


def _colours(pixels: npt.NDArray[np.uint8]) -> tuple[Colour, ...]:
    """The most frequent colours by name, the most frequent first."""
    names = list(PALETTE)
    lab = _lab(pixels[:: max(1, len(pixels) // 20_000)])
    known = _lab(np.array(list(PALETTE.values()), np.uint8))
    nearest = np.linalg.norm(lab[:, None] - known[None], axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(names)) / len(nearest)
    order = [at for at in np.argsort(-counts, kind="stable") if counts[at] >= LEAST_SHARE]
    thinned = pixels[:: max(1, len(pixels) // 20_000)]
    return tuple(
        Colour(names[at], _hex(thinned[nearest == at].mean(axis=0)), _share(counts[at]))
        for at in order[:MOST_COLOURS]
    )


def _lab(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    found = cv2.cvtColor(colours.reshape(1, -1, 3), cv2.COLOR_RGB2LAB)[0].astype(np.float32)
    return np.asarray(found * np.array((0.7, 1.0, 1.0)), np.float32)


def _hex(colour: npt.NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in colour.tolist())


def _box(mask: Mask) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask > 0.5)
    if len(rows) == 0:
        return 0.0, 0.0, 1.0, 1.0
    height, width = mask.shape
    edges = (columns.min() / width, rows.min() / height)
    ends = ((columns.max() + 1) / width, (rows.max() + 1) / height)
    return _share(edges[0]), _share(edges[1]), _share(ends[0]), _share(ends[1])


def _faces(small: Pixels) -> int:
    """Blobs of skin's colours, about as tall as wide, with darker places for the eyes."""
    ycc = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
    skin = cv2.inRange(ycc, np.array(SKIN_LOW), np.array(SKIN_HIGH))
    skin = cv2.morphologyEx(skin, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(skin, np.uint8))
    grey, found = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), 0
    for at, (left, top, width, height, area) in enumerate(np.asarray(stats).tolist()):
        if at == 0 or area < 0.004 * skin.size or not 0.85 < height / width < 2.0:
            continue
        upper = np.s_[top : top + height // 2, left : left + width]
        holes = (np.asarray(labels)[upper] != at) & (np.asarray(grey)[upper] < 90)
        found += bool(0.45 < area / (width * height) < 0.95 and holes.mean() > 0.01)
    return found


def _text(grey: npt.NDArray[np.uint8]) -> float:
    """The share covered by low, wide, dense clusters of strokes; ten times that."""
    strokes = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    _, sharp = cv2.threshold(strokes, 60, 255, cv2.THRESH_BINARY)
    lines = cv2.morphologyEx(sharp, cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(np.asarray(lines, np.uint8))
    total = 0
    for left, top, width, height, area in np.asarray(stats)[1:].tolist():
        dense = area / (width * height) > 0.45
        strokes_in = (np.asarray(sharp)[top : top + height, left : left + width] > 0).mean()
        if dense and 2.2 < width / height < 30 and 5 < height < 0.2 * SIDE and strokes_in < 0.9:
            total += area
    return 10 * total / grey.size
