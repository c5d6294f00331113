"""Finding the location of a position."""

from math import cos, nan, radians

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from darkroom.counting.places.lookup import Lookup, Place
from darkroom.errors import Invalid

METRE = 1 / 111_320
"""Degrees of latitude in a metre, nearly."""


def square(latitude: float, longitude: float, side: float) -> dict:
    """A square of so many metres around a position."""
    north = side / 2 * METRE
    east = north / cos(radians(latitude))
    west, right = longitude - east, longitude + east
    low, high = latitude - north, latitude + north
    ring = [[west, low], [right, low], [right, high], [west, high], [west, low]]
    return {"type": "Polygon", "coordinates": [ring]}


def point(latitude: float, longitude: float) -> dict:
    return {"type": "Point", "coordinates": [longitude, latitude]}


BENCH = Place(1, square(-33.449, -70.669, 10))

latitudes = some.floats(-80, 80)
longitudes = some.floats(-179, 179)
sides = some.floats(1, 500)


@given(latitudes, longitudes, sides, some.floats(-0.49, 0.49), some.floats(-0.49, 0.49))
def test_a_position_inside_is_found(latitude, longitude, side, north, east):
    place = Place(7, square(latitude, longitude, side))
    lookup = Lookup([place, Place(8, square(-latitude / 2 + 1, longitude / 2 + 1, 1))])
    inside = latitude + north * side * METRE
    hit = lookup.find(inside, longitude + east * side * METRE / cos(radians(latitude)), 0)
    assert (hit.id, hit.distance) == (7, 0)


@given(latitudes, longitudes, some.lists(sides, min_size=2, max_size=8, unique=True))
def test_of_overlapping_locations_the_smallest_is_found(latitude, longitude, found):
    places = [Place(n, square(latitude, longitude, side)) for n, side in enumerate(found)]
    assert Lookup(places).find(latitude, longitude, 0).id == found.index(min(found))


@given(latitudes, longitudes, some.floats(1, 400), some.floats(1, 400))
def test_outside_the_nearest_within_reach_is_found_and_nothing_beyond(
    latitude, longitude, away, reach
):
    assume(abs(away - reach) > 0.02 * away + 0.1)
    lookup = Lookup([Place(1, square(latitude, longitude, 10))])
    hit = lookup.find(latitude + (5 + away) * METRE, longitude, reach)
    assert (hit is not None) == (away < reach)
    if hit:
        assert hit.distance == pytest.approx(away, rel=0.01, abs=0.1)


@given(latitudes, longitudes, some.lists(some.floats(1, 5000), min_size=1, max_size=10))
def test_the_nearest_come_in_the_order_of_their_distance(latitude, longitude, aways):
    assume(abs(latitude) < 79)
    places = [Place(n, None, point(latitude + a * METRE, longitude)) for n, a in enumerate(aways)]
    hits = Lookup(places).nearest(latitude, longitude, 100)
    assert [hit.distance for hit in hits] == pytest.approx(sorted(aways), rel=0.01, abs=0.01)


def test_the_border_is_inside():
    corner = BENCH.outline["coordinates"][0][0]
    assert Lookup([BENCH]).find(corner[1], corner[0], 0).distance == 0


def test_a_hole_is_outside():
    outline = square(10, 10, 100)
    hole = square(10, 10, 50)["coordinates"][0]
    outline["coordinates"].append(hole)
    assert Lookup([Place(1, outline)]).find(10, 10, 10) is None


def test_of_equally_large_locations_the_first_is_found():
    twins = [Place(9, BENCH.outline), Place(3, BENCH.outline)]
    assert Lookup(twins).find(-33.449, -70.669, 0).id == 3


def test_a_location_known_by_its_point_is_only_near():
    hit = Lookup([Place(1, None, point(-33.449, -70.669))]).find(-33.449, -70.669, 5)
    assert (hit.id, hit.distance) == (1, 0)


def test_a_location_that_is_nowhere_is_not_found():
    assert Lookup([Place(1, None)]).find(0, 0, 1e7) is None


def test_without_locations_nothing_is_found():
    assert Lookup([]).find(0.5, 0.5, 100) is None
    assert Lookup([]).nearest(0.5, 0.5, 5) == []


@pytest.mark.parametrize("longitude", [180.0, -180.0, 179.99999, -179.99999])
def test_a_location_across_the_line_of_180_degrees_is_found_from_both_sides(longitude):
    east = square(-17, 180 - 50 * METRE, 80)["coordinates"]
    west = square(-17, -180 + 50 * METRE, 80)["coordinates"]
    place = Place(1, {"type": "MultiPolygon", "coordinates": [east, west]})
    hit = Lookup([place]).find(-17, longitude, 20)
    assert hit.distance == pytest.approx(7.3, abs=1)


def test_a_location_just_behind_the_line_of_180_degrees_is_near():
    lookup = Lookup([Place(1, square(0, 179.9999, 10)), Place(2, square(0, -170, 10))])
    hit = lookup.find(0, -179.9999, 30)
    assert hit.id == 1 and hit.distance == pytest.approx(17.3, abs=0.5)
    assert lookup.nearest(0, -179.9999, 1)[0].id == 1


def test_at_the_pole_a_location_is_found_whatever_the_longitude():
    lookup = Lookup([Place(1, None, point(90, 20))])
    assert lookup.find(90, -160, 5).id == 1


@pytest.mark.parametrize(
    ("latitude", "longitude", "field"),
    [
        (90.1, 0, "latitude"),
        (-91, 0, "latitude"),
        (nan, 0, "latitude"),
        (0, 180.5, "longitude"),
        (0, -1000, "longitude"),
        (0, float("inf"), "longitude"),
    ],
)
def test_what_is_no_place_on_earth_is_refused(latitude, longitude, field):
    for ask in (Lookup([BENCH]).find, Lookup([BENCH]).nearest):
        with pytest.raises(Invalid) as refused:
            ask(latitude, longitude, 10)
        assert refused.value.field == field


def test_among_ten_thousand_locations_the_right_one_is_found():
    places = [
        Place(n, square(-33 + n // 100 * 20 * METRE, -70 + n % 100 * 30 * METRE, 10))
        for n in range(10_000)
    ]
    lookup = Lookup(places)
    for n in (0, 4711, 9999):
        where = (-33 + n // 100 * 20 * METRE, -70 + n % 100 * 30 * METRE)
        assert lookup.find(*where, 0).id == n
