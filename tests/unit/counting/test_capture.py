"""When and where a photo was taken."""

import io
from datetime import datetime

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from darkroom.counting.capture import Taken, parse_time


def test_the_time_is_the_camera_s():
    assert parse_time("2026:05:01 12:30:09") == datetime(2026, 5, 1, 12, 30, 9)


@pytest.mark.parametrize("text", [b"2026:05:01 12:30:09\0", " 2026:05:01 12:30:09 "])
def test_times_come_in_many_spellings(text):
    assert parse_time(text) == datetime(2026, 5, 1, 12, 30, 9)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2026:13:01 12:00:00",
        "2026-05-01",
        "1970:01:01 00:00:00",
        7,
        b"\xff\xfe",
    ],
)
def test_an_absurd_time_is_no_time(text):
    assert parse_time(text) is None


def saved(**tags) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif).update(tags.get("times", {}))
    exif.get_ifd(IFD.GPSInfo).update(tags.get("gps", {}))
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)
    return Image.open(file).getexif()


def test_both_are_read_from_a_photo():
    times = {Base.DateTimeOriginal: "2026:05:01 12:30:09"}
    gps = {
        GPS.GPSLatitudeRef: "S",
        GPS.GPSLatitude: (33.0, 27.0, 0.0),
        GPS.GPSLongitudeRef: "W",
        GPS.GPSLongitude: (70.0, 30.0, 0.0),
    }
    taken = Taken.of(saved(times=times, gps=gps))
    assert taken.captured_at == datetime(2026, 5, 1, 12, 30, 9)
    assert taken.position == pytest.approx((-33.45, -70.5))


def test_the_time_of_digitizing_stands_in_for_a_missing_one():
    taken = Taken.of(saved(times={Base.DateTimeDigitized: "2026:05:01 12:30:09"}))
    assert taken.captured_at is not None


def test_a_photo_without_exif_says_nothing():
    assert Taken.of(Image.Exif()) == Taken(None, None)


def test_damaged_exif_never_raises():
    exif = saved(times={Base.DateTimeOriginal: "2026:05:01 12:30:09"}).tobytes()
    for place in range(6, len(exif)):
        damaged = Image.Exif()
        try:
            damaged.load(exif[:place] + bytes([exif[place] ^ 0xFF]) + exif[place + 1 :])
        except SyntaxError:
            continue
        Taken.of(damaged)
