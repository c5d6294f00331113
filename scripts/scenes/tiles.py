"""Square training tiles cut from photos, as the sliced detector will see them."""

import cv2
import numpy as np

from .truth import Floats, Image, Photo

_GREY = 114


def pick_side(rng: np.random.Generator, photo: Photo, tile: int) -> float:
    """How many pixels of the photo one tile shows: plants come out between 13 and 330 px large.

    Now and then it is very few, so that bare soil is also learnt from near by.
    """
    longest = max(photo.image.shape[:2])
    if not photo.plants or rng.random() < 0.15:
        return float(np.exp(rng.uniform(np.log(0.4 * tile), np.log(longest))))
    boxes = np.array([known.box for known in photo.plants])
    typical = float(np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])))
    wanted = np.exp(rng.uniform(np.log(13), np.log(330)))
    return float(np.clip(typical * tile / wanted, 0.5 * tile, 1.1 * longest))


def pick_corner(rng: np.random.Generator, photo: Photo, side: float) -> tuple[int, int]:
    """Where the tile lies (x, y): near a plant mostly, inside the frame where it fits."""
    height, width = photo.image.shape[:2]
    at = rng.uniform((0, 0), (width, height))
    if photo.plants and rng.random() < 0.7:
        at = np.array(photo.plants[rng.integers(len(photo.plants))].centre)
        at = at + rng.uniform(-0.5, 0.5, 2) * side
    low = np.clip(at - side / 2, 0, np.maximum(np.array([width, height]) - side, 0))
    return int(low[0]), int(low[1])


def cut_tile(photo: Photo, corner: tuple[int, int], side: float, tile: int) -> tuple[Image, Floats]:
    """The tile (tile, tile, 3) and its plants as YOLO rows (N, 5): class, centre, size as shares.

    A plant belongs to the tile when its centre does; its box is clipped to the tile. What lies
    beyond the photo is grey.
    """
    x, y = corner
    whole = round(side)
    piece = photo.image[y : y + whole, x : x + whole]
    below, right = whole - piece.shape[0], whole - piece.shape[1]
    square = cv2.copyMakeBorder(piece, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(_GREY,) * 3)
    how = cv2.INTER_AREA if whole > tile else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(square, (tile, tile), interpolation=how), np.uint8)
    return image, tile_rows(photo, corner, whole, 4 * whole / tile)


def tile_rows(photo: Photo, corner: tuple[int, int], side: int, smallest: float) -> Floats:
    """YOLO rows of the plants whose centre the tile holds, none smaller than `smallest` px."""
    rows = []
    for known in photo.plants:
        if not all(0 < at - low < side for at, low in zip(known.centre, corner, strict=True)):
            continue
        box = np.clip((np.array(known.box).reshape(2, 2) - corner), 0, side)
        middle, size = box.mean(axis=0) / side, (box[1] - box[0]) / side
        if size.max() * side >= smallest:
            rows.append([0, *middle, *size])
    return np.array(rows, np.float32).reshape(-1, 5)
