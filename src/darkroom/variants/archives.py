"""Archives: photos with what was made of them, as their owner sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from darkroom.queue.models import Run
from darkroom.storage.assets import Asset
from darkroom.variants import shooting
from darkroom.variants.models import Generation, Unlock, Upload

Row = TypeVar("Row", Run, Asset)
State = Literal["processing", "ready", "failed", "unlocking", "unlocked"]


@dataclass(frozen=True)
class Variant:
    """A variant with the keys of what may be shown of it; `final` only once it is unlocked."""

    row: Generation
    preview: str | None
    final: Asset | None


@dataclass(frozen=True)
class Archive:
    """A photo with its variants.

    `run` makes its variants, or made them; `unlock` is its newest try to unlock one.
    """

    upload: Upload
    photo: Asset
    thumbnail: str | None
    variants: Sequence[Variant]
    run: Run | None
    unlock: Unlock | None

    @property
    def state(self) -> State:
        """What a person can do with it now."""
        if (
            self.unlock is not None
            and self.unlock.completed_at is None
            and not self.unlock.ended_at
        ):
            return "unlocking"
        if any(each.row.unlocked_at for each in self.variants):
            return "unlocked"
        statuses = {each.row.status for each in self.variants}
        if statuses & {"pending", "generating"}:
            return "processing"
        return "ready" if "completed" in statuses else "failed"

    @property
    def unlocked(self) -> Variant | None:
        """The variant that was unlocked."""
        return next((each for each in self.variants if each.row.unlocked_at), None)

    @property
    def shown(self) -> Sequence[Variant]:
        """What is there to choose from, or was chosen."""
        return [each for each in self.variants if each.row.discarded_at is None]


def page(
    session: Session,
    owner_id: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 24,
) -> Sequence[Archive]:
    """A person's photos, newest first; `before` is the (created_at, id) of the last one seen."""
    query = select(Upload).where(Upload.owner_id == owner_id)
    if before is not None:
        query = query.where(tuple_(Upload.created_at, Upload.id) < tuple_(*before))
    newest = query.order_by(Upload.created_at.desc(), Upload.id.desc()).limit(limit)
    return _archives(session, session.scalars(newest).all())


def one(session: Session, owner_id: int | None, upload_id: UUID) -> Archive:
    """A person's photo (None: anybody's); `NotFound` for any other."""
    [found] = _archives(session, [shooting.of(session, owner_id, upload_id)])
    return found


def _archives(session: Session, uploads: Sequence[Upload]) -> Sequence[Archive]:
    ids = [upload.id for upload in uploads]
    rows = session.scalars(
        select(Generation).where(Generation.upload_id.in_(ids)).order_by(Generation.slot)
    ).all()
    files = _files(session, uploads, rows)
    made = _by_id(session, Run, [upload.run_id for upload in uploads])
    unlocks = {
        unlock.upload_id: unlock
        for unlock in session.scalars(
            select(Unlock).where(Unlock.upload_id.in_(ids)).order_by(Unlock.created_at)
        )
    }
    return [
        Archive(
            upload,
            files[upload.asset_id],
            _key(files, upload.thumbnail_id),
            [_variant(row, files) for row in rows if row.upload_id == upload.id],
            made.get(upload.run_id),
            unlocks.get(upload.id),
        )
        for upload in uploads
    ]


def _files(
    session: Session, uploads: Sequence[Upload], rows: Sequence[Generation]
) -> dict[UUID | None, Asset]:
    wanted = [file for upload in uploads for file in (upload.asset_id, upload.thumbnail_id)]
    shown = [file for row in rows for file in (row.preview_id, row.final_id)]
    return _by_id(session, Asset, [*wanted, *shown])


def _by_id(session: Session, kind: type[Row], ids: Sequence[UUID | None]) -> dict[UUID | None, Row]:
    query = select(kind).where(kind.id.in_([each for each in ids if each is not None]))
    return {row.id: row for row in session.scalars(query)}


def _variant(row: Generation, files: dict[UUID | None, Asset]) -> Variant:
    final = files.get(row.final_id) if row.unlocked_at is not None else None
    return Variant(row, _key(files, row.preview_id), final)


def _key(files: dict[UUID | None, Asset], asset_id: UUID | None) -> str | None:
    found = files.get(asset_id)
    return found.storage_key if found is not None else None
