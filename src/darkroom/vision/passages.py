"""The text of two aligned pictures side by side: what stands where, and what each of them reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import cv2

from darkroom.vision.text import TextRegion
from darkroom.vision.wording import agree, folded

_SAME_PLACE = 0.2
"""Share of the smaller of two regions that both must cover to be in one place."""
_SHORTEST = 2
"""Letters that a text has at least: single ones are often read into texture."""
_KNOWN = 0.8
_SEEN = 0.6
"""Scores from which a reading counts: of a text to restore, and of one to take away."""


@dataclass(eq=False)
class Passage:
    """Lines of the original and of the variant that cover one another; either may be none.

    Lines are put together since what one picture has in two lines may be one in the other.
    """

    before: list[TextRegion] = field(default_factory=list)
    after: list[TextRegion] = field(default_factory=list)

    @property
    def regions(self) -> list[TextRegion]:
        return [*self.before, *self.after]

    @property
    def said_before(self) -> str:
        """The original's text, folded."""
        return said(self.before)

    @property
    def said_after(self) -> str:
        """The variant's text, folded."""
        return said(self.after)

    @property
    def is_garbled(self) -> bool:
        """Whether the original surely has a text here that the variant has got wrong."""
        return (
            bool(self.after)
            and _is_sure(self.before, self.said_before, _KNOWN)
            and not agree(self.said_before, self.said_after)
        )

    @property
    def is_invented(self) -> bool:
        """Whether the variant surely has a text here, and the original none."""
        is_written = any(len(folded(line.text)) >= _SHORTEST for line in self.before)
        return not is_written and _is_sure(self.after, self.said_after, _SEEN)


def passages(before: Sequence[TextRegion], after: Sequence[TextRegion]) -> list[Passage]:
    """The regions of both pictures, in the same coordinates, gathered by place."""
    found: list[Passage] = []
    for region in before:
        _gather(found, region).before.append(region)
    for region in after:
        _gather(found, region).after.append(region)
    return found


def said(regions: Iterable[TextRegion]) -> str:
    """All that the regions say, folded, in the order of reading."""
    return "".join(folded(region.text) for region in sorted(regions, key=_order))


def _gather(found: list[Passage], region: TextRegion) -> Passage:
    """The passage that the region belongs to; those that it connects become one."""
    touched = [each for each in found if any(_is_at(region, other) for other in each.regions)]
    joined = Passage(
        [line for each in touched for line in each.before],
        [line for each in touched for line in each.after],
    )
    found[:] = [each for each in found if each not in touched] + [joined]
    return joined


def _is_at(one: TextRegion, other: TextRegion) -> bool:
    shared, _ = cv2.intersectConvexConvex(one.polygon, other.polygon)
    smaller = min(cv2.contourArea(one.polygon), cv2.contourArea(other.polygon))
    return bool(shared > _SAME_PLACE * smaller)


def _is_sure(regions: Sequence[TextRegion], text: str, score: float) -> bool:
    return len(text) >= _SHORTEST and min(region.score for region in regions) >= score


def _order(region: TextRegion) -> tuple[int, float]:
    """Line by line: regions that differ by less than their height stand in one line."""
    middle = region.polygon.mean(axis=0)
    return round(float(middle[1]) / max(1.0, region.height)), float(middle[0])
