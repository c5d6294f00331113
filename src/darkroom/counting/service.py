"""Receiving photos: checked, stored, and queued to be counted in one transaction."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from darkroom.counting.models import Photo, PhotoSession
from darkroom.counting.places import locations
from darkroom.db.sessions import Database
from darkroom.errors import DarkroomError, Invalid, Transient
from darkroom.gated.uploads import storing
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.settings import Settings
from darkroom.storage import assets, images, uploads
from darkroom.storage.assets import StoredFile
from darkroom.storage.images import ImageInfo
from darkroom.storage.store import Store
from darkroom.storage.uploads import Incoming, Upload

log = logging.getLogger(__name__)

FIRST_STEP = "counting.ingest"
FIELD = "file"
SUFFIXES = {images.JPEG: "jpg", images.PNG: "png", images.WEBP: "webp"}


@dataclass(frozen=True)
class Submitted:
    """What the caller is told: the run to follow and the session it will fill."""

    run_id: UUID
    session_id: UUID


@dataclass(frozen=True)
class Checked:
    """One photo that passed the checks, on its way into the store."""

    upload: Upload
    info: ImageInfo


@dataclass(frozen=True)
class Received:
    """One photo in the store, without a row yet."""

    filename: str
    info: ImageInfo
    stored: StoredFile


class CountingService:
    """Takes photos in and starts runs that count them."""

    def __init__(self, settings: Settings, database: Database, store: Store) -> None:
        self._settings = settings
        self._database = database
        self._store = store

    def receive(
        self,
        files: Sequence[Incoming],
        user_id: int,
        source: str = "web",
        keep: Callable[[Session, UUID], None] | None = None,
        location: str | None = None,
    ) -> Submitted:
        """Check and store the photos, then create their session and run.

        All files are checked before the first is stored; nothing is kept of a refused request.

        Parameters
        ----------
        keep
            Called with the run's id in the transaction that creates it.
        location
            Number or code of the location that the photos show; None or empty to find it by GPS.

        Raises
        ------
        Invalid
            Naming the file and what is wrong with it, or the location that is not to be had.
        Transient
            When the storage is away; nothing is kept then, either.
        """
        if not files:
            raise Invalid(
                f"No photo was sent: attach at least one as “{FIELD}”.", FIELD, code="missing"
            )
        if len(files) > self._settings.max_photos:
            limit = self._settings.max_photos
            raise Invalid(f"{len(files)} photos at once; at most {limit} are taken.", FIELD)
        location_id = self._location(location)
        session_id = uuid4()
        with ExitStack() as stack:
            checked = [self._checked(stack, file) for file in files]
            received = self._all_stored(session_id, checked)
        with self._database.session() as session:
            run_id = _create(session, session_id, received, user_id, source, location_id)
            if keep is not None:
                keep(session, run_id)
        return Submitted(run_id, session_id)

    def _location(self, given: str | None) -> int | None:
        if not given:
            return None
        with self._database.session() as session:
            return locations.given(session, given).id

    def _checked(self, stack: ExitStack, file: Incoming) -> Checked:
        settings = self._settings
        # 400 and not 413: clients of the seed system know no other.
        incoming = uploads.received(
            file, settings.temp_dir, max_bytes=settings.max_upload_bytes, field=FIELD, status=400
        )
        upload = stack.enter_context(incoming)
        info = images.inspect(
            upload.path,
            upload.filename,
            allowed=images.PHOTOS,
            max_pixels=settings.max_pixels,
            field=FIELD,
        )
        return Checked(upload, info)

    def _all_stored(self, session_id: UUID, photos: Sequence[Checked]) -> list[Received]:
        """All photos in the store, or none."""
        received: list[Received] = []
        try:
            with storing(self._database, self._settings.gates.breaker):
                for number, photo in enumerate(photos, start=1):
                    received.append(self._stored(session_id, number, photo))
        except Transient:
            self._forget(received)
            raise
        return received

    def _forget(self, received: Sequence[Received]) -> None:
        for photo in received:
            try:
                self._store.delete(photo.stored.key)
            except DarkroomError:
                # Nothing refers to it: the sweep of orphans finds it.
                log.warning("%s stays stored for now", photo.stored.key)

    def _stored(self, session_id: UUID, number: int, photo: Checked) -> Received:
        stored = assets.put(
            self._store,
            photo.upload.path,
            mime=photo.info.mime,
            key=f"{folder(session_id, number)}/original.{SUFFIXES[photo.info.mime]}",
            pixels=(photo.info.width, photo.info.height),
        )
        return Received(photo.upload.filename, photo.info, stored)


def folder(session_id: UUID, number: int) -> str:
    """Where the files of a session's photo lie: the first in the session's own folder."""
    base = f"uploads/{session_id}"
    return base if number == 1 else f"{base}/{number}"


def _create(
    session: Session,
    session_id: UUID,
    received: Sequence[Received],
    user_id: int,
    source: str,
    location_id: int | None,
) -> UUID:
    title = received[0].filename if len(received) == 1 else f"{len(received)} photos"
    run = runs.create(
        session,
        pipeline="counting",
        title=title,
        owner_id=user_id,
        params={"session_id": str(session_id)},
    )
    photos = PhotoSession(
        session_id=session_id,
        run_id=run.id,
        user_id=user_id,
        storage_location_id=location_id,
        location_source=None if location_id is None else "given",
    )
    session.add(photos)
    session.flush()
    rows = [
        _photo(session, photos, number, photo, user_id, source)
        for number, photo in enumerate(received, start=1)
    ]
    session.add_all(rows)
    session.flush()
    photos.original_image_id = rows[0].image_id
    runs.begin(session, run, Call(FIRST_STEP, "io", {"session_id": str(session_id)}, share=0.1))
    return run.id


def _photo(
    session: Session, photos: PhotoSession, number: int, photo: Received, user_id: int, source: str
) -> Photo:
    asset = assets.record(session, user_id, photo.stored)
    return Photo(
        session_id=photos.id,
        position=number,
        filename=photo.filename,
        s3_bucket=photo.stored.bucket,
        s3_key_original=photo.stored.key,
        original_asset_id=asset.id,
        content_type=photo.info.mime,
        file_size_bytes=photo.stored.size,
        width=photo.info.width,
        height=photo.info.height,
        upload_source=source,
        uploaded_by_user_id=user_id,
    )
