"""When and where a photo was taken, as its EXIF says."""

import struct
from dataclasses import dataclass
from datetime import datetime

from PIL import Image
from PIL.ExifTags import IFD, Base

from darkroom.counting import gps
from darkroom.counting.gps import Position

FORMAT = "%Y:%m:%d %H:%M:%S"
FIRST_YEAR = 1990
"""Before it there were no cameras that write EXIF: an older date is that of an unset clock."""
BROKEN = (struct.error, ValueError, TypeError, KeyError, IndexError, SyntaxError, OSError)
"""What Pillow raises on a damaged directory."""


@dataclass(frozen=True)
class Taken:
    """Time (by the camera's own clock, in no zone) and position; None where not known."""

    captured_at: datetime | None
    position: Position | None

    @classmethod
    def of(cls, exif: Image.Exif) -> "Taken":
        """What can be relied on of a photo's EXIF; a damaged part counts as missing."""
        return cls(_captured_at(exif), _position(exif))


def parse_time(text: object) -> datetime | None:
    """The moment of an EXIF time such as `2026:05:01 12:30:00`, or None where it is none."""
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    if not isinstance(text, str):
        return None
    try:
        found = datetime.strptime(text.strip("\0 "), FORMAT)
    except ValueError:
        return None
    return found if found.year >= FIRST_YEAR else None


def _captured_at(exif: Image.Exif) -> datetime | None:
    try:
        tags = exif.get_ifd(IFD.Exif)
    except BROKEN:
        return None
    original, digitized = tags.get(Base.DateTimeOriginal), tags.get(Base.DateTimeDigitized)
    return parse_time(original) or parse_time(digitized)


def _position(exif: Image.Exif) -> Position | None:
    try:
        return gps.position_of(exif)
    except BROKEN:
        return None
