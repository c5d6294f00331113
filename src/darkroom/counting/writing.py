"""Writes what was counted, in the transaction of the step that counted it."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from psycopg.types.json import Jsonb
from sqlalchemy import delete
from sqlalchemy.orm import Session

from darkroom.counting.bands import EMPTY_BELOW, BandEstimate, ContainerEstimate
from darkroom.counting.models import Container, Photo
from darkroom.counting.photo import CountedContainer, Plants
from darkroom.counting.quality import Reason
from darkroom.counting.review import rebasing
from darkroom.db.sessions import driver
from darkroom.db.statements import raw

VEGETATION = "There is vegetation here, but no plant was detected."
HALF_SEEN = "There may be plants here, but none was detected for sure."


def write_photo(
    session: Session,
    photo: Photo,
    counted: Sequence[CountedContainer],
    reasons: Sequence[Reason] = (),
    error_scale: float = 1.0,
) -> None:
    """Replace what was counted on a photo: containers, and by COPY detections and estimations.

    Corrections that were made on it become drafts again, fitted to what is there now.

    Parameters
    ----------
    reasons
        Why the photo does not support its count.
    error_scale
        The factor that the confidences were computed with.
    """
    kept = rebasing.keep(session, photo)
    session.execute(delete(Container).where(Container.image_id == photo.image_id))
    containers = [
        _container(photo, number, part, error_scale) for number, part in enumerate(counted, start=1)
    ]
    session.add_all(containers)
    session.flush()
    parts = list(zip(containers, counted, strict=True))
    _copy(session, "counting/copy_detections", _detections(parts))
    write_estimations(session, ((row, part.estimate) for row, part in parts))
    photo.status, photo.error_message = "counted", None
    photo.review_reasons = [reason.as_json() for reason in reasons]
    photo.total_detected = sum(row.total_detected for row in containers)
    photo.total_estimated = sum(row.total_estimated for row in containers)
    rebasing.reopen(session, photo, kept, containers)


Parts = Sequence[tuple[Container, CountedContainer]]


def figures(estimate: ContainerEstimate) -> dict[str, Any]:
    """The columns of a container that its estimate fills."""
    low, high = estimate.confidence.interval
    return {
        "total_detected": estimate.detected,
        "total_estimated": estimate.estimated_count,
        "total_unbiased": estimate.detected + estimate.unbiased,
        "total_buffered": estimate.detected + estimate.buffered,
        "standard_error": estimate.confidence.error,
        "interval_low": low,
        "interval_high": high,
        "count_confidence": estimate.confidence.probability,
        "vegetation_fraction": estimate.vegetation_fraction,
        "is_empty_container": estimate.is_empty_container,
        "needs_review": estimate.needs_review,
        "review_reason": _reason(estimate),
    }


def _reason(estimate: ContainerEstimate) -> str | None:
    if not estimate.needs_review:
        return None
    return VEGETATION if estimate.half_seen < EMPTY_BELOW else HALF_SEEN


def _container(photo: Photo, number: int, part: CountedContainer, error_scale: float) -> Container:
    estimate = part.estimate
    return Container(
        session_id=photo.session_id,
        image_id=photo.image_id,
        number=number,
        container_type=part.container.kind,
        is_segmented=part.is_segmented,
        confidence=part.container.confidence if part.is_segmented else None,
        polygon=_geojson(part.container.polygon),
        **figures(estimate) | ({} if part.is_segmented else {"is_empty_container": False}),
        model_unbiased=estimate.detected + estimate.unbiased,
        model_error=estimate.confidence.error / error_scale,
        faint=_faint(part.faint),
    )


def _faint(plants: Plants) -> list[list[float]]:
    rows: list[list[float]] = np.column_stack([plants.boxes, plants.scores]).round(3).tolist()
    return rows


def _rows(plants: Plants) -> list[list[float]]:
    rows = np.column_stack([np.round(plants.boxes, 1), np.round(plants.scores, 3)])
    return cast(list[list[float]], rows.tolist())


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


def write_estimations(
    session: Session, estimates: Iterable[tuple[Container, ContainerEstimate]]
) -> None:
    """Write the bands of containers that have none."""
    _copy(session, "counting/copy_estimations", _estimations(estimates))


def _estimations(
    estimates: Iterable[tuple[Container, ContainerEstimate]],
) -> Iterable[tuple[Any, ...]]:
    for row, estimate in estimates:
        for band in estimate.bands:
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
