"""Text that a model garbled or invented, put right from the original picture.

Both pictures are read. Where the original surely has a text and the variant another, the original's
pixels come back; where the variant has a text and the original none, it is painted over. Nothing
else is touched, to the byte. A text that has gone altogether stays away: that may be the edit.
"""

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.vision.alignment import Matrix, align
from darkroom.vision.passages import Passage, passages, said
from darkroom.vision.text import TextReader, TextRegion
from darkroom.vision.wording import agree, folded

Pixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Floats = NDArray[np.float32]

_MARGIN = 0.3
"""How far beyond a text its patch reaches, in line heights: room for fading in."""
_ALIKE = 0.9
"""Correlation from which two patches show the same letters, whatever was read."""
_LARGEST_GAIN = 2.0
_CONTEXT = 300
"""Pixels around a patch that are read again with it."""
_RADIUS = 4.0
_WHOLE, _NOTHING = 255, 0


@dataclass(frozen=True, eq=False)
class Mended:
    """A variant with its text put right.

    Attributes
    ----------
    pixels : RGB (H, W, 3); the variant itself where nothing was to do
    restored : passages that came back from the original
    removed : passages that were painted over
    kept : passages of the variant that were left as they are
    is_aligned : False where the variant does not show the original's scene: nothing was done
    """

    pixels: Pixels
    restored: int = 0
    removed: int = 0
    kept: int = 0
    is_aligned: bool = True


def mend_text(
    original: Pixels, variant: Pixels, reader: TextReader, *, spared: Collection[str] = ()
) -> Mended:
    """The variant with garbled text restored from the original and invented text painted over.

    Parameters
    ----------
    original, variant : RGB (H, W, 3), of any two sizes
    spared : words that are left where they are, such as a provider's own mark
    """
    alignment = align(original, variant)
    if alignment is None:
        return Mended(variant, is_aligned=False)
    source, known = _laid(original, alignment.matrix, variant.shape)
    found = passages(reader.read(source), reader.read(variant))
    work = _Work(source, known, variant, reader, found, {folded(word) for word in spared})
    outcomes = [work.mend(passage) for passage in found]
    restored, removed, kept = map(outcomes.count, ("restored", "removed", "kept"))
    return Mended(work.pixels, restored, removed, kept)


class _Work:
    """One picture being mended; `pixels` is the variant so far.

    Parameters
    ----------
    source, known : the original in the variant's frame, and where there is any of it
    found : all passages of both
    spared : folded words
    """

    def __init__(
        self, source: Pixels, known: Mask, variant: Pixels, reader: TextReader,
        found: list[Passage], spared: set[str],
    ) -> None:  # fmt: skip
        self._source, self._known, self._variant = source, known, variant
        self._reader, self._found, self._spared = reader, found, spared
        self.pixels = variant

    def mend(self, passage: Passage) -> str:
        """What was done with the passage: "restored", "removed", "kept", or "" if it is gone."""
        if not passage.after:
            return ""
        if passage.said_after in self._spared or not self._is_known(passage):
            return "kept"
        if passage.is_garbled:
            self._restore(passage)
            return "restored"
        if passage.is_invented and not self._has_moved(passage) and not self._is_alike(passage):
            self._remove(passage)
            return "removed"
        return "kept"

    def _is_known(self, passage: Passage) -> bool:
        """Whether the original shows all of the place."""
        box = _box(passage.regions, 0, self._variant.shape)
        inside = _filled(passage.regions, box, 0) > 0
        return bool((self._known[box][inside] == _WHOLE).all())

    def _is_alike(self, passage: Passage) -> bool:
        """Whether both pictures show the same there: reading may fail where the eye does not."""
        box = _box(passage.regions, 0, self._variant.shape)
        one, other = (_lightness(each[box]) for each in (self._source, self._variant))
        return bool((one * other).mean() >= _ALIKE)

    def _has_moved(self, passage: Passage) -> bool:
        """Whether the original has this text in another place, and nothing else there now."""
        return any(
            not other.after and agree(other.said_before, passage.said_after)
            for other in self._found
        )

    def _restore(self, passage: Passage) -> None:
        margin = _margin(passage.regions)
        box = _box(passage.regions, margin, self._variant.shape)
        share = _faded(_filled(passage.regions, box, margin), margin) * (self._known[box] > 0)
        patch, target = self._source[box].astype(np.float32), self.pixels[box]
        patch = patch * _gain(patch, target, (share > 0) & (share < 1))
        mixed = target + share[..., None] * (patch - target)
        self._put(box, np.asarray(mixed.round().clip(0, 255), np.uint8))

    def _remove(self, passage: Passage) -> None:
        """Paint over the strokes alone; where they can still be read, over the whole place."""
        margin = _margin(passage.after)
        box = _box(passage.after, 2 * margin, self._variant.shape)
        whole = _filled(passage.after, box, margin)
        before = self.pixels[box].copy()
        for mask in (_strokes(before, whole, margin), whole):
            self._put(box, np.asarray(cv2.inpaint(before, mask, _RADIUS, cv2.INPAINT_TELEA)))
            if not self._is_readable(passage):
                return

    def _is_readable(self, passage: Passage) -> bool:
        box = _box(passage.after, _CONTEXT, self._variant.shape)
        corner = np.array((box[1].start, box[0].start), np.float32)
        seen = self._reader.read(np.ascontiguousarray(self.pixels[box]))
        moved = [TextRegion(each.polygon + corner, each.text, each.score) for each in seen]
        return any(each.before and said(each.after) for each in passages(passage.after, moved))

    def _put(self, box: tuple[slice, slice], patch: Pixels) -> None:
        if self.pixels is self._variant:
            self.pixels = self._variant.copy()
        self.pixels[box] = patch


def _laid(original: Pixels, matrix: Matrix, shape: tuple[int, ...]) -> tuple[Pixels, Mask]:
    """The original in the variant's frame, and where there is any of it."""
    height, width = original.shape[:2]
    # Sampling a large picture at few points would alias: it is made smaller first.
    scale = min(1.0, float(np.sqrt(abs(np.linalg.det(matrix[:2, :2])))))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(original, size, interpolation=cv2.INTER_AREA)
    enlarge = np.diag([width / size[0], height / size[1], 1])
    frame = shape[1], shape[0]
    source = cv2.warpPerspective(small, matrix @ enlarge, frame, flags=cv2.INTER_CUBIC)
    known = cv2.warpPerspective(np.full(small.shape[:2], _WHOLE, np.uint8), matrix @ enlarge, frame)
    return np.asarray(source, np.uint8), np.asarray(known, np.uint8)


def _margin(regions: list[TextRegion]) -> int:
    return max(2, round(_MARGIN * max(region.height for region in regions)))


def _box(regions: list[TextRegion], margin: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the picture that hold the regions and a margin around them."""
    corners = np.concatenate([region.polygon for region in regions])
    left, top = np.floor(corners.min(axis=0)).astype(int) - margin
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + margin + 1
    height, width = shape[:2]
    return slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))


def _filled(regions: list[TextRegion], box: tuple[slice, slice], margin: int) -> Mask:
    """255 where the regions and their margins are, within the box."""
    rows, columns = box
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    corner = np.array((columns.start, rows.start), np.float32)
    for region in regions:
        cv2.fillPoly(mask, [np.rint(region.polygon - corner).astype(np.int32)], _WHOLE)
    return _grown(mask, margin)


def _grown(mask: Mask, by: int) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    return np.asarray(cv2.dilate(mask, disc), np.uint8)


def _faded(mask: Mask, margin: int) -> Floats:
    """1 in the mask's inside, falling to 0 over its margin."""
    padded = np.pad(mask, 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray((depth / margin).clip(0, 1), np.float32)


def _gain(patch: Floats, target: Pixels, ring: NDArray[np.bool_]) -> Floats:
    """What each channel of the patch is multiplied by to fit the light around its place."""
    if not ring.any():
        return np.ones(3, np.float32)
    gain = (target[ring].mean(axis=0) + 1) / (patch[ring].mean(axis=0) + 1)
    return np.asarray(gain.clip(1 / _LARGEST_GAIN, _LARGEST_GAIN), np.float32)


def _strokes(pixels: Pixels, whole: Mask, margin: int) -> Mask:
    """Where within the place the colour is not that of what surrounds it."""
    ground = np.median(pixels[whole == _NOTHING], axis=0) if (whole == _NOTHING).any() else 0
    distance = np.linalg.norm(pixels.astype(np.float32) - ground, axis=2).clip(0, 255)
    level, _ = cv2.threshold(distance[whole > 0].astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    strokes = ((distance > level) & (whole > 0)).astype(np.uint8) * _WHOLE
    return np.asarray(cv2.min(_grown(strokes, max(2, margin // 3)), whole), np.uint8)


def _lightness(pixels: Pixels) -> Floats:
    """Lightness with mean 0 and deviation 1: the product of two averages to their correlation."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray((grey - grey.mean()) / (grey.std() + 1e-3), np.float32)
