"""The tables of counting, as SQLAlchemy sees them (from `sql/migrations/0005_counting.sql` on)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]
TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class PhotoSession(Base):
    """One request to count: its photos and their totals. `session_id` is its public name."""

    __tablename__ = "photo_processing_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(server_default=SERVER)
    run_id: Mapped[UUID]
    user_id: Mapped[int]
    original_image_id: Mapped[UUID | None]
    processed_image_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(server_default=SERVER)
    total_detected: Mapped[int] = mapped_column(server_default=SERVER)
    total_estimated: Mapped[int] = mapped_column(server_default=SERVER)
    total_empty_containers: Mapped[int] = mapped_column(server_default=SERVER)
    avg_confidence: Mapped[float | None]
    total_unbiased: Mapped[float | None]
    interval_low: Mapped[float | None]
    interval_high: Mapped[float | None]
    category_counts: Mapped[Json] = mapped_column(JSONB, server_default=SERVER)
    needs_review: Mapped[bool] = mapped_column(server_default=SERVER)
    error_message: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    counted_at: Mapped[datetime | None] = mapped_column(TIME)
    completed_at: Mapped[datetime | None] = mapped_column(TIME)
    storage_location_id: Mapped[int | None]
    location_source: Mapped[str | None]
    location_distance_m: Mapped[float | None]
    without_location: Mapped[bool] = mapped_column(server_default=SERVER)
    storage_location_config_id: Mapped[int | None]
    expected_product_id: Mapped[int | None]
    expected_product_state_id: Mapped[int | None]
    expected_container_type_id: Mapped[int | None]
    ml_user_id: Mapped[int | None]
    settings: Mapped[Json] = mapped_column(JSONB, server_default=SERVER)
    rerun_of_id: Mapped[int | None]
    review_reasons: Mapped[list[Json]] = mapped_column(JSONB, server_default=SERVER)
    total_reviewed: Mapped[int | None]
    review_run_id: Mapped[UUID | None]

    @property
    def total(self) -> int:
        """Plants in all: what people say stands there, else what was counted."""
        return _total(self)


class Photo(Base):
    """One photo of a session: the files made of it and what was counted on it."""

    __tablename__ = "s3_images"

    image_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    position: Mapped[int]
    filename: Mapped[str]
    s3_bucket: Mapped[str]
    s3_key_original: Mapped[str]
    s3_key_thumbnail: Mapped[str | None]
    s3_key_processed: Mapped[str | None]
    original_asset_id: Mapped[UUID]
    thumbnail_asset_id: Mapped[UUID | None]
    processed_asset_id: Mapped[UUID | None]
    content_type: Mapped[str]
    file_size_bytes: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    gps_latitude: Mapped[float | None]
    gps_longitude: Mapped[float | None]
    upload_source: Mapped[str] = mapped_column(server_default=SERVER)
    uploaded_by_user_id: Mapped[int]
    status: Mapped[str] = mapped_column(server_default=SERVER)
    total_detected: Mapped[int] = mapped_column(server_default=SERVER)
    total_estimated: Mapped[int] = mapped_column(server_default=SERVER)
    error_message: Mapped[str | None]
    captured_at: Mapped[datetime | None] = mapped_column(DateTime())
    review_reasons: Mapped[list[Json]] = mapped_column(JSONB, server_default=SERVER)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    total_reviewed: Mapped[int | None]
    reviewed_by: Mapped[int | None]
    reviewed_at: Mapped[datetime | None] = mapped_column(TIME)

    @property
    def total(self) -> int:
        """Plants in all: what people say stands there, else what was counted."""
        return _total(self)


class Container(Base):
    """A container on a photo and the count of its plants. `polygon` is GeoJSON in pixels."""

    __tablename__ = "containers"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    number: Mapped[int]
    container_type: Mapped[str]
    is_segmented: Mapped[bool]
    confidence: Mapped[float | None]
    polygon: Mapped[Json] = mapped_column(JSONB)
    total_detected: Mapped[int]
    total_estimated: Mapped[int]
    total_unbiased: Mapped[float]
    total_buffered: Mapped[float]
    standard_error: Mapped[float]
    interval_low: Mapped[float]
    interval_high: Mapped[float]
    count_confidence: Mapped[float]
    vegetation_fraction: Mapped[float]
    is_empty_container: Mapped[bool]
    needs_review: Mapped[bool]
    review_reason: Mapped[str | None]
    # Long, and only read when a correction is applied.
    faint: Mapped[list[list[float]] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    model_unbiased: Mapped[float | None]
    model_error: Mapped[float | None]
    total_reviewed: Mapped[int | None]
    reviewed_by: Mapped[int | None]
    reviewed_at: Mapped[datetime | None] = mapped_column(TIME)

    @property
    def total(self) -> int:
        """Plants in all: what a person says stands in it, else what was counted."""
        return _total(self)

    @property
    def is_as_counted(self) -> bool:
        """Whether a person's total is the one that was counted: they just accepted it."""
        return self.total_reviewed == self.total_detected + self.total_estimated


class Detection(Base):
    """A plant that the model saw; centre and size in the photo's pixels."""

    __tablename__ = "detections"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    container_id: Mapped[int] = mapped_column(ForeignKey("containers.id"))
    center_x: Mapped[float]
    center_y: Mapped[float]
    width_px: Mapped[float]
    height_px: Mapped[float]
    confidence: Mapped[float]
    class_name: Mapped[str]
    is_empty_container: Mapped[bool] = mapped_column(server_default=SERVER)
    source: Mapped[str] = mapped_column(server_default=SERVER)


class Estimation(Base):
    """The plants estimated in one band of a container, beyond those detected."""

    __tablename__ = "estimations"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    container_id: Mapped[int] = mapped_column(ForeignKey("containers.id"))
    band_number: Mapped[int]
    band_y_start: Mapped[int]
    band_y_end: Mapped[int]
    estimated_count: Mapped[int]
    estimated_unbiased: Mapped[float]
    area_pixels: Mapped[int]
    avg_plant_area_px: Mapped[float]
    calculation_method: Mapped[str]
    estimation_confidence: Mapped[float]
    vegetation_polygon: Mapped[Json | None] = mapped_column(JSONB)
    area_before_suppression: Mapped[float]
    area_after_suppression: Mapped[float]


class Classification(Base):
    """What a class of the model stands for in a session, and how many plants of it."""

    __tablename__ = "classifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    class_name: Mapped[str]
    container_type: Mapped[str]
    product_id: Mapped[int | None]
    product_state_id: Mapped[int | None]
    container_type_id: Mapped[int | None]
    product_conf: Mapped[float | None]
    total_detected: Mapped[int]
    total_estimated: Mapped[int]
    model_version: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class PhotoOverlap(Base):
    """Two photos of a session that show the same plants: the share of the one that both show."""

    __tablename__ = "photo_overlaps"

    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"), primary_key=True)
    other_image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"), primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    share: Mapped[float]


class PhotoComparison(Base):
    """That the photos of a session were compared with one another, and how many could be."""

    __tablename__ = "photo_comparisons"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("photo_processing_sessions.id"), primary_key=True
    )
    photos: Mapped[int]
    compared_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


def _total(row: PhotoSession | Photo | Container) -> int:
    said = row.total_reviewed
    return row.total_detected + row.total_estimated if said is None else said
