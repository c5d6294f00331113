"""The page of the enlarging service: a file, how many times as large, and by which network."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from darkroom.errors import Invalid
from darkroom.media.answering import on_to_page
from darkroom.media.enhancing import orders, taking
from darkroom.storage import images
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services

pages = Blueprint("enhancing", __name__, url_prefix="/studio", template_folder="templates")

FIELD = "file"
HEAD = 12
"""Bytes that tell a picture from a video."""
MEGAPIXEL = 1_000_000


@pages.get("/enhance")
@login_required
def form() -> ResponseReturnValue:
    """The empty form."""
    return _form()


@pages.post("/enhance")
@login_required
@idempotent(on_to_page)
@rate_limit("enhance-media")
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a picture or a video enlarged."""
    try:
        return _taken(keep)
    except Invalid as error:
        return _form(error)


def _taken(keep: Keep) -> UUID:
    file = request.files.get(FIELD)
    given = file if file and file.filename else None
    take = taking.take_picture if given is None or _is_picture(given) else taking.take_film
    return take(request.form, given, FIELD, keep)


def _is_picture(file: FileStorage) -> bool:
    """By its content, too: browsers do not know the types of all files."""
    start = file.stream.read(HEAD)
    file.stream.seek(0)
    return file.mimetype.startswith("image/") or images.is_begun(start)


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
