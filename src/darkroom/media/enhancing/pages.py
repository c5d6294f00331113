"""The page of the enlarging service: a file, how many times as large, and by which network."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media.answering import on_to_page
from darkroom.media.enhancing import orders, taking
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services

pages = Blueprint("enhancing", __name__, url_prefix="/studio", template_folder="templates")

FIELD = "file"
MEGAPIXEL = 1_000_000


@pages.get("/enhance")
@login_required
def form() -> ResponseReturnValue:
    """The empty form."""
    return _form()


@pages.post("/enhance")
@login_required
@rate_limit("enhance-media")
@idempotent(on_to_page)
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a picture or a video enlarged."""
    try:
        return _taken(keep)
    except Invalid as error:
        return _form(error)


def _taken(keep: Keep) -> UUID:
    file = request.files.get(FIELD)
    given = file if file and file.filename else None
    is_picture = given is None or given.mimetype.startswith("image/")
    take = taking.take_picture if is_picture else taking.take_film
    return take(request.form, given, FIELD, keep)


def _form(error: Invalid | None = None) -> tuple[str, int]:
    settings = services().settings
    page = render_template(
        "media/enhance.html",
        errors={} if error is None else {error.field: error.message},
        models=orders.MODELS,
        largest=orders.LARGEST,
        seconds=orders.MOST_SECONDS,
        max_megapixels=settings.media.max_result_pixels // MEGAPIXEL,
    )
    return page, 200 if error is None else error.status
