"""Containers from above: plug trays, crates, blocks of pots and beds, and what stands in them."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from .plants import Sprite, paste, recolour
from .soil import draw_soil, noise, tint, to_image
from .truth import Floats, Image

_PLASTICS = (
    (38, 38, 40), (58, 62, 66), (92, 98, 104), (128, 132, 134), (150, 78, 52), (196, 120, 86),
    (214, 214, 208), (52, 78, 56), (44, 66, 104), (150, 118, 80),
)  # fmt: skip


@dataclass
class Patch:
    """A flat picture RGBA (H, W, 4) to be laid into a photo, with what stands in it."""

    rgba: Image
    containers: list[tuple[str, Floats]]
    places: Floats
    pitch: float
    outlines: list[Floats] = field(default_factory=list)
    centres: list[Floats] = field(default_factory=list)


@dataclass(frozen=True)
class Grid:
    """Planting places (N, 2) in rows, their pitch, and how many columns and rows there are."""

    places: Floats
    pitch: float
    columns: int
    rows: int


def lay_grid(inner: tuple[float, float, float, float], count: int) -> Grid:
    """About `count` places, as square as they go, inside (x1, y1, x2, y2)."""
    x1, y1, x2, y2 = inner
    width, height = x2 - x1, y2 - y1
    columns = max(1, round(np.sqrt(count * width / height)))
    rows = max(1, round(count / columns))
    xs = x1 + (np.arange(columns) + 0.5) * width / columns
    ys = y1 + (np.arange(rows) + 0.5) * height / rows
    places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)
    return Grid(places, min(width / columns, height / rows), columns, rows)


def draw_container(
    rng: np.random.Generator, kind: str, size: tuple[int, int], count: int, margin: int
) -> Patch:
    """An unplanted container of this kind and (W, H) size with about `count` places.

    The patch is `margin` pixels wider on every side, so that leaves can hang over the rim.
    """
    width, height = size
    whole = (width + 2 * margin, height + 2 * margin)
    rim = {"plug": 0.02, "box": 0.035, "segment": 0.004}[kind] * min(size) * rng.uniform(0.7, 1.5)
    edge = margin + rim
    grid = lay_grid((edge, edge, whole[0] - edge, whole[1] - edge), count)
    body = np.zeros((whole[1], whole[0]), np.uint8)
    soil = np.zeros_like(body)
    if kind == "segment" and rng.random() < 0.6:
        draw_pots(rng, grid, body, soil)
    else:
        cv2.rectangle(body, (margin, margin), (margin + width, margin + height), 255, -1)
        _open_ground(rng, kind, grid, soil, edge)
    rgba = _colour(rng, body, soil, grid.pitch)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + margin
    return Patch(rgba, [(kind, corners)], grid.places, grid.pitch)


def _open_ground(rng: np.random.Generator, kind: str, grid: Grid, soil: Image, edge: float) -> None:
    """Where a tray's, crate's or bed's soil shows: its cells, its pots, or all but the rim."""
    pots_in_crate = kind == "box" and rng.random() < 0.35
    if kind == "plug":
        draw_cells(rng, grid, soil)
    elif pots_in_crate:
        draw_pots(rng, grid, np.zeros_like(soil), soil)
    else:
        low, high = round(edge), (soil.shape[1] - round(edge), soil.shape[0] - round(edge))
        cv2.rectangle(soil, (low, low), high, 255, -1)


def draw_cells(rng: np.random.Generator, grid: Grid, soil: Image) -> None:
    """The openings of a plug tray, round or square, in place."""
    half = max(2, round(grid.pitch * rng.uniform(0.36, 0.47)))
    if rng.random() < 0.4:
        for x, y in grid.places:
            cv2.circle(soil, (round(x), round(y)), half, 255, -1, cv2.LINE_AA)
        return
    bevel = max(1, int(half * rng.uniform(0.05, 0.4)))
    for x, y in grid.places:
        cv2.rectangle(
            soil, (round(x) - half, round(y) - half), (round(x) + half, round(y) + half), 255, -1
        )
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * bevel + 1, 2 * bevel + 1))
    soil[:] = cv2.morphologyEx(soil, cv2.MORPH_OPEN, kernel)


def draw_pots(rng: np.random.Generator, grid: Grid, body: Image, soil: Image) -> None:
    """Pots side by side, round or square: their outside on `body`, their inside on `soil`."""
    outer = max(3, round(grid.pitch * rng.uniform(0.44, 0.52)))
    inner = max(2, outer - max(1, round(outer * rng.uniform(0.06, 0.16))))
    square = rng.random() < 0.4
    for x, y in np.round(grid.places).astype(int).tolist():
        for canvas, half in ((body, outer), (soil, inner)):
            if square:
                cv2.rectangle(canvas, (x - half, y - half), (x + half, y + half), 255, -1)
            else:
                cv2.circle(canvas, (x, y), half, 255, -1, cv2.LINE_AA)


def _colour(rng: np.random.Generator, body: Image, soil: Image, pitch: float) -> Image:
    """RGBA of a container from where its body and its soil are."""
    size = (body.shape[1], body.shape[0])
    grain = max(1.0, pitch / float(rng.uniform(25, 90)))
    plastic = tint(noise(rng, size, pitch * 0.7), _PLASTICS[rng.integers(len(_PLASTICS))], 0.08)
    _light_rims(rng, plastic, soil, pitch)
    ground = draw_soil(rng, size, grain)
    depth = cv2.blur(soil, (2 * int(pitch / 10) + 1,) * 2).astype(np.float32) / 255
    ground *= (1 - rng.uniform(0.3, 1.1) * (1 - depth) * 0.8)[..., None].clip(0.15, 1)
    share = soil[..., None].astype(np.float32) / 255
    return np.dstack([to_image(plastic + share * (ground - plastic)), np.maximum(body, soil)])


def _light_rims(rng: np.random.Generator, plastic: Floats, soil: Image, pitch: float) -> None:
    """Wet or glossy plastic: highlights along the rims, soft reflections; in place."""
    blur = 2 * max(1, int(pitch / 30)) + 1
    edge = cv2.Sobel(cv2.blur(soil, (blur, blur)), cv2.CV_32F, 1, 1, ksize=3)
    plastic += (np.clip(edge, -120, 120) * rng.uniform(0.0, 0.6))[..., None]
    if rng.random() < 0.3:
        gleam = noise(rng, (soil.shape[1], soil.shape[0]), pitch * float(rng.uniform(0.4, 2)))
        plastic += (np.clip(gleam - 1.2, 0, 1) * rng.uniform(40, 160))[..., None]


def plant(
    rng: np.random.Generator,
    patch: Patch,
    bank: list[Sprite],
    *,
    full: bool = False,
    smallest: float = 0.28,
) -> None:
    """Set plants of one bank into the patch's places, in place: sizes, gaps, jitter, shadows.

    Plants are typically `smallest` to 1.2 of the pitch wide. With `full` no place stays empty and
    neighbours hardly overlap.
    """
    share = 1.0 if full else float(rng.choice([1, 1, 0.97, 0.9, 0.7, 0.4, 0.0], p=_GAPS))
    typical = rng.uniform(0.6, 0.95) if full else np.exp(rng.uniform(np.log(smallest), np.log(1.2)))
    typical = max(float(typical), 18 / patch.pitch)
    spread, jitter = rng.uniform(0.05, 0.3), rng.uniform(0.0, 0.13)
    shadow = (*rng.uniform(-0.06, 0.06, 2), float(rng.uniform(0, 0.55)))
    tinted = [recolour(rng, sprite, 0.25) for sprite in bank]
    for place in rng.permutation(patch.places):
        if rng.random() > share:
            continue
        size = patch.pitch * typical * float(np.exp(rng.normal(0, spread)))
        size = float(np.clip(size, patch.pitch * 0.08, patch.pitch * 1.35))
        sprite = _fitting(rng, tinted, size)
        at = place + rng.normal(0, jitter, 2) * patch.pitch
        outline, centre = paste(
            patch.rgba, sprite, (float(at[0]), float(at[1])), size, rng.uniform(0, 6.28), shadow
        )
        patch.outlines.append(outline)
        patch.centres.append(centre)


def _fitting(rng: np.random.Generator, bank: list[Sprite], size: float) -> Sprite:
    """One of the sprites that are large enough to be shown `size` pixels wide."""
    sharp = [sprite for sprite in bank if sprite.diameter * 1.6 >= size] or bank
    return sharp[rng.integers(len(sharp))]


_GAPS = [0.2, 0.15, 0.2, 0.2, 0.12, 0.08, 0.05]
