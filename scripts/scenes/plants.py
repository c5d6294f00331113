"""Drawn plants seen from above, as sprites: colour and cover, one species to a bank."""

from dataclasses import dataclass

import cv2
import numpy as np

from .truth import Floats, Image

_GOLDEN_ANGLE = 2.39996
_SIDE = 224


@dataclass(frozen=True)
class Sprite:
    """An RGBA cut-out (H, W, 4), its outline (P, 2) and the point it grows from, in its pixels."""

    rgba: Image
    outline: Floats
    centre: Floats

    @property
    def diameter(self) -> float:
        """The longer side of the outline's box, pixels."""
        return float(np.ptp(self.outline, axis=0).max())


@dataclass(frozen=True)
class Species:
    """What the plants of one container share."""

    leaves: int
    length: float
    width: float
    petiole: float
    tip: float
    hue: float
    fill: float
    light: float
    vein: float
    whorled: bool


def any_species(rng: np.random.Generator) -> Species:
    """Seedlings, rosettes with stalked leaves, lettuces, succulents or narrow blades."""
    kind = rng.choice(["seedling", "rosette", "rosette", "lettuce", "succulent", "blades"])
    leaves, width, petiole, tip = {
        "seedling": (rng.integers(3, 6), rng.uniform(0.45, 0.75), rng.uniform(0.1, 0.4), 0.9),
        "rosette": (rng.integers(6, 16), rng.uniform(0.22, 0.42), rng.uniform(0.25, 0.55), 0.8),
        "lettuce": (rng.integers(7, 18), rng.uniform(0.5, 0.9), rng.uniform(0.0, 0.15), 0.6),
        "succulent": (rng.integers(14, 30), rng.uniform(0.3, 0.5), 0.0, rng.uniform(1.0, 1.8)),
        "blades": (rng.integers(5, 16), rng.uniform(0.08, 0.16), 0.0, rng.uniform(0.9, 1.4)),
    }[str(kind)]
    hue = rng.uniform(34, 68) if rng.random() < 0.95 else rng.uniform(140, 178)
    return Species(
        int(leaves), float(rng.uniform(0.8, 1)), float(width), float(petiole), float(tip),
        float(hue), float(rng.uniform(95, 220)), float(rng.uniform(120, 230)),
        float(rng.uniform(-0.15, 0.3)), kind == "seedling" or bool(rng.random() < 0.15),
    )  # fmt: skip


def leaf_outline(species: Species, length: float, points: int = 16) -> Floats:
    """One leaf along +x from the origin, (2 * points, 2): a thin stalk, then a blade."""
    along = np.linspace(0, 1, points, dtype=np.float32)
    blade = np.clip((along - species.petiole) / (1 - species.petiole), 0, 1)
    bulge = np.sin(np.pi * blade ** (1 / species.tip)).clip(0)
    half = 0.5 * species.width * bulge**0.8
    half = np.maximum(half, 0.035 * (along < species.petiole + 0.2))
    upper = np.stack([along * length, half * length], axis=1)
    return np.concatenate([upper, upper[::-1] * np.array([1, -1], np.float32)])


def turn(points: Floats, angle: float) -> Floats:
    """Points (P, 2) turned about the origin."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return points @ np.array([[cosine, sine], [-sine, cosine]], np.float32)


def leaf_colour(rng: np.random.Generator, species: Species, age: float) -> tuple[int, int, int]:
    """A leaf's RGB: young ones (age 0) lighter and yellower than old ones (age 1)."""
    hue = species.hue - 5 * (1 - age) + rng.normal(0, 2.5)
    light = species.light * (1.12 - 0.3 * age) * rng.uniform(0.8, 1.12)
    fill = species.fill * rng.uniform(0.85, 1.1)
    pixel = np.array([[[hue % 180, min(fill, 255), min(light, 255)]]]).astype(np.uint8)
    red, green, blue = cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0]
    return int(red), int(green), int(blue)


def shaded(colour: tuple[int, int, int], gain: float) -> tuple[int, int, int, int]:
    """The colour made lighter or darker, opaque."""
    red, green, blue = (min(255, int(part * gain)) for part in colour)
    return red, green, blue, 255


def draw_leaf(
    rng: np.random.Generator, rgba: Image, species: Species, length: float, angle: float, age: float
) -> None:
    """One leaf from the sprite's centre: blade, one lit half, dark rim, midrib; in place."""
    middle = np.float32(_SIDE / 2)
    bend = float(rng.normal(0, 0.12))
    shape = leaf_outline(species, length)
    shape[:, 1] += bend * shape[:, 0] ** 2 / max(length, 1)
    shape *= np.array([1, rng.uniform(0.75, 1.1)], np.float32)
    colour = leaf_colour(rng, species, age)
    blade = np.round((turn(shape, angle) + middle) * 8).astype(np.int32)
    half = np.concatenate([blade[: len(blade) // 2], blade[len(blade) // 2 :][::-1] // 2
                           + blade[: len(blade) // 2] // 2])  # fmt: skip
    cv2.fillPoly(rgba, [blade], shaded(colour, 1), cv2.LINE_AA, 3)
    if rng.random() < 0.6:
        cv2.fillPoly(rgba, [half], shaded(colour, rng.uniform(0.88, 1.15)), cv2.LINE_AA, 3)
    cv2.polylines(rgba, [blade], True, shaded(colour, rng.uniform(0.6, 0.95)), 1, cv2.LINE_AA, 3)
    rib = np.array(
        [[0, 0], [length * 0.45, bend * length * 0.2], [length * 0.85, bend * length * 0.7]]
    )
    rib = np.round((turn(rib.astype(np.float32), angle) + middle) * 8).astype(np.int32)
    cv2.polylines(rgba, [rib], False, shaded(colour, 1 + species.vein), 2, cv2.LINE_AA, 3)


def draw_rosette(rng: np.random.Generator, species: Species) -> Image:
    """A plant from above, RGBA of one fixed size: outer leaves first, younger ones over them."""
    rgba = np.zeros((_SIDE, _SIDE, 4), np.uint8)
    count = max(2, int(species.leaves + rng.integers(-1, 3)))
    start = rng.uniform(0, 2 * np.pi)
    step = 2 * np.pi / count if species.whorled else _GOLDEN_ANGLE
    for leaf in range(count):
        age = 1 - leaf / count
        grown = 0.95 * species.length * (0.3 + 0.7 * age ** (0.5 if species.whorled else 0.9))
        length = _SIDE / 2 * grown * float(rng.uniform(0.8, 1.0))
        draw_leaf(rng, rgba, species, length, start + leaf * step + rng.normal(0, 0.15), age)
    heart = leaf_colour(rng, species, 0.3)
    cv2.circle(rgba, (_SIDE // 2,) * 2, max(2, _SIDE // 40), shaded(heart, 1.05), -1, cv2.LINE_AA)
    return rgba


def draw_cactus(rng: np.random.Generator, species: Species) -> Image:
    """A ribbed ball with pale spines, RGBA."""
    rgba = np.zeros((_SIDE, _SIDE, 4), np.uint8)
    middle, radius = _SIDE // 2, int(_SIDE * 0.44)
    colour, ribs = leaf_colour(rng, species, 0.8), int(rng.integers(8, 22))
    cv2.circle(rgba, (middle, middle), radius, shaded(colour, 0.8), -1, cv2.LINE_AA)
    cv2.circle(rgba, (middle, middle), int(radius * 0.7), shaded(colour, 1), -1, cv2.LINE_AA)
    spine = shaded((235, 225, 190), rng.uniform(0.5, 1))
    for rib in range(ribs):
        way = np.array([np.cos(2 * np.pi * rib / ribs), np.sin(2 * np.pi * rib / ribs)])
        tip = (middle + radius * 0.97 * way).astype(int).tolist()
        cv2.line(rgba, (middle, middle), tip, shaded(colour, 0.6), 3, cv2.LINE_AA)
        for share in np.linspace(0.2, 0.95, 6):
            spot = (middle + radius * share * turn(way.astype(np.float32), 0.1)).astype(int)
            cv2.circle(rgba, spot.tolist(), 3, spine, -1, cv2.LINE_AA)
    return rgba


def as_sprite(rgba: Image) -> Sprite:
    """The sprite of an RGBA picture, its outline the hull of what is opaque."""
    points = cv2.findNonZero((rgba[..., 3] > 96).astype(np.uint8))
    hull = cv2.convexHull(points).reshape(-1, 2).astype(np.float32)
    low, high = hull.min(axis=0), hull.max(axis=0)
    return Sprite(rgba, hull, ((low + high) / 2).astype(np.float32))


def plant_bank(rng: np.random.Generator, count: int) -> list[Sprite]:
    """`count` drawn plants of one species."""
    species = any_species(rng)
    draw = draw_cactus if rng.random() < 0.06 else draw_rosette
    return [as_sprite(grain(rng, draw(rng, species))) for _ in range(count)]


def grain(rng: np.random.Generator, rgba: Image) -> Image:
    """The picture with mottled light over it."""
    small = rng.normal(1, 0.09, (14, 14)).astype(np.float32)
    field = cv2.resize(small, (rgba.shape[1], rgba.shape[0]), interpolation=cv2.INTER_CUBIC)
    rgba[..., :3] = np.clip(rgba[..., :3] * field[..., None], 0, 255).astype(np.uint8)
    return rgba


def recolour(rng: np.random.Generator, sprite: Sprite, amount: float) -> Sprite:
    """The same plant with its hue, fill and light moved by up to `amount` (1 = strongly)."""
    hsv = cv2.cvtColor(np.ascontiguousarray(sprite.rgba[..., :3]), cv2.COLOR_RGB2HSV)
    moved = hsv.astype(np.float32)
    moved[..., 0] = (moved[..., 0] + rng.uniform(-14, 14) * amount) % 180
    moved[..., 1] *= 1 + rng.uniform(-0.45, 0.3) * amount
    moved[..., 2] *= 1 + rng.uniform(-0.5, 0.35) * amount
    rgb = cv2.cvtColor(np.clip(moved, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return Sprite(np.dstack([rgb, sprite.rgba[..., 3]]), sprite.outline, sprite.centre)


def paste(
    patch: Image,
    sprite: Sprite,
    at: tuple[float, float],
    diameter: float,
    angle: float,
    shadow: tuple[float, float, float],
) -> tuple[Floats, Floats]:
    """Lay the sprite on `patch`, turned and scaled, over its own shadow (dx, dy, dark).

    Returns its outline (P, 2) and centre (2,) in the patch's pixels.
    """  # fmt: skip
    scale = diameter / max(sprite.diameter, 1)
    sine, cosine = scale * np.sin(angle), scale * np.cos(angle)
    spin = np.array([[cosine, -sine], [sine, cosine]], np.float32)
    outline = (sprite.outline - sprite.centre) @ spin.T + np.asarray(at, np.float32)
    left, top = np.floor(outline.min(axis=0)).astype(int) - 2
    right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 3
    offset = np.asarray(at, np.float32) - spin @ sprite.centre - (left, top)
    source, spin = _shrunk(sprite.rgba, spin, scale)
    warp = np.column_stack([spin, offset])
    cover = cv2.warpAffine(source, warp, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    dx, dy, dark = shadow
    _blend_shadow(patch, cover[..., 3], (left + dx * diameter, top + dy * diameter), diameter, dark)
    _blend(patch, cover, left, top)
    return outline, np.asarray(at, np.float32)


def _shrunk(rgba: Image, spin: Floats, scale: float) -> tuple[Image, Floats]:
    """A pre-shrunk source, so that strong downscaling does not alias."""
    if scale > 0.5:
        return rgba, spin
    height, width = rgba.shape[:2]
    size = (max(2, round(width * scale * 1.5)), max(2, round(height * scale * 1.5)))
    ratio = np.array([width / size[0], height / size[1]], np.float32)
    return cv2.resize(rgba, size, interpolation=cv2.INTER_AREA), spin * ratio


def _window(patch: Image, left: int, top: int, shape: tuple[int, int]) -> tuple[slice, ...] | None:
    """Slices of the patch and of a picture laid at (left, top), or None where they do not meet."""
    y1, x1 = max(top, 0), max(left, 0)
    y2, x2 = min(top + shape[0], patch.shape[0]), min(left + shape[1], patch.shape[1])
    if y1 >= y2 or x1 >= x2:
        return None
    return slice(y1, y2), slice(x1, x2), slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)


def _blend(patch: Image, cover: Image, left: int, top: int) -> None:
    window = _window(patch, left, top, cover.shape[:2])
    if window is None:
        return
    rows, columns, from_rows, from_columns = window
    piece = cover[from_rows, from_columns].astype(np.float32)
    alpha = piece[..., 3:] / 255
    under = patch[rows, columns, :3].astype(np.float32)
    patch[rows, columns, :3] = (under + alpha * (piece[..., :3] - under)).astype(np.uint8)
    patch[rows, columns, 3] = np.maximum(patch[rows, columns, 3], piece[..., 3].astype(np.uint8))


def _blend_shadow(
    patch: Image, alpha: Image, corner: tuple[float, float], diameter: float, dark: float
) -> None:
    blur = max(1, int(diameter / 14))
    soft = cv2.blur(
        cv2.copyMakeBorder(alpha, *(blur,) * 4, cv2.BORDER_CONSTANT), (2 * blur + 1,) * 2
    )
    left, top = round(corner[0]) - blur, round(corner[1]) - blur
    window = _window(patch, left, top, soft.shape[:2])
    if window is None or dark <= 0:
        return
    rows, columns, from_rows, from_columns = window
    gain = 1 - dark * soft[from_rows, from_columns, None].astype(np.float32) / 255
    patch[rows, columns, :3] = (patch[rows, columns, :3] * gain).astype(np.uint8)
