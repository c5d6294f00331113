"""Two counts of the same photos beside each other: figures, containers, settings and times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.counting.models import Container, Photo, PhotoSession
from darkroom.counting.rerun import knobs, matching, service
from darkroom.counting.rerun.knobs import Json
from darkroom.errors import Conflict
from darkroom.queue.models import Attempt, Run, StepRow
from darkroom.settings import CountingSettings

DETECT = "counting.detect"


@dataclass(frozen=True)
class Figures:
    """A sum of containers: whole plants, the two figures, and the ends of the 80 % interval."""

    detected: int
    estimated: int
    unbiased: float
    buffered: float
    low: float | None
    high: float | None

    @property
    def total(self) -> int:
        """Plants in all, as counted."""
        return self.detected + self.estimated


@dataclass(frozen=True)
class Row:
    """A container in either count; None in one that did not find it."""

    one: Container | None
    other: Container | None

    @property
    def difference(self) -> int | None:
        """How many more the other counted in it."""
        if self.one is None or self.other is None:
            return None
        return counted(self.other) - counted(self.one)


@dataclass(frozen=True)
class Sheet:
    """A photo in both counts."""

    one: Photo
    other: Photo
    rows: list[Row]

    @property
    def difference(self) -> int:
        """How many more the other counted on it."""
        return counted(self.other) - counted(self.one)


@dataclass(frozen=True)
class Times:
    """Seconds: from the start of the run to the count, and what its detections took in all."""

    to_count: float | None
    detecting: float | None


@dataclass(frozen=True)
class Side:
    """One of the two counts."""

    session: PhotoSession
    run: Run
    figures: Figures
    settings: Json
    times: Times


@dataclass(frozen=True)
class Beside:
    """Both counts, photo by photo."""

    one: Side
    other: Side
    sheets: list[Sheet]

    @property
    def difference(self) -> int:
        """How many more plants the other counted."""
        return self.other.figures.total - self.one.figures.total

    @property
    def differing(self) -> list[str]:
        """The settings that differ."""
        return [
            name for name, value in self.one.settings.items() if self.other.settings[name] != value
        ]


def beside(
    session: Session, one: PhotoSession, other: PhotoSession, base: CountingSettings
) -> Beside:
    """Put two counts beside each other.

    Raises
    ------
    Conflict
        When they are not of the same photos.
    """
    photos, others = service.photos_of(session, one), service.photos_of(session, other)
    if [row.original_asset_id for row in photos] != [row.original_asset_id for row in others]:
        raise Conflict("These two counts are not of the same photos.")
    containers, facing = _containers(session, one), _containers(session, other)
    return Beside(
        one=_side(session, one, containers, base),
        other=_side(session, other, facing, base),
        sheets=[
            Sheet(row, match, _rows(_on(row, containers), _on(match, facing)))
            for row, match in zip(photos, others, strict=True)
        ],
    )


def counted(row: Container | Photo) -> int:
    """What the models said; corrections are of one of the counts only."""
    return row.total_detected + row.total_estimated


def _side(
    session: Session,
    photos: PhotoSession,
    containers: Sequence[Container],
    base: CountingSettings,
) -> Side:
    run = session.get_one(Run, photos.run_id)
    return Side(
        session=photos,
        run=run,
        figures=_figures(photos, containers),
        settings=knobs.in_use(knobs.applied(base, photos.settings)),
        times=Times(_seconds(run.started_at, photos.counted_at), _detecting(session, run.id)),
    )


def _figures(photos: PhotoSession, containers: Sequence[Container]) -> Figures:
    return Figures(
        detected=sum(row.total_detected for row in containers),
        estimated=sum(row.total_estimated for row in containers),
        unbiased=sum(row.total_unbiased for row in containers),
        buffered=sum(row.total_buffered for row in containers),
        low=photos.interval_low,
        high=photos.interval_high,
    )


def _containers(session: Session, photos: PhotoSession) -> Sequence[Container]:
    query = select(Container).where(Container.session_id == photos.id).order_by(Container.number)
    return session.scalars(query).all()


def _on(photo: Photo, containers: Sequence[Container]) -> list[Container]:
    return [row for row in containers if row.image_id == photo.image_id]


def _rows(one: Sequence[Container], other: Sequence[Container]) -> list[Row]:
    found = matching.pairs([row.polygon for row in one], [row.polygon for row in other])
    return [
        Row(
            None if place is None else one[place],
            None if there is None else other[there],
        )
        for place, there in found
    ]


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def _detecting(session: Session, run_id: UUID) -> float | None:
    """Seconds that the detections took together; None once their steps were cleaned up."""
    took = func.sum(func.extract("epoch", Attempt.finished_at - Attempt.started_at))
    query = (
        select(took)
        .join(StepRow, StepRow.job_id == Attempt.job_id)
        .where(StepRow.run_id == run_id, StepRow.name == DETECT, Attempt.outcome == "succeeded")
    )
    found = session.scalar(query)
    return None if found is None else float(found)
