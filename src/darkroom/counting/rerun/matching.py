"""Which containers of two counts of a photo are the same one: by how they lie over one another."""

from collections.abc import Sequence
from typing import Any

from shapely import make_valid
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry

LEAST = 0.3
"""Share of what two outlines cover together that both cover, from which on they are the same."""

Pair = tuple[int | None, int | None]


def pairs(one: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]]) -> list[Pair]:
    """Places in either of GeoJSON polygons that are the same; None where one has no partner.

    In the order of the first, then what only the other has. Those that agree best find each other
    first.
    """
    outlines, others = [_outline(found) for found in one], [_outline(found) for found in other]
    likeness = sorted(
        (
            (-_agreement(outline, facing), place, there)
            for place, outline in enumerate(outlines)
            for there, facing in enumerate(others)
        ),
    )
    partner: dict[int, int] = {}
    for negative, place, there in likeness:
        if -negative >= LEAST and place not in partner and there not in partner.values():
            partner[place] = there
    alone = [there for there in range(len(other)) if there not in partner.values()]
    return [(place, partner.get(place)) for place in range(len(one))] + [
        (None, there) for there in alone
    ]


def _outline(found: dict[str, Any]) -> BaseGeometry:
    outline = shape(found)
    if isinstance(outline, Polygon) and not outline.is_valid:
        return make_valid(outline)
    return outline


def _agreement(one: BaseGeometry, other: BaseGeometry) -> float:
    """The area that both cover over the area that either covers."""
    if not one.intersects(other):
        return 0.0
    together = one.union(other).area
    return float(one.intersection(other).area / together) if together else 0.0
