"""Runs: the list, one run, its live state, and what people do to it."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.errors import Invalid, NotFound
from darkroom.queue import control, runs
from darkroom.queue.models import StepRow
from darkroom.web import cards, paging
from darkroom.web.auth import login_required, scope
from darkroom.web.errors import RETRY_SECONDS
from darkroom.web.live import follow
from darkroom.web.run_views import (
    elapsed,
    run_note,
    run_state,
    shown_steps,
    visible_run,
    visible_runs,
)
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end
from darkroom.web.words import PIPELINES

pages = Blueprint("runs", __name__, url_prefix="/runs")

Json = dict[str, Any]

PAGE = 25
MAX_FOLLOWED = 50
_OURS = ("/catalog/", "/count/", "/publish/", "/runs/", "/studio/", "/variants/")
"""Where pages lie that change runs and are gone back to."""


@pages.get("")
@login_required
def index() -> ResponseReturnValue:
    """The reader's runs, newest first; the filters are in the address."""
    filters = _filters()
    with services().database.session() as db:
        found = runs.page(
            db, owner_id=scope(), **filters, before=paging.last_seen(), limit=PAGE + 1
        )
        listed = cards.cards(db, found[:PAGE])
    older = paging.mark(found[PAGE - 1]) if len(found) > PAGE else None
    return render_template(
        "runs.html",
        cards=listed,
        filters=filters,
        statuses=runs.STATUSES,
        pipelines=tuple(PIPELINES),
        older=older,
        first_page="before" not in request.args,
    )


@pages.get("/<uuid:run_id>")
@login_required
def show(run_id: UUID) -> ResponseReturnValue:
    """One run: how far it is, its steps, their attempts."""
    with services().database.session() as db:
        run = visible_run(db, run_id)
        shown, states = shown_steps(db, run_id)
        steps = runs.with_attempts(db, shown)
        callbacks = [] if run.is_over else runs.callbacks_of(db, run_id)
        [card] = cards.cards(db, [run])
    return render_template(
        "run.html",
        run=run,
        card=card,
        steps=steps,
        states=states,
        callbacks=callbacks,
        note=run_note(run, steps),
        elapsed=elapsed(run),
    )


@pages.get("/<uuid:run_id>.json")
@login_required
def state(run_id: UUID) -> ResponseReturnValue:
    """The run's state, for pages that poll and programs that wait for its end."""
    wait_for_end(run_id)
    response = jsonify(_one(run_id))
    response.add_etag()
    return response.make_conditional(request)


@pages.get("/<uuid:run_id>/events")
@login_required
def events(run_id: UUID) -> ResponseReturnValue:
    """The run's state as server-sent events."""
    with services().database.session() as db:
        visible_run(db, run_id)
    return _stream([run_id], lambda: _one(run_id))


@pages.get("/followed.json")
@login_required
def states() -> ResponseReturnValue:
    """The states of several runs (`?run=…&run=…`), for lists that poll."""
    response = jsonify(_several(_followed()))
    response.add_etag()
    return response.make_conditional(request)


@pages.get("/followed/events")
@login_required
def list_events() -> ResponseReturnValue:
    """The states of several runs as one stream, for lists."""
    followed = _followed()
    return _stream(followed, lambda: _several(followed))


@pages.post("/<uuid:run_id>/cancel")
@login_required
def cancel(run_id: UUID) -> ResponseReturnValue:
    """Drop what waits and stop what runs."""
    with services().database.session() as db:
        visible_run(db, run_id)
        control.cancel(db, run_id)
    flash(gettext("Cancelled. Steps that were running stop at their next checkpoint."))
    return redirect(_back(run_id), 303)


@pages.post("/<uuid:run_id>/retry")
@login_required
def retry(run_id: UUID) -> ResponseReturnValue:
    """Queue again what failed or was dropped."""
    with services().database.session() as db:
        visible_run(db, run_id)
        control.retry(db, run_id)
    flash(gettext("Back in the queue. What had succeeded is kept."))
    return redirect(_back(run_id), 303)


@pages.post("/<uuid:run_id>/steps/<int:job_id>/retry")
@login_required
def retry_step(run_id: UUID, job_id: int) -> ResponseReturnValue:
    """Queue a single step again."""
    with services().database.session() as db:
        visible_run(db, run_id)
        step = db.get(StepRow, job_id)
        if step is None or step.run_id != run_id:
            raise NotFound("There is no such step.")
        control.retry_step(db, job_id)
    flash(gettext("The step is back in the queue."))
    return redirect(_back(run_id), 303)


def _back(run_id: UUID) -> str:
    target = request.form.get("next", "")
    return target if target.startswith(_OURS) else url_for("runs.show", run_id=run_id)


def _one(run_id: UUID) -> Json:
    with services().database.session() as db:
        return run_state(visible_run(db, run_id), *shown_steps(db, run_id))


def _several(run_ids: Sequence[UUID]) -> Json:
    with services().database.session() as db:
        states = [run_state(run) for run in visible_runs(db, run_ids)]
    return {"runs": states, "finished": all(state["finished"] for state in states)}


def _followed() -> list[UUID]:
    try:
        found = [UUID(text) for text in request.args.getlist("run")]
    except ValueError:
        raise Invalid("Every run must be a run's id.", "run") from None
    if not 0 < len(found) <= MAX_FOLLOWED:
        raise Invalid("Name between 1 and 50 runs.", "run")
    return found


def _stream(run_ids: list[UUID], read: Callable[[], Json]) -> Response:
    live = services().live
    if not live.streams.enter():
        busy = Response(status=503, headers={"Retry-After": str(RETRY_SECONDS)})
        return busy
    last_id = request.headers.get("Last-Event-ID")
    text = stream_with_context(follow(live, run_ids, read, last_id))
    response = Response(text, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    # A proxy that buffers would hold the events back.
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(live.streams.leave)
    return response


def _filters() -> dict[str, str | None]:
    status = request.args.get("status") or None
    if status is not None and status not in runs.STATUSES:
        raise Invalid("There is no such status.", "status")
    text = request.args.get("text", "").replace("\x00", "").strip()[:200]
    return {
        "status": status,
        "pipeline": request.args.get("pipeline", "").replace("\x00", "") or None,
        "text": text or None,
    }
