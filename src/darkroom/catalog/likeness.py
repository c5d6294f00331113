"""Whether two pictures show the same thing, however its ground, its light and its place changed.

Five measures, each blind where others see:

- points (SIFT, Lowe 2004) that are found again, and lie to each other as they did: sees rotation,
  size and place, and needs texture;
- the subject of one picture slid over the other at several sizes, both ways (normalised
  correlation within the subject's outline): needs no texture, and only one of the two outlines;
- the colours of both subjects, and their outlines laid over each other.

A logistic regression makes one figure of them. Its weights were fitted, and the bound chosen, on
half of the things in `scripts/likeness`; `scripts/bench_likeness.py` prints how often it errs about
the other half.
"""

from dataclasses import astuple, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from darkroom.gated.pictures import Wanting
from darkroom.storage.images import Pixels

WEIGHTS = (1.138, 7.690, 3.462, 4.684, 3.107)
OFFSET = -11.636
"""The weighted measures of one subject make up for it; those of two do not."""

POINTS_SIDE, OUTLINE_SIDE, SLIDE_SIDE = 400, 128, 80
"""Longer sides in pixels at which points, outlines and correlation are looked for."""
MOST_POINTS = 400
LEAST_CONTRAST = 0.02
CLEARLY_NEARER = 0.8
FITS_PIXELS = 5.0
SIZES = np.geomspace(0.6, 1.65, 13)
"""How much larger a subject may have become."""
RIM = 0.03
PLACE = 30.0
"""How much as far as a whole side counts, against distance in Lab: a ground may change slowly."""
LEAST_UNLIKE, MOST_UNLIKE = 7.0, 25.0
SPECK = 0.05
LEAST_SHARE, MOST_SHARE = 0.01, 0.9
OUTLINE_CELLS = 48
COLOUR_BINS, COLOUR_RANGE = (5, 10, 10), ((0, 256), (60, 196), (60, 196))

Floats = npt.NDArray[np.floating[Any]]
Outline = npt.NDArray[np.uint8]
"""1 where the subject is."""


@dataclass(frozen=True)
class Measures:
    """What two pictures have in common; the more, the likelier it is one subject.

    Parameters
    ----------
    points
        Natural logarithm of one more than the points found again, in the worse direction.
    least, most
        Correlation of the subjects in the worse and in the better direction, -1 to 1.
    colours, outline
        Overlap of the colours and of the outlines, 0 to 1.
    """

    points: float
    least: float
    most: float
    colours: float
    outline: float


def insist(before: Pixels, after: Pixels, most: float) -> float:
    """How far the pictures are from each other; `Wanting` when that is more than `most`."""
    found = distance(before, after)
    if found > most:
        raise Wanting(
            "The new picture does not seem to show the same article "
            f"(distance {found:.2f}, at most {most:.2f})."
        )
    return found


def distance(before: Pixels, after: Pixels) -> float:
    """How sure it is that two pictures show different things, 0 to 1. Deterministic."""
    return distance_of(measured(before, after))


def distance_of(found: Measures) -> float:
    """The distance that measures stand for."""
    return float(1 / (1 + np.exp(np.dot(WEIGHTS, astuple(found)) + OFFSET)))


def measured(before: Pixels, after: Pixels) -> Measures:
    """The measures of two pictures of any size."""
    one, other = _Look.at(before), _Look.at(after)
    there, back = _correlation(one, other), _correlation(other, one)
    return Measures(
        points=float(np.log1p(min(_points(one, other), _points(other, one)))),
        least=min(there, back),
        most=max(there, back),
        colours=float(np.sqrt(_colours(one) * _colours(other)).sum()),
        outline=_overlap(_framed(one.outline), _framed(other.outline)),
    )


@dataclass(frozen=True, eq=False)
class _Look:
    """A picture at the sizes at which it is measured, and where its subject is."""

    large: Pixels
    small: Pixels
    outline: Outline

    @classmethod
    def at(cls, pixels: Pixels) -> "_Look":
        middle = _sized(pixels, OUTLINE_SIDE)
        small = _sized(pixels, SLIDE_SIDE)
        return cls(_sized(pixels, POINTS_SIDE), small, _fitted(_subject(middle), small))


def _sized(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def _fitted(outline: Outline, pixels: Pixels) -> Outline:
    size = (pixels.shape[1], pixels.shape[0])
    return np.asarray(cv2.resize(outline, size, interpolation=cv2.INTER_NEAREST), np.uint8)


# Where the subject is: what is unlike the picture's rim.


def _subject(pixels: Pixels) -> Outline:
    rim = _rim(pixels.shape[:2])
    far = _unlikeness(pixels, rim)
    scaled = np.clip(far, 0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    is_subject = far > np.clip(otsu, LEAST_UNLIKE, MOST_UNLIKE)
    found = _without_specks(_cut(pixels, is_subject, rim))
    return found if LEAST_SHARE < found.mean() < MOST_SHARE else _middle(pixels.shape[:2])


def _unlikeness(pixels: Pixels, rim: npt.NDArray[np.bool_]) -> Floats:
    """How far each pixel is from the nearest of the rim, in colour and place."""
    lab = cv2.cvtColor(cv2.GaussianBlur(pixels, (0, 0), 1), cv2.COLOR_RGB2LAB).astype(np.float32)
    # Light falls unevenly on one and the same ground.
    lab[..., 0] *= 0.6
    height, width = pixels.shape[:2]
    places = np.moveaxis(np.mgrid[0:height, 0:width], 0, -1).astype(np.float32)
    found = np.dstack((lab, places * PLACE / max(height, width)))
    ground, every = found[rim][::2], found.reshape(-1, 5)
    squares = (every**2).sum(1)[:, None] + (ground**2).sum(1) - 2 * every @ ground.T
    return np.asarray(np.sqrt(np.maximum(squares.min(1), 0)).reshape(height, width), np.float32)


def _rim(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    wide = max(2, round(RIM * min(shape)))
    rim = np.ones(shape, bool)
    rim[wide:-wide, wide:-wide] = False
    return rim


def _cut(pixels: Pixels, is_subject: npt.NDArray[np.bool_], rim: npt.NDArray[np.bool_]) -> Outline:
    """The subject with its edge where GrabCut draws it."""
    labels = np.where(is_subject, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[rim] = cv2.GC_BGD
    if (labels == cv2.GC_PR_FGD).mean() <= LEAST_SHARE:
        return np.zeros(labels.shape, np.uint8)
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(pixels, labels, (0, 0, 1, 1), *models, 2, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _without_specks(found: Outline) -> Outline:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found)
    areas = np.asarray(stats)[:, cv2.CC_STAT_AREA]
    areas[0] = 0
    kept = np.flatnonzero((areas >= SPECK * areas.max()) & (areas > 0))
    return np.isin(np.asarray(labels), kept).astype(np.uint8) if count > 1 else found


def _middle(shape: tuple[int, ...]) -> Outline:
    """Where subjects are when nothing tells: an ellipse in the middle."""
    height, width = shape
    outline = np.zeros(shape, np.uint8)
    axes = (round(width * 0.36), round(height * 0.4))
    cv2.ellipse(outline, (width // 2, height // 2), axes, 0, 0, 360, 1, -1)
    return outline


# What two pictures have in common.


def _points(one: _Look, other: _Look) -> int:
    """How many points of the other's subject are found in the picture, all moved alike."""
    near = cv2.dilate(_fitted(other.outline, other.large), np.ones((9, 9), np.uint8))
    places, marks = _described(one.large, None)
    their_places, their_marks = _described(other.large, np.asarray(near, np.uint8))
    if min(len(places), len(their_places)) < 2:
        return 0
    found = [
        (best.queryIdx, best.trainIdx)
        for best, second in cv2.BFMatcher().knnMatch(marks, their_marks, k=2)
        if best.distance < CLEARLY_NEARER * second.distance
    ]
    return _moved_alike(places[[i for i, _ in found]], their_places[[j for _, j in found]])


def _described(pixels: Pixels, within: Outline | None) -> tuple[Floats, Floats]:
    """Where the points of a picture are (x, y), and what they look like."""
    sift = cv2.SIFT.create(MOST_POINTS, contrastThreshold=LEAST_CONTRAST)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    points, marks = sift.detectAndCompute(grey, within)
    places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    return places, np.zeros((0, 128), np.float32) if marks is None else np.asarray(marks)


def _moved_alike(places: Floats, to: Floats) -> int:
    """How many of the points one move, turn and change of size takes to where they are now."""
    if len(places) < 3:
        return 0
    cv2.setRNGSeed(1)
    move, fits = cv2.estimateAffinePartial2D(places, to, ransacReprojThreshold=FITS_PIXELS)
    if move is None or not 0.4 < np.hypot(move[0, 0], move[1, 0]) < 2.5:
        return 0
    return len(np.unique(to[np.ravel(fits) > 0].round(), axis=0))


def _correlation(one: _Look, other: _Look) -> float:
    """How well the subject of one fits the other where it fits best, at the best size."""
    (top, left), (bottom, right) = _corners(one.outline)
    subject, outline = one.small[top:bottom, left:right], one.outline[top:bottom, left:right]
    edge = SLIDE_SIDE // 4
    ground = cv2.copyMakeBorder(other.small, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    return max(_slid(subject, outline, np.asarray(ground, np.float32), size) for size in SIZES)


def _slid(subject: Pixels, outline: Outline, ground: Floats, size: float) -> float:
    height, width = (round(side * size) for side in outline.shape)
    if height > ground.shape[0] or width > ground.shape[1] or min(height, width) < 4:
        return -1.0
    sized = cv2.resize(subject, (width, height), interpolation=cv2.INTER_AREA)
    within = cv2.resize(outline.astype(np.float32), (width, height)) > 0.5
    mask = np.repeat(within[..., None], 3, axis=2).astype(np.float32)
    fit = cv2.matchTemplate(ground, np.asarray(sized, np.float32), cv2.TM_CCOEFF_NORMED, mask=mask)
    # Where all is of one colour there is nothing to correlate with.
    known = np.asarray(fit)[np.isfinite(fit)]
    return float(np.clip(known.max(initial=-1), -1, 1))


def _corners(outline: Outline) -> tuple[tuple[int, int], tuple[int, int]]:
    rows, columns = np.nonzero(outline)
    return (int(rows.min()), int(columns.min())), (int(rows.max()) + 1, int(columns.max()) + 1)


def _colours(look: _Look) -> Floats:
    """How often each colour of Lab is in the subject, of 1."""
    lab = cv2.cvtColor(look.small, cv2.COLOR_RGB2LAB)[look.outline > 0]
    counts, _ = np.histogramdd(np.asarray(lab), bins=COLOUR_BINS, range=COLOUR_RANGE)
    return np.asarray(counts / max(counts.sum(), 1), np.float64)


def _framed(outline: Outline) -> Floats:
    """The outline filling a square."""
    (top, left), (bottom, right) = _corners(outline)
    cut = outline[top:bottom, left:right].astype(np.float32)
    square = (OUTLINE_CELLS, OUTLINE_CELLS)
    return np.asarray(cv2.resize(cut, square, interpolation=cv2.INTER_AREA), np.float32)


def _overlap(one: Floats, other: Floats) -> float:
    return float(np.minimum(one, other).sum() / np.maximum(one, other).sum())
