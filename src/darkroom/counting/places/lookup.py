"""Which location a photo shows: the one that contains its position, or the nearest within reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Point, box, shape

from darkroom.counting.places.outlines import area, check_position, flattened, metres_per_degree

Json = dict[str, Any]
TURN = 360.0


@dataclass(frozen=True)
class Place:
    """A location to be found: its number, and where it is.

    Parameters
    ----------
    outline
        GeoJSON Polygon or MultiPolygon; None where only a point is known.
    point
        GeoJSON Point; counts where there is no outline, and is never “inside”.
    """

    id: int
    outline: Json | None
    point: Json | None = None


@dataclass(frozen=True)
class Hit:
    """A location and its distance in metres; 0 where it contains the position."""

    id: int
    distance: float


class Lookup:
    """The locations of an installation, indexed by where they are.

    Positions are latitude and longitude in degrees (WGS 84). What is no place on earth raises
    `Invalid`. The line of 180° is no border: what lies just behind it is near.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        known = [(place, place.outline or place.point) for place in places]
        self._ids = [place.id for place, where in known if where]
        self._has_outline = [place.outline is not None for place, where in known if where]
        self._shapes = np.array([shape(where) for _, where in known if where], dtype=object)
        self._tree = shapely.STRtree(self._shapes)

    def find(self, latitude: float, longitude: float, within: float) -> Hit | None:
        """The smallest location that contains the position, else the nearest within so many metres.

        Of equals the first by number.
        """
        check_position(latitude, longitude)
        inside = self._containing(latitude, longitude)
        if inside:
            return Hit(min(inside)[1], 0.0)
        near = self._measured(self._around(latitude, longitude, within), latitude, longitude)
        return near[0] if near and near[0].distance <= within else None

    def nearest(self, latitude: float, longitude: float, most: int) -> list[Hit]:
        """The nearest locations, however far, nearest first."""
        check_position(latitude, longitude)
        return self._measured(np.arange(len(self._ids)), latitude, longitude)[:most]

    def _containing(self, latitude: float, longitude: float) -> list[tuple[float, int]]:
        """Area and number of each location whose outline holds the position, border included."""
        points = [Point(longitude, latitude)]
        if abs(longitude) == TURN / 2:
            points.append(Point(-longitude, latitude))
        found = np.unique(self._tree.query(points, predicate="intersects")[1])
        return [(area(self._shapes[n]), self._ids[n]) for n in found if self._has_outline[n]]

    def _around(self, latitude: float, longitude: float, metres: float) -> Any:
        """Locations whose bounds come within so many metres, on either side of 180°."""
        east, north = metres_per_degree(latitude)
        # A little more than needed: the true distance is measured afterwards.
        high = 1.01 * metres / north + 1e-9
        wide = min(1.01 * metres / east + 1e-9 if east > 1 else TURN, TURN)
        frames = [
            box(middle - wide, latitude - high, middle + wide, latitude + high)
            for middle in (longitude - TURN, longitude, longitude + TURN)
        ]
        return np.unique(self._tree.query(frames)[1])

    def _measured(self, which: Any, latitude: float, longitude: float) -> list[Hit]:
        if len(which) == 0:
            return []
        here = Point(0, 0)
        distances = np.min(
            [
                shapely.distance(flattened(self._shapes[which], latitude, middle), here)
                for middle in (longitude - TURN, longitude, longitude + TURN)
            ],
            axis=0,
        )
        hits = [Hit(self._ids[n], float(d)) for n, d in zip(which, distances, strict=True)]
        return sorted(hits, key=lambda hit: (hit.distance, hit.id))
