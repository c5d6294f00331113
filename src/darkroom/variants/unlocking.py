"""Unlocking a variant: its price set aside, the work done, and paid when it is handed over.

    begin ──▶ reserve ──▶ mend ──▶ (enlarge) ──▶ deliver: capture, discard the others
                 └─ the run fails or is cancelled: released, by a trigger of the runs

Two clicks, two tabs, a retry or a killed worker pay once: there is one open unlock an upload (by
index), one reservation and one capture a purpose (by the ledger), and one transaction ends it all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.accounts import ledger
from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotEnough, NotFound
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.settings import TokenSettings
from darkroom.storage.assets import Asset
from darkroom.variants import shooting
from darkroom.variants.models import Generation, Unlock, Upload
from darkroom.web.idempotency import Keep
from darkroom.web.words import N_

Json = dict[str, Any]

MEND = "variants.mend"
UNLOCK, UPSCALE = "unlock", "upscale"
NO_VARIANT = N_("There is no such variant.")


@dataclass(frozen=True)
class Wanted:
    """An unlock that is going on, as its steps need it.

    `clean_id` is the variant as it came, `base_id` what is to be enlarged: mended, or as it came.
    """

    unlock_id: UUID
    upload_id: UUID
    generation_id: UUID
    owner_id: int
    photo_id: UUID
    clean_id: UUID
    base_id: UUID
    mime: str
    with_upscale: bool

    def key(self, name: str) -> str:
        """Where a file of this unlock goes, without its type."""
        return f"variants/{self.upload_id}/unlock-{self.unlock_id}/{name}"


def prices(settings: TokenSettings, *, with_upscale: bool) -> dict[str, int]:
    """What an unlock takes, in tokens, by what they are for."""
    wanted = (UNLOCK, UPSCALE) if with_upscale else (UNLOCK,)
    return {purpose: settings.prices.get(purpose, 0) for purpose in wanted}


def begin(
    session: Session,
    settings: TokenSettings,
    user: User,
    generation_id: UUID,
    *,
    with_upscale: bool,
    keep: Keep,
) -> UUID:
    """Set the price aside and start the run that unlocks a variant; answers the run's id.

    Asked again while it goes on, or once it is done, that is the run there is: nothing is paid
    twice. An upload that was unlocked may be enlarged later, for the price of that.

    Raises
    ------
    NotFound
        When the variant is not the person's.
    Conflict
        When it is not ready, was discarded, or another one of its upload is unlocked.
    NotEnough
        When the tokens do not reach; nothing has happened then.
    """
    found = _locked(session, user, generation_id)
    before = _same(session, found, with_upscale)
    if before is not None:
        keep(session, before)
        return before
    _insist_ready(session, found)
    price = prices(settings, with_upscale=with_upscale)
    upload = session.get_one(Upload, found.upload_id)
    run = _run(session, upload, found, user.id)
    _reserve(session, settings.at_start, user.id, upload.id, price, run.id)
    _begin(session, run, found, with_upscale, price)
    keep(session, run.id)
    return run.id


def _begin(
    session: Session, run: Run, found: Generation, with_upscale: bool, price: dict[str, int]
) -> None:
    unlock = Unlock(
        upload_id=found.upload_id,
        generation_id=found.id,
        run_id=run.id,
        with_upscale=with_upscale,
        prices=price,
    )
    session.add(unlock)
    session.flush()
    args = {"unlock_id": str(unlock.id)}
    runs.begin(session, run, Call(MEND, "cpu", args, share=0.2 if with_upscale else 1.0))


def load(database: Database, unlock_id: UUID, at_start: int) -> Wanted | None:
    """What is to be done; None when it, or one like it, is done, or its upload was deleted.

    An unlock whose run had failed, and is tried again, has its price set aside once more.

    Raises
    ------
    Conflict
        When another unlock of the upload goes on by now.
    NotEnough
        When the tokens do not reach any more.
    """
    with database.session() as session:
        unlock = session.get(Unlock, unlock_id, with_for_update=True)
        if unlock is None or unlock.completed_at is not None:
            return None
        found = session.get_one(Generation, unlock.generation_id)
        upload = session.get_one(Upload, unlock.upload_id)
        if unlock.ended_at is not None and not _reopen(session, unlock, upload, at_start):
            return None
        return _wanted(session, unlock, found, upload)


def keep_mended(session: Session, wanted: Wanted, mended: Asset | None, report: Json) -> None:
    """Keep the variant with its texts put right (None: there was nothing to put right)."""
    unlock = session.get_one(Unlock, wanted.unlock_id)
    unlock.mended_id = mended.id if mended is not None else None
    unlock.report = {**unlock.report, "texts": report}
    session.get_one(Generation, wanted.generation_id).final_id = unlock.mended_id or wanted.clean_id
    session.flush()


def keep_enlarged(session: Session, wanted: Wanted, final: Asset, report: Json) -> None:
    """Keep the enlarged picture as the final one."""
    unlock = session.get_one(Unlock, wanted.unlock_id)
    unlock.report = {**unlock.report, "upscale": report}
    session.get_one(Generation, wanted.generation_id).final_id = final.id
    session.flush()


def deliver(session: Session, wanted: Wanted) -> Json:
    """Hand the variant over, discard the others and pay; answers the run's result."""
    unlock = session.get_one(Unlock, wanted.unlock_id)
    found = session.get_one(Generation, wanted.generation_id)
    found.unlocked_at = found.unlocked_at or func.clock_timestamp()
    unlock.completed_at = func.clock_timestamp()
    _discard_others(session, found)
    session.flush()
    paid = _capture(session, unlock)
    return {
        "upload_id": str(wanted.upload_id),
        "generation_id": str(wanted.generation_id),
        "tokens": paid,
        **unlock.report,
    }


def _locked(session: Session, user: User, generation_id: UUID) -> Generation:
    """The variant, with its upload held: who asks at the same time waits here."""
    found = session.get(Generation, generation_id)
    if found is None:
        raise NotFound(NO_VARIANT)
    try:
        shooting.of(session, user.id, found.upload_id, lock=True)
    except NotFound:
        raise NotFound(NO_VARIANT) from None
    session.refresh(found)
    return found


def _same(session: Session, found: Generation, with_upscale: bool) -> UUID | None:
    """The run that does, or did, what is asked for."""
    rows = select(Unlock).where(Unlock.upload_id == found.upload_id, Unlock.ended_at.is_(None))
    for unlock in session.scalars(rows.order_by(Unlock.created_at.desc())):
        is_this = unlock.generation_id == found.id
        if is_this and (unlock.with_upscale or not with_upscale):
            return unlock.run_id
        if unlock.completed_at is None:
            raise Conflict(N_("An unlock of this photo is going on. Wait for its end."))
    return None


def _insist_ready(session: Session, found: Generation) -> None:
    if found.discarded_at is not None or (
        found.unlocked_at is None and shooting.is_unlocked(session, found.upload_id)
    ):
        raise Conflict(N_("Another variant of this photo was unlocked; this one is discarded."))
    if found.status != "completed":
        raise Conflict(N_("This variant is not ready. Wait for it, or try it again."))


def _run(session: Session, upload: Upload, found: Generation, owner_id: int) -> Run:
    return runs.create(
        session,
        pipeline=shooting.PIPELINE,
        title=upload.filename or str(upload.id),
        owner_id=owner_id,
        params={"upload_id": str(upload.id), "unlock": str(found.id)},
    )


def _reserve(
    session: Session,
    at_start: int,
    owner_id: int,
    upload_id: UUID,
    price: Mapping[str, int],
    run_id: UUID,
) -> None:
    """Set aside all of the price or, by the caller's transaction, nothing."""
    have = ledger.balance(session, owner_id, start=at_start)
    missing = {
        name: each for name, each in price.items() if not _paid(session, owner_id, upload_id, name)
    }
    if sum(missing.values()) > have:
        raise NotEnough(sum(missing.values()), have)
    for purpose, amount in missing.items():
        held = ledger.reserve(
            session,
            owner_id,
            amount,
            subject=upload_id,
            purpose=purpose,
            run_id=run_id,
            start=at_start,
        )
        if held.state == "open" and held.run_id != run_id:
            raise Conflict(N_("An unlock of this photo is going on. Wait for its end."))


def _paid(session: Session, owner_id: int, upload_id: UUID, purpose: str) -> bool:
    return ledger.is_paid(session, owner_id, subject=upload_id, purpose=purpose)


def _reopen(session: Session, unlock: Unlock, upload: Upload, at_start: int) -> bool:
    """Have an unlock go on; False when another one has done meanwhile what it would do."""
    if unlock.run_id is None:
        raise Invalid(N_("The run of this unlock was cleaned up. Unlock the variant again."))
    ended_at, unlock.ended_at = unlock.ended_at, None
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Conflict(N_("An unlock of this photo is going on. Wait for its end.")) from None
    # No other begins from here on.
    if _is_done(session, unlock):
        unlock.ended_at = ended_at
        return False
    _insist_ready(session, session.get_one(Generation, unlock.generation_id))
    _reserve(session, at_start, upload.owner_id, upload.id, unlock.prices, unlock.run_id)
    return True


def _is_done(session: Session, unlock: Unlock) -> bool:
    """Whether another unlock has handed the variant over, as large as this one would."""
    done = select(Unlock).where(
        Unlock.generation_id == unlock.generation_id, Unlock.completed_at.is_not(None)
    )
    return any(each.with_upscale or not unlock.with_upscale for each in session.scalars(done))


def _wanted(session: Session, unlock: Unlock, found: Generation, upload: Upload) -> Wanted:
    if found.asset_id is None:
        raise Conflict(N_("The file of this variant was removed."))
    clean = session.get_one(Asset, found.asset_id)
    return Wanted(
        unlock.id,
        upload.id,
        found.id,
        upload.owner_id,
        upload.asset_id,
        clean.id,
        unlock.mended_id or clean.id,
        clean.mime,
        unlock.with_upscale,
    )


def _discard_others(session: Session, found: Generation) -> None:
    others = (Generation.upload_id == found.upload_id, Generation.id != found.id)
    undiscarded = Generation.discarded_at.is_(None)
    session.execute(
        update(Generation).where(*others, undiscarded).values(discarded_at=func.clock_timestamp())
    )


def _capture(session: Session, unlock: Unlock) -> int:
    """Pay what is set aside for the run; answers how many tokens. Nothing goes out unpaid."""
    paid = 0
    for held in ledger.open_of_run(session, unlock.run_id):
        ledger.capture(session, held.id)
        paid += held.amount
    owner_id = session.get_one(Upload, unlock.upload_id).owner_id
    if not all(_paid(session, owner_id, unlock.upload_id, name) for name in unlock.prices):
        raise Conflict(N_("The tokens of this unlock were given back. Unlock the variant again."))
    return paid
