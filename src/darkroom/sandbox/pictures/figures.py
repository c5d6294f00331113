"""What stands in a made picture: drawn with shapes, four times as large and then scaled down."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from darkroom.sandbox.pictures.pixels import clipped
from darkroom.sandbox.pictures.wishes import Colour

Rng = np.random.Generator
Pen = ImageDraw.ImageDraw
Values = npt.NDArray[np.floating[Any]]
Drawer = Callable[[Pen, float, Rng, list[Colour]], None]

FINE = 2
SKINS: tuple[Colour, ...] = ((247, 213, 186), (226, 176, 138), (176, 120, 84), (118, 78, 56))
HAIRS: tuple[Colour, ...] = ((44, 32, 28), (96, 62, 38), (190, 140, 78), (150, 64, 38))
CLOTHES: tuple[Colour, ...] = (
    (214, 92, 76),
    (72, 132, 172),
    (238, 184, 84),
    (112, 158, 104),
    (146, 112, 164),
    (236, 146, 150),
)
LEAVES: tuple[Colour, ...] = ((72, 124, 72), (96, 148, 84), (58, 108, 84), (124, 160, 92))
POTS: tuple[Colour, ...] = ((190, 108, 76), (214, 200, 182), (96, 112, 124), (226, 168, 128))


def figure(name: str, side: int, rng: Rng, colours: list[Colour]) -> Image.Image:
    """The figure of that name on nothing (RGBA), `side` pixels square, standing at the bottom."""
    large = Image.new("RGBA", (side * FINE, side * FINE))
    FIGURES[name](ImageDraw.Draw(large), side * FINE, rng, colours)
    return _modelled(large.resize((side, side), Image.Resampling.LANCZOS))


def _modelled(image: Image.Image) -> Image.Image:
    """With light from the upper left, so that it is not all flat."""
    alpha = np.asarray(image.getchannel("A"), np.float32) / 255
    soft = image.getchannel("A").filter(ImageFilter.GaussianBlur(image.width / 36))
    depth = np.asarray(soft, np.float32) / 255
    down, right = np.asarray(np.gradient(depth))
    shade = 1 - np.clip((right + down) * -image.width / 30, -0.28, 0.22)
    pixels = np.asarray(image.convert("RGB"), np.float32) * shade[..., None]
    lit = Image.fromarray(clipped(pixels)).convert("RGBA")
    lit.putalpha(Image.fromarray((alpha * 255).astype(np.uint8)))
    return lit


def _plant(pen: Pen, side: float, rng: Rng, colours: list[Colour]) -> None:
    leaf = _one(LEAVES, rng)
    count, top = int(rng.integers(9, 15)), side * 0.66
    for at in range(count):
        lean = (at / (count - 1) - 0.5) * 2
        angle = math.radians(-90 + lean * 74 + float(rng.uniform(-7, 7)))
        length = side * float(rng.uniform(0.34, 0.56)) * (1 - 0.25 * abs(lean))
        shade = _shaded(leaf, float(rng.uniform(0.78, 1.18)))
        _leaf(pen, (side / 2, top), angle, length, side * float(rng.uniform(0.05, 0.085)), shade)
    if colours or rng.random() < 0.4:
        _blossoms(pen, side, top, rng, colours[0] if colours else _one(CLOTHES, rng))
    _pot(pen, side, top, _one(POTS, rng))


def _leaf(
    pen: Pen, root: tuple[float, float], angle: float, length: float, wide: float, colour: Colour
) -> None:
    steps = np.linspace(0, 1, 18)
    bend = angle + 0.5 * steps * math.copysign(1, math.cos(angle))
    xs = root[0] + np.cumsum(np.cos(bend)) * length / len(steps)
    ys = root[1] + np.cumsum(np.sin(bend)) * length / len(steps)
    half = wide * np.sin(np.pi * steps**0.8) ** 0.8
    across, along = half * np.sin(bend), half * np.cos(bend)
    left = _points(xs - across, ys + along)
    right = _points(xs + across, ys - along)
    pen.polygon([*left, *right[::-1]], fill=colour)
    pen.line(_points(xs, ys), fill=_shaded(colour, 1.22), width=max(1, int(wide / 9)))


def _blossoms(pen: Pen, side: float, top: float, rng: Rng, colour: Colour) -> None:
    for _ in range(int(rng.integers(4, 7))):
        x, y = side * float(rng.uniform(0.3, 0.7)), top - side * float(rng.uniform(0.22, 0.5))
        size = side * float(rng.uniform(0.028, 0.042))
        for petal in range(6):
            angle = petal * math.pi / 3
            _dot(pen, x + math.cos(angle) * size, y + math.sin(angle) * size, size * 0.72, colour)
        _dot(pen, x, y, size * 0.55, (248, 214, 110))


def _pot(pen: Pen, side: float, top: float, colour: Colour) -> None:
    left, right, foot = side * 0.34, side * 0.66, side * 0.985
    inset = side * 0.05
    pen.polygon(
        [(left, top), (right, top), (right - inset, foot), (left + inset, foot)], fill=colour
    )
    rim = (left - side * 0.02, top - side * 0.025, right + side * 0.02, top + side * 0.05)
    pen.rounded_rectangle(rim, side * 0.015, fill=_shaded(colour, 1.1))


def _people(pen: Pen, side: float, rng: Rng, colours: list[Colour]) -> None:
    heights = (0.86, 0.8, 0.56, 0.46)[: int(rng.integers(3, 5))]
    places = np.linspace(0.15, 0.85, len(heights))
    order = [0, *range(2, len(heights)), 1]
    clothes = [*colours, *rng.permutation(np.array(CLOTHES)).tolist()]
    for place, who in zip(places, order, strict=True):
        _person(pen, side, float(place) * side, heights[who] * side, rng, tuple(clothes[who]))


def _person(
    pen: Pen, side: float, x: float, tall: float, rng: Rng, clothes: tuple[int, ...]
) -> None:
    foot, skin, hair = side * 0.985, _one(SKINS, rng), _one(HAIRS, rng)
    head, wide = tall * 0.145, tall * 0.17
    neck = foot - tall + 2 * head
    shirt = (clothes[0], clothes[1], clothes[2])
    for side_of in (-1, 1):
        hip, hand = x + side_of * wide * 0.45, (x + side_of * wide * 1.75, foot - tall * 0.36)
        leg = (hip - wide * 0.3, foot - tall * 0.4, hip + wide * 0.3, foot)
        pen.rounded_rectangle(leg, wide * 0.25, fill=_shaded(shirt, 0.55))
        shoulder = (x + side_of * wide * 0.8, neck + tall * 0.1)
        pen.line([shoulder, hand], fill=shirt, width=int(wide * 0.5))
        _dot(pen, *hand, wide * 0.27, skin)
    body = (x - wide, neck + tall * 0.03, x + wide, foot - tall * 0.3)
    pen.rounded_rectangle(body, wide * 0.7, fill=shirt)
    throat = (x - wide * 0.25, neck - head * 0.2, x + wide * 0.25, neck + tall * 0.06)
    pen.rectangle(throat, fill=skin)
    _head(pen, x, neck - head, head, skin, hair, long=bool(rng.random() < 0.5))


def _head(
    pen: Pen, x: float, y: float, size: float, skin: Colour, hair: Colour, *, long: bool
) -> None:
    if long:
        box = (x - size * 1.12, y - size * 0.9, x + size * 1.12, y + size * 1.5)
        pen.rounded_rectangle(box, size * 0.9, fill=hair)
    pen.ellipse((x - size * 1.06, y - size * 1.12, x + size * 1.06, y + size * 0.6), fill=hair)
    pen.ellipse((x - size * 0.9, y - size * 0.8, x + size * 0.9, y + size), fill=skin)
    pen.chord((x - size, y - size * 1.1, x + size, y + size * 0.5), 190, 350, fill=hair)
    for side in (-1, 1):
        _dot(pen, x + side * size * 0.34, y + size * 0.08, size * 0.1, (40, 34, 36))
        _dot(pen, x + side * size * 0.52, y + size * 0.38, size * 0.14, _shaded(skin, 0.92))
    smile = (x - size * 0.34, y + size * 0.1, x + size * 0.34, y + size * 0.62)
    pen.arc(smile, 20, 160, fill=(150, 62, 58), width=max(1, int(size * 0.08)))


def _portrait(pen: Pen, side: float, rng: Rng, colours: list[Colour]) -> None:
    skin, hair = _one(SKINS, rng), _one(HAIRS, rng)
    shirt = colours[0] if colours else _one(CLOTHES, rng)
    x, size = side / 2, side * 0.27
    pen.ellipse((side * 0.1, side * 0.72, side * 0.9, side * 1.4), fill=shirt)
    throat = (x - size * 0.4, side * 0.56, x + size * 0.4, side * 0.86)
    pen.rounded_rectangle(throat, size * 0.3, fill=_shaded(skin, 0.9))
    _head(pen, x, side * 0.4, size, skin, hair, long=bool(rng.random() < 0.5))


def _product(pen: Pen, side: float, rng: Rng, colours: list[Colour]) -> None:
    colour = colours[0] if colours else _one(CLOTHES, rng)
    x, wide, top, foot = side / 2, side * 0.17, side * 0.34, side * 0.985
    pen.rounded_rectangle((x - wide, top, x + wide, foot), wide * 0.35, fill=colour)
    shoulder = [(x - wide, top + wide * 0.3), (x - wide * 0.35, top - wide * 0.5)]
    pen.polygon(
        [*shoulder, (x + wide * 0.35, top - wide * 0.5), (x + wide, top + wide * 0.3)], fill=colour
    )
    neck = (x - wide * 0.35, top - wide * 1.1, x + wide * 0.35, top - wide * 0.3)
    pen.rectangle(neck, fill=_shaded(colour, 0.85))
    cap = (x - wide * 0.45, top - wide * 1.5, x + wide * 0.45, top - wide * 0.85)
    pen.rounded_rectangle(cap, wide * 0.1, fill=(52, 50, 54))
    label = (x - wide * 0.78, top + wide * 0.9, x + wide * 0.78, top + wide * 2.5)
    pen.rounded_rectangle(label, wide * 0.1, fill=(248, 244, 236))
    for line in range(3):
        half = wide * (0.5 - 0.12 * line)
        row = top + wide * (1.3 + 0.38 * line)
        pen.rectangle((x - half, row, x + half, row + wide * 0.1), fill=_shaded(colour, 0.7))
    pen.rectangle(
        (x - wide * 0.8, top + wide * 0.4, x - wide * 0.64, foot - wide * 0.4),
        fill=_shaded(colour, 1.3),
    )


def _points(xs: Values, ys: Values) -> list[tuple[float, float]]:
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def _dot(pen: Pen, x: float, y: float, radius: float, colour: Colour) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _one(colours: tuple[Colour, ...], rng: Rng) -> Colour:
    return colours[int(rng.integers(len(colours)))]


def _shaded(colour: Colour, by: float) -> Colour:
    red, green, blue = (min(255, round(part * by)) for part in colour)
    return red, green, blue


FIGURES: dict[str, Drawer] = {
    "plant": _plant,
    "people": _people,
    "portrait": _portrait,
    "product": _product,
}
