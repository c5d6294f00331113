from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image
from PIL.ExifTags import GPS, IFD
from PIL.TiffImagePlugin import IFDRational

from darkroom.counting.gps import parse_position, position_of

SANTIAGO = (33.0, 26.0, 56.4)
WEST = (70.0, 40.0, 9.48)


def _tags(
    latitude: object = SANTIAGO,
    north: object = "S",
    longitude: object = WEST,
    east: object = "W",
) -> dict[int, object]:
    return {
        GPS.GPSLatitudeRef: north,
        GPS.GPSLatitude: latitude,
        GPS.GPSLongitudeRef: east,
        GPS.GPSLongitude: longitude,
    }


@pytest.mark.parametrize(
    ("north", "east", "signs"),
    [("N", "E", (1, 1)), ("N", "W", (1, -1)), ("S", "E", (-1, 1)), ("S", "W", (-1, -1))],
)
def test_every_reference_letter_gives_its_sign(
    north: str, east: str, signs: tuple[int, int]
) -> None:
    expected = (signs[0] * 33.449, signs[1] * 70.669300)
    assert parse_position(_tags(north=north, east=east)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("letter", ["s", "S\0", b"S", b"S\0", " S "])
def test_letters_come_in_many_spellings(letter: object) -> None:
    found = parse_position(_tags(north=letter))
    assert found is not None and found[0] < 0


@pytest.mark.parametrize("missing", list(_tags()))
def test_a_missing_tag_means_no_position(missing: int) -> None:
    tags = _tags()
    del tags[missing]
    assert parse_position(tags) is None


@pytest.mark.parametrize("letter", ["", "E", "X", "NS", None, 5, b"\xff"])
def test_a_wrong_letter_means_no_position(letter: object) -> None:
    assert parse_position(_tags(north=letter)) is None


@pytest.mark.parametrize(
    "latitude",
    [
        (91.0, 0.0, 0.0),
        (90.0, 0.0, 1.0),
        (33.0, 61.0, 0.0),
        (33.0, 26.0, 75.0),
        (-33.0, 26.0, 0.0),
        (33.0, nan, 0.0),
        (inf, 0.0, 0.0),
        (33.0, 26.0, IFDRational(1, 0)),
        (),
        (33.0, 26.0, 1.0, 1.0),
        ("33", "26", "0"),
        "33.5",
        33.5,
        None,
    ],
)
def test_an_absurd_angle_means_no_position(latitude: object) -> None:
    assert parse_position(_tags(latitude=latitude)) is None


def test_a_longitude_beyond_180_degrees_means_no_position() -> None:
    assert parse_position(_tags(longitude=(180.0, 0.0, 0.1))) is None


def test_zero_zero_is_a_camera_without_a_fix() -> None:
    assert parse_position(_tags(latitude=(0.0, 0.0, 0.0), longitude=(0.0, 0.0, 0.0))) is None


def test_a_place_on_the_equator_is_a_place() -> None:
    assert parse_position(_tags(latitude=(0.0, 0.0, 0.0))) is not None


def test_degrees_may_stand_alone_or_with_minutes() -> None:
    found = parse_position(_tags(latitude=(33.5,), longitude=(70.0, 30.6)))
    assert found == pytest.approx((-33.5, -70.51))


@given(some.floats(-90, 90), some.floats(-180, 180))
def test_any_position_survives_its_way_through_exif(latitude: float, longitude: float) -> None:
    tags = _tags(
        latitude=(abs(latitude),),
        north="S" if latitude < 0 else "N",
        longitude=(abs(longitude),),
        east="W" if longitude < 0 else "E",
    )
    expected = None if latitude == 0 and longitude == 0 else (latitude, longitude)
    assert parse_position(tags) == expected


def test_the_position_is_read_from_a_photo_s_exif() -> None:
    exif = Image.Exif()
    exif.get_ifd(IFD.GPSInfo).update(_tags())
    assert position_of(exif) == pytest.approx((-33.449, -70.6693), abs=1e-6)


def test_a_photo_without_gps_has_no_position() -> None:
    assert position_of(Image.Exif()) is None
