"""The pages of stock: what stands where, batches and their movements, and changes by hand."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import uuid4

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import format_date, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.places.models import (
    ContainerType,
    Product,
    ProductState,
    StorageLocation,
)
from darkroom.counting.stock import asking, export, plot, reading
from darkroom.counting.stock.api import LARGEST_MOVEMENT, cursor, days, in_range
from darkroom.counting.stock.filters import LARGEST_ID, StockFilter
from darkroom.errors import Invalid, NotFound
from darkroom.web.auth import current_user, login_required, scope
from darkroom.web.formats import number
from darkroom.web.services import services
from darkroom.web.words import N_, word

pages = Blueprint("stock", __name__, url_prefix="/count/stock")

PAGE = 50
MOST_CHOICES = 500
"""Locations or products offered in a form; others can be typed."""

MOVEMENTS = {
    "foto": N_("Counted"),
    "manual": N_("Entered"),
    "adjustment": N_("Adjusted"),
    "transfer": N_("Transferred"),
    "loss": N_("Lost"),
}


@pages.app_template_filter("movement_word")
def movement_word(kind: str) -> str:
    """The reader's word for a kind of movement."""
    return word(MOVEMENTS, kind)


@pages.app_template_filter("day")
def day_word(day: date) -> str:
    """A day in the reader's way."""
    return str(format_date(day, "medium"))


@pages.get("")
@login_required
def index() -> ResponseReturnValue:
    """What stands where; the filters are in the address."""
    with services().database.session() as db:
        wanted, error = _wanted(db)
        rows = reading.current(db, wanted, request.args.get("after", ""), PAGE + 1)
        page = render_template(
            "counting/stock/index.html",
            rows=rows[:PAGE],
            next=rows[PAGE - 1].cursor if len(rows) > PAGE else None,
            totals=reading.totals(db, wanted),
            first_page="after" not in request.args,
            error=error,
            given=_given(),
            **_choices(db),
        )
    return page, error.status if error else 200


@pages.get("/current.csv")
@login_required
def download() -> ResponseReturnValue:
    """What stands where, for spreadsheets."""
    with services().database.session() as db:
        wanted = StockFilter.read(db, request.args)
    return _streamed(export.current(services().database, wanted), "stock.csv")


@pages.get("/batches")
@login_required
def batches() -> ResponseReturnValue:
    """Batches, newest first."""
    with_plants = request.args.get("empty") != "1"
    before = cursor("before", LARGEST_ID)
    with services().database.session() as db:
        wanted, error = _wanted(db)
        rows = reading.batches(db, wanted, with_plants=with_plants, before=before, size=PAGE + 1)
        page = render_template(
            "counting/stock/batches.html",
            rows=rows[:PAGE],
            next=rows[PAGE - 1].id if len(rows) > PAGE else None,
            first_page=before is None,
            error=error,
            given=_given(),
            **_choices(db),
        )
    return page, error.status if error else 200


@pages.get("/batches.csv")
@login_required
def download_batches() -> ResponseReturnValue:
    """Batches, for spreadsheets."""
    with services().database.session() as db:
        wanted = StockFilter.read(db, request.args)
    with_plants = request.args.get("empty") != "1"
    text = export.batches(services().database, wanted, with_plants=with_plants)
    return _streamed(text, "batches.csv")


@pages.get("/batches/<int:batch_id>")
@login_required
def batch(batch_id: int) -> ResponseReturnValue:
    """One batch: what is there, what came and went, and what can be done."""
    return _batch_page(in_range(batch_id))


@pages.post("/batches/<int:batch_id>/<any(adjust, transfer, loss):action>")
@login_required
def change(batch_id: int, action: str) -> ResponseReturnValue:
    """Adjust a batch, transfer plants of it, or write them off."""
    zone = services().settings.counting.time_zone
    try:
        with services().database.session() as db:
            found = asking.change(
                db, action, in_range(batch_id), request.form, current_user().id, zone
            )
    except NotFound:
        raise
    except Invalid as error:
        return _batch_page(in_range(batch_id), action, error)
    if action == "transfer":
        plants, code = number(found.quantity_initial), found.batch_code
        flash(gettext("%(plants)s plants are now batch %(code)s.", plants=plants, code=code))
    else:
        plants = number(found.quantity_current)
        flash(gettext("Written. The batch holds %(plants)s plants.", plants=plants))
    return redirect(url_for("stock.batch", batch_id=batch_id), 303)


@pages.get("/new")
@login_required
def new() -> ResponseReturnValue:
    """The form to enter plants by hand."""
    return _entry_page(request.args)


@pages.post("/new")
@login_required
def enter() -> ResponseReturnValue:
    """Enter plants by hand."""
    zone = services().settings.counting.time_zone
    try:
        with services().database.session() as db:
            made = asking.enter(db, request.form, current_user().id, zone)
    except Invalid as error:
        return _entry_page(request.form, error)
    flash(gettext("Entered as batch %(code)s.", code=made.batch_code))
    return redirect(url_for("stock.batch", batch_id=made.id), 303)


@pages.get("/locations/<code>")
@login_required
def location(code: str) -> ResponseReturnValue:
    """What stands at a location, and how it came about."""
    zone = services().settings.counting.time_zone
    with services().database.session() as db:
        wanted = StockFilter.read(db, {**request.args, "location": code, "text": ""})
        assert wanted.location is not None
        levels = reading.history(db, wanted.location, wanted.product, days(), zone)
        return render_template(
            "counting/stock/location.html",
            location=wanted.location,
            product=wanted.product,
            rows=reading.current(db, wanted, "", MOST_CHOICES),
            levels=levels,
            chart=plot.draw(levels),
            title=plot.title(),
            days=days(),
            periods=tuple(reading.PERIODS),
            zone=zone,
            **_choices(db),
        )


def _batch_page(
    batch_id: int, action: str = "", error: Invalid | None = None
) -> ResponseReturnValue:
    before = cursor("before", LARGEST_MOVEMENT)
    with services().database.session() as db:
        row = reading.batch(db, batch_id)
        found = reading.movements(db, StockFilter(), batch_id=row.id, before=before, size=PAGE + 1)
        page = render_template(
            "counting/stock/batch.html",
            batch=row,
            may_see_count=row.session_id is not None and scope() in (None, row.owner_id),
            movements=found[:PAGE],
            others=reading.other_sides(db, found[:PAGE]),
            next=found[PAGE - 1].id if len(found) > PAGE else None,
            first_page=before is None,
            acted=action,
            given=request.form if error else {},
            errors=_errors(error),
            movement_id=uuid4(),
            locations=_active(db, StorageLocation),
        )
    return page, error.status if error else 200


def _entry_page(given: Mapping[str, str], error: Invalid | None = None) -> ResponseReturnValue:
    with services().database.session() as db:
        page = render_template(
            "counting/stock/enter.html",
            given=given,
            errors=_errors(error),
            movement_id=uuid4(),
            locations=_active(db, StorageLocation),
            container_types=_active(db, ContainerType),
            **_choices(db),
        )
    return page, error.status if error else 200


def _wanted(db: Session) -> tuple[StockFilter, Invalid | None]:
    """The filter of the address; where it cannot be read, all of it and what is wrong."""
    try:
        return StockFilter.read(db, request.args), None
    except Invalid as error:
        return StockFilter(), error


def _given() -> dict[str, str]:
    names = ("text", "location", "product", "state", "empty")
    return {name: request.args[name] for name in names if request.args.get(name)}


def _choices(db: Session) -> dict[str, Any]:
    states = db.scalars(select(ProductState).order_by(ProductState.sort_order)).all()
    return {"products": _active(db, Product), "states": states}


def _active(db: Session, kind: Any) -> list[Any]:
    query = select(kind).where(kind.is_active).order_by(kind.code).limit(MOST_CHOICES)
    return list(db.scalars(query))


def _errors(error: Invalid | None) -> dict[str | None, str]:
    return {error.field: error.message} if error else {}


def _streamed(text: Iterator[str], filename: str) -> Response:
    response = Response(stream_with_context(text), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
