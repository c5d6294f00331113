"""Many photos while services fail and workers die: nothing is lost, bought or paid twice.

`CHAOS_PHOTOS` says how many; `make chaos` takes a hundred.
"""

import os
import random
from collections import Counter
from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.storage.store import open_store
from darkroom.variants.models import Generation, Upload
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.integration.test_variants_at_work import (  # noqa: F401
    client,
    finalize,
    shoot,
    tokens,
    work,
)
from tests.sandboxed import Sandboxed

PHOTOS = int(os.environ.get("CHAOS_PHOTOS", "8"))
EVERYWHERE = "*:generateContent"
KINDS = ("limit", "error", "cut", "malformed", "no_picture", "slow")
SLOTS = [{"type": "AUTO", "variant": kind} for kind in ("FORENSIC", "CREATIVE", "BALANCED")]


def made(database: Database) -> Counter[str]:
    with database.session() as session:
        rows = session.execute(
            select(Generation.status, func.count()).group_by(Generation.status)
        ).all()
    return Counter({status: count for status, count in rows})


def test_ledger_journal_and_files_agree_after_faults_and_deaths(
    settings: Settings,
    client: FlaskClient,  # noqa: F811
    engine: Engine,
    work: Callable[..., object],  # noqa: F811
    sandbox: Sandboxed,
    database: Database,
):
    rng = random.Random(6)
    engine.environ["DARKROOM_BREAKER_FAILURES"] = "1000"
    client.put("/api/v41/workflow", json={"batch_config": SLOTS})
    for number in range(PHOTOS):
        shoot(client, seed=100 + number)
    for number in range(PHOTOS):
        options = {"seconds": 0.3} if KINDS[number % len(KINDS)] == "slow" else {}
        after = rng.randrange(3 * PHOTOS)
        sandbox.fault(EVERYWHERE, KINDS[number % len(KINDS)], times=1, after=after, **options)
    worker, lost = work(), 0
    for portion in (0.3, 0.6):
        engine.until(lambda at=portion: made(database)["completed"] >= at * 3 * PHOTOS, seconds=300)
        worker.kill()
        worker.wait()
        lost += _lost(sandbox, settings, database)
        worker = work()
    engine.until(lambda: made(database).keys() <= {"completed", "failed"}, seconds=300)
    assert made(database)["failed"] <= 0.1 * 3 * PHOTOS + 1
    unlocked = _unlock_one_of_each(client, engine, database)
    _check_purchases(sandbox, database, lost)
    _check_files(settings, database)
    with database.session() as session:
        entries = Counter(session.scalars(text("SELECT entry FROM ledger")).all())
        total = session.scalar(text("SELECT sum(amount) FROM ledger"))
    assert entries == {"grant": 2, "reserve": unlocked, "capture": unlocked}
    assert total == tokens(database) == 20 + 1000 - 5 * unlocked


def _unlock_one_of_each(
    client: FlaskClient,  # noqa: F811
    engine: Engine,
    database: Database,
) -> int:
    tokens(database)
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO ledger (owner_id, entry, amount, purpose) "
                "SELECT owner_id, 'grant', 1000, 'grant' FROM balances"
            )
        )
        best = session.scalars(
            select(Generation)
            .where(Generation.status == "completed")
            .ext(distinct_on(Generation.upload_id))
            .order_by(Generation.upload_id, Generation.slot)
        ).all()
    assert len(best) >= 0.9 * PHOTOS
    for each in best:
        finalize(client, {"id": str(each.id)})

    def are_unlocked() -> bool:
        with database.session() as session:
            unlocked = select(func.count()).where(Generation.unlocked_at.is_not(None))
            return session.scalar(unlocked) == len(best)

    engine.until(are_unlocked, seconds=600)
    return len(best)


def _answers(sandbox: Sandboxed) -> int:
    """How many answers of use left the services."""
    useful = ("", "slow")
    return sum(each.status == 200 and each.fault in useful for each in sandbox.journal(EVERYWHERE))


def _owned(settings: Settings, database: Database) -> int:
    """How many answers are ours: on record, or safe on disk."""
    spooled = {file.name for file in settings.spool_dir.rglob("*") if file.is_file()}
    with database.session() as session:
        return len(spooled) + (session.scalar(text("SELECT count(*) FROM provider_answers")) or 0)


def _lost(sandbox: Sandboxed, settings: Settings, database: Database) -> int:
    """How many answers were on their way to a worker that is dead now."""
    going = sum(each.status is None for each in sandbox.journal(EVERYWHERE))
    return going + max(0, _answers(sandbox) - _owned(settings, database))


def _check_purchases(sandbox: Sandboxed, database: Database, lost: int) -> None:
    """Nothing was bought again but what a dead worker had not got in hand."""
    with database.session() as session:
        bought = session.scalar(text("SELECT count(*) FROM provider_answers")) or 0
        # Part 0 is what a call that died with its worker may have cost.
        charged = session.scalar(text("SELECT count(*) FROM charges WHERE part > 0"))
        looks = session.scalar(select(func.count()).where(Upload.analysis.is_not(None)))
    assert charged == bought and looks >= 0.9 * PHOTOS
    assert bought <= _answers(sandbox) <= bought + lost


def _check_files(settings: Settings, database: Database) -> None:
    store = open_store(settings)
    with database.session() as session:
        keys = session.scalars(text("SELECT storage_key FROM assets")).all()
    assert keys and all(store.keeps(key) for key in keys)
