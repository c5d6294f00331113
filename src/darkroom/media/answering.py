"""What a service answers: its result when it comes in time, else where to look for it."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.http import parse_list_header

from darkroom.media import requests
from darkroom.media.requests import Found, Given
from darkroom.queue.models import Run
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end

Json = dict[str, Any]

LINK_LIFE = timedelta(hours=1)
WORDS = {"completed": "success", "failed": "error"}
"""The status words of the answers; others are as they are in the table."""
MISTAKES = {"Invalid", "Refused", "NotFound", "Conflict"}


def answered(run_id: UUID, *, waits: bool = True, inline: bool = False) -> ResponseReturnValue:
    """The result of a run: 200 with it, 202 while it goes on, or why it failed.

    Parameters
    ----------
    waits
        Whether to wait for it (as long as the settings say) where the caller prefers nothing.
    inline
        Whether the picture that was made is to be in the answer, too, as `image`.
    """
    usual = services().settings.media.wait_seconds if waits and not prefers_async() else None
    wait_for_end(run_id, usual)
    with services().database.session() as session:
        found, run = requests.of_run(session, run_id), session.get_one(Run, run_id)
        # Another run may work on it by now.
        answer = as_json(found, session.get(Run, found.row.run_id or run_id))
    if run.status in ("failed", "cancelled"):
        return _failed(answer, run)
    if found.row.status == "processing":
        where = url_for("media_api.show", request_id=found.row.id)
        return jsonify({**answer, "poll": where}), 202, {"Location": where}
    return jsonify({**answer, **(_inline(found) if inline else {})})


def on_to_page(run_id: UUID) -> ResponseReturnValue:
    """Where a form of the studio leads: to the page of the request, whose run has begun."""
    with services().database.session() as session:
        request_id = requests.of_run(session, run_id).row.id
    return redirect(url_for("studio.show", request_id=request_id), 303)


def prefers_async() -> bool:
    """Whether the caller would rather not wait (RFC 7240)."""
    headers = request.headers.getlist("Prefer")
    return "respond-async" in {item.lower() for each in headers for item in parse_list_header(each)}


def as_json(found: Found, run: Run | None) -> Json:
    """A request as programs see it; what its result says lies beside the rest."""
    row = found.row
    answer = {
        **(row.result or {}),
        "id": str(row.id),
        "run_id": None if row.run_id is None else str(row.run_id),
        "service": row.service,
        "status": WORDS.get(row.status, row.status),
        "engine": row.engine,
        "created_at": row.created_at.isoformat(),
        "files": {role: [file_json(each) for each in files] for role, files in found.files.items()},
    }
    if run is not None and row.status == "processing":
        answer["progress"] = round(run.progress, 4)
    if row.error:
        answer["message"] = row.error
    return answer


def file_json(file: Given) -> Json:
    """A file as programs see it, with an address that works for an hour."""
    return {
        "url": link(file),
        "filename": file.filename,
        "mime": file.mime,
        "size": file.size,
        "width": file.width,
        "height": file.height,
    }


def link(file: Given, *, saved: bool = False) -> str:
    """Where the file can be had for an hour; `saved` for one that is downloaded by its name."""
    return services().store.url(file.key, LINK_LIFE, file.filename if saved else None)


def first(found: Found, role: str = "result") -> Given | None:
    """The first file of a role."""
    files: Sequence[Given] = found.files.get(role, ())
    return files[0] if files else None


def data_url(file: Given) -> str:
    """The file itself, as a data URL."""
    with services().store.open(file.key) as stream:
        return f"data:{file.mime};base64,{base64.b64encode(stream.read()).decode()}"


def _inline(found: Found) -> Json:
    file = first(found)
    return {} if file is None else {"image": data_url(file)}


def _failed(answer: Json, run: Run) -> tuple[Response, int]:
    """Why nothing came of it, as our errors and as the seed's clients read it."""
    if run.status == "cancelled":
        return jsonify({**answer, "status": "cancelled", "message": "Cancelled."}), 409
    error = run.error or {}
    told = {
        "code": "invalid" if error.get("class") in MISTAKES else "failed",
        "message": str(error.get("message", "")),
        "field": error.get("field"),
    }
    status = 422 if told["code"] == "invalid" else 502
    said = {"status": "error", "message": told["message"], "error": told}
    return jsonify({**answer, **said}), status
