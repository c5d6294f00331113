"""Counting a session's photos again: a session and a run of their own over the same stored photos.

The files are not copied: the new rows refer to the same assets, which stay as long as any row does.
What is made of the photos anew goes to the new session's folder. A count made again leaves stock
alone, and keeps the place and product of the first.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.models import Photo, PhotoSession
from darkroom.counting.rerun.knobs import Json
from darkroom.counting.service import FIRST_STEP
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run

KEPT = (
    "user_id",
    "storage_location_id",
    "location_source",
    "location_distance_m",
    "storage_location_config_id",
    "expected_product_id",
    "expected_product_state_id",
    "expected_container_type_id",
    "ml_user_id",
)
SAME = (
    "position",
    "filename",
    "s3_bucket",
    "s3_key_original",
    "original_asset_id",
    "content_type",
    "file_size_bytes",
    "width",
    "height",
    "upload_source",
    "uploaded_by_user_id",
)


def again(session: Session, first: PhotoSession, settings: Json) -> UUID:
    """Create the run that counts the photos of a session with settings of its own."""
    name = uuid4()
    run = runs.create(
        session,
        pipeline="counting",
        title=_title(session, first),
        owner_id=first.user_id,
        params={"session_id": str(name)},
    )
    made = _session(session, first, name, run.id, settings)
    copies = [_copy(photo, made.id) for photo in photos_of(session, first)]
    session.add_all(copies)
    session.flush()
    made.original_image_id = copies[0].image_id
    runs.begin(session, run, Call(FIRST_STEP, "io", {"session_id": str(name)}, share=0.1))
    return run.id


def family(session: Session, of: PhotoSession) -> list[PhotoSession]:
    """The counts of the same photos, the first one first, then those made again in their order."""
    root = of.rerun_of_id or of.id
    query = (
        select(PhotoSession)
        .where((PhotoSession.id == root) | (PhotoSession.rerun_of_id == root))
        .order_by(PhotoSession.id)
    )
    return list(session.scalars(query))


def photos_of(session: Session, of: PhotoSession) -> Sequence[Photo]:
    """The photos of a session in order."""
    query = select(Photo).where(Photo.session_id == of.id).order_by(Photo.position)
    return session.scalars(query).all()


def _title(session: Session, first: PhotoSession) -> str:
    """The title of the first count, once more: not of the second's, if that is the one at hand."""
    title = session.get_one(Run, first.run_id).title
    return title if first.rerun_of_id else f"{title}, counted again"


def _session(
    session: Session, first: PhotoSession, name: UUID, run_id: UUID, settings: Json
) -> PhotoSession:
    made = PhotoSession(
        session_id=name,
        run_id=run_id,
        # Of the first, so that all counts of the photos are found from any of them.
        rerun_of_id=first.rerun_of_id or first.id,
        settings=settings,
        # It does not wait for a place that the first may still wait for.
        without_location=first.storage_location_id is None,
        **{field: getattr(first, field) for field in KEPT},
    )
    session.add(made)
    session.flush()
    return made


def _copy(photo: Photo, session_pk: int) -> Photo:
    return Photo(session_id=session_pk, **{field: getattr(photo, field) for field in SAME})
