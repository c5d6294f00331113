"""Grounds to stand on, made of gradients and noise. Deterministic by their generator."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from darkroom.sandbox.pictures.pixels import Mask, Pixels, clipped

Colour = tuple[int, int, int]
Layer = npt.NDArray[np.floating[Any]]
"""Rows x columns x RGB, 0 to 255."""
Rng = np.random.Generator

SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((92, 158, 214), (226, 238, 243)),
    "sunset": ((74, 58, 112), (250, 174, 104)),
    "night": ((9, 14, 34), (44, 58, 98)),
    "mist": ((172, 190, 200), (236, 238, 232)),
}


def scene(name: str, width: int, height: int, rng: Rng) -> Pixels:
    """The ground of that name, at that size; a studio's for an unknown one."""
    drawn = SCENES.get(name, _studio)(width, height, rng)
    grain = rng.normal(0, 1.6, (height, width, 1)).astype(np.float32)
    return clipped(drawn + grain)


def plain(colour: Colour, width: int, height: int) -> Pixels:
    """One colour."""
    return np.full((height, width, 3), colour, np.uint8)


def noise(width: int, height: int, rng: Rng, *, cells: float = 4, octaves: int = 4) -> Mask:
    """Soft clouds, 0 to 1: `cells` of them over the longer side, and finer ones within."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        across = cells * 2**octave / max(width, height)
        size = (max(2, round(height * across) + 1), max(2, round(width * across) + 1))
        coarse = rng.random(size, np.float32)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        total += np.asarray(smooth) * 0.5**octave
    low, high = float(total.min()), float(total.max())
    return ((total - low) / max(high - low, 1e-6)).astype(np.float32)


def gradient(top: Colour, bottom: Colour, width: int, height: int) -> Layer:
    """From one colour to another, downwards."""
    steps = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    mixed = np.array(top, np.float32) * (1 - steps) + np.array(bottom, np.float32) * steps
    return np.repeat(mixed, width, axis=1).astype(np.float32)


def blended(layer: Layer, colour: Colour | Layer, mask: Mask) -> Layer:
    """A colour laid over a layer."""
    over = np.asarray(colour, np.float32)
    return (layer * (1 - mask[..., None]) + over * mask[..., None]).astype(np.float32)


def glow(width: int, height: int, x: float, y: float, radius: float) -> Mask:
    """Light around a point; all as shares of the size."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = radius * max(width, height)
    square = ((columns - x * width) ** 2 + (rows - y * height) ** 2) / (reach * reach)
    return np.asarray(np.exp(-square), np.float32)


def _sky(name: str, width: int, height: int, rng: Rng) -> Layer:
    top, bottom = SKIES[name]
    layer = gradient(top, bottom, width, height)
    clouds = np.clip(noise(width, height, rng, cells=3, octaves=5) * 2.2 - 1.1, 0, 1)
    layer = blended(layer, _mixed(bottom, (255, 255, 255), 0.6), clouds * 0.45)
    x, y = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.14, 0.3))
    light = np.clip(glow(width, height, x, y, 0.16) * 0.85, 0, 1)
    layer = blended(layer, (255, 244, 214), light * (0.35 if name == "night" else 0.8))
    return blended(layer, (255, 251, 238), _disc(width, height, x, y, 0.045))


def _disc(width: int, height: int, x: float, y: float, radius: float) -> Mask:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = radius * min(width, height)
    distance = np.hypot(columns - x * width, rows - y * height)
    return np.asarray(np.clip((reach - distance) / 1.5 + 0.5, 0, 1), np.float32)


def _ridge(width: int, height: int, rng: Rng, level: float, rough: float) -> Mask:
    """What lies below a rolling line."""
    points = np.linspace(0, 1, width, dtype=np.float32)
    line = np.zeros(width, np.float32)
    for octave in range(6):
        waves, phase = 1.3 * 2**octave * rng.uniform(0.8, 1.2), rng.uniform(0, 6.28)
        line += (0.5**octave) * np.sin(points * waves * 6.28 + phase).astype(np.float32)
    edge = (level + rough * line) * height
    rows = np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(np.clip(rows - edge[None, :] + 0.5, 0, 1), np.float32)


def _hills(sky: str, near: Colour, far: Colour, rough: float) -> Callable[[int, int, Rng], Layer]:
    def drawn(width: int, height: int, rng: Rng) -> Layer:
        layer, count = _sky(sky, width, height, rng), 5
        for at in range(count):
            depth = at / (count - 1)
            level, height_of = 0.5 + 0.36 * depth, rough * (1.1 - 0.5 * depth)
            ridge = _ridge(width, height, rng, level, height_of)
            layer = blended(layer, _mixed(far, near, depth), ridge)
            mist = glow(width, height, 0.5, level + 0.16, 0.4) * ridge * 0.22 * (1 - depth)
            layer = blended(layer, SKIES[sky][1], mist.astype(np.float32))
        return layer

    return drawn


def _beach(width: int, height: int, rng: Rng) -> Layer:
    layer = _sky("day", width, height, rng)
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    sea = np.repeat(np.clip((rows - 0.46) * height, 0, 1), width, 1).astype(np.float32)
    layer = blended(layer, gradient((38, 112, 150), (124, 198, 196), width, height), sea)
    ripples = noise(width, max(2, height * 5), rng, cells=10)[::5][:height]
    layer = blended(layer, (236, 248, 246), sea * np.clip(ripples * 3 - 2.1, 0, 1) * 0.5)
    sand = _ridge(width, height, rng, 0.68, 0.012)
    foam = np.clip(sand - np.roll(sand, round(height * 0.012), axis=0), 0, 1)
    layer = blended(layer, gradient((214, 188, 146), (240, 222, 186), width, height), sand)
    return blended(layer, (252, 252, 250), foam.astype(np.float32) * 0.85)


def _forest(width: int, height: int, rng: Rng) -> Layer:
    layer = gradient((206, 222, 196), (150, 170, 120), width, height)
    for depth in np.linspace(0, 1, 4):
        colour = _mixed((156, 178, 146), (30, 48, 34), float(depth))
        trunks = np.zeros((height, width), np.float32)
        for _ in range(int(7 - 3 * depth)):
            x, wide = rng.uniform(0, width), width * (0.008 + 0.03 * depth) * rng.uniform(0.7, 1.3)
            columns = np.arange(width, dtype=np.float32)[None, :]
            trunks = np.maximum(trunks, np.clip((wide - np.abs(columns - x)) / 1.5, 0, 1))
        layer = blended(layer, colour, np.asarray(trunks, np.float32))
        leaves = noise(width, height, rng, cells=9)
        crown = np.clip((leaves - 0.42 - np.linspace(-0.3, 0.5, height)[:, None]) * 14, 0, 1)
        layer = blended(layer, _mixed(colour, (94, 132, 62), 0.5), crown.astype(np.float32) * 0.85)
    floor = _ridge(width, height, rng, 0.84, 0.02)
    layer = blended(layer, gradient((92, 104, 58), (58, 66, 40), width, height), floor)
    return blended(layer, (255, 248, 214), glow(width, height, 0.62, 0.2, 0.34) * 0.5)


def _night(width: int, height: int, rng: Rng) -> Layer:
    layer = _hills("night", (10, 14, 26), (40, 54, 88), 0.05)(width, height, rng)
    for _ in range(160):
        x, y = int(rng.integers(width)), int(rng.integers(max(1, int(height * 0.45))))
        star = rng.uniform(0.3, 1) * np.array((235, 240, 255), np.float32)
        layer[y, x] = np.maximum(layer[y, x], star)
    return layer


def _wood(width: int, height: int, rng: Rng) -> Layer:
    streaks = noise(max(2, width // 12), height, rng, cells=14, octaves=5)
    grain = cv2.resize(streaks, (width, height), interpolation=cv2.INTER_CUBIC)
    rings = (np.sin(np.asarray(grain) * 34) * 0.5 + 0.5).astype(np.float32)
    layer = blended(
        gradient((196, 150, 104), (168, 120, 78), width, height), (120, 78, 46), rings * 0.34
    )
    for plank in range(1, 5):
        row = round(plank * height / 5)
        layer[row : row + max(1, height // 320)] *= 0.55
    return _lit(layer, 0.3)


def _marble(width: int, height: int, rng: Rng) -> Layer:
    warp = noise(width, height, rng, cells=3, octaves=5)
    veins = noise(width, height, rng, cells=2, octaves=6)
    thin = np.exp(-(((veins + 0.4 * warp) % 0.5 - 0.25) ** 2) / 0.0006).astype(np.float32)
    layer = gradient((246, 245, 242), (226, 225, 222), width, height)
    return _lit(blended(layer, (148, 150, 154), np.clip(thin * warp, 0, 1) * 0.55), 0.4)


def _city(width: int, height: int, rng: Rng) -> Layer:
    layer = _sky("sunset", width, height, rng)
    for depth in (0.2, 0.55, 1.0):
        x = 0
        while x < width:
            wide = int(width * rng.uniform(0.05, 0.11)) + 2
            top = int(height * rng.uniform(0.3 + 0.15 * depth, 0.66))
            layer[top:, x : x + wide] = _mixed((150, 110, 128), (32, 34, 52), depth)
            _windows(layer, x, top, wide, depth, rng)
            x += wide
    return layer


def _windows(layer: Layer, x: int, top: int, wide: int, depth: float, rng: Rng) -> None:
    height = layer.shape[0]
    step = max(6, wide // 5)
    for row in range(top + step, height - step, step * 2):
        for column in range(x + step // 2, x + wide - step, step):
            if rng.random() < 0.45 * depth:
                layer[row : row + step, column : column + step // 2] = (252, 214, 142)


def _studio(width: int, height: int, rng: Rng) -> Layer:
    tints = ((224, 216, 206), (206, 216, 222), (214, 222, 208), (226, 212, 216))
    tint = tints[int(rng.integers(len(tints)))]
    layer = gradient(_mixed(tint, (255, 255, 255), 0.35), tint, width, height)
    floor = np.linspace(0, 1, height, dtype=np.float32)[:, None].repeat(width, 1)
    layer = blended(
        layer, _mixed(tint, (90, 84, 80), 0.3), np.clip((floor - 0.66) * 1.4, 0, 1) * 0.7
    )
    return blended(layer, (255, 255, 255), glow(width, height, 0.42, 0.34, 0.42) * 0.55)


def _lit(layer: Layer, strength: float) -> Layer:
    height, width = layer.shape[:2]
    light = 1 - strength * (1 - glow(width, height, 0.35, 0.25, 0.8))
    return (layer * light[..., None]).astype(np.float32)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    mixed = [round(a * (1 - share) + b * share) for a, b in zip(one, other, strict=True)]
    return mixed[0], mixed[1], mixed[2]


SCENES: dict[str, Callable[[int, int, Rng], Layer]] = {
    "beach": _beach,
    "forest": _forest,
    "meadow": _hills("day", (88, 134, 62), (156, 186, 140), 0.03),
    "mountains": _hills("mist", (42, 66, 74), (168, 186, 196), 0.07),
    "sunset": _hills("sunset", (40, 28, 52), (206, 128, 112), 0.05),
    "night": _night,
    "wood": _wood,
    "marble": _marble,
    "city": _city,
    "studio": _studio,
}
