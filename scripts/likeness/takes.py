"""Photos of a thing as people take them, and edits as a model makes them. Deterministic by seed."""

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from darkroom.sandbox.pictures import light, scenes

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator

SIZES = ((640, 480), (480, 640), (560, 560), (720, 480))
GROUNDS = ("wood", "marble", "studio", "abstract", "meadow", "city", "plain", "plain", "bench")


@dataclass(frozen=True)
class Thing:
    """A thing cut out (rows x columns x RGBA), and the family of its likes."""

    name: str
    family: str
    pixels: Pixels


@dataclass(frozen=True)
class Place:
    """Where a thing is in a picture: its centre and longer side as shares, its turn in degrees."""

    x: float
    y: float
    side: float
    turn: float = 0.0
    squeeze: float = 1.0


def load(folder: Path) -> list[Thing]:
    """The things of a folder, by name."""
    found = []
    for path in sorted(folder.glob("*.webp")):
        family, name, _ = path.name.split(".")
        found.append(Thing(name, family, np.asarray(Image.open(path).convert("RGBA"))))
    return found


def somewhere(rng: Rng) -> Place:
    """A place near the middle."""
    x, y = rng.uniform(0.42, 0.58, 2)
    return Place(float(x), float(y), float(rng.uniform(0.5, 0.8)))


def ground(size: tuple[int, int], rng: Rng) -> Pixels:
    """What a thing stands on: a scene, a wall of one colour, or a bench of grain and stains."""
    name = str(rng.choice(GROUNDS))
    if name == "plain":
        level = int(rng.integers(150, 256))
        return scenes.plain((level, level, level), *size)
    if name != "bench":
        return scenes.scene(name, *size, rng)
    colour = rng.uniform(70, 190, 3)
    stains = scenes.noise(*size, rng, cells=6, octaves=6)[..., None]
    return np.clip(colour * (0.7 + 0.6 * stains), 0, 255).astype(np.uint8)


def standing(thing: Thing, on: Pixels, place: Place) -> Pixels:
    """A picture of the thing on a ground."""
    height, width = on.shape[:2]
    rows, columns = thing.pixels.shape[:2]
    scale = place.side * min(width / columns, height / rows)
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), place.turn, scale)
    matrix[0] *= place.squeeze
    matrix[:, 2] += np.array((place.x * width, place.y * height)) - matrix @ (
        columns / 2,
        rows / 2,
        1,
    )
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    whole = thing.pixels.astype(np.float32)
    whole[..., :3] *= whole[..., 3:] / 255
    laid = cv2.warpAffine(whole, matrix, (width, height), flags=mode)
    share = np.clip(laid[..., 3:] / 255, 0, 1)
    return np.clip(on * (1 - share) + laid[..., :3], 0, 255).astype(np.uint8)


def taken(pixels: Pixels, rng: Rng) -> Pixels:
    """As a camera takes it: other light, a cast, grain, JPEG."""
    cast = rng.uniform(0.9, 1.1, 3)
    lit = (pixels / 255.0) ** float(rng.uniform(0.8, 1.35)) * float(rng.uniform(0.8, 1.05)) * cast
    grainy = lit * 255 + rng.normal(0, rng.uniform(1, 7), pixels.shape)
    return _jpeg(np.clip(grainy, 0, 255).astype(np.uint8), int(rng.integers(75, 95)))


def redrawn(thing: Thing, before: Place, size: tuple[int, int], rng: Rng) -> Pixels:
    """As a model redraws it for a catalogue: on white, elsewhere, clean, well lit, a bit turned."""
    side = float(np.clip(before.side * rng.uniform(0.8, 1.35), 0.45, 0.92))
    turn, squeeze = float(rng.uniform(-4, 4)), float(rng.uniform(0.95, 1.05))
    white = scenes.plain((255, 255, 255), *size)
    if rng.random() < 0.5:
        white = _shadowed(white, 0.5 + side / 2.2)
    drawn = standing(thing, white, Place(0.5, 0.5, side, turn, squeeze))
    calm = light.denoised(drawn) if rng.random() < 0.5 else light.sharpened(drawn)
    tone = rng.uniform(0.94, 1.06, 3) * rng.uniform(0.95, 1.2)
    lit = light.saturated(
        light.toned(calm, *(float(each) for each in tone)), rng.uniform(0.85, 1.3)
    )
    bent = (lit / 255.0) ** float(rng.uniform(0.75, 1.1)) * 255
    return _jpeg(np.clip(bent, 0, 255).astype(np.uint8), 92)


def _shadowed(pixels: Pixels, level: float) -> Pixels:
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    flat = ((columns / width - 0.5) / 0.35) ** 2 + ((rows / height - level) / 0.06) ** 2
    return np.clip(pixels - 70 * np.exp(-flat)[..., None], 0, 255).astype(np.uint8)


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))
