"""Reading outlines and points."""

import json

import pytest
from shapely.geometry import Point, shape

from darkroom.counting.places.outlines import area, middle, read_outline, read_point
from darkroom.errors import Invalid

RING = [[-70.66, -33.45], [-70.659, -33.45], [-70.659, -33.449], [-70.66, -33.449]]
CLOSED = [*RING, RING[0]]
POLYGON = {"type": "Polygon", "coordinates": [CLOSED]}


@pytest.mark.parametrize(
    "given",
    [
        POLYGON,
        json.dumps(POLYGON),
        {"type": "Polygon", "coordinates": [RING]},
        {"type": "Polygon", "coordinates": [[[*corner, 540.0] for corner in CLOSED]]},
        {"type": "Feature", "properties": {}, "geometry": POLYGON},
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": {}, "geometry": POLYGON}],
        },
    ],
)
def test_an_outline_is_read_from_whatever_holds_it(given):
    assert read_outline(given, "outline") == POLYGON


def test_several_parts_stay_several():
    parts = {"type": "MultiPolygon", "coordinates": [[RING]]}
    assert read_outline(parts, "outline") == {"type": "MultiPolygon", "coordinates": [[CLOSED]]}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{", "not readable"),
        ("[" * 100_000, "not readable"),
        (12, "GeoJSON object"),
        ({"type": "Point", "coordinates": [1, 2]}, "Polygon or MultiPolygon"),
        ({"type": "Polygon"}, "cannot be read"),
        ({"type": "Polygon", "coordinates": None}, "encloses nothing"),
        ({"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": []}, "encloses nothing"),
        ({"type": "Polygon", "coordinates": [[[1, 1], [2, 2], [1, 1]]]}, ""),
        ({"type": "Polygon", "coordinates": [[[1, 1], [1, 1], [1, 1], [1, 1]]]}, ""),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1]]]}, "crosses itself"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [0, 91], [1, 1]]]}, "no place on earth"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [181, 0], [1, 1]]]}, "no place on earth"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [float("nan"), 0], [1, 1]]]},
            "no place on earth",
        ),
        (
            {
                "type": "Polygon",
                "coordinates": [[[179.9, 0], [-179.9, 0], [-179.9, 1], [179.9, 1]]],
            },
            "180",
        ),
        ({"type": "FeatureCollection", "features": []}, "several features"),
    ],
)
def test_an_outline_that_cannot_be_is_refused_in_words(given, says):
    with pytest.raises(Invalid, match=says) as refused:
        read_outline(given, "outline")
    assert refused.value.field == "outline"


def test_a_point_is_read_as_people_write_it():
    expected = {"type": "Point", "coordinates": [-70.66, -33.45]}
    assert read_point("-33.45, -70.66", "middle") == expected
    assert read_point(expected, "middle") == expected


@pytest.mark.parametrize("given", ["here", "1", "1,2,3", "95, 10", "nan, 1", "{}", 5])
def test_a_point_that_cannot_be_is_refused(given):
    with pytest.raises(Invalid):
        read_point(given, "middle")


def test_the_middle_of_a_horseshoe_lies_within_it():
    ring = [[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3], [0, 0]]
    outline = {"type": "Polygon", "coordinates": [ring]}
    assert shape(outline).contains(Point(middle(outline)["coordinates"]))


def test_areas_are_square_metres_at_any_latitude():
    degree = 1 / 111_320
    for latitude, stretched in ((0, 1), (60, 2)):
        side = [[0, latitude], [stretched * degree, latitude]]
        ring = [*side, [stretched * degree, latitude + degree], [0, latitude + degree]]
        assert area(shape({"type": "Polygon", "coordinates": [ring]})) == pytest.approx(1, rel=0.02)
