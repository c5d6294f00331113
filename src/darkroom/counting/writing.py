"""Writes what was counted, in the transaction of the step that counted it."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb
from sqlalchemy import delete
from sqlalchemy.orm import Session

from darkroom.counting.bands import BandEstimate
from darkroom.counting.models import Container, Photo
from darkroom.counting.photo import CountedContainer
from darkroom.db.sessions import driver
from darkroom.db.statements import raw

REVIEW = "There is vegetation here, but no plant was detected."


def write_photo(session: Session, photo: Photo, counted: Sequence[CountedContainer]) -> None:
    """Replace what was counted on a photo: containers, and by COPY detections and estimations."""
    session.execute(delete(Container).where(Container.image_id == photo.image_id))
    containers = [_container(photo, number, part) for number, part in enumerate(counted, start=1)]
    session.add_all(containers)
    session.flush()
    parts = list(zip(containers, counted, strict=True))
    _copy(session, "counting/copy_detections", _detections(parts))
    _copy(session, "counting/copy_estimations", _estimations(parts))
    photo.status, photo.error_message = "counted", None
    photo.total_detected = sum(row.total_detected for row in containers)
    photo.total_estimated = sum(row.total_estimated for row in containers)


Parts = Sequence[tuple[Container, CountedContainer]]


def _container(photo: Photo, number: int, part: CountedContainer) -> Container:
    estimate = part.estimate
    low, high = estimate.confidence.interval
    return Container(
        session_id=photo.session_id,
        image_id=photo.image_id,
        number=number,
        container_type=part.container.kind,
        is_segmented=part.is_segmented,
        confidence=part.container.confidence if part.is_segmented else None,
        polygon=_geojson(part.container.polygon),
        total_detected=estimate.detected,
        total_estimated=estimate.estimated_count,
        total_unbiased=estimate.detected + estimate.unbiased,
        total_buffered=estimate.detected + estimate.buffered,
        standard_error=estimate.confidence.error,
        interval_low=low,
        interval_high=high,
        count_confidence=estimate.confidence.probability,
        vegetation_fraction=estimate.vegetation_fraction,
        is_empty_container=estimate.is_empty_container,
        needs_review=estimate.needs_review,
        review_reason=REVIEW if estimate.needs_review else None,
    )


def _geojson(polygon: np.ndarray[Any, Any]) -> dict[str, Any]:
    ring = np.round(polygon, 1).tolist()
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _detections(parts: Parts) -> Iterable[tuple[Any, ...]]:
    for row, part in parts:
        boxes = part.plants.boxes
        middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        for middle, size, score, name in zip(
            middles.tolist(),
            sizes.tolist(),
            part.plants.scores.tolist(),
            part.plants.classes,
            strict=True,
        ):
            yield (row.session_id, row.image_id, row.id, *middle, *size, score, name)


def _estimations(parts: Parts) -> Iterable[tuple[Any, ...]]:
    for row, part in parts:
        for band in part.estimate.bands:
            yield (row.session_id, row.image_id, row.id, *_band(band))


def _band(band: BandEstimate) -> tuple[Any, ...]:
    polygon = band.vegetation_polygon
    return (
        band.band_number,
        band.band_y_start,
        band.band_y_end,
        band.estimated_count,
        band.unbiased,
        round(band.residual_area_px),
        band.avg_plant_area_px,
        band.calculation_method,
        band.estimation_confidence,
        Jsonb(polygon) if polygon["coordinates"] else None,
        band.area_before_suppression,
        band.area_after_suppression,
    )


def _copy(session: Session, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with driver(session).cursor() as cursor, cursor.copy(raw(name)) as copy:
        for row in rows:
            copy.write_row(row)
