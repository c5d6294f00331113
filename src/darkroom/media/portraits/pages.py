"""The page of the portraits: a picture, a recording, and the consent of all."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import receiving
from darkroom.media.answering import on_to_page
from darkroom.media.portraits import taking
from darkroom.media.portraits.orders import FLAGS
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit

pages = Blueprint("portraits", __name__, url_prefix="/studio", template_folder="templates")


@pages.get("/live-portrait")
@login_required
def form() -> ResponseReturnValue:
    """The empty form."""
    return _form()


@pages.post("/live-portrait")
@login_required
@idempotent(on_to_page)
@rate_limit("live-portrait")
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
