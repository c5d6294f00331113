"""Buying an answer: once for each key, however often the step is killed and tried again.

    a row? the spool? the store? ──▶ there it is
             │ none
             ▼
    gates ──▶ ask a model ──▶ spool (disk) ──▶ store ──▶ row, charge and call, in one transaction
                  │ gone
                  └──▶ the next model

A worker that is killed leaves at most what it bought in the spool or the store; the next try finds
it there and finishes the way. Only what was not yet on this machine's disk is bought again.
"""

import io
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Executable, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from darkroom.db.passing import passes
from darkroom.db.statements import statement
from darkroom.errors import ModelGone, NotFound
from darkroom.providers import calls, chains, prices, spool
from darkroom.providers.failures import NoPicture
from darkroom.providers.models import ProviderAnswer, ProviderCall
from darkroom.providers.pictures import Reply
from darkroom.providers.spool import Kept, Place
from darkroom.queue.gates.call import OutsideCall, calling
from darkroom.queue.task import Task
from darkroom.storage.store import Store, open_store
from darkroom.storage.sweeping import installation

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0

Ask = Callable[[str], Reply]
"""Asks the model of that name."""


@dataclass(frozen=True)
class Bought:
    """An answer that is ours.

    Parameters
    ----------
    body
        The answer as it came; `gemini.picture(body)` and its like read it.
    cost
        In US dollars. What the sandbox gives bears the real thing's price.
    """

    body: bytes = field(repr=False)
    mime: str
    model: str
    provider: str
    is_sandbox: bool
    tokens_in: int | None
    tokens_out: int | None
    cost: Decimal
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Order:
    provider: str
    operation: str
    place: Place
    models: Sequence[str]
    ask: Ask
    estimate: Decimal
    pace: str | None


def buy(
    task: Task,
    *,
    provider: str,
    operation: str,
    key: str,
    models: Sequence[str],
    ask: Ask,
    estimate: Decimal | None = None,
    pace: str | None = None,
) -> Bought:
    """The answer of a key: the one there is, or else one that is bought now.

    Parameters
    ----------
    provider, operation
        Whose gates are asked ("gemini", "edit").
    key
        Names what is bought, over all tries ("catalog-edit-17-1"). Another key is another purchase.
    models
        The chain: each is tried when those before it are gone.
    estimate
        What it may cost; by default a picture of the dearest model.
    pace
        As for `calling`.

    Raises
    ------
    NotNow
        When a gate is closed. Let it pass.
    ModelGone
        When no model of the chain exists.
    DarkroomError
        What `ask` raises. `NoPicture` is asked once more before that.
    """
    place = Place(installation(task.database), key)
    kept = _owned(task, place)
    if kept is None:
        if estimate is None:
            estimate = prices.estimate(task.settings.providers, provider, models)
        order = _Order(provider, operation, place, models, ask, estimate, pace)
        kept = _new(task, order)
        _keep(task, place, kept)
    return _bought(kept)


def _owned(task: Task, place: Place) -> Kept | None:
    """What was bought before, brought to its end if it has none yet."""
    store = task.resource(open_store)
    with task.database.session() as session:
        row = session.get(ProviderAnswer, place.answer_key)
    if row is not None and (kept := _stored(store, row.storage_key)) is not None:
        return kept
    spooled = spool.find(task.settings.spool_dir, place)
    if spooled is not None:
        _keep(task, place, spooled)
        return spooled
    stored = _stored(store, place.storage_key)
    if stored is not None:
        _record(task, place, stored)
    return stored


def _stored(store: Store, storage_key: str) -> Kept | None:
    try:
        with store.open(storage_key) as file:
            return Kept.read(file)
    except NotFound:
        return None


def _new(task: Task, order: _Order) -> Kept:
    """Ask the models in turn, until one is there."""
    spool.insist_on_room(task.settings.spool_dir)
    there = chains.there(task.database, order.provider, order.models)
    with calling(
        task,
        provider=order.provider,
        operation=order.operation,
        estimate=order.estimate,
        pace=order.pace,
    ) as call:
        for model in there:
            try:
                return _spooled(task, order, call, model)
            except ModelGone as gone:
                chains.note_gone(task.database, order.provider, model, gone.message)
        raise ModelGone(chains.none_left(order.provider, order.models))


def _spooled(task: Task, order: _Order, call: OutsideCall, model: str) -> Kept:
    began = time.monotonic()
    reply = _asked(task, order, model)
    settings = task.settings.providers
    kept = Kept(
        order.place.answer_key,
        order.provider,
        order.operation,
        model,
        reply,
        prices.cost(settings, order.provider, model, reply),
        calls.is_sandbox(settings, order.provider),
        call.id,
        time.monotonic() - began,
    )
    try:
        spool.write(task.settings.spool_dir, order.place, kept)
    except OSError:
        # It is paid for: the store may still take it.
        log.exception("an answer of %s cannot be spooled", kept.provider)
    return kept


def _asked(task: Task, order: _Order, model: str) -> Reply:
    try:
        return _asked_once(task, order, model)
    except NoPicture:
        return _asked_once(task, order, model)


def _asked_once(task: Task, order: _Order, model: str) -> Reply:
    key = order.place.answer_key
    with calls.noting_failure(task, order.provider, order.operation, model, key):
        return order.ask(model)


def _keep(task: Task, place: Place, kept: Kept) -> None:
    """Put an answer into the store and on record; then the spool may forget it."""
    store = task.resource(open_store)
    store.put(place.storage_key, io.BytesIO(kept.written()), spool.MIME)
    _record(task, place, kept)
    place.file(task.settings.spool_dir).unlink(missing_ok=True)


def _record(task: Task, place: Place, kept: Kept) -> None:
    """Write the answer, its charge and its call, all or none; waits while the database is away."""
    while True:
        try:
            with task.database.session() as session:
                return _write(session, task, place, kept)
        except Exception as error:
            if not passes(error) or task.stop.wait(AGAIN_SECONDS):
                raise
            log.warning("an answer of %s is not yet on record", kept.provider, exc_info=True)


def _write(session: Session, task: Task, place: Place, kept: Kept) -> None:
    if _is_known(session, kept):
        return
    charge = {
        "call": kept.call_id,
        "part": 1,
        "lease": task.lease.attempt_id,
        "provider": kept.provider,
        "operation": kept.operation,
        "amount": kept.cost,
        "at": None,
    }
    session.execute(statement("gates/charge"), charge)
    calls.add(session, _call(task, kept))
    session.execute(_answer(place, kept))
    chains.found(session, kept.provider, kept.model)


def _is_known(session: Session, kept: Kept) -> bool:
    """Whether it is on record already: the answer to a commit may get lost on its way."""
    known = ProviderAnswer.facts["call_id"].astext
    query = select(known).where(ProviderAnswer.answer_key == kept.answer_key)
    return bool(session.scalar(query) == str(kept.call_id))


def _call(task: Task, kept: Kept) -> ProviderCall:
    return calls.row(
        task,
        kept.provider,
        kept.operation,
        kept.model,
        kept.seconds,
        kept.answer_key,
        tokens_in=kept.reply.tokens_in,
        tokens_out=kept.reply.tokens_out,
        cost=kept.cost,
        http_status=200,
    )


def _answer(place: Place, kept: Kept) -> Executable:
    values = {
        "provider": kept.provider,
        "operation": kept.operation,
        "model": kept.model,
        "storage_key": place.storage_key,
        "size_bytes": len(kept.reply.body),
        "facts": {**kept.reply.facts, "call_id": str(kept.call_id)},
        "is_sandbox": kept.is_sandbox,
    }
    written = insert(ProviderAnswer).values(answer_key=kept.answer_key, **values)
    return written.on_conflict_do_update(index_elements=["answer_key"], set_=values)


def _bought(kept: Kept) -> Bought:
    reply = kept.reply
    return Bought(
        reply.body,
        reply.mime,
        kept.model,
        kept.provider,
        kept.is_sandbox,
        reply.tokens_in,
        reply.tokens_out,
        kept.cost,
        reply.facts,
    )
