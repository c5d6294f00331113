"""A whole nursery photo: bench, containers in perspective, plants, clutter, light; its truth."""

import cv2
import numpy as np

from .clutter import lay_clutter, light_up
from .containers import Patch, draw_container, plant
from .plants import Sprite, plant_bank
from .real import RealTray
from .soil import draw_bench, to_image
from .truth import KINDS, Container, Floats, Image, Photo, Plant, hull_plant

_COUNTS = {"plug": (10, 36), "box": (25, 90), "segment": (40, 200)}


def make_photo(
    seed: int,
    size: tuple[int, int] = (1600, 1200),
    *,
    real: RealTray | None = None,
    places: int | None = None,
) -> Photo:
    """Draw the nursery photo of this seed.

    Parameters
    ----------
    seed : the same seed and arguments give the same photo
    size : (width, height), pixels
    real : real cut-outs and an emptied real tray, used for half of the photos; drawn plants only
        where it is None
    places : one full photo with about this many planted places, for benches and speed tests
    """
    rng = np.random.default_rng(seed)
    image = to_image(draw_bench(rng, size))
    if real is not None and places is None and rng.random() < 0.35:
        patches = [_real_patch(rng, real, size)]
        warps = [_frame_warp(rng, patches[0].rgba.shape[1::-1], size)]
    else:
        quads = _layout(rng, size, places)
        patches = [_drawn_patch(rng, quad, real, places and places // len(quads)) for quad in quads]
        warps = [_quad_warp(patch, quad) for patch, quad in zip(patches, quads, strict=True)]
    for patch, warp in zip(patches, warps, strict=True):
        _lay(rng, image, patch, warp)
    cover = lay_clutter(rng, image)
    plants = _seen_plants(patches, warps, size, cover)
    containers = _seen_containers(patches, warps, size)
    return Photo(light_up(rng, image), plants, containers)


def retake(seed: int, photo: Photo, size: tuple[int, int]) -> Photo:
    """The same scene from another place, any side up, under other light, as a (W, H) photo."""
    rng = np.random.default_rng(seed)
    warp = _frame_warp(rng, photo.image.shape[1::-1], size)
    border = tuple(rng.integers(0, 256, 3).tolist())
    shrunk, shrink = _shrunk_for(photo.image, warp)
    image = cv2.warpPerspective(
        shrunk, warp.astype(np.float64) @ np.linalg.inv(shrink), size, borderValue=border
    )
    plants = [_moved_plant(known, warp, size) for known in photo.plants]
    trays = [(tray.kind, move(tray.polygon, warp)) for tray in photo.containers]
    seen = tuple(known for known in plants if known is not None)
    return Photo(light_up(rng, np.asarray(image, np.uint8)), seen, _in_frame(trays, size))


def _shrunk_for(image: Image, warp: Floats) -> tuple[Image, Floats]:
    """The image made smaller where `warp` shrinks it much, so that it does not alias."""
    scale = float(np.sqrt(abs(np.linalg.det(warp[:2, :2].astype(np.float64)))))
    if scale > 0.7:
        return image, np.eye(3, dtype=np.float32)
    ratio = scale * 1.3
    shrunk = cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8), np.diag([ratio, ratio, 1]).astype(np.float32)


def _moved_plant(known: Plant, warp: Floats, size: tuple[int, int]) -> Plant | None:
    """A plant through a homography, taking the ellipse in its box for its outline."""
    x1, y1, x2, y2 = known.box
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    around = np.stack([np.cos(angles) * (x2 - x1), np.sin(angles) * (y2 - y1)], axis=1) / 2
    outline = move((around + known.centre).astype(np.float32), warp)
    return hull_plant(outline, move(np.array([known.centre], np.float32), warp)[0], size)


def _layout(rng: np.random.Generator, size: tuple[int, int], places: int | None) -> list[Floats]:
    """Where the containers lie: quads (4, 2) of a grid under one turn, zoom and perspective."""
    columns, rows = [(1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (3, 2)][
        0 if places else rng.choice(6, p=[0.38, 0.2, 0.12, 0.12, 0.1, 0.08])
    ]
    zoom = (
        0.96
        if places
        else rng.choice([rng.uniform(0.7, 0.98), rng.uniform(0.98, 1.5)], p=[0.75, 0.25])
    )
    gap = rng.uniform(0.01, 0.08)
    warp = _tilt(rng, size, float(zoom), 0.0 if places else 1.0)
    quads = []
    for column in range(columns):
        for row in range(rows):
            cut = rng.uniform(gap, gap + 0.06, 4) if rng.random() < 0.7 else np.full(4, gap)
            x1, x2 = (column + cut[0]) / columns, (column + 1 - cut[1]) / columns
            y1, y2 = (row + cut[2]) / rows, (row + 1 - cut[3]) / rows
            corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32) * size
            quads.append(move(corners.astype(np.float32), warp))
    return quads


def _tilt(rng: np.random.Generator, size: tuple[int, int], zoom: float, amount: float) -> Floats:
    """A homography that turns, scales and tilts the frame about its middle."""
    width, height = size
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    angle = amount * rng.normal(0, 0.09)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width, height]) / 2
    shift = rng.uniform(-0.5, 0.5, 2) * abs(zoom - 1) * np.array(size) * amount
    moved = (frame - middle) @ spin.T * zoom + middle + shift
    moved += rng.uniform(-0.05, 0.05, (4, 2)) * size * amount * rng.choice([0.2, 1])
    return cv2.getPerspectiveTransform(frame, moved.astype(np.float32)).astype(np.float32)


def move(points: Floats, warp: Floats) -> Floats:
    """Points (P, 2) through a homography (3, 3)."""
    moved = cv2.perspectiveTransform(points[None].astype(np.float32), warp.astype(np.float64))[0]
    return np.asarray(moved, np.float32)


def _drawn_patch(
    rng: np.random.Generator, quad: Floats, real: RealTray | None, count: int | None
) -> Patch:
    """A planted container about as large, in pixels, as its quad in the photo."""
    width = max(40, round(float(np.linalg.norm(quad[1] - quad[0]))))
    height = max(40, round(float(np.linalg.norm(quad[3] - quad[0]))))
    kind = "segment" if count else str(rng.choice(KINDS, p=[0.45, 0.3, 0.25]))
    low, high = _COUNTS[kind]
    fits = max(2, width * height // 34**2)
    wanted = count or min(round(float(np.exp(rng.uniform(np.log(low), np.log(high))))), fits)
    margin = round(0.06 * min(width, height))
    patch = draw_container(rng, kind, (width, height), wanted, margin)
    plant(rng, patch, _bank(rng, real), full=count is not None)
    return patch


def _bank(rng: np.random.Generator, real: RealTray | None) -> list[Sprite]:
    """Plants of one species; where there are real cut-outs, those half of the time."""
    drawn = plant_bank(rng, 10)
    return real.cutouts if real is not None and rng.random() < 0.5 else drawn


def _real_patch(rng: np.random.Generator, real: RealTray, size: tuple[int, int]) -> Patch:
    """The emptied real tray planted anew, mostly with its own kind."""
    patch = real.patch(max(size) / 2592)
    drawn = plant_bank(rng, 10)
    plant(rng, patch, real.cutouts if rng.random() < 0.7 else drawn, smallest=0.1)
    return patch


def _frame_warp(rng: np.random.Generator, flat: tuple[int, int], size: tuple[int, int]) -> Floats:
    """A homography that lays a (W, H) picture over the frame: any side up, nearer or farther."""
    quarters = int(rng.integers(4))
    upright = flat if quarters % 2 == 0 else flat[::-1]
    cover = max(size[0] / upright[0], size[1] / upright[1])
    sine, cosine = [(0, 1), (1, 0), (0, -1), (-1, 0)][quarters]
    flip = -1 if rng.random() < 0.5 else 1
    spin = cover * np.array([[cosine * flip, -sine], [sine * flip, cosine]])
    shift = np.array(size) / 2 - spin @ (np.array(flat) / 2)
    lay = np.vstack([np.column_stack([spin, shift]), [0, 0, 1]])
    zoom = float(np.exp(rng.uniform(np.log(0.7), np.log(2.4))))
    return np.asarray(_tilt(rng, size, zoom, 1.0) @ lay, np.float32)


def _quad_warp(patch: Patch, quad: Floats) -> Floats:
    """The homography from a patch's container onto its quad in the photo."""
    return cv2.getPerspectiveTransform(patch.containers[0][1], quad).astype(np.float32)


def _lay(rng: np.random.Generator, image: Image, patch: Patch, warp: Floats) -> None:
    """Warp the patch into the photo over its own soft shadow, in place."""
    height, width = patch.rgba.shape[:2]
    corners = move(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32), warp)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 2, image.shape[1::-1])
    if (high <= low).any():
        return
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], np.float64)
    layer = cv2.warpPerspective(patch.rgba, shift @ warp, tuple((high - low).tolist()))
    window = image[low[1] : high[1], low[0] : high[0]]
    alpha = layer[..., 3].astype(np.float32) / 255
    blur = 2 * max(1, min(window.shape[:2]) // 60) + 1
    dark = 1 - np.float32(rng.uniform(0, 0.5)) * cv2.blur(alpha, (blur, blur))
    under = window * dark[..., None]
    window[:] = (under + alpha[..., None] * (layer[..., :3] - under)).astype(np.uint8)


def _seen_plants(
    patches: list[Patch], warps: list[Floats], size: tuple[int, int], cover: Image
) -> tuple[Plant, ...]:
    """Every plant whose centre is in the frame and that no clutter hides by more than half."""
    found = []
    for patch, warp in zip(patches, warps, strict=True):
        for outline, centre in zip(patch.outlines, patch.centres, strict=True):
            seen = hull_plant(move(outline, warp), move(centre[None], warp)[0], size)
            if seen is not None and not _hidden(seen, cover):
                found.append(seen)
    return tuple(found)


def _hidden(seen: Plant, cover: Image) -> bool:
    x1, y1, x2, y2 = (int(side) for side in seen.box)
    return float(cover[y1 : y2 + 1, x1 : x2 + 1].mean()) > 127


def _seen_containers(
    patches: list[Patch], warps: list[Floats], size: tuple[int, int]
) -> tuple[Container, ...]:
    moved = [
        (kind, move(polygon, warp))
        for patch, warp in zip(patches, warps, strict=True)
        for kind, polygon in patch.containers
    ]
    return _in_frame(moved, size)


def _in_frame(polygons: list[tuple[str, Floats]], size: tuple[int, int]) -> tuple[Container, ...]:
    """The containers' polygons within the frame, without slivers at its edge."""
    frame = np.array([[0, 0], [size[0], 0], [*size], [0, size[1]]], np.float32)
    found = []
    for kind, polygon in polygons:
        hull = cv2.convexHull(polygon)
        area, clipped = cv2.intersectConvexConvex(hull, frame)
        if area > 0.1 * cv2.contourArea(hull) and area > 0.004 * size[0] * size[1]:
            found.append(Container(kind, clipped.reshape(-1, 2).astype(np.float32)))
    return tuple(found)
