"""Which photos of a session show the same plants: the rows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from darkroom.counting.models import Photo, PhotoComparison, PhotoOverlap


@dataclass(frozen=True)
class Pair:
    """Two photos that show the same plants, and the share of each that the other shows."""

    image_id: UUID
    other_image_id: UUID
    share: float
    other_share: float


@dataclass(frozen=True)
class Shared:
    """The share of a photo that another of its session, named by its position, shows too."""

    image_id: UUID
    other_image_id: UUID
    position: int
    other_position: int
    share: float


def write(session: Session, session_pk: int, photos: int, found: Sequence[Pair]) -> None:
    """Replace what is known of a session, `photos` of whose photos were compared."""
    session.execute(delete(PhotoOverlap).where(PhotoOverlap.session_id == session_pk))
    for pair in found:
        session.add(_row(session_pk, pair.image_id, pair.other_image_id, pair.share))
        session.add(_row(session_pk, pair.other_image_id, pair.image_id, pair.other_share))
    compared = insert(PhotoComparison).values(session_id=session_pk, photos=photos)
    session.execute(
        compared.on_conflict_do_update(index_elements=["session_id"], set_={"photos": photos})
    )


def of_session(session: Session, session_pk: int) -> list[Shared]:
    """Every photo's share with every other, in the order of the photos."""
    one, other = aliased(Photo), aliased(Photo)
    query = (
        select(
            PhotoOverlap.image_id,
            PhotoOverlap.other_image_id,
            one.position,
            other.position,
            PhotoOverlap.share,
        )
        .join(one, one.image_id == PhotoOverlap.image_id)
        .join(other, other.image_id == PhotoOverlap.other_image_id)
        .where(PhotoOverlap.session_id == session_pk)
        .order_by(one.position, other.position)
    )
    return [Shared(*row) for row in session.execute(query)]


def twice(shared: Sequence[Shared]) -> list[Shared]:
    """Every pair once: of its two photos the one that shows more of the other, largest first."""
    larger: dict[frozenset[UUID], Shared] = {}
    for one in shared:
        pair = frozenset((one.image_id, one.other_image_id))
        if pair not in larger or one.share > larger[pair].share:
            larger[pair] = one
    return sorted(larger.values(), key=lambda one: -one.share)


def compared(session: Session, session_pk: int) -> int | None:
    """How many photos of the session were compared; None where that was not done."""
    return session.scalar(
        select(PhotoComparison.photos).where(PhotoComparison.session_id == session_pk)
    )


def _row(session_pk: int, image_id: UUID, other_image_id: UUID, share: float) -> PhotoOverlap:
    return PhotoOverlap(
        session_id=session_pk,
        image_id=image_id,
        other_image_id=other_image_id,
        # Rounding may carry a whole photo past its edge.
        share=min(share, 1.0),
    )
