"""Errors as people and programs see them: what happened, what it means, what one can do.

Programs get `{"error": {"code", "message", "field"}}`, people a page. Nothing shows a traceback:
what was not foreseen is logged under a reference that the answer names.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from darkroom.errors import DarkroomError, Invalid, NotEnough, NotNow, Transient
from darkroom.web.audience import is_api, wants_json
from darkroom.web.words import N_, say

log = logging.getLogger(__name__)

RETRY_SECONDS = 5

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    410: "gone",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}

MESSAGES = {
    400: N_("This request could not be read."),
    401: N_("Sign in first."),
    403: N_("You are not allowed to do this."),
    404: N_("There is nothing at this address, or it is not yours."),
    405: N_("This address does not take that method."),
    413: N_("What was sent is too large."),
    415: N_("This kind of content is not understood here."),
    503: N_("Darkroom is busy. Try again in a moment."),
}

TITLES = {
    400: N_("That did not work"),
    401: N_("Sign in first"),
    402: N_("Not enough tokens"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    409: N_("Not possible now"),
    410: N_("No longer valid"),
    413: N_("Too large"),
    500: N_("Something went wrong on our side"),
    503: N_("Not available right now"),
}

ADVICE = {
    400: N_("Go back, correct it and send it again."),
    401: N_("Sign in and you will come back here."),
    402: N_("Nothing was taken. Ask an administrator for more tokens."),
    403: N_("Ask an administrator if you need this."),
    404: N_("Check the address, or start from the list of runs."),
    409: N_("Reload the page to see how things stand, then decide."),
    413: N_("Send fewer or smaller files at once."),
    500: N_("Nothing of yours is lost. Try again; if it stays, tell your administrator."),
    503: N_("Nothing of yours is lost. Wait a few seconds and try again."),
}


@dataclass(frozen=True)
class Failure:
    """An error on its way out."""

    status: int
    code: str
    message: str
    field: str | None = None
    reference: str | None = None
    retry_seconds: int = RETRY_SECONDS
    figures: Mapping[str, int] | None = None

    @property
    def title(self) -> str:
        """A heading in the reader's language."""
        return say(TITLES.get(self.status) or TITLES[self._kind])

    @property
    def advice(self) -> str:
        """What the reader can do."""
        return say(ADVICE.get(self.status) or ADVICE[self._kind])

    @property
    def _kind(self) -> int:
        return 500 if self.status >= 500 else 400


def register(app: Flask) -> None:
    """Answer every error of the app here."""
    app.register_error_handler(DarkroomError, _on_ours)
    app.register_error_handler(CSRFError, _on_csrf)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(OperationalError, _on_database)
    app.register_error_handler(Exception, _on_surprise)


def answer(failure: Failure) -> Response:
    """The error as JSON or as a page."""
    response = _as_json(failure) if wants_json() else _as_page(failure)
    response.status_code = failure.status
    if failure.status == 503:
        response.headers["Retry-After"] = str(failure.retry_seconds)
    return response


def _as_json(failure: Failure) -> Response:
    message = failure.message if is_api(request) else say(failure.message)
    error: dict[str, Any] = {"code": failure.code, "message": message, "field": failure.field}
    if failure.reference:
        error["reference"] = failure.reference
    return jsonify({"error": {**error, **(failure.figures or {})}})


def _as_page(failure: Failure) -> Response:
    return make_response(render_template("error.html", failure=failure))


def _on_ours(error: DarkroomError) -> Response:
    if isinstance(error, NotEnough):
        figures = {"needed": error.needed, "have": error.have}
        return answer(Failure(error.status, error.code, error.message, figures=figures))
    if isinstance(error, Invalid):
        return answer(Failure(error.status, error.code, error.message, error.field))
    if isinstance(error, Transient) and error.retry_after:
        seconds = ceil(error.retry_after.total_seconds())
        return answer(Failure(503, error.code, error.message, retry_seconds=seconds))
    if isinstance(error, Transient | NotNow):
        return answer(Failure(503, error.code, error.message))
    return _on_surprise(error)


def _on_csrf(_error: CSRFError) -> Response:
    # Flask-WTF has logged what is wrong with the token.
    message = N_("This page is too old, or your session has ended. Reload it and try again.")
    return answer(Failure(400, "csrf", message))


def _on_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    message = MESSAGES.get(status) or error.description or error.name
    response = answer(Failure(status, CODES.get(status, "error"), message))
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _on_database(error: OperationalError) -> Response:
    log.error("The database does not answer", exc_info=error)
    return _on_broken(Failure(503, "unavailable", N_("The database does not answer.")))


def _on_surprise(error: Exception) -> Response:
    reference = secrets.token_hex(4)
    log.error("Unexpected error, reference %s", reference, exc_info=error)
    message = N_("Darkroom made a mistake with this request.")
    return _on_broken(Failure(500, "internal", message, reference=reference))


def _on_broken(failure: Failure) -> Response:
    """The answer where even looking up the reader may fail: it is not tried."""
    g.caller = None
    if wants_json():
        return answer(failure)
    response = make_response(render_template("broken.html", failure=failure), failure.status)
    if failure.status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
