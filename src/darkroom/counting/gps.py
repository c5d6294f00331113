"""Where a photo was taken, as its EXIF says."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import SupportsFloat

from PIL import Image
from PIL.ExifTags import GPS, IFD

Position = tuple[float, float]
SIGNS = {"N": 1, "S": -1, "E": 1, "W": -1}
STEPS = (1, 60, 3600)
"""Degrees, minutes and seconds in a degree."""


def position_of(exif: Image.Exif) -> Position | None:
    """Latitude and longitude in degrees (north and east positive) of a photo's EXIF, or None."""
    return parse_position(exif.get_ifd(IFD.GPSInfo))


def parse_position(tags: Mapping[int, object]) -> Position | None:
    """Latitude and longitude in degrees of the tags of an EXIF GPS directory, or None.

    None stands for every position that cannot be relied on: a tag is missing, a reference letter is
    not N or S, E or W, a part is no number or out of range, or it is exactly 0° and 0°, which
    cameras write that have no fix.
    """
    latitude = _degrees(tags, GPS.GPSLatitude, GPS.GPSLatitudeRef, "NS", 90)
    longitude = _degrees(tags, GPS.GPSLongitude, GPS.GPSLongitudeRef, "EW", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    return latitude, longitude


def _degrees(
    tags: Mapping[int, object], value: int, reference: int, letters: str, limit: int
) -> float | None:
    letter, parts = _letter(tags.get(reference)), _numbers(tags.get(value))
    if letter not in tuple(letters) or not parts:
        return None
    angle = sum(part / step for part, step in zip(parts, STEPS, strict=False))
    return SIGNS[letter] * angle if angle <= limit else None


def _letter(text: object) -> str:
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    return text.strip("\0 ").upper() if isinstance(text, str) else ""


def _numbers(value: object) -> list[float]:
    """The one to three parts of an angle; nothing if one of them cannot be a part of an angle."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) > 3:
        return []
    parts = [_number(part) for part in value]
    # Some cameras round 59.999 up to 60.
    if any(not 0 <= part <= 60 for part in parts[1:]) or any(part < 0 for part in parts):
        return []
    return parts if all(isfinite(part) for part in parts) else []


def _number(part: object) -> float:
    try:
        return float(part) if isinstance(part, SupportsFloat) else nan
    except ZeroDivisionError:
        return nan
