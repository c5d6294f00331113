"""Whether a variant kept what its Smart Anchors hold fast: measured, against measured thresholds.

Every measure is a distance: 0 where nothing changed. The thresholds are those that
`scripts/measure_anchors.py` tells kept from drifted pairs with, at the usual strictness.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.variants.anchors import Anchor, Kind
from darkroom.vision import likeness
from darkroom.vision.faces import FaceEmbedder, identity_distance
from darkroom.vision.text import TextReader
from darkroom.vision.wording import folded
from darkroom.web.words import N_

Pixels = NDArray[np.uint8]

THRESHOLDS: Mapping[Kind, tuple[float, float]] = {
    "identity": (0.75, 0.55),
    "text": (0.2, 0.0),
    "colours": (5.0, 1.0),
    "composition": (0.07, 0.01),
    "reference": (0.55, 0.25),
}
"""The most that a measure may be, at strictness 0 and at strictness 1."""
_SURE = 0.8
_SHORTEST = 2

_WORDS: Mapping[Kind, tuple[str, str]] = {
    "identity": (N_("The faces are those of the photo."), N_("A face has changed.")),
    "text": (N_("The text is as in the photo."), N_("Text of the photo has changed or gone.")),
    "colours": (N_("The colours are kept."), N_("The colours have drifted.")),
    "composition": (N_("The composition is kept."), N_("The composition has changed.")),
    "reference": (
        N_("The reference picture is found in the variant."),
        N_("The reference picture is not found in the variant."),
    ),
}
NO_FACE_MODEL = N_("Not checked: telling faces apart needs InsightFace, which is not installed.")
NO_FACE = N_("Not checked: no face was found in the photo.")
NO_TEXT = N_("Not checked: no readable text was found in the photo.")
NO_REFERENCE = N_("Not checked: the reference picture is not there any more.")
PLAIN_REFERENCE = N_("Not checked: the reference picture has too little detail to be found again.")


@dataclass(frozen=True)
class Check:
    """What became of an anchor.

    Attributes
    ----------
    kept : None where it was not checked; `words` say why
    measure : the distance, 0 where nothing changed
    threshold : the most that it may be
    words : a sentence for people, in English, in the catalogs
    """

    kind: Kind
    kept: bool | None
    measure: float | None
    threshold: float | None
    words: str

    @property
    def as_json(self) -> dict[str, Any]:
        """As it is stored and answered."""
        return asdict(self)


@dataclass(frozen=True)
class Tools:
    """What checks need beside the two pictures.

    Attributes
    ----------
    references : the pixels (RGB) of the anchors' reference pictures, by asset
    faces : None where no model that tells faces apart is installed
    """

    reader: TextReader
    references: Mapping[UUID, Pixels] = field(default_factory=dict)
    faces: FaceEmbedder | None = None


def check(anchor: Anchor, original: Pixels, variant: Pixels, tools: Tools) -> Check:
    """Whether the variant kept what the anchor holds fast. Pictures are RGB, of any two sizes."""
    found = _MEASURES[anchor.kind](anchor, original, variant, tools)
    if isinstance(found, str):
        return Check(anchor.kind, None, None, None, found)
    limit = threshold(anchor)
    is_kept = found <= limit
    kept, drifted = _WORDS[anchor.kind]
    return Check(anchor.kind, is_kept, round(found, 4), limit, kept if is_kept else drifted)


def threshold(anchor: Anchor) -> float:
    """The most that the anchor's measure may be."""
    loose, strict = THRESHOLDS[anchor.kind]
    return round(loose + anchor.strictness * (strict - loose), 4)


def _identity(_: Anchor, original: Pixels, variant: Pixels, tools: Tools) -> float | str:
    if tools.faces is None:
        return NO_FACE_MODEL
    before = tools.faces.embed(original)
    return identity_distance(before, tools.faces.embed(variant)) if len(before) else NO_FACE


def _text(_: Anchor, original: Pixels, variant: Pixels, tools: Tools) -> float | str:
    """The share of the photo's letters whose words the variant does not have."""
    # Letters that the variant has no pixels for cannot be asked of it.
    before = tools.reader.read(_no_larger(original, variant))
    words = [
        word
        for line in before
        for word in map(folded, line.text.split())
        if line.score >= _SURE and len(word) >= _SHORTEST
    ]
    if not words:
        return NO_TEXT
    after = "".join(folded(line.text) for line in tools.reader.read(variant))
    return sum(len(word) for word in words if word not in after) / sum(map(len, words))


def _colours(_: Anchor, original: Pixels, variant: Pixels, __: Tools) -> float:
    return likeness.palette_distance(original, variant)


def _composition(_: Anchor, original: Pixels, variant: Pixels, __: Tools) -> float:
    return likeness.layout_distance(original, variant)


def _reference(anchor: Anchor, _: Pixels, variant: Pixels, tools: Tools) -> float | str:
    reference = tools.references.get(anchor.asset_id) if anchor.asset_id else None
    if reference is None:
        return NO_REFERENCE
    distance = likeness.content_distance(reference, variant)
    return PLAIN_REFERENCE if distance is None else distance


_MEASURES: Mapping[Kind, Callable[[Anchor, Pixels, Pixels, Tools], float | str]] = {
    "identity": _identity,
    "text": _text,
    "colours": _colours,
    "composition": _composition,
    "reference": _reference,
}
"""How each kind is measured: a distance, or why there is none."""


def _no_larger(pixels: Pixels, than: Pixels) -> Pixels:
    scale = max(than.shape[:2]) / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
