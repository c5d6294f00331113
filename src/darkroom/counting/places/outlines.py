"""Outlines and middles of places: GeoJSON in, checked shapes out, and metres on the ground."""

import json
from collections.abc import Mapping
from math import cos, isfinite, radians
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from darkroom.errors import Invalid

Json = dict[str, Any]
Floats = NDArray[np.float64]

WIDEST = 180.0
"""Degrees: what seems wider crosses the line of 180° without being split there."""
MOST_CORNERS = 10_000


def read_outline(given: object, field: str) -> Json:
    """A Polygon or MultiPolygon as GeoJSON (RFC 7946), from GeoJSON or its text.

    A Feature stands for its geometry, and so does a collection of a single feature. Heights are
    dropped, rings closed.

    Raises
    ------
    Invalid
        Naming the field, what is wrong and what to do.
    """
    geometry = _geometry(given, field, ("Polygon", "MultiPolygon"))
    made = _shape(_closed(geometry), field)
    _check_span(made, field)
    if not made.is_valid:
        reason = explain_validity(made)
        raise Invalid(
            f"The outline crosses itself or is broken: {reason}. Correct it there.", field
        )
    if made.is_empty or area(made) < 0.01:
        raise Invalid("The outline encloses nothing: give at least three corners.", field)
    return _plain(mapping(made))


def read_point(given: object, field: str) -> Json:
    """A Point as GeoJSON, from GeoJSON, its text, or “latitude, longitude”.

    Raises
    ------
    Invalid
        Naming the field, what is wrong and what to do.
    """
    if isinstance(given, str) and not given.lstrip().startswith("{"):
        latitude, longitude = _pair(given, field)
        given = {"type": "Point", "coordinates": [longitude, latitude]}
    made = _shape(_geometry(given, field, ("Point",)), field)
    if made.is_empty:
        raise Invalid("The point has no coordinates.", field)
    return _point(made)


def middle(outline: Json) -> Json:
    """A point within the outline, as GeoJSON."""
    return _point(shape(outline).representative_point())


def check_position(latitude: float, longitude: float) -> None:
    """`Invalid` for what is no place on earth: out of range, or no number."""
    if not (isfinite(latitude) and -90 <= latitude <= 90):
        raise Invalid("The latitude must lie between -90 and 90.", "latitude")
    if not (isfinite(longitude) and -180 <= longitude <= 180):
        raise Invalid("The longitude must lie between -180 and 180.", "longitude")


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Metres in a degree of longitude and of latitude there, on the ellipsoid WGS 84."""
    angle = radians(latitude)
    east = 111412.84 * cos(angle) - 93.5 * cos(3 * angle) + 0.118 * cos(5 * angle)
    north = 111132.92 - 559.82 * cos(2 * angle) + 1.175 * cos(4 * angle)
    return max(east, 0.0), north


def flattened(geometry: Any, latitude: float, longitude: float) -> Any:
    """Geometries (one, or an array of them) in metres east and north of a position.

    True near the position, rough far from it.
    """
    scale = np.array(metres_per_degree(latitude))
    return shapely.transform(geometry, lambda corners: (corners - (longitude, latitude)) * scale)


def area(geometry: BaseGeometry) -> float:
    """Square metres of a shape in degrees."""
    middle_of = geometry.centroid
    if middle_of.is_empty:
        return 0.0
    return float(flattened(geometry, middle_of.y, middle_of.x).area)


def _geometry(given: object, field: str, kinds: tuple[str, ...]) -> Mapping[str, Any]:
    found = _unwrapped(_parsed(given, field), field)
    if found.get("type") not in kinds:
        wanted = " or ".join(kinds)
        raise Invalid(f"This must be GeoJSON of the type {wanted}.", field)
    return found


def _parsed(given: object, field: str) -> Mapping[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            raise Invalid(
                "This is not readable as GeoJSON: paste the whole object, from { to }.", field
            ) from None
    if not isinstance(given, Mapping):
        raise Invalid("This must be a GeoJSON object.", field)
    return given


def _unwrapped(given: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    if given.get("type") == "FeatureCollection":
        features = given.get("features")
        if not isinstance(features, list) or len(features) != 1:
            raise Invalid("This holds several features: give the one of this place.", field)
        given = features[0] if isinstance(features[0], Mapping) else {}
    if given.get("type") == "Feature":
        geometry = given.get("geometry")
        given = geometry if isinstance(geometry, Mapping) else {}
    return given


def _closed(geometry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The geometry with the first corner of each ring repeated at its end, if it was left out."""
    rings = geometry.get("coordinates")
    if not isinstance(rings, list):
        return geometry
    if geometry["type"] == "Polygon":
        return {**geometry, "coordinates": [_closed_ring(ring) for ring in rings]}
    return {
        **geometry,
        "coordinates": [
            [_closed_ring(ring) for ring in part] if isinstance(part, list) else part
            for part in rings
        ],
    }


def _closed_ring(ring: Any) -> Any:
    if isinstance(ring, list) and len(ring) >= 3 and ring[0] != ring[-1]:
        return [*ring, ring[0]]
    return ring


def _shape(geometry: Mapping[str, Any], field: str) -> BaseGeometry:
    try:
        made = shapely.force_2d(shape(geometry))
        corners = shapely.get_coordinates(made)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, GEOSException):
        raise Invalid(
            "The coordinates cannot be read: they are lists of [longitude, latitude].", field
        ) from None
    _check_corners(corners, field)
    return made


def _check_corners(corners: Floats, field: str) -> None:
    if len(corners) > MOST_CORNERS:
        raise Invalid(f"The outline has more than {MOST_CORNERS} corners: simplify it.", field)
    inside = np.isfinite(corners).all(1) & (np.abs(corners) <= (180, 90)).all(1)
    if not inside.all():
        longitude, latitude = corners[~inside][0]
        where = f"[{longitude:g}, {latitude:g}]"
        raise Invalid(
            f"{where} is no place on earth: give [longitude, latitude] in degrees.", field
        )


def _check_span(made: BaseGeometry, field: str) -> None:
    for part in getattr(made, "geoms", (made,)):
        if part.is_empty:
            continue
        west, _, east, _ = part.bounds
        if east - west > WIDEST:
            raise Invalid(
                "The outline crosses the line of 180° longitude: split it there into a "
                "MultiPolygon.",
                field,
            )


def _pair(text: str, field: str) -> tuple[float, float]:
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        raise Invalid(
            "Give the point as latitude, longitude, like -33.449, -70.669.", field
        ) from None
    return latitude, longitude


def _point(made: BaseGeometry) -> Json:
    """To the centimetre, as people can still read it."""
    [[longitude, latitude]] = shapely.get_coordinates(made)
    return {"type": "Point", "coordinates": [round(longitude, 7), round(latitude, 7)]}


def _plain(geometry: Mapping[str, Any]) -> Json:
    """Tuples become lists, as they come back from the database."""
    plain: Json = json.loads(json.dumps(geometry))
    return plain
