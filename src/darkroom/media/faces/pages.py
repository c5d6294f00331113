"""The page of the face swap: two pictures, which face of each, and the consent of all."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import receiving, requests
from darkroom.media.faces import taking
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
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


def _on_to(run_id: UUID) -> ResponseReturnValue:
    with services().database.session() as session:
        request_id = requests.of_run(session, run_id).row.id
    return redirect(url_for("studio.show", request_id=request_id), 303)


@pages.post("/face-swap")
@login_required
@idempotent(_on_to)
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
