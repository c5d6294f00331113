"""Its own interface: the journal, and the faults to order."""

from ipaddress import ip_address

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from darkroom import __version__
from darkroom.errors import Invalid
from darkroom.sandbox.faults import KINDS, Fault
from darkroom.sandbox.state import here

NAME = "darkroom sandbox"

control = Blueprint("control", __name__, url_prefix="/_sandbox")


@control.before_request
def keep_pages_out() -> None:
    """Refuse what a page elsewhere could make a browser send."""
    host = request.host.rpartition(":")[0] or request.host
    if not _is_loopback(host.strip("[]")) or request.headers.get("Origin"):
        abort(403)


@control.get("")
def show() -> ResponseReturnValue:
    """What it is and what it plays."""
    sandbox = here()
    return jsonify(
        name=NAME, version=__version__, models=dict(sandbox.models), seen=sandbox.journal.seen
    )


@control.get("/journal")
def journal() -> ResponseReturnValue:
    """The latest requests, newest first; `route` and `limit` narrow it."""
    route, limit = request.args.get("route", "*"), request.args.get("limit", 1000, type=int)
    found = here().journal.find(route)
    entries = [each.as_json() for each in found[: max(limit, 0)]]
    return jsonify(entries=entries, count=len(found), seen=here().journal.seen)


@control.delete("/journal")
def forget() -> ResponseReturnValue:
    """Forget the requests."""
    here().journal.clear()
    return "", 204


@control.get("/faults")
def faults() -> ResponseReturnValue:
    """All faults, and which kinds there are."""
    return jsonify(faults=[each.as_json() for each in here().faults.listing()], kinds=dict(KINDS))


@control.post("/faults")
def order() -> ResponseReturnValue:
    """Order a fault."""
    standing = here().faults.add(Fault.from_json(request.get_json()))
    return jsonify(standing.as_json()), 201


@control.delete("/faults")
def clear() -> ResponseReturnValue:
    """Clear all faults."""
    return jsonify(cleared=here().faults.clear())


@control.delete("/faults/<int:id>")
def clear_one(id: int) -> ResponseReturnValue:
    """Clear one."""
    return jsonify(cleared=here().faults.clear(id))


@control.errorhandler(Invalid)
def refuse(error: Invalid) -> ResponseReturnValue:
    """Name what is wrong."""
    said = {"code": error.code, "message": error.message, "field": error.field}
    return jsonify(error=said), error.status


@control.errorhandler(HTTPException)
def fail(error: HTTPException) -> ResponseReturnValue:
    """The same for what Flask refuses."""
    said = {"code": "http", "message": error.description, "field": None}
    return jsonify(error=said), error.code or 500


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
