"""The page of the face swap: two pictures, which face of each, and the consent of all."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import receiving
from darkroom.media.answering import on_to_page
from darkroom.media.faces import taking
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services

pages = Blueprint("faces", __name__, url_prefix="/studio", template_folder="templates")

MEGABYTE = 1024 * 1024
SHOWN_CHOICES = 6
"""Faces, counted from the left, that the page offers to choose from."""


@pages.get("/face-swap")
@login_required
def form() -> ResponseReturnValue:
    """The empty form."""
    return _form()


@pages.post("/face-swap")
@login_required
@idempotent(on_to_page)
@rate_limit("face-swap")
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a face swapped."""
    try:
        return taking.take(receiving.body(), keep)
    except Invalid as error:
        return _form(error)


def _form(error: Invalid | None = None) -> tuple[str, int]:
    page = render_template(
        "media/face_swap.html",
        errors={} if error is None else {error.field: error.message},
        given=request.form,
        choices=SHOWN_CHOICES,
        max_megabytes=services().settings.max_upload_bytes // MEGABYTE,
    )
    return page, 200 if error is None else error.status
