"""What the steps that make variants read and write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Permanent
from darkroom.providers.buying import Bought
from darkroom.queue.task import Lease
from darkroom.storage.assets import Asset
from darkroom.variants import analysis, anchors, deposits, prompts
from darkroom.variants.analysis import Analysis
from darkroom.variants.anchors import Anchor
from darkroom.variants.models import Generation, Upload
from darkroom.variants.slots import Look, Slot

Json = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A photo that is to be looked at, and what was seen in it if somebody looked before."""

    upload_id: UUID
    owner_id: int
    asset_id: UUID
    mime: str
    has_thumbnail: bool
    analysis: Analysis | None


@dataclass(frozen=True)
class Order:
    """A variant to be made. `answer_key` names what is bought: another only after a bad answer."""

    generation_id: UUID
    upload_id: UUID
    owner_id: int
    asset_id: UUID
    mime: str
    variant: str
    provider: str | None
    prompt: str
    temperature: float
    seed: int
    anchors: tuple[Anchor, ...]
    answer_key: str


@dataclass(frozen=True)
class Made:
    """A variant as it is stored: as it came, and reduced and marked; and how the anchors held."""

    clean: Asset
    preview: Asset
    checks: list[Json]


def shown(database: Database, upload_id: UUID) -> Shown | None:
    """The photo; None when it was deleted."""
    with database.session() as session:
        upload = session.get(Upload, upload_id)
        if upload is None:
            return None
        asset = session.get_one(Asset, upload.asset_id)
        seen = None if upload.analysis is None else analysis.read(upload.analysis)
        has_thumbnail = upload.thumbnail_id is not None
        return Shown(upload.id, upload.owner_id, asset.id, asset.mime, has_thumbnail, seen)


def seen(session: Session, upload_id: UUID, found: Analysis) -> None:
    """Keep what was seen in a photo, for good."""
    upload = session.get_one(Upload, upload_id)
    upload.analysis, upload.analysed_at = found.as_json, func.clock_timestamp()


def thumbnail(session: Session, upload_id: UUID, asset: Asset) -> None:
    """Keep the reduced photo that lists show."""
    session.get_one(Upload, upload_id).thumbnail_id = asset.id


def waiting(session: Session, run_id: UUID) -> Sequence[Generation]:
    """The variants that a run is to make and has not begun."""
    query = select(Generation).where(Generation.run_id == run_id, Generation.status == "pending")
    return session.scalars(query.order_by(Generation.slot).with_for_update()).all()


def load(database: Database, generation_id: UUID, run_id: UUID, at_start: int) -> Order | None:
    """What a run is to make; None when it is over, is made by another run, or nobody wants it now.

    A variant that failed, and is tried again, has what its preview takes set aside once more.

    Raises
    ------
    Permanent
        When the photo was never looked at.
    NotEnough
        When the tokens do not reach any more.
    """
    with database.session() as session:
        found = session.get(Generation, generation_id, with_for_update=True)
        if found is None or not _is_wanted(found, run_id):
            return None
        upload = session.get_one(Upload, found.upload_id)
        deposits.renew(session, upload.owner_id, found, at_start)
        return _order(session, found, upload)


def ended(session: Session, run_id: UUID) -> tuple[int, int]:
    """How many variants of a run were made, and how many failed that are still wanted."""
    of_run = select(Generation.status, Generation.discarded_at).where(Generation.run_id == run_id)
    rows = session.execute(of_run).all()
    made = sum(row.status == "completed" for row in rows)
    failed = sum(row.status == "failed" and row.discarded_at is None for row in rows)
    return made, failed


def begin(database: Database, order: Order, lease: Lease) -> None:
    """Mark the variant as being made, with the prompt it is made by."""
    _mark(database, "begin", order, lease, prompt=order.prompt)


def put_back(
    database: Database, order: Order, lease: Lease, message: str, *, rejected: bool = False
) -> None:
    """Mark the variant as waiting again; `rejected` when its answer is not to be used."""
    _mark(database, "put_back", order, lease, message=message, rejected=int(rejected))


def finish(session: Session, order: Order, made: Made, bought: Bought) -> None:
    """Mark the variant as made."""
    found = session.get_one(Generation, order.generation_id)
    found.asset_id, found.preview_id = made.clean.id, made.preview.id
    found.checks = made.checks
    found.made_by, found.model = bought.provider, bought.model
    found.cost, found.is_sandbox = bought.cost, bought.is_sandbox
    found.status, found.error = "completed", None
    found.completed_at = func.clock_timestamp()
    session.flush()


def slot_of(found: Generation) -> Slot:
    """The slot that a variant was made for, as it was then."""
    kept = anchors.parse(found.smart_anchors, "smart_anchors")
    look = None
    if found.preset is not None:
        about = found.preset
        look = Look(
            UUID(about["id"]), about["name"], about["prompt"], found.temperature, found.seed, kept
        )
    return Slot(found.slot, found.type, found.variant, look, found.provider, kept)


def _is_wanted(found: Generation, run_id: UUID) -> bool:
    is_open = found.status in ("pending", "generating")
    return is_open and found.discarded_at is None and found.run_id == run_id


def _order(session: Session, found: Generation, upload: Upload) -> Order:
    if upload.analysis is None:
        raise Permanent("The photo was not analysed. Try this variant again.")
    asset = session.get_one(Asset, upload.asset_id)
    slot = slot_of(found)
    return Order(
        found.id,
        upload.id,
        upload.owner_id,
        asset.id,
        asset.mime,
        found.variant,
        found.provider,
        prompts.compiled(slot, analysis.read(upload.analysis)),
        found.temperature,
        found.seed,
        slot.anchors,
        f"variant-{found.id}-{found.rejected}",
    )


def _mark(database: Database, how: str, order: Order, lease: Lease, **values: Any) -> None:
    asked = {"generation_id": order.generation_id, "attempt_id": lease.attempt_id, **values}
    with database.session() as session:
        session.execute(statement(f"variants/{how}"), asked)
