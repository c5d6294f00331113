"""What requests to the catalog's API say, and the envelope that its answers wear."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify, request

from darkroom.catalog.selection import LARGEST
from darkroom.errors import Invalid

Json = dict[str, Any]


def body() -> Json:
    """The JSON object that was sent."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise Invalid("Send a JSON object, with Content-Type: application/json.", code="not_json")
    return sent


def number(
    name: str, default: int | None = None, *, low: int = 1, high: int = LARGEST
) -> int | None:
    """A whole number of the query."""
    given = request.args.get(name)
    if given is None or given == "":
        return default
    if not given.isdecimal() or not low <= int(given) <= high:
        raise Invalid(f"{name} must be a whole number from {low} to {high}, not {given!r}.", name)
    return int(given)


def priority(sent: Json) -> int:
    """The priority that was asked for."""
    given = sent.get("prioridad", 0)
    if not isinstance(given, int) or isinstance(given, bool) or abs(given) > LARGEST:
        raise Invalid(f"prioridad must be a whole number, not {given!r}.", "prioridad")
    return given


def success(data: Json, message: str | None = None) -> Response:
    """An answer as the seed system gives it."""
    said = {"message": message} if message else {}
    return jsonify({"success": True, **said, "data": data})


def wear(answer: Response) -> Response:
    """Clients of the seed system read an error's text from `message`."""
    if answer.status_code >= 400 and answer.is_json:
        sent = answer.get_json()
        told = {"success": False, "message": sent["error"]["message"]}
        answer.set_data(jsonify(told | sent).get_data())
    return answer


def times(row: Json) -> Json:
    """The row with its times as the seed system writes them."""
    return {
        name: _time(value) if isinstance(value, datetime) else value for name, value in row.items()
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
