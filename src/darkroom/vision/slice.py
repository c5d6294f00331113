"""Slices of a photo: equal squares that overlap, so that small plants are seen large."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

GREY = 114
"""What lies beyond the photo's edge, as in training."""


@dataclass(frozen=True)
class Slicing:
    """Where the slices of one photo lie.

    Attributes
    ----------
    corners : (N, 2) left and top of each slice, pixels
    side : every slice is `side` by `side` pixels, padded where the photo is smaller
    frame : (width, height) of the photo
    """

    corners: NDArray[np.int64]
    side: int
    frame: tuple[int, int]

    def __len__(self) -> int:
        return len(self.corners)

    def meeting(self, boxes: NDArray[np.float32]) -> "Slicing":
        """Only the slices that meet one of the boxes (N, 4) x1, y1, x2, y2."""
        ends = self.corners + self.side
        before = ends[:, None] <= boxes[None, :, :2]
        beyond = self.corners[:, None] >= boxes[None, :, 2:]
        apart = (before | beyond).any(axis=2)
        return Slicing(self.corners[~np.all(apart, axis=1)], self.side, self.frame)


def plan(frame: tuple[int, int], side: int, overlap: float) -> Slicing:
    """Lay slices over a (width, height) frame as SAHI does.

    Neighbours share `overlap` of their side; the last ones are shifted inwards to end with the
    frame. A frame smaller than a slice is one slice as large as its longer side.
    """
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap must be at least 0 and less than 1, not {overlap}")
    if side < 1:
        raise ValueError(f"a slice must be at least 1 pixel wide, not {side}")
    width, height = frame
    side = min(side, max(width, height))
    lefts, tops = starts(width, side, overlap), starts(height, side, overlap)
    corners = [(left, top) for top in tops for left in lefts]
    return Slicing(np.array(corners, np.int64), side, frame)


def starts(length: int, side: int, overlap: float) -> list[int]:
    """Where slices begin along one axis of `length` pixels."""
    step = max(1, side - int(overlap * side))
    last = max(length - side, 0)
    return [*range(0, last, step), last]


def cut(image: Image, corner: NDArray[np.int64], side: int, out: int) -> Image:
    """One slice of the image (H, W, 3), grey beyond its edges, scaled to (out, out, 3)."""
    left, top = int(corner[0]), int(corner[1])
    piece = image[top : top + side, left : left + side]
    below, right = side - piece.shape[0], side - piece.shape[1]
    if below or right:
        piece = np.pad(piece, ((0, below), (0, right), (0, 0)), constant_values=GREY)
    # Below a factor of two linear scaling does not alias, and takes a fraction of the time.
    how = cv2.INTER_AREA if side > 2 * out else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(piece, (out, out), interpolation=how), np.uint8)
