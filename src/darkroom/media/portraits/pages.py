"""The page of the portraits: a picture, a recording, and the consent of all."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import receiving, requests
from darkroom.media.portraits import taking
from darkroom.media.portraits.orders import FLAGS
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services

pages = Blueprint("portraits", __name__, url_prefix="/studio", template_folder="templates")


@pages.get("/live-portrait")
@login_required
def form() -> ResponseReturnValue:
    """The empty form."""
    return _form()


def _on_to(run_id: UUID) -> ResponseReturnValue:
    with services().database.session() as session:
        request_id = requests.of_run(session, run_id).row.id
    return redirect(url_for("studio.show", request_id=request_id), 303)


@pages.post("/live-portrait")
@login_required
@idempotent(_on_to)
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a video made of a portrait."""
    try:
        sent = receiving.body()
        # A form says nothing of boxes that are not ticked.
        return taking.take({**dict.fromkeys(FLAGS, False), **sent}, keep)
    except Invalid as error:
        return _form(error)


def _form(error: Invalid | None = None) -> tuple[str, int]:
    page = render_template(
        "media/live_portrait.html",
        errors={} if error is None else {error.field: error.message},
        given=request.form,
        is_first=error is None,
        flags=FLAGS,
        is_moving=taking.is_moving(),
        seconds=taking.most_seconds(),
    )
    return page, 200 if error is None else error.status
