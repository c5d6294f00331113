"""Drawn containers of plants with known truth, to validate the estimate alone."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """How a scene is to be drawn. Lengths are fractions of the pitch between plants."""

    seed: int = 0
    width: int = 640
    height: int = 480
    columns: int = 10
    rows: int = 7
    cover: float = 0.85  # plant diameter over pitch
    spread: float = 0.12  # relative spread of plant diameters
    perspective: float = 0.0  # how much smaller the topmost plants are
    missing_cells: float = 0.0
    moss: float = 0.0  # share of the ground under moss
    hue: int = 55  # of the leaves, OpenCV scale
    shade: float = 0.0  # how much darker the right edge is
    leaves: int = 9


@dataclass(frozen=True)
class Scene:
    """A drawn container: RGB image, container mask (0/255), and the true boxes of its plants."""

    image: Pixels
    mask: Pixels
    boxes: Boxes
    look: Look = field(default_factory=Look)

    def detected(self, recall: float, seed: int = 1) -> Boxes:
        """The boxes that a detector of this recall finds, a little displaced."""
        random = np.random.default_rng(seed)
        found = random.permutation(len(self.boxes))[: round(recall * len(self.boxes))]
        boxes = self.boxes[np.sort(found)]
        sides = (boxes[:, 2:] - boxes[:, :2]).mean(axis=1, keepdims=True)
        return boxes + random.normal(0, 0.02, boxes.shape) * sides

    def scaled(self, factor: float) -> "Scene":
        """The same scene photographed at another resolution."""
        size = (round(self.image.shape[1] * factor), round(self.image.shape[0] * factor))
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return replace(
            self,
            image=np.asarray(cv2.resize(self.image, size, interpolation=way), np.uint8),
            mask=np.asarray(cv2.resize(self.mask, size, interpolation=cv2.INTER_NEAREST), np.uint8),
            boxes=self.boxes * factor,
        )


def draw(look: Look) -> Scene:
    """Draw a container filling the frame but for a border of ground outside it."""
    random = np.random.default_rng(look.seed)
    image = _ground(look, random)
    mask = np.zeros(image.shape[:2], np.uint8)
    margin = round(0.02 * look.width)
    mask[margin:-margin, margin:-margin] = 255
    boxes = [_plant(image, place, size, look, random) for place, size in _places(look, random)]
    image = _lit(image, look, random)
    return Scene(image, mask, np.array(boxes, float).reshape(-1, 4), look)


def _ground(look: Look, random: np.random.Generator) -> Pixels:
    soil = random.normal(0, 1, (look.height, look.width, 1)).astype(np.float32)
    lumps = _clouds(look, random, 0.01) + 0.5 * soil[..., 0]
    image = np.array([104, 82, 60], np.float32) + 14 * lumps[..., None]
    if look.moss:
        patches = _clouds(look, random, 0.02)
        covered = patches > np.quantile(patches, 1 - look.moss)
        image[covered] = np.array([84, 97, 50]) + 9 * lumps[covered][:, None]
    return image.clip(0, 255).astype(np.uint8)


def _clouds(look: Look, random: np.random.Generator, size: float) -> NDArray[np.float32]:
    noise = random.normal(0, 1, (look.height, look.width)).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(noise, (0, 0), size * look.width))
    return np.asarray((soft - soft.mean()) / soft.std(), np.float32)


def _places(look: Look, random: np.random.Generator) -> list[tuple[tuple[float, float], float]]:
    depths = 1 - look.perspective * (1 - (np.arange(look.rows) + 0.5) / look.rows)
    tops = np.concatenate([[0], np.cumsum(depths)]) / depths.sum()
    places = []
    for row, depth in enumerate(depths):
        middle = 0.06 + 0.88 * (tops[row] + tops[row + 1]) / 2
        pitch = 0.88 * look.width / look.columns * depth
        pitch = min(pitch, 0.88 * look.height * (tops[row + 1] - tops[row]))
        for column in range(look.columns):
            x = look.width / 2 + (column + 0.5 - look.columns / 2) * pitch
            offset = random.normal(0, 0.06 * pitch, 2)
            size = pitch * look.cover * random.lognormal(0, look.spread)
            if random.random() >= look.missing_cells:
                places.append(((x + offset[0], middle * look.height + offset[1]), size))
    random.shuffle(places)
    return places


def _plant(
    image: Pixels,
    place: tuple[float, float],
    size: float,
    look: Look,
    random: np.random.Generator,
) -> list[float]:
    turn = random.uniform(0, 360)
    hue = look.hue + random.normal(0, 3)
    outline = np.zeros(image.shape[:2], np.uint8)
    for leaf in range(look.leaves):
        angle = turn + 360 * leaf / look.leaves + random.normal(0, 8)
        long = size * random.uniform(0.42, 0.5)
        colour = _leaf_colour(hue, random)
        for layer, tone in ((image, colour), (outline, (255.0,) * 3)):
            _leaf(layer, place, long, angle, tone)
    ys, xs = np.nonzero(outline)
    return [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def _leaf_colour(hue: float, random: np.random.Generator) -> tuple[float, ...]:
    tone = np.array([[[hue % 180, random.uniform(120, 190), random.uniform(105, 175)]]]).astype(
        np.uint8
    )
    return tuple(float(part) for part in cv2.cvtColor(tone, cv2.COLOR_HSV2RGB)[0, 0])


def _leaf(
    layer: Pixels, place: tuple[float, float], long: float, angle: float, tone: tuple[float, ...]
) -> None:
    way = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    middle = np.array(place) + way * long / 2
    centre = tuple(round(part * 16) for part in middle)
    axes = (int(long * 8), int(long * 4.2))
    cv2.ellipse(layer, centre, axes, angle, 0, 360, tone, -1, cv2.LINE_8, 4)


def _lit(image: Pixels, look: Look, random: np.random.Generator) -> Pixels:
    fall = 1 - look.shade * np.linspace(0, 1, look.width, dtype=np.float32)[None, :, None]
    noise = random.normal(0, 4, image.shape).astype(np.float32)
    return np.asarray((image * fall + noise).clip(0, 255), np.uint8)
