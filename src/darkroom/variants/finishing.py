"""What is done to a variant's pixels when it is unlocked."""

from dataclasses import dataclass
from typing import Any

from darkroom.storage.images import Pixels
from darkroom.vision.inpaint import mend_text
from darkroom.vision.text import TextReader

Json = dict[str, Any]

MARK = ("SANDBOX",)
"""What the sandbox writes on its pictures stays: nobody shall take them for real ones."""


@dataclass(frozen=True, eq=False)
class Finished:
    """A picture (H, W, 3), whether it differs from the one before, and what was done."""

    pixels: Pixels
    is_changed: bool
    report: Json


def mended(photo: Pixels, variant: Pixels, reader: TextReader) -> Finished:
    """The variant with its texts as in the photo; the variant itself where they agree."""
    found = mend_text(photo, variant, reader, spared=MARK)
    report = {
        "restored": found.restored,
        "removed": found.removed,
        "kept": found.kept,
        "is_aligned": found.is_aligned,
    }
    return Finished(found.pixels, found.restored + found.removed > 0, report)
