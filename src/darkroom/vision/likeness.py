"""How far two pictures lie apart: in their colours, in their layout, and in what they show."""

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.vision.alignment import align, features

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_THUMBNAIL = 96
_LIGHTNESS = 0.35
"""What a step of lightness counts beside one of colour: pictures are relit more than recoloured."""
_MIDDLE = 0.45
_DARKEST = 0.02
_DIRECTIONS = 32
_GRID = 8
_BINS = 9
_ENOUGH = 40
"""Features found again from which a picture surely shows what another one does."""


def palette_distance(one: Pixels, other: Pixels) -> float:
    """How far colours must move to make one picture's into the other's, wherever they are.

    The sliced Wasserstein distance (Bonneel et al., 2015) in CIELAB, where about 2 is just seen.
    Brightness alone counts for nothing.
    """
    lines = _directions()
    here, there = (np.sort(_colours(pixels) @ lines, axis=0) for pixels in (one, other))
    # A line sees of a shift only its part along it, on average half of its length.
    return float(2 * np.abs(here - there).mean())


def layout_distance(one: Pixels, other: Pixels) -> float:
    """How different edges run in the parts of two pictures: 0 the same, 1 nothing in common.

    Histograms of oriented gradients (Dalal and Triggs, 2005) of a coarse grid: blind to colour and
    light.
    """
    return float(1 - (_edges(one) * _edges(other)).sum())


def content_distance(reference: Pixels, picture: Pixels) -> float | None:
    """How little of a reference is found in a picture, wherever it lies there: 0 surely, 1 nothing.

    None where the reference has too few features to be found again.
    """
    if features(reference) < _ENOUGH:
        return None
    found = align(reference, picture)
    return 1.0 if found is None else max(0.0, 1 - found.found / _ENOUGH)


def _directions() -> Floats:
    """Directions (3, N) spread evenly over half a sphere (a Fibonacci lattice)."""
    steps = np.arange(_DIRECTIONS) + 0.5
    height, turn = steps / _DIRECTIONS, np.pi * (1 + 5**0.5) * steps
    radius = np.sqrt(1 - height**2)
    spread = np.stack([radius * np.cos(turn), radius * np.sin(turn), height])
    return np.asarray(spread, np.float32)


def _colours(pixels: Pixels) -> Floats:
    """CIELAB (N, 3) of a thumbnail exposed to middle grey, with lightness counting less."""
    small = cv2.resize(pixels, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA) / 255
    exposed = small * (_MIDDLE / max(float(small.mean()), _DARKEST))
    lab = cv2.cvtColor(exposed.astype(np.float32), cv2.COLOR_RGB2Lab)
    return np.asarray(lab.reshape(-1, 3) * np.array((_LIGHTNESS, 1, 1), np.float32), np.float32)


def _edges(pixels: Pixels) -> Floats:
    """Histograms of edge directions by grid cell, as one vector of length 1."""
    side = _THUMBNAIL
    small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(across, down)
    place = angle % np.pi / np.pi * _BINS
    bins = np.zeros((_BINS, side, side), np.float32)
    for each in range(_BINS):
        gap = np.abs(place - each)
        bins[each] = strength * (1 - np.minimum(gap, _BINS - gap)).clip(0)
    cells = np.stack([_pooled(layer) for layer in bins]).reshape(_BINS, -1)
    # Strong edges must not drown all others.
    vector = np.sqrt(cells).ravel()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


def _pooled(layer: Floats) -> Floats:
    """Sums over overlapping cells, so that a small shift changes little."""
    wide = cv2.GaussianBlur(layer, (0, 0), _THUMBNAIL / _GRID / 2)
    return np.asarray(cv2.resize(wide, (_GRID, _GRID), interpolation=cv2.INTER_AREA), np.float32)
