"""The JSON API of places and products: `/api/v1/locations/<kind>`, and imports of files."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.counting.places import importing, locations, outlines, service
from darkroom.counting.places.fields import Reference
from darkroom.counting.places.importing import PlaceImport
from darkroom.counting.places.kinds import KINDS, LOCATIONS, Kind
from darkroom.counting.places.service import Book
from darkroom.errors import Invalid, NotFound
from darkroom.web.auth import admin_required, current_user, login_required
from darkroom.web.services import services
from darkroom.web.words import N_

Json = dict[str, Any]

blueprint = Blueprint("places_api", __name__, url_prefix="/api/v1/locations")

PAGE, MOST = 100, 1000


@blueprint.get("/<kind>")
@login_required
def index(kind: str) -> Response:
    """Rows by number, filtered by `q`, `is_active` and what they belong to (`warehouse_id=3`).

    `next` is the `after` of the page that follows.
    """
    chosen = kind_named(kind)
    limit = _limit()
    with services().database.session() as db:
        found = service.rows(
            db,
            chosen,
            text=request.args.get("q", "").replace("\0", ""),
            active=_flag("is_active"),
            equal=_equal(db, chosen),
            after=_number("after"),
            limit=limit + 1,
        )
    more = found[limit - 1].id if len(found) > limit else None
    return jsonify({chosen.many: [as_json(chosen, row) for row in found[:limit]], "next": more})


@blueprint.post("/<kind>")
@admin_required
def create(kind: str) -> ResponseReturnValue:
    """Add a row: 201."""
    chosen = kind_named(kind)
    with services().database.session() as db:
        row = service.create(db, chosen, _body())
        note(db, chosen, "create", row)
        answer = jsonify(as_json(chosen, row))
    there = url_for("places_api.show", kind=kind, row_id=row.id)
    return answer, 201, {"Location": there}


@blueprint.get("/<kind>/<int:row_id>")
@login_required
def show(kind: str, row_id: int) -> Response:
    """One row."""
    chosen = kind_named(kind)
    with services().database.session() as db:
        return jsonify(as_json(chosen, service.get(db, chosen, row_id)))


@blueprint.patch("/<kind>/<int:row_id>")
@admin_required
def change(kind: str, row_id: int) -> Response:
    """Change the fields given."""
    chosen = kind_named(kind)
    with services().database.session() as db:
        row = service.get(db, chosen, row_id)
        if service.change(db, chosen, row, _body()):
            note(db, chosen, "change", row)
        return jsonify(as_json(chosen, row))


@blueprint.delete("/<kind>/<int:row_id>")
@admin_required
def delete(kind: str, row_id: int) -> ResponseReturnValue:
    """Remove a row that nothing refers to: 204."""
    chosen = kind_named(kind)
    with services().database.session() as db:
        row = service.get(db, chosen, row_id)
        note(db, chosen, "delete", row)
        service.delete(db, chosen, row)
    return "", 204


@blueprint.get("/lookup")
@login_required
def look_up() -> Response:
    """The location in use at `latitude` and `longitude`; null where none is within reach."""
    latitude, longitude = _degrees("latitude"), _degrees("longitude")
    outlines.check_position(latitude, longitude)
    within = services().settings.counting.nearest_metres
    with services().database.session() as db:
        hit = locations.lookup(db).find(latitude, longitude, within)
        row = service.get(db, LOCATIONS, hit.id) if hit else None
        found = as_json(LOCATIONS, row) if row else None
    return jsonify(storage_location=found, distance_m=hit.distance if hit else None)


@blueprint.post("/imports")
@admin_required
def begin_import() -> ResponseReturnValue:
    """Try a CSV or GeoJSON file (multipart `file`, or the body itself): 201 with the report.

    Nothing is imported until the answer's `import_url` is posted to. `kind` says what rows are
    that do not say so themselves (storage-locations).
    """
    content, filename = sent_file()
    kind = kind_named(request.values.get("kind") or LOCATIONS.name, "kind")
    with services().database.session() as db:
        made = importing.begin(db, current_user().id, content, filename, kind)
        answer = jsonify(_import(made))
    return answer, 201, {"Location": url_for("places_api.show_import", import_id=made.id)}


@blueprint.get("/imports/<uuid:import_id>")
@admin_required
def show_import(import_id: UUID) -> Response:
    """The report of an import."""
    with services().database.session() as db:
        return jsonify(_import(importing.get(db, import_id)))


@blueprint.post("/imports/<uuid:import_id>")
@admin_required
def carry_out_import(import_id: UUID) -> Response:
    """Import the good rows of a file that was tried; a second time answers what was done."""
    with services().database.session() as db:
        found = importing.get(db, import_id)
        take_in(db, found)
        return jsonify(_import(found))


# What the pages do too


def kind_named(name: str, field: str | None = None) -> Kind:
    """The kind of that name; `NotFound` when there is none."""
    if name not in KINDS:
        raise NotFound(f"There is no kind “{name[:60]}”. There are: {', '.join(KINDS)}.", field)
    return KINDS[name]


def note(db: Session, kind: Kind, verb: str, row: Any) -> None:
    """Write into the audit what the caller does to a row."""
    subject = f"{kind.name} {getattr(row, 'code', None) or row.id}"
    audit.write(db, actor=Actor.of(current_user()), action=f"places.{verb}", subject=subject)


def take_in(db: Session, found: PlaceImport) -> None:
    """Carry an import out, once, and note it."""
    before = found.imported_at
    report = importing.carry_out(db, found)
    if before is None:
        actor = Actor.of(current_user())
        audit.write(
            db, actor=actor, action="places.import", subject=found.filename, count=report.good
        )


def sent_file() -> tuple[bytes, str]:
    """Content and name of the file sent, as a part or as the body."""
    part = request.files.get("file")
    if part is not None and part.filename:
        return part.read(), part.filename
    if request.mimetype in ("", "multipart/form-data", "application/x-www-form-urlencoded"):
        raise Invalid(N_("No file came with the request: send one in the part “file”."), "file")
    return request.get_data(), "upload"


def as_json(kind: Kind, row: Any) -> Json:
    """A row as the API shows it."""
    values = {one.name: getattr(row, one.name) for one in kind.fields}
    times = {name: _iso(getattr(row, name)) for name in ("created_at", "updated_at")}
    return {"id": row.id} | values | times


def _import(found: PlaceImport) -> Json:
    return {
        "id": str(found.id),
        "filename": found.filename,
        "kind": found.kind,
        "imported": found.imported_at is not None,
        "imported_at": found.imported_at and _iso(found.imported_at),
        "report": found.report,
        "import_url": url_for("places_api.carry_out_import", import_id=found.id),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat()


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(N_("The body must be a JSON object."))
    return body


def _equal(db: Session, kind: Kind) -> dict[str, int]:
    book = Book(db)
    return {
        one.name: one.parse(request.args[one.name], book)
        for one in kind.fields
        if isinstance(one, Reference) and one.name in request.args
    }


def _flag(name: str) -> bool | None:
    given = request.args.get(name, "")
    if given.lower() not in ("", "true", "false"):
        raise Invalid(N_("This must be true or false."), name)
    return given.lower() == "true" if given else None


def _number(name: str) -> int | None:
    given = request.args.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise Invalid(f"This must be a whole number of at least {0}.", name)
    return int(given)


def _limit() -> int:
    limit = _number("limit") if "limit" in request.args else PAGE
    if limit is None or not 1 <= limit <= MOST:
        raise Invalid(f"The limit must lie between 1 and {MOST}.", "limit")
    return limit


def _degrees(name: str) -> float:
    try:
        return float(request.args.get(name, ""))
    except ValueError:
        raise Invalid("This must be a number of degrees.", name) from None
