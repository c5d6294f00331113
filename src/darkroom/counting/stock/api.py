"""The JSON API of stock: what stands where, its batches and movements, and changes to them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.counting.api import add_detail
from darkroom.counting.results import as_json
from darkroom.counting.stock import asking, reading
from darkroom.counting.stock.asking import Fields
from darkroom.counting.stock.filters import LARGEST_ID, StockFilter
from darkroom.counting.stock.reading import BatchRow, MovementRow
from darkroom.errors import Invalid
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services
from darkroom.web.words import N_

Json = dict[str, Any]

blueprint = Blueprint("stock_api", __name__, url_prefix="/api/v1/stock")
blueprint.after_request(add_detail)

LIMIT = 100
MOST = 1000
LARGEST_MOVEMENT = 2**63 - 1
KINDS = ("foto", "manual", "adjustment", "transfer", "loss")


@blueprint.get("/current")
@login_required
def current() -> Response:
    """What is there by `location`, `product` and `state` (codes); goes on at `next`."""
    size = page_size()
    with services().database.session() as db:
        wanted = StockFilter.read(db, request.args)
        rows = reading.current(db, wanted, request.args.get("after", ""), size + 1)
    more = rows[size - 1].cursor if len(rows) > size else None
    return jsonify(stock=[asdict(row) for row in rows[:size]], next=more)


@blueprint.get("/batches")
@login_required
def batches() -> Response:
    """Batches, newest first; `empty=1` also those with nothing left."""
    size = page_size()
    with services().database.session() as db:
        rows = reading.batches(
            db,
            StockFilter.read(db, request.args),
            with_plants=request.args.get("empty") != "1",
            before=cursor("before", LARGEST_ID),
            size=size + 1,
        )
    return jsonify(batches=[batch_json(row) for row in rows[:size]], next=_more(rows, size))


@blueprint.post("/batches")
@login_required
def enter() -> ResponseReturnValue:
    """Enter plants by hand: `location`, `product`, `quantity`; `state`, `notes` if you like."""
    zone = services().settings.counting.time_zone
    with services().database.session() as db:
        made = asking.enter(db, body(), current_user().id, zone)
    return _made(made.id)


@blueprint.get("/batches/<int:batch_id>")
@login_required
def batch(batch_id: int) -> Response:
    """One batch."""
    with services().database.session() as db:
        return jsonify(batch_json(reading.batch(db, in_range(batch_id))))


@blueprint.post("/batches/<int:batch_id>/<any(adjust, transfer, loss):action>")
@login_required
def change(batch_id: int, action: str) -> ResponseReturnValue:
    """Adjust to a `quantity`, transfer so many to a `location`, or lose so many: with `reason`."""
    zone = services().settings.counting.time_zone
    with services().database.session() as db:
        found = asking.change(db, action, in_range(batch_id), body(), current_user().id, zone)
    return _made(found.id)


@blueprint.get("/movements")
@login_required
def movements() -> Response:
    """Movements, newest first, of a `batch` (its number), a `type`, a `location` and so on."""
    size, kind = page_size(), request.args.get("type") or None
    if kind is not None and kind not in KINDS:
        raise Invalid(f"There is no type {kind!r}. There are: {', '.join(KINDS)}.", "type")
    with services().database.session() as db:
        rows = reading.movements(
            db,
            StockFilter.read(db, request.args),
            batch_id=cursor("batch", LARGEST_ID),
            kind=kind,
            before=cursor("before", LARGEST_MOVEMENT),
            size=size + 1,
        )
    return jsonify(movements=[movement_json(row) for row in rows[:size]], next=_more(rows, size))


@blueprint.get("/history")
@login_required
def history() -> Response:
    """What stood at a `location` at the end of each day (or span of days), in the last `days`."""
    zone = services().settings.counting.time_zone
    with services().database.session() as db:
        wanted = StockFilter.read(db, request.args)
        if wanted.location is None:
            raise Invalid("Name the location.", "location", code="missing")
        levels = reading.history(db, wanted.location, wanted.product, days(), zone)
    shown = [asdict(level) | {"day": level.day.isoformat()} for level in levels]
    return jsonify(location=wanted.location.code, time_zone=zone, levels=shown)


def body() -> Fields:
    """The fields of the present call, from JSON or from a form."""
    if not request.is_json:
        return request.form
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise Invalid(N_("Send a JSON object."))
    return found


def page_size() -> int:
    """How many rows the present call asks for."""
    return _number("limit", LIMIT, MOST)


def days() -> int:
    """How many days of history the present call asks for."""
    return _number("days", 90, max(reading.PERIODS))


def cursor(name: str, largest: int) -> int | None:
    """A number of a row as an address holds it; None where there is none."""
    return _number(name, 0, largest) or None


def in_range(batch_id: int) -> int:
    """A batch's number as the database can hold it: what is larger is not there."""
    return min(batch_id, LARGEST_ID)


def batch_json(row: BatchRow) -> Json:
    """A batch as JSON; whose session it was is not told."""
    return {name: value for name, value in as_json(row).items() if name != "owner_id"}


def movement_json(row: MovementRow) -> Json:
    """A movement as JSON."""
    return as_json(row)


def _number(name: str, default: int, largest: int) -> int:
    given = request.args.get(name)
    if not given:
        return default
    if not given.isascii() or not given.isdecimal() or not 0 < int(given[:20]) <= largest:
        raise Invalid(f"{name} must lie between 1 and {largest}.", name)
    return int(given)


def _more(rows: Sequence[BatchRow | MovementRow], size: int) -> int | None:
    return rows[size - 1].id if len(rows) > size else None


def _made(batch_id: int) -> ResponseReturnValue:
    with services().database.session() as db:
        answer = jsonify(batch_json(reading.batch(db, batch_id)))
    return answer, 201, {"Location": url_for("stock_api.batch", batch_id=batch_id)}
