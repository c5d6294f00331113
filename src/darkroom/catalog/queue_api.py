"""The JSON API of the queue of edits, as clients of the seed system call it, and of deciding."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.accounts.audit import Actor
from darkroom.catalog import budgets, envelope, pausing, plans, queueing, reviewing
from darkroom.catalog.envelope import Json, body, number, success, times
from darkroom.catalog.plans import Plan
from darkroom.catalog.queueing import Queued
from darkroom.catalog.reviewing import Reviewed
from darkroom.catalog.selection import EditSelection, Selection
from darkroom.errors import Invalid
from darkroom.queue.models import Run
from darkroom.web.auth import admin_required, current_user, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services

blueprint = Blueprint("catalog_queue_api", __name__, url_prefix="/api/articulos")
blueprint.after_request(envelope.wear)

MOST_ROWS = 500
LEFT_OUT = {
    "missing": "El artículo no existe",
    "no_image": "El artículo no tiene imagen",
    "queued": "El artículo ya está en la cola",
}
LEFT = {
    "missing": "El trabajo no existe",
    "not_done": "El trabajo no está completado",
    "not_failed": "El trabajo no ha fallado",
    "already": "Ya estaba así",
    "gone": "El archivo de la imagen ya no existe",
    "queued": "El artículo ya está en la cola",
    "not_shown": "El artículo muestra otra imagen",
    "no_earlier": "El artículo no tiene una imagen anterior",
}

Verb = Callable[[Session, EditSelection, Actor], Reviewed]


def _queued(run_id: UUID) -> ResponseReturnValue:
    """What the queueing that made a run answered."""
    with services().database.session() as session:
        said = session.get_one(Run, run_id).params["articles"]
    return _batch([Queued(article, edit, None, out) for article, edit, out in said])


@blueprint.post("/batch-process-images")
@login_required
@idempotent(_queued)
def batch_process_images(keep: Keep) -> UUID | ResponseReturnValue:
    """Queue articles to be edited: `{"articuloIds": [1, 2], "prioridad": 0}`, or `filtro`."""
    sent = body()
    selection, priority = Selection.read(sent), envelope.priority(sent)
    with services().database.session() as session:
        wanted = selection.resolve(session)
        run_id, answers = queueing.add(
            session, wanted, owner_id=current_user().id, priority=priority, keep=keep
        )
    return run_id or _batch(answers)


@blueprint.post("/batch-preview")
@login_required
def batch_preview() -> Response:
    """What queueing them would mean; nothing is queued."""
    selection = Selection.read(body())
    with services().database.session() as session:
        found = plans.plan(session, services().settings, selection)
    return success(_plan(found))


@blueprint.get("/processing-queue/status")
@login_required
def queue_status() -> Response:
    """How many edits are in each state, and the one that goes on now."""
    with services().database.session() as session:
        stats, now = dict(queueing.status(session)), queueing.current(session)
    if now is None:
        return success({"stats": stats, "articuloActual": None})
    return success({"stats": stats, "articuloActual": times(dict(now))})


@blueprint.get("/processing-queue/history")
@login_required
def queue_history() -> Response:
    """Edits, newest first (`?limit=50&offset=0`)."""
    limit = number("limit", 50, low=1, high=MOST_ROWS)
    offset = number("offset", 0, low=0)
    with services().database.session() as session:
        rows = queueing.history(session, limit or 1, offset or 0)
        listed = [times(dict(row)) for row in rows]
    return success({"historial": listed, "limit": limit, "offset": offset})


def _retried(run_id: UUID) -> ResponseReturnValue:
    with services().database.session() as session:
        [[article_id, edit_id, _]] = session.get_one(Run, run_id).params["articles"]
    data = {"id": edit_id, "articulo_id": article_id, "estado": "pending", "intentos": 0}
    return success(data, "Artículo agregado nuevamente a la cola")


@blueprint.post("/processing-queue/<int:edit_id>/retry")
@login_required
@idempotent(_retried)
def retry(edit_id: int, keep: Keep) -> UUID:
    """Queue a failed edit again, with all its attempts."""
    with services().database.session() as session:
        return queueing.retry(session, edit_id, current_user().id, keep)


@blueprint.delete("/processing-queue/clean")
@login_required
def clean() -> Response:
    """Delete edits that ended more than `?dias=7` days ago."""
    days = number("dias", 7, low=0, high=36_500) or 0
    with services().database.session() as session:
        deleted = queueing.clean(session, days)
    return success({"eliminados": deleted}, f"{deleted} registro(s) eliminado(s) de la cola")


@blueprint.post("/processing-queue/approve")
@login_required
def approve() -> Response:
    """Call new pictures good: `{"ids": [1, 2]}` (edits) or `{"filtro": {...}}`."""
    return _decided(reviewing.approve)


@blueprint.post("/processing-queue/reject")
@login_required
def reject() -> Response:
    """Call new pictures bad; their articles show the earlier ones again."""
    return _decided(reviewing.reject)


@blueprint.post("/processing-queue/rollback")
@login_required
def roll_back() -> Response:
    """Have their articles show the earlier pictures, without a verdict."""
    return _decided(reviewing.roll_back_edits)


def _all_retried(run_id: UUID) -> ResponseReturnValue:
    """What the retry that made a run answered."""
    with services().database.session() as session:
        said = session.get_one(Run, run_id).params
    changed = [edit_id for _, edit_id, _ in said["articles"]]
    reviewed = Reviewed(changed, dict(said["left"]))
    return success({**_reviewed(reviewed), "run_id": str(run_id)})


@blueprint.post("/processing-queue/retry")
@login_required
@idempotent(_all_retried)
def retry_all(keep: Keep) -> UUID | ResponseReturnValue:
    """Queue failed edits again, in one run."""
    user = current_user()
    chosen = EditSelection.read(body())
    with services().database.session() as session:
        done = reviewing.retry(session, chosen, Actor.of(user), user.id, keep)
    return done.run_id or success({**_reviewed(done.reviewed), "run_id": None})


@blueprint.post("/processing-queue/pause")
@login_required
def pause() -> Response:
    """Begin no edit from now on; those that go on are finished."""
    with services().database.session() as session:
        found = pausing.pause(session, Actor.of(current_user()))
    return success(times({"pausado_desde": found.since, "pausado_por": found.by}), "Cola en pausa")


@blueprint.post("/processing-queue/resume")
@login_required
def resume() -> Response:
    """Go on with what waits."""
    with services().database.session() as session:
        due = pausing.resume(session, Actor.of(current_user()))
    return success({"reanudados": due}, "Cola reanudada")


@blueprint.get("/processing-queue/budget")
@login_required
def show_budget() -> Response:
    """What may be spent today (UTC), and what is."""
    with services().database.session() as session:
        money = budgets.state(session)
    return success(_money(limite=money.limit, gastado=money.spent, restante=money.left))


@blueprint.put("/processing-queue/budget")
@admin_required
def set_budget() -> Response:
    """Set what a day may cost: `{"budget_per_day": "2.50"}`; null for no limit."""
    sent = body()
    if budgets.FIELD not in sent:
        raise Invalid(f"Send {budgets.FIELD}: an amount of dollars, or null.", budgets.FIELD)
    limit = budgets.checked(sent[budgets.FIELD])
    with services().database.session() as session:
        budgets.set_limit(session, limit, Actor.of(current_user()))
    return show_budget()


def _decided(verb: Verb) -> Response:
    chosen = EditSelection.read(body())
    with services().database.session() as session:
        done = verb(session, chosen, Actor.of(current_user()))
    return success(_reviewed(done))


# What is answered.


def _batch(answers: list[Queued]) -> Response:
    added = [
        {"articuloId": each.article_id, "queueId": each.edit_id}
        for each in answers
        if each.edit_id is not None
    ]
    left = [
        {"articuloId": each.article_id, "razon": LEFT_OUT[each.left_out]}
        for each in answers
        if each.left_out is not None
    ]
    details = {"agregados": added, "omitidos": left}
    data = {"agregados": len(added), "omitidos": len(left), "detalles": details}
    return success(data, f"{len(added)} artículo(s) agregado(s) a la cola de procesamiento")


def _reviewed(done: Reviewed) -> Json:
    left = [{"id": edit_id, "razon": LEFT[why]} for edit_id, why in done.left.items()]
    details = {"cambiados": done.changed, "omitidos": left}
    return {"cambiados": len(done.changed), "omitidos": len(left), "detalles": details}


def _plan(plan: Plan) -> Json:
    budget = plan.budget
    return {
        "articulos": plan.articles,
        "omitidos": {LEFT_OUT[why]: count for why, count in plan.left_out.items()},
        **_money(costo=plan.cost, costo_por_imagen=plan.per_picture),
        "segundos": round(plan.seconds, 1),
        "is_sandbox": plan.is_sandbox,
        "presupuesto": budget
        and {
            **_money(limite=budget.limit, gastado=budget.spent, restante=budget.left),
            "articulos": budget.articles,
        },
    }


def _money(**amounts: Decimal | None) -> Json:
    """Dollars as text: no digit gets lost."""
    return {name: None if amount is None else f"{amount:f}" for name, amount in amounts.items()}
