"""Estimate the plants of a container that detection missed, in four horizontal bands.

A camera sees a container at an angle, and plants far away look smaller: so size is measured band
by band. In each band the vegetation that no detection explains (`residual`) is divided by the area
that a missed plant shows there (`calibration`):

    unbiased = sum over bands of residual area / plant area        buffered = unbiased / alpha

`alpha` = 0.9 is the overcount buffer, on the safe side for sales. Both figures are given, each
rounded once for the container and shared out to the bands. Without a single detection there is no
size to divide by: the container is empty, or a person has to look.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import floor

import numpy as np

from darkroom.counting.calibration import GROWTH, cover, plant_areas, settled_share
from darkroom.counting.confidence import (
    ROUNDING,
    Confidence,
    Doubt,
    chances,
    confidence_of,
    spread,
)
from darkroom.counting.containers import Kind
from darkroom.counting.geometry import (
    Bools,
    Bytes,
    Floats,
    Integers,
    MultiPolygon,
    centres,
    ellipses,
    largest_remainder,
    multipolygon,
    outlines,
)
from darkroom.counting.parameters import Parameters, default_plant_area
from darkroom.counting.residual import SMALLEST, clean
from darkroom.counting.vegetation import Vegetation, find, threshold_spread
from darkroom.counting.view import BANDS, View, band_edges, view_of

METHOD = "band_based"
ALIKE = 4.0
"""Factor between the areas of two plants of one container."""
HALF_SEEN = 2.0
"""Plants missed over plants half seen, at most: some were not seen at all."""
EMPTY_BELOW = 0.5
"""Plants half seen below which a container may be called empty."""
SMOOTHNESS = 0.7
"""How far, in view pixels, the outline of a residual region may be simplified."""


@dataclass(frozen=True)
class BandEstimate:
    """What was estimated in one band: rows `band_y_start` ≤ y < `band_y_end` of the photo.

    Areas are in pixels of the photo: of the band outside its detections, of the vegetation there,
    of the residual that was counted, and of one missed plant as it would show. `unbiased` is the
    last but one over the last; `estimated_count` is the band's share of the container's whole
    number, buffered or not as `Parameters.figure` says.
    """

    band_number: int
    band_y_start: int
    band_y_end: int
    detected: int
    unbiased: float
    estimated_count: int
    area_before_suppression: float
    area_after_suppression: float
    residual_area_px: float
    avg_plant_area_px: float
    vegetation_polygon: MultiPolygon
    estimation_confidence: float
    calculation_method: str = METHOD

    @property
    def processed_area_px(self) -> float:
        """The older name of `residual_area_px`."""
        return self.residual_area_px


@dataclass(frozen=True)
class ContainerEstimate:
    """What was estimated in a container.

    `unbiased` and `buffered` are the two figures before rounding, `unbiased_count` and
    `buffered_count` after it; `estimated_count` is the one that goes to stock, and the sum of the
    bands' counts. `confidence` is that of the detections plus the unbiased figure.

    A container that `needs_review` has no detection, but vegetation, or plants that were half seen
    (`half_seen` is the number to be expected of those): nothing is estimated, and the bands' areas
    and polygons show what was seen.
    """

    bands: tuple[BandEstimate, ...]
    detected: int
    unbiased: float
    buffered: float
    unbiased_count: int
    buffered_count: int
    estimated_count: int
    vegetation_fraction: float
    half_seen: float
    is_empty_container: bool
    needs_review: bool
    confidence: Confidence

    @property
    def total(self) -> int:
        """All plants for stock: detected and estimated."""
        return self.detected + self.estimated_count


@dataclass(frozen=True)
class _Measured:
    """A container's measures by band (B,), areas in pixels of the photo, numbers in plants."""

    rows: Integers
    found: Integers
    before: Floats
    after: Floats
    left: Floats
    most: float
    plant: Floats
    polygons: list[MultiPolygon]
    vegetation_fraction: float
    plant_spread: float
    threshold_spread: float
    doubts: list[Doubt]

    @property
    def missed(self) -> Floats:
        """The plants missed: none where none was found, for then their size is but a guess."""
        if not self.found.any():
            return np.zeros(BANDS)
        missed = self.left / self.plant
        return np.asarray(missed * min(1.0, self.most / max(float(missed.sum()), 1e-9)))

    def confidence(self, found: int, missed: float, doubt: Doubt, scale: float) -> Confidence:
        """The confidence in some of these plants."""
        spreads = self.plant_spread, self.threshold_spread
        return confidence_of(found, missed, *spreads, scale, doubt)


@dataclass(frozen=True)
class _Boxes:
    """Boxes (N, 4) in view pixels, and the chance (N,) of each that it shows a plant."""

    boxes: Floats
    chances: Floats

    @classmethod
    def of(cls, boxes: Floats, scores: Floats | None) -> "_Boxes":
        """Boxes with their scores; those without are certain."""
        return cls(boxes, np.ones(len(boxes)) if scores is None else chances(scores))

    def where(self, chosen: Bools) -> "_Boxes":
        """The chosen ones."""
        return _Boxes(self.boxes[chosen], self.chances[chosen])


def estimate(
    image: Bytes,
    mask: Bytes,
    boxes: Floats,
    kind: Kind,
    parameters: Parameters | None = None,
    *,
    scores: Floats | None = None,
    others: Floats | None = None,
    faint: Floats | None = None,
    faint_scores: Floats | None = None,
    origin: tuple[int, int] = (0, 0),
) -> ContainerEstimate:
    """Estimate the plants of a container that detection missed.

    Parameters
    ----------
    image, mask
        RGB crop (H, W, 3) and the container's pixels in it (H, W), 0 outside.
    boxes
        The container's detections (N, 4), x1, y1, x2, y2 in crop pixels.
    scores, faint_scores
        The detector's scores (N,) of the detections and (M,) of the faint boxes, 0 to 1. Without
        them the boxes are taken for certain.
    others
        Detections of other containers that reach into this one, likewise: their leaves do not
        count here.
    faint
        Boxes (M, 4) that the detector half believes in, likewise. Where they are given, leftover
        vegetation counts only inside them, and for no more plants than they make likely: moss,
        algae and green plastic have the colour of leaves, and only the detector tells them from a
        plant that it nearly saw.
    origin
        Where the crop lies in the photo (x, y); rows and polygons of the result are the photo's.

    Raises
    ------
    ValueError
        The mask is empty or of another size than the image.
    """
    if image.shape[:2] != mask.shape:
        raise ValueError(f"image {image.shape[:2]} and mask {mask.shape} differ in size")
    given = parameters or Parameters()
    default = default_plant_area(kind, float(np.count_nonzero(mask)), given)
    view = view_of(image, _without(mask, others), boxes, band_edges(mask), default)
    seen = find(view.image, view.mask, view.boxes, view.side, given.colours, given.reference)
    certain = _Boxes.of(view.boxes, scores)
    half = None if faint is None else _Boxes.of(faint * view.scale, faint_scores)
    return _container(_measure(view, seen, default * view.scale**2, origin, certain, half), given)


def _without(mask: Bytes, others: Floats | None) -> Bytes:
    if others is None or not len(others):
        return mask
    own = mask.copy()
    for window, inside in ellipses(others, GROWTH, (mask.shape[0], mask.shape[1])):
        own[window][inside] = 0
    return own


def _plausible(faint: _Boxes, boxes: Floats, free: Bools) -> _Boxes:
    """Of the faint boxes those about free ground and as large as a plant.

    That is, neither on a plant that was found, nor a group of plants, nor a single leaf.
    """
    columns, rows = centres(faint.boxes).astype(int).T
    chosen = free[rows.clip(0, len(free) - 1), columns.clip(0, free.shape[1] - 1)]
    if len(boxes):
        sizes, typical = ((some[:, 2:] - some[:, :2]).prod(axis=1) for some in (faint.boxes, boxes))
        share = sizes / np.median(typical)
        chosen &= (share > 1 / ALIKE) & (share < ALIKE)
    return faint.where(chosen)


def _inside(boxes: Floats, shape: tuple[int, ...]) -> Bools:
    found = np.zeros(shape, np.bool_)
    for window, inside in ellipses(boxes, GROWTH, (shape[0], shape[1])):
        found[window] |= inside
    return found


def _measure(
    view: View,
    seen: Vegetation,
    default: float,
    origin: tuple[int, int],
    certain: _Boxes,
    faint: _Boxes | None,
) -> _Measured:
    covered = cover(seen.mask, view.boxes)
    free = covered.counts == 0
    found = np.bincount(view.bands, minlength=BANDS)
    sizes = plant_areas(covered.areas, view, default)
    leftover, most, half = seen.mask & free, np.inf, _Boxes.of(np.empty((0, 4)), None)
    if faint is not None:
        half = _plausible(faint, view.boxes, free & (view.mask > 0))
        leftover &= _inside(half.boxes, leftover.shape)
        most = min(HALF_SEEN * float(half.chances.sum()), len(half.boxes))
    residual = clean(leftover, view.by_row(sizes))
    left = view.areas(residual)
    single = float((view.areas(seen.mask & (covered.counts == 1)) / sizes).sum())
    shared = float((view.areas(seen.mask & (covered.counts > 1)) / sizes).sum())
    share = settled_share(single, shared, found, left / sizes)
    pixels = 1 / view.scale**2
    return _Measured(
        rows=view.crop_edges + origin[1],
        found=found,
        before=view.areas((view.mask > 0) & free) * pixels,
        after=view.areas(seen.mask & free) * pixels,
        left=left * pixels,
        most=most,
        plant=sizes * share * pixels,
        polygons=_polygons(residual, view, origin),
        vegetation_fraction=float(seen.mask.sum() / max(np.count_nonzero(view.mask), 1)),
        plant_spread=spread(covered.areas, sizes[view.bands]),
        threshold_spread=threshold_spread(seen, free) if faint is None else 0.0,
        doubts=_doubts(view, certain, half),
    )


def _doubts(view: View, certain: _Boxes, half: _Boxes) -> list[Doubt]:
    """What the scores say, band by band."""
    parts = [(some.chances, view.bands_of(some.boxes)) for some in (certain, half)]
    return [Doubt(*(chance[own == band] for chance, own in parts)) for band in range(BANDS)]


def _polygons(residual: Bools, view: View, origin: tuple[int, int]) -> list[MultiPolygon]:
    result = []
    for start, stop in pairwise(view.edges.tolist()):
        regions = outlines(residual[start:stop], SMOOTHNESS)
        place = (origin[0], origin[1] + start / view.scale)
        result.append(multipolygon(regions, 1 / view.scale, place))
    return result


def _container(measured: _Measured, parameters: Parameters) -> ContainerEstimate:
    detected, unbiased = int(measured.found.sum()), float(measured.missed.sum())
    buffered = unbiased / parameters.alpha
    figures = {"unbiased": floor(unbiased + 0.5), "buffered": floor(buffered + 0.5)}
    counted = figures[parameters.figure]
    shares = largest_remainder(measured.missed, counted)
    half_seen = float(Doubt.of(measured.doubts).faint.sum())
    bare = measured.vegetation_fraction < parameters.empty_below and half_seen < EMPTY_BELOW
    return ContainerEstimate(
        bands=tuple(_band(measured, i, share, parameters) for i, share in enumerate(shares)),
        detected=detected,
        unbiased=unbiased,
        buffered=buffered,
        unbiased_count=figures["unbiased"],
        buffered_count=figures["buffered"],
        estimated_count=counted,
        vegetation_fraction=measured.vegetation_fraction,
        half_seen=half_seen,
        is_empty_container=not detected and bare,
        needs_review=not detected and not bare,
        confidence=_confidence(measured, parameters),
    )


def _confidence(measured: _Measured, parameters: Parameters) -> Confidence:
    detected = int(measured.found.sum())
    if detected:
        missed, doubt = float(measured.missed.sum()), Doubt.of(measured.doubts)
        return measured.confidence(detected, missed, doubt, parameters.error_scale)
    # How wrong "none" may be: all the vegetation, as plants of the smallest size that counts.
    smallest = SMALLEST * measured.plant
    return Confidence(0, max(float((measured.after / smallest).sum()), ROUNDING**0.5))


def _band(measured: _Measured, band: int, count: int, parameters: Parameters) -> BandEstimate:
    found, missed = int(measured.found[band]), float(measured.missed[band])
    return BandEstimate(
        band_number=band + 1,
        band_y_start=int(measured.rows[band]),
        band_y_end=int(measured.rows[band + 1]),
        detected=found,
        unbiased=missed,
        estimated_count=count,
        area_before_suppression=float(measured.before[band]),
        area_after_suppression=float(measured.after[band]),
        residual_area_px=float(measured.left[band]),
        avg_plant_area_px=float(measured.plant[band]),
        vegetation_polygon=measured.polygons[band],
        estimation_confidence=measured.confidence(
            found, missed, measured.doubts[band], parameters.error_scale
        ).probability,
    )
