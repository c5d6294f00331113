"""`/api/subtitles`: a file written down, its cues read and changed, and put into the video."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import receiving
from darkroom.media.answering import answered
from darkroom.media.subtitles import cues, ordering, sheets
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit

Json = dict[str, Any]

blueprint = Blueprint("subtitles_api", __name__, url_prefix="/api/subtitles")


def _answered(run_id: UUID) -> ResponseReturnValue:
    """At once, unless the caller prefers to wait: this takes longer than people do."""
    return answered(run_id, waits=False)


@blueprint.post("")
@login_required
@idempotent(_answered)
@rate_limit("subtitles")
def create(keep: Keep) -> UUID:
    """Write down a sound or video file; multipart `file`, or base64 in JSON."""
    return ordering.begin(keep)


@blueprint.post("/<uuid:request_id>/burn")
@login_required
@idempotent(_answered)
@rate_limit("subtitles")
def burn(request_id: UUID, keep: Keep) -> UUID:
    """Put the cues as they are now into the video."""
    return ordering.burn_again(request_id, receiving.body(), keep)


@blueprint.get("/<uuid:request_id>/cues")
@login_required
def show(request_id: UUID) -> Response:
    """The cues, and which of them miss which rules."""
    return jsonify(sheets.as_json(ordering.sheet_of(request_id)))


@blueprint.put("/<uuid:request_id>/cues")
@login_required
def replace(request_id: UUID) -> Response:
    """Put other cues in their place: `{"version": 3, "cues": […]}`."""
    sent = receiving.body()
    given = sheets.read(sent.get("cues"))
    return _changed(request_id, sent, lambda sheet: given)


@blueprint.post("/<uuid:request_id>/cues/split")
@login_required
def split(request_id: UUID) -> Response:
    """Make two cues of one: `{"version": 3, "number": 2, "at": 17}`."""
    sent = receiving.body()
    number, at = _whole(sent, "number"), _whole(sent, "at")
    return _changed(
        request_id,
        sent,
        lambda sheet: cues.split(sheet.cues, number, at, sheet.tongue, sheet.fps),
    )


@blueprint.post("/<uuid:request_id>/cues/merge")
@login_required
def merge(request_id: UUID) -> Response:
    """Make one cue of two: `{"version": 3, "number": 2}`, and the one after it."""
    sent = receiving.body()
    number = _whole(sent, "number")
    return _changed(request_id, sent, lambda sheet: cues.merge(sheet.cues, number, sheet.tongue))


@blueprint.post("/<uuid:request_id>/cues/shift")
@login_required
def shift(request_id: UUID) -> Response:
    """Show cues later or earlier: `{"version": 3, "by": -0.5, "first": 2}`; seconds."""
    sent = receiving.body()
    by = sheets.milliseconds(sent.get("by"), "by", least=-sheets.LATEST)
    first = _whole(sent, "first") if "first" in sent else 1
    return _changed(request_id, sent, lambda sheet: cues.shift(sheet.cues, by, first))


def _changed(request_id: UUID, sent: Json, how: ordering.Change) -> Response:
    return jsonify(sheets.as_json(ordering.change(request_id, _whole(sent, "version"), how)))


def _whole(sent: Json, name: str) -> int:
    given = sent.get(name)
    if isinstance(given, bool) or not isinstance(given, int):
        raise Invalid(f"{name} must be a whole number.", name)
    return given
