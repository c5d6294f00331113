"""Assets: what is known of each stored file, and the two halves of storing one.

`put` moves the bytes and needs no database; `record` writes the row and touches no file. So no
transaction is open while a file is on its way. A crash between the two leaves a file without a
row, which the next try writes again under the same key, or `sweeping` removes. A row that no other
table refers to is swept, too: `record` an asset in the transaction that makes use of it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from darkroom.db.sessions import Base
from darkroom.storage.store import Store

SERVER = FetchedValue()


class Asset(Base):
    """A stored file of one owner (the table is made by `sql/migrations/0003_assets.sql`)."""

    __tablename__ = "assets"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    owner_id: Mapped[int]
    sha256: Mapped[str]
    mime: Mapped[str]
    size_bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    bucket: Mapped[str]
    storage_key: Mapped[str]
    derived_from: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=SERVER)


@dataclass(frozen=True)
class StoredFile:
    """A file that lies in a store and has no row yet. Width and height are None for non-images."""

    sha256: str
    size: int
    mime: str
    width: int | None
    height: int | None
    key: str
    bucket: str


def put(
    store: Store,
    path: Path,
    *,
    mime: str,
    key: str | None = None,
    pixels: tuple[int, int] | None = None,
) -> StoredFile:
    """Put a file into the store. Call it outside of any transaction.

    Parameters
    ----------
    key
        Where it goes; what was there is replaced. Without one the file goes under its content's
        hash (`assets/ab/<sha256>`), and one that is there already is not sent again.
    pixels
        Width and height as shown, for images.
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    chosen = key or f"assets/{sha256[:2]}/{sha256}"
    if key is not None or not store.keeps(chosen):
        store.put(chosen, path, mime)
    width, height = pixels or (None, None)
    return StoredFile(sha256, path.stat().st_size, mime, width, height, chosen, store.bucket)


def record(
    session: Session, owner_id: int, stored: StoredFile, derived_from: UUID | None = None
) -> Asset:
    """Write the row of a stored file; the owner's row of the same key is brought up to date."""
    values = {
        "sha256": stored.sha256,
        "mime": stored.mime,
        "size_bytes": stored.size,
        "width": stored.width,
        "height": stored.height,
        "derived_from": derived_from,
    }
    place = {"owner_id": owner_id, "bucket": stored.bucket, "storage_key": stored.key}
    written = (
        insert(Asset)
        .values(**values, **place)
        .on_conflict_do_update(index_elements=list(place), set_=values)
        .returning(Asset)
    )
    return session.scalars(written, execution_options={"populate_existing": True}).one()


def fresh(owner_id: int, stored: StoredFile) -> Asset:
    """The row of a file whose key is new, for the session to add: many are written at once."""
    return Asset(
        owner_id=owner_id,
        bucket=stored.bucket,
        storage_key=stored.key,
        sha256=stored.sha256,
        mime=stored.mime,
        size_bytes=stored.size,
        width=stored.width,
        height=stored.height,
    )


def find(session: Session, bucket: str, key: str) -> Asset | None:
    """An asset of that key: what a link to the file needs to know (its mime type)."""
    at_key = select(Asset).where(Asset.bucket == bucket, Asset.storage_key == key)
    return session.scalars(at_key.order_by(Asset.created_at).limit(1)).first()
