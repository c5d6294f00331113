"""What became of a count: the batch it was entered as, or why it was not."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.models import PhotoSession
from darkroom.counting.stock import reading, service
from darkroom.counting.stock.reading import BatchRow


@dataclass(frozen=True)
class Outcome:
    """The batch of a count; without one, what keeps it out of the stock (see `service.why_not`)."""

    batch: BatchRow | None
    why_not: str | None


def of_count(session: Session, photos: PhotoSession) -> Outcome | None:
    """What became of a session's count; None while it is not counted."""
    if photos.counted_at is None:
        return None
    found = service.batch_of(session, photos)
    if found is None:
        return Outcome(None, service.why_not(photos))
    return Outcome(reading.batch(session, found.id), None)


def as_json(session: Session, run_id: UUID) -> dict[str, Any] | None:
    """What became of a run's count, for programs: its batch or why there is none."""
    query = select(PhotoSession).where(PhotoSession.run_id == run_id)
    found = of_count(session, session.scalars(query).one())
    if found is None:
        return None
    batch = found.batch
    return {
        "batch_id": batch.id if batch else None,
        "batch_code": batch.batch_code if batch else None,
        "why_not": found.why_not,
    }
