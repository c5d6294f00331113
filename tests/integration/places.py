"""A small nursery for tests, and photos with a position."""

import io
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD
from sqlalchemy.orm import Session

from darkroom.counting.places import service
from darkroom.counting.places.kinds import AREAS, CONFIGS, LOCATIONS, PRODUCTS, WAREHOUSES

LATITUDE, LONGITUDE = -33.449, -70.669
STEP = 0.0001
"""Degrees between two benches: about ten metres."""


def bench(number: int) -> dict[str, Any]:
    """The outline of bench 0, 1, 2 …, each touching the next, in a row to the east."""
    west, south = LONGITUDE + number * STEP, LATITUDE
    ring = [
        [west, south],
        [west + STEP, south],
        [west + STEP, south + STEP],
        [west, south + STEP],
        [west, south],
    ]
    return {"type": "Polygon", "coordinates": [ring]}


def middle_of(number: int) -> tuple[float, float]:
    """Latitude and longitude of the middle of a bench."""
    return LATITUDE + STEP / 2, LONGITUDE + (number + 0.5) * STEP


def add_benches(session: Session, numbers: int = 2) -> list[Any]:
    """A warehouse with an area of benches B-0, B-1 …; a product is expected on the first."""
    service.create(session, WAREHOUSES, {"code": "W-1", "name": "Nursery"})
    service.create(session, AREAS, {"warehouse_id": "W-1", "code": "A-1", "name": "House 1"})
    service.create(session, PRODUCTS, {"code": "ECH", "name": "Echeveria"})
    rows = [
        service.create(
            session,
            LOCATIONS,
            {
                "storage_area_id": "A-1",
                "code": f"B-{number}",
                "name": f"Bench {number}",
                "geojson_coordinates": bench(number),
            },
        )
        for number in range(numbers)
    ]
    expected = {
        "storage_location_id": "B-0",
        "expected_product_id": "ECH",
        "expected_product_state_id": "SEEDLING",
        "expected_container_type_id": "plug",
    }
    service.create(session, CONFIGS, expected)
    return rows


def photo_at(
    position: tuple[float, float] | None = None, size: tuple[int, int] = (320, 240)
) -> bytes:
    """A plain photo as JPEG, taken at a latitude and longitude."""
    exif = Image.Exif()
    if position is not None:
        exif.get_ifd(IFD.GPSInfo).update(_tags(*position))
    file = io.BytesIO()
    Image.new("RGB", size, "saddlebrown").save(file, "JPEG", exif=exif)
    return file.getvalue()


def _tags(latitude: float, longitude: float) -> dict[int, object]:
    return {
        GPS.GPSLatitudeRef: "S" if latitude < 0 else "N",
        GPS.GPSLatitude: (abs(latitude), 0.0, 0.0),
        GPS.GPSLongitudeRef: "W" if longitude < 0 else "E",
        GPS.GPSLongitude: (abs(longitude), 0.0, 0.0),
    }
