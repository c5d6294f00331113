"""The styles that a picture may be asked for in."""

from collections.abc import Mapping
from dataclasses import dataclass

from darkroom.web.words import N_


@dataclass(frozen=True)
class Style:
    """What people call it, and what a model is told."""

    title: str
    told: str


STYLES: Mapping[str, Style] = {
    "photo": Style(
        N_("Photograph"), "a photograph: natural light, true colours, sharp subject, fine detail"
    ),
    "cinematic": Style(
        N_("Film still"), "a film still: dramatic light, muted colours, shallow depth of field"
    ),
    "product": Style(
        N_("Product"), "a product photograph: seamless background, soft studio light, all in focus"
    ),
    "watercolour": Style(
        N_("Watercolour"), "a watercolour: transparent washes, visible paper, soft edges"
    ),
    "oil": Style(N_("Oil painting"), "an oil painting: thick brush strokes, rich colours"),
    "sketch": Style(N_("Pencil drawing"), "a pencil drawing: fine hatching on white paper"),
    "cartoon": Style(N_("Cartoon"), "a cartoon: bold outlines, flat bright colours"),
    "minimal": Style(
        N_("Flat graphic"), "a flat vector illustration: few shapes, few colours, much space"
    ),
}
