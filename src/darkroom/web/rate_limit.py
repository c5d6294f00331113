"""`@rate_limit("generate-image")`: so many calls of a client in a time, as the settings say.

Every answer bears `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds since
1970), and that to a refused call `Retry-After` (seconds). Put it under `@idempotent`: a request
that is sent again and answered from its run does not count.
"""

from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any, TypeVar, cast

from flask import Response, after_this_request, jsonify, request

from darkroom.queue.gates import limit
from darkroom.queue.gates.limit import Window
from darkroom.web import client, errors
from darkroom.web.audience import wants_json
from darkroom.web.auth import caller
from darkroom.web.services import services

View = TypeVar("View", bound=Callable[..., Any])


def rate_limit(endpoint: str) -> Callable[[View], View]:
    """Limit a view by the quota that `GateSettings.limits` has under this name.

    Counts each call once it is asked for, whatever comes of it; refused calls do not count. A user
    is counted by their token or session, everybody else by their address.
    """

    def limit_view(view: View) -> View:
        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:
            found = services()
            quota = found.settings.gates.limits[endpoint]
            window = limit.hit(found.database, client_key(), f"/{endpoint}", quota)
            # Errors of the view get the headers too.
            after_this_request(lambda response: _with_headers(response, window))
            return view(*args, **kwargs) if window.allowed else _refused(window)

        return cast(View, limited)

    return limit_view


def client_key() -> str:
    """Who is counted: the user, or the address of a call without one."""
    found = caller()
    if found is not None and found.way != "local":
        return f"user {found.user.id}"
    return f"address {client.address(request, services().settings.web.trusted_proxies)}"


def _with_headers(response: Response, window: Window) -> Response:
    response.headers["X-RateLimit-Limit"] = str(window.limit)
    response.headers["X-RateLimit-Remaining"] = str(window.remaining)
    response.headers["X-RateLimit-Reset"] = str(ceil(window.reset_at.timestamp()))
    if not window.allowed:
        response.headers["Retry-After"] = str(_wait(window))
    return response


def _refused(window: Window) -> Response:
    if wants_json():
        return _refusal(window)
    return errors.answer(errors.Failure(429, "too_many_requests", _message(window)))


def _message(window: Window) -> str:
    return f"More than {window.limit} calls. Try again in {_wait(window)} s."


def _refusal(window: Window) -> Response:
    """The seed's envelope and our own error shape in one."""
    wait = _wait(window)
    response = jsonify(
        success=False,
        status="error",
        message=f"Demasiadas solicitudes. Inténtelo de nuevo en {wait} s.",
        retry_after=wait,
        error={"code": "too_many_requests", "message": _message(window), "field": None},
    )
    response.status_code = 429
    return response


def _wait(window: Window) -> int:
    return max(1, ceil(window.retry_seconds))
