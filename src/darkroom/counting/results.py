"""What a session counted, read back for the API, the pages and the downloads."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from darkroom.counting import overlaps
from darkroom.counting.models import Container, Detection, Estimation, Photo, PhotoSession
from darkroom.counting.overlaps import Shared
from darkroom.storage.store import Store

Json = dict[str, Any]

URL_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class ContainerResult:
    """One container of a photo. `polygon` is GeoJSON in the photo's pixels."""

    id: int
    number: int
    container_type: str
    is_segmented: bool
    confidence: float | None
    polygon: Json
    total_detected: int
    total_estimated: int
    total_unbiased: float
    total_buffered: float
    total_reviewed: int | None
    interval_low: float
    interval_high: float
    count_confidence: float
    is_empty_container: bool
    needs_review: bool
    review_reason: str | None


@dataclass(frozen=True)
class DetectionResult:
    """One plant seen: centre and size in the photo's pixels."""

    id: int
    image_id: UUID
    container_id: int
    center_x: float
    center_y: float
    width_px: float
    height_px: float
    confidence: float
    class_name: str


@dataclass(frozen=True)
class EstimationResult:
    """The plants estimated in one band of a container, beyond those seen."""

    id: int
    image_id: UUID
    container_id: int
    band_number: int
    band_y_start: int
    band_y_end: int
    estimated_count: int
    estimated_unbiased: float
    area_pixels: int
    avg_plant_area_px: float
    calculation_method: str
    estimation_confidence: float
    vegetation_polygon: Json | None


@dataclass(frozen=True)
class PhotoResult:
    """One photo: where its files are, for an hour, and what was counted on it."""

    image_id: UUID
    position: int
    filename: str
    width: int
    height: int
    status: str
    error_message: str | None
    gps_latitude: float | None
    gps_longitude: float | None
    captured_at: datetime | None
    total_detected: int
    total_estimated: int
    image_url: str
    thumbnail_url: str | None
    visualization_url: str | None
    containers: list[ContainerResult]
    detections: list[DetectionResult]
    estimations: list[EstimationResult]


@dataclass(frozen=True)
class SessionResult:
    """A whole session. `counted_at` is set once the totals stand, before the drawing is done."""

    session_id: UUID
    run_id: UUID
    owner_id: int
    status: str
    error_message: str | None
    total_detected: int
    total_estimated: int
    total_empty_containers: int
    avg_confidence: float | None
    total_reviewed: int | None
    total_unbiased: float | None
    interval_low: float | None
    interval_high: float | None
    category_counts: dict[str, int]
    needs_review: bool
    review_reasons: list[Json]
    storage_location_id: int | None
    location_source: str | None
    location_distance_m: float | None
    without_location: bool
    storage_location_config_id: int | None
    expected_product_id: int | None
    expected_product_state_id: int | None
    expected_container_type_id: int | None
    settings: Json
    rerun_of: UUID | None
    overlaps: list[Shared]
    created_at: datetime
    counted_at: datetime | None
    completed_at: datetime | None
    photos: list[PhotoResult]

    @property
    def total(self) -> int:
        """Plants in all, as they go to stock: what people say stands there, else the count."""
        counted = self.total_detected + self.total_estimated
        return counted if self.total_reviewed is None else self.total_reviewed


def of_session(session: Session, session_id: UUID, store: Store) -> SessionResult | None:
    """The result of the session with this public id, or None."""
    return _found(session, PhotoSession.session_id == session_id, store)


def of_run(session: Session, run_id: UUID, store: Store) -> SessionResult | None:
    """The result of the session that a run counts, or None."""
    return _found(session, PhotoSession.run_id == run_id, store)


def _found(session: Session, condition: Any, store: Store) -> SessionResult | None:
    found = session.scalars(select(PhotoSession).where(condition)).one_or_none()
    if found is None:
        return None
    photos = session.scalars(
        select(Photo).where(Photo.session_id == found.id).order_by(Photo.position)
    )
    parts = _Parts(session, found.id)
    fields = _columns(
        found,
        SessionResult,
        owner_id=found.user_id,
        rerun_of=_first(session, found),
        overlaps=overlaps.of_session(session, found.id),
    )
    return SessionResult(**fields, photos=[_photo(photo, parts, store) for photo in photos])


def _first(session: Session, found: PhotoSession) -> UUID | None:
    """The count that this one is of the same photos as, if it was made again."""
    if found.rerun_of_id is None:
        return None
    return session.get_one(PhotoSession, found.rerun_of_id).session_id


class _Parts:
    """The rows of a session by photo, each table read once."""

    def __init__(self, session: Session, session_pk: int) -> None:
        self.containers = _by_image(_rows(session, Container, ContainerResult, session_pk))
        self.detections = _by_image(_rows(session, Detection, DetectionResult, session_pk))
        self.estimations = _by_image(_rows(session, Estimation, EstimationResult, session_pk))


def _rows(
    session: Session,
    table: type[Container | Detection | Estimation],
    kind: type[Any],
    session_pk: int,
) -> Iterable[RowMapping]:
    """What a result of that kind holds, and the photo it belongs to."""
    # Plain rows, not objects: a session may hold tens of thousands.
    columns = [table.__table__.c[name] for name in sorted({"image_id", *kind.__dataclass_fields__})]
    query = select(*columns).where(table.session_id == session_pk).order_by(table.id)
    return session.execute(query).mappings()


def _by_image(rows: Iterable[RowMapping]) -> Mapping[UUID, list[RowMapping]]:
    grouped: dict[UUID, list[RowMapping]] = {}
    for row in rows:
        grouped.setdefault(row["image_id"], []).append(row)
    return grouped


def _photo(photo: Photo, parts: _Parts, store: Store) -> PhotoResult:
    image = photo.image_id
    return PhotoResult(
        **_columns(photo, PhotoResult),
        image_url=store.url(photo.s3_key_original, URL_LIFE),
        thumbnail_url=_url(store, photo.s3_key_thumbnail),
        visualization_url=_url(store, photo.s3_key_processed),
        containers=[_made(ContainerResult, row) for row in parts.containers.get(image, [])],
        detections=[_made(DetectionResult, row) for row in parts.detections.get(image, [])],
        estimations=[_made(EstimationResult, row) for row in parts.estimations.get(image, [])],
    )


def _url(store: Store, key: str | None) -> str | None:
    return store.url(key, URL_LIFE) if key else None


def _made(kind: type[Any], row: RowMapping) -> Any:
    return kind(**{name: row[name] for name in kind.__dataclass_fields__})


def _columns(row: PhotoSession | Photo, kind: type[Any], **given: Any) -> Json:
    shared = [name for name in kind.__dataclass_fields__ if name in row.__table__.columns]
    return {name: getattr(row, name) for name in shared} | given


def as_json(result: Any) -> Json:
    """A result as plain JSON values: ids and times as text."""
    return {name: _plain(value) for name, value in asdict(result).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
