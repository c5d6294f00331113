"""Taking a photo in: checked, stored, and queued to become variants in one transaction."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, NotFound
from darkroom.gated.uploads import storing
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.settings import Settings, TokenSettings
from darkroom.storage import assets, images, uploads
from darkroom.storage.assets import StoredFile
from darkroom.storage.store import Store
from darkroom.storage.uploads import Incoming
from darkroom.variants import deposits, presets, slots, workflows
from darkroom.variants.models import Generation, Upload
from darkroom.variants.slots import Slot
from darkroom.web.idempotency import Keep
from darkroom.web.words import N_

FIELD = "photo"
AUTO = "AUTO"
PIPELINE = "variants"
ANALYSE, GENERATE = "variants.analyse", "variants.generate"
SUFFIXES = {images.JPEG: "jpg", images.PNG: "png", images.WEBP: "webp"}
NO_UPLOAD = N_("There is no such photo.")


@dataclass(frozen=True)
class Shot:
    """A photo that came in whole and lies in the store."""

    upload_id: UUID
    filename: str
    stored: StoredFile


def shoot(
    settings: Settings,
    database: Database,
    store: Store,
    user: User,
    file: Incoming | None,
    tier: str,
    keep: Keep,
) -> UUID:
    """Take a photo and start the run that makes its variants; answers the run's id.

    Parameters
    ----------
    tier
        AUTO for the slots of the person's workflow, or the name or id of a preset for one variant.

    Raises
    ------
    Invalid
        When the photo, the tier or the person's workflow cannot be used; nothing is kept then.
    NotEnough
        When the tokens do not reach for the previews; nothing is kept then, either.
    """
    with database.session() as session:
        wanted = _slots(session, user, tier)
        deposits.insist(session, settings.tokens, user.id, len(wanted))
    shot = _received(settings, database, store, file)
    with database.session() as session:
        asset = assets.record(session, user.id, shot.stored)
        upload = Upload(
            id=shot.upload_id,
            owner_id=user.id,
            asset_id=asset.id,
            filename=shot.filename,
            tier=tier,
        )
        session.add(upload)
        run = _begun(session, settings.tokens, upload, wanted)
        keep(session, run.id)
    return run.id


def again(
    session: Session, settings: TokenSettings, user: User, upload_id: UUID, tier: str, keep: Keep
) -> UUID:
    """More variants of a photo that was taken before; what was seen in it is not asked again.

    Raises
    ------
    NotFound, Conflict
        When it is not the person's, or a variant of it was unlocked.
    NotEnough
        When the tokens do not reach for the previews; nothing has happened then.
    """
    upload = of(session, user.id, upload_id, lock=True)
    if is_unlocked(session, upload_id):
        raise Conflict(N_("A variant of this photo is unlocked; take the photo again for more."))
    run = _begun(session, settings, upload, _slots(session, user, tier))
    keep(session, run.id)
    return run.id


def retry(
    session: Session, settings: TokenSettings, user: User, generation_id: UUID, keep: Keep
) -> UUID:
    """One failed variant again, in a run of its own; the others stay as they are.

    Raises
    ------
    NotFound, Conflict
        When it is not the person's, or did not fail.
    NotEnough
        When the tokens do not reach for its preview; nothing has happened then.
    """
    found = session.get(Generation, generation_id)
    if found is None:
        raise NotFound(NO_UPLOAD)
    upload = of(session, user.id, found.upload_id, lock=True)
    session.refresh(found)
    if found.status != "failed" or found.discarded_at is not None:
        raise Conflict(N_("Only a variant that failed can be tried again."))
    run = _run(session, upload, 1)
    found.status, found.error, found.completed_at = "pending", None, None
    found.run_id = upload.run_id = run.id
    session.flush()
    _start(session, settings, upload, run, [found])
    keep(session, run.id)
    return run.id


def delete(session: Session, owner_id: int, upload_id: UUID) -> None:
    """Delete a photo with its variants; their files follow by the sweep of orphans.

    Raises
    ------
    NotFound, Conflict
        When it is not the person's, or something of it is going on.
    """
    upload = of(session, owner_id, upload_id, lock=True)
    going_on = select(Run.id).where(
        Run.params["upload_id"].astext == str(upload_id), Run.finished_at.is_(None)
    )
    if session.scalar(going_on.where(Run.pipeline == PIPELINE).limit(1)) is not None:
        raise Conflict(N_("This photo is being worked on. Cancel its run first."))
    session.delete(upload)
    session.flush()


def of(session: Session, owner_id: int | None, upload_id: UUID, *, lock: bool = False) -> Upload:
    """The person's photo (None: anybody's); `NotFound` for any other."""
    found = session.get(Upload, upload_id, with_for_update=lock)
    if found is None or owner_id not in (None, found.owner_id):
        raise NotFound(NO_UPLOAD)
    return found


def is_unlocked(session: Session, upload_id: UUID) -> bool:
    """Whether a variant of the photo was unlocked."""
    unlocked = exists().where(
        Generation.upload_id == upload_id, Generation.unlocked_at.is_not(None)
    )
    return bool(session.scalar(select(unlocked)))


def _slots(session: Session, user: User, tier: str) -> Sequence[Slot]:
    if tier.upper() == AUTO:
        return workflows.slots_of(session, user)
    return (slots.of_preset(presets.named(session, user.id, tier)),)


def _received(settings: Settings, database: Database, store: Store, file: Incoming | None) -> Shot:
    limit = settings.max_upload_bytes
    upload_id = uuid4()
    with uploads.received(file, settings.temp_dir, max_bytes=limit, field=FIELD) as upload:
        info = images.inspect(
            upload.path, upload.filename, max_pixels=settings.max_pixels, field=FIELD
        )
        with storing(database, settings.gates.breaker):
            stored = assets.put(
                store,
                upload.path,
                mime=info.mime,
                key=f"variants/{upload_id}/original.{SUFFIXES[info.mime]}",
                pixels=(info.width, info.height),
            )
    return Shot(upload_id, upload.filename, stored)


def _begun(
    session: Session, settings: TokenSettings, upload: Upload, wanted: Sequence[Slot]
) -> Run:
    session.flush()
    run = _run(session, upload, len(wanted))
    upload.run_id = run.id
    of_upload = select(func.count()).where(Generation.upload_id == upload.id)
    taken = session.scalar(of_upload) or 0
    rng = random.SystemRandom()
    made = [_generation(upload, run, taken, slot, rng) for slot in wanted]
    session.add_all(made)
    session.flush()
    _start(session, settings, upload, run, made)
    return run


def _start(
    session: Session,
    settings: TokenSettings,
    upload: Upload,
    run: Run,
    wanted: Sequence[Generation],
) -> None:
    args = {"upload_id": str(upload.id)}
    runs.begin(session, run, Call(ANALYSE, "io", args, share=0.1))
    deposits.make(session, settings, upload.owner_id, wanted)


def _run(session: Session, upload: Upload, variants: int) -> Run:
    return runs.create(
        session,
        pipeline=PIPELINE,
        title=upload.filename or str(upload.id),
        owner_id=upload.owner_id,
        params={"upload_id": str(upload.id), "variants": variants},
    )


def _generation(upload: Upload, run: Run, taken: int, slot: Slot, rng: random.Random) -> Generation:
    return Generation(
        upload_id=upload.id,
        run_id=run.id,
        slot=taken + slot.index,
        type=slot.type,
        variant=slot.variant,
        preset=slot.look.as_json if slot.look is not None else None,
        provider=slot.provider,
        smart_anchors=[anchor.as_json for anchor in slot.anchors],
        temperature=slot.temperature(),
        seed=slot.seed(rng),
    )
