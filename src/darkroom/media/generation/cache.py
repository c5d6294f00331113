"""Pictures that are kept: found by their key, made by one at a time, let go of by age and room.

    asked ──▶ there? ──▶ hit
                │ no
                ▼
    take ──▶ buy ──▶ keep (a miss)          whoever cannot take waits, and finds it there

The making of a picture is held by the attempt of a step: one that fails, is cancelled or dies with
its worker holds nothing any more, and the next one that asks goes on with what was bought already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session, aliased

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import NotNow
from darkroom.media.generation import sandboxed
from darkroom.media.generation.models import KeptPicture
from darkroom.media.generation.parameters import Parameters
from darkroom.media.models import JSON
from darkroom.media.receiving import SUFFIXES
from darkroom.media.requests import Made
from darkroom.storage import assets
from darkroom.storage.assets import Asset, StoredFile

Json = dict[str, Any]

WAITING = "picture"
"""What steps wait for (`steps.waiting_kind`) while another makes the same picture."""
A_MOMENT = timedelta(seconds=5)
"""After which they look whether it came to nothing; when it is made they are called."""


@dataclass(frozen=True)
class Flight:
    """The right to make a picture. `name` names what is bought: another only after a bad answer."""

    id: UUID
    key: str
    attempt_id: int
    rejected: int

    @property
    def name(self) -> str:
        """Of what is bought and stored; never used again for another picture."""
        return f"picture-{self.id}-{self.rejected}"


@dataclass(frozen=True)
class Taken:
    """A picture just made, in the store and without rows yet, and who made it."""

    picture: StoredFile
    thumbnail: StoredFile
    made_by: Json


@dataclass(frozen=True)
class Kept:
    """A picture that is there, as a request gets it."""

    wish: Parameters
    picture: StoredFile
    thumbnail: StoredFile
    made_by: Json

    @property
    def engine(self) -> str:
        """The model that made it."""
        return str(self.made_by["model"])

    @property
    def files(self) -> Sequence[Made]:
        """The files of a request that it answers."""
        name = f"{self.wish.stem}.{SUFFIXES[self.picture.mime]}"
        return Made("result", self.picture, name), Made("thumbnail", self.thumbnail)

    def result(self, *, cached: bool) -> Json:
        """What the answer says beside its files."""
        asked = {**self.wish.as_json, **self.made_by, "cached": cached, "cache_key": self.wish.key}
        size = {"width": self.picture.width, "height": self.picture.height}
        return {**asked, **size, **sandboxed.note(is_sandbox=self.made_by["is_sandbox"])}


@dataclass(frozen=True)
class Freed:
    """How many pictures were let go of, and their bytes."""

    removed: int
    freed_bytes: int


def find(session: Session, key: str) -> Kept | None:
    """The picture of a key, if it is there; counts nothing."""
    picture, thumbnail = aliased(Asset), aliased(Asset)
    query = (
        select(KeptPicture, picture, thumbnail)
        .join(picture, picture.id == KeptPicture.asset_id)
        .join(thumbnail, thumbnail.id == KeptPicture.thumbnail_id)
    )
    found = session.execute(query.where(KeptPicture.key == key)).first()
    if found is None:
        return None
    row, large, small = found
    return Kept(Parameters(**row.asked), _stored(large), _stored(small), row.made_by)


def hit(session: Session, key: str) -> Kept | None:
    """The picture of a key, if it is there, counted as used; it stays until the caller commits."""
    if session.execute(statement("media/hit_picture"), {"key": key}).first() is None:
        return None
    return find(session, key)


def take(database: Database, wish: Parameters, attempt_id: int) -> Flight | None:
    """The right to make a picture; None when it is made, or being made."""
    asked = {"key": wish.key, "asked": wish.as_json, "attempt_id": attempt_id}
    taking = statement("media/take_flight").bindparams(bindparam("asked", type_=JSON))
    with database.session() as session:
        row = session.execute(taking, asked).first()
    return None if row is None else Flight(row.id, wish.key, attempt_id, row.rejected)


def reject(database: Database, flight: Flight) -> None:
    """Note that what was bought is of no use, so that the next try buys another."""
    with database.session() as session:
        asked = {"id": flight.id, "attempt_id": flight.attempt_id}
        session.execute(statement("media/reject_picture"), asked)


def keep(session: Session, flight: Flight, owner_id: int, taken: Taken) -> Kept:
    """Keep a picture that was made, and call those who wait for it."""
    row = session.get_one(KeptPicture, flight.id, with_for_update=True)
    picture = assets.record(session, owner_id, taken.picture)
    thumbnail = assets.record(session, owner_id, taken.thumbnail)
    row.asset_id, row.thumbnail_id = picture.id, thumbnail.id
    row.size_bytes = taken.picture.size + taken.thumbnail.size
    row.made_by, row.used_at = taken.made_by, func.now()
    session.flush()
    session.execute(statement("media/wake_for_picture"), {"kind": WAITING, "key": flight.key})
    return Kept(Parameters(**row.asked), taken.picture, taken.thumbnail, taken.made_by)


def not_yet(session: Session, key: str) -> NotNow:
    """What a step raises that waits for a picture."""
    until: datetime = session.execute(select(func.clock_timestamp())).scalar_one() + A_MOMENT
    return NotNow("the same picture is being made already", until, kind=WAITING, on=key)


def forget(session: Session, key: str) -> None:
    """Let go of a picture whose file is gone."""
    made = KeptPicture.asset_id.is_not(None)
    session.execute(delete(KeptPicture).where(KeptPicture.key == key, made))


def clear(session: Session, age: timedelta) -> Freed:
    """Let go of pictures that nobody asked for in so long; histories that show them keep them."""
    asked = {"seconds": age.total_seconds()}
    return Freed(*session.execute(statement("media/clear_pictures"), asked).one())


def trim(session: Session, most_bytes: int) -> Freed:
    """Let go of those asked for longest ago, until the others fit into so many bytes."""
    return Freed(
        *session.execute(statement("media/trim_pictures"), {"most_bytes": most_bytes}).one()
    )


def count_old(session: Session, age: timedelta) -> int:
    """How many pictures `clear` would let go of."""
    asked = {"seconds": age.total_seconds()}
    return int(session.execute(statement("media/count_old_pictures"), asked).scalar_one())


def stats(session: Session) -> Json:
    """How many pictures are kept, what they take, and what they spared."""
    return dict(session.execute(statement("media/picture_stats")).mappings().one())


def _stored(asset: Asset) -> StoredFile:
    return StoredFile(
        asset.sha256,
        asset.size_bytes,
        asset.mime,
        asset.width,
        asset.height,
        asset.storage_key,
        asset.bucket,
    )
