"""What was found on a photo as light JSON, in the photo's pixels, for drawing over it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.models import Container, Detection, Estimation, Photo

Json = dict[str, Any]
Ring = list[list[float]]


def of_photo(session: Session, photo: Photo) -> Json:
    """Containers and estimates as rings of points, detections as centre, size and confidence."""
    image = photo.image_id
    containers = session.scalars(
        select(Container).where(Container.image_id == image).order_by(Container.number)
    )
    estimates = session.scalars(
        select(Estimation)
        .where(Estimation.image_id == image, Estimation.estimated_count > 0)
        .order_by(Estimation.id)
    )
    return {
        "width": photo.width,
        "height": photo.height,
        "containers": [_container(row) for row in containers],
        "detections": _detections(session, photo),
        "estimates": [_estimate(row) for row in estimates],
    }


def rings(geometry: Json | None) -> list[Ring]:
    """The outer and inner rings of a GeoJSON Polygon or MultiPolygon, to tenths of a pixel."""
    if geometry is None:
        return []
    parts = geometry["coordinates"]
    polygons = [parts] if geometry["type"] == "Polygon" else parts
    return [_rounded(ring) for polygon in polygons for ring in polygon]


def _container(row: Container) -> Json:
    return {
        "number": row.number,
        "type": row.container_type,
        "found": row.is_segmented,
        "total": row.total,
        "rings": rings(row.polygon),
    }


def _detections(session: Session, photo: Photo) -> list[list[float]]:
    # Plain tuples: a photo may hold thousands.
    query = select(
        Detection.center_x,
        Detection.center_y,
        Detection.width_px,
        Detection.height_px,
        Detection.confidence,
    ).where(Detection.image_id == photo.image_id)
    return [
        [round(x, 1), round(y, 1), round(width, 1), round(height, 1), round(sure, 3)]
        for x, y, width, height, sure in session.execute(query)
    ]


def _estimate(row: Estimation) -> Json:
    return {
        "band": row.band_number,
        "count": row.estimated_count,
        "rings": rings(row.vegetation_polygon),
    }


def _rounded(ring: Iterable[Iterable[float]]) -> Ring:
    return [[round(value, 1) for value in point] for point in ring]
