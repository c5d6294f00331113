"""The pages of subtitles: a file to be written down, and cues that are changed."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.media import requests
from darkroom.media.answering import first, link, on_to_page
from darkroom.media.subtitles import ordering, sheets, views, wishes, writing
from darkroom.media.subtitles.sheets import Sheet
from darkroom.media.subtitles.style import Style
from darkroom.media.subtitles.wishes import Asked
from darkroom.web.audience import wants_json
from darkroom.web.auth import login_required, scope
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services
from darkroom.web.words import say

Json = dict[str, Any]

pages = Blueprint(
    "subtitles", __name__, url_prefix="/studio/subtitles", template_folder="templates"
)

FORM_BYTES = 8 * 1024 * 1024
"""Ten thousand cues as a form sends them."""


@pages.record_once
def _offer_to_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(sheet_of=_sheet, cue_script=_script)
    state.app.jinja_env.globals.update(subtitle_words=views, fonts_there=ordering.families)
    state.app.jinja_env.globals.update(asked_style=lambda row: Asked.of(row.asked))
    state.app.jinja_env.filters.update(clock=views.clock)


@pages.get("")
@login_required
def form() -> ResponseReturnValue:
    """The empty form."""
    return _form()


@pages.post("")
@login_required
@idempotent(on_to_page)
@rate_limit("subtitles")
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a file written down."""
    try:
        return ordering.begin(keep)
    except Invalid as error:
        if wants_json():
            raise
        return _form(error)


@pages.post("/<uuid:request_id>/cues")
@login_required
def save(request_id: UUID) -> ResponseReturnValue:
    """Change the cues, without scripts."""
    request.max_form_memory_size = FORM_BYTES
    request.max_form_parts = 4 * sheets.MOST_CUES
    version = request.form.get("version", type=int) or 0
    try:
        ordering.change(request_id, version, lambda sheet: views.changed(sheet, request.form))
    except Conflict:
        raise
    except Invalid as error:
        flash(say(error.message))
    else:
        flash(gettext("Saved."))
    return redirect(url_for("studio.show", request_id=request_id, _anchor="cues"), 303)


@pages.post("/<uuid:request_id>/burn")
@login_required
@idempotent(on_to_page)
@rate_limit("subtitles")
def burn(request_id: UUID, keep: Keep) -> UUID | ResponseReturnValue:
    """Put the cues as they are now into the video."""
    try:
        return ordering.burn_again(request_id, request.form, keep)
    except (Conflict, NotFound):
        raise
    except Invalid as error:
        flash(say(error.message))
        return redirect(url_for("studio.show", request_id=request_id, _anchor="burn"), 303)


@pages.get("/<uuid:request_id>/cues.vtt")
@login_required
def track(request_id: UUID) -> Response:
    """The cues as they are now, for the player."""
    return Response(writing.vtt(ordering.sheet_of(request_id).cues), mimetype="text/vtt")


@pages.get("/<uuid:request_id>/files/<kind>")
@login_required
def download(request_id: UUID, kind: str) -> ResponseReturnValue:
    """On to a file of the cues as they are now; its own address lasts for an hour."""
    with services().database.session() as session:
        found = requests.of(session, scope(), request_id)
    file = first(found, kind)
    if kind not in wishes.FORMATS or file is None:
        raise NotFound("There is no such file.")
    return redirect(link(file, saved=True))


def _sheet(request_id: UUID) -> Sheet | None:
    """The cues of a request that the reader sees; None before anything was heard."""
    with services().database.session() as session:
        try:
            return sheets.load(session, request_id)
        except NotFound:
            return None


def _script(sheet: Sheet) -> Json:
    """What the page's script works with."""
    return {
        **sheets.as_json(sheet),
        "limits": sheets.limits(sheet.fps),
        "misses": {rule: say(text) for rule, text in views.MISSES.items()},
        "helpless": say(views.HELPLESS),
        "said": {
            "saved": gettext("Saved"),
            "saving": gettext("Saving…"),
            "unsaved": gettext("Not saved yet"),
            "offline": gettext("No connection. Trying again…"),
            "letters": gettext("{found} characters a second"),
            "undone": gettext("Undone"),
        },
    }


def _form(error: Invalid | None = None) -> tuple[str, int]:
    known = ("file", "language", "mode")
    page = render_template(
        "media/subtitles.html",
        errors={} if error is None else {error.field: error.message},
        known=known,
        given=request.form,
        usual=Style(),
        modes=views.MODES,
        max_gigabytes=services().settings.media.max_bytes / 1024**3,
    )
    return page, 200 if error is None else error.status
