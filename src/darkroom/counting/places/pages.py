"""The pages of places and products: the map, lists, forms, and imports of files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session
from xstatic.pkg import leaflet as map_library

from darkroom.counting.places import files, importing, mapping, service
from darkroom.counting.places.api import kind_named, note, sent_file, take_in
from darkroom.counting.places.fields import Flag, Reference
from darkroom.counting.places.importing import Report
from darkroom.counting.places.kinds import (
    AREAS,
    BINS,
    CONFIGS,
    CONTAINERS,
    DENSITIES,
    KINDS,
    LOCATIONS,
    PRODUCTS,
    STATES,
    WAREHOUSES,
    Kind,
)
from darkroom.errors import Invalid
from darkroom.web.auth import admin_required, current_user, login_required, safe_next
from darkroom.web.services import services
from darkroom.web.words import say

pages = Blueprint("places", __name__, url_prefix="/count", template_folder="../templates")

PAGE = 100
TABS = {
    "locations": (LOCATIONS, WAREHOUSES, AREAS, BINS, CONFIGS),
    "products": (PRODUCTS, STATES, CONTAINERS, DENSITIES),
}
"""The kinds under each entry of Count's navigation."""
BROUGHT = (STATES, CONTAINERS)
"""The kinds whose first rows come with Darkroom, and so are named in the reader's language."""


# The map


@pages.get("/locations")
@login_required
def index() -> ResponseReturnValue:
    """Where everything is: the map, and the locations in a list."""
    return _list_page(LOCATIONS)


@pages.get("/products")
@login_required
def products() -> ResponseReturnValue:
    """What is grown."""
    return _list_page(PRODUCTS)


@pages.get("/locations.geojson")
@login_required
def features() -> ResponseReturnValue:
    """Every place that can be drawn, as GeoJSON; locations lead to their pages."""
    with services().database.session() as db:
        response = jsonify(mapping.features(db))
    response.add_etag()
    return response.make_conditional(request)


@pages.get("/leaflet/<version>/<path:name>")
def leaflet(version: str, name: str) -> ResponseReturnValue:
    """The files of the map library, from its package; the version only tells them apart."""
    return send_from_directory(map_library.BASE_DIR, name, max_age=86_400)


def leaflet_url(name: str) -> str:
    """The address of a file of the map library."""
    return url_for("places.leaflet", version=map_library.VERSION, name=name)


@pages.record_once
def _offer_to_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(leaflet_url=leaflet_url)


# Lists and forms


@pages.get("/places/<kind>")
@login_required
def listed(kind: str) -> ResponseReturnValue:
    """The rows of a kind."""
    return _list_page(kind_named(kind))


@pages.get("/places/<kind>.csv")
@login_required
def export(kind: str) -> Response:
    """All rows of a kind, as an import takes them."""
    chosen = kind_named(kind)
    with services().database.session() as db:
        rows = _as_given(db, chosen, service.rows(db, chosen))
    text = files.table(files.own_columns(chosen), rows)
    response = Response(text, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{chosen.name}.csv")
    return response


@pages.get("/places/<kind>/new")
@admin_required
def new(kind: str) -> ResponseReturnValue:
    """The form of a row to be added; the address may fill fields in."""
    chosen = kind_named(kind)
    given = {one.name: one.text(_start(one)) for one in chosen.fields}
    known = {name: text for name, text in request.args.items() if name in given}
    return _form_page(chosen, None, given | known)


@pages.post("/places/<kind>/new")
@admin_required
def create(kind: str) -> ResponseReturnValue:
    """Add a row."""
    chosen = kind_named(kind)
    try:
        with services().database.session() as db:
            row = service.create(db, chosen, _sent(chosen))
            note(db, chosen, "create", row)
    except Invalid as error:
        return _form_page(chosen, None, _sent(chosen), error)
    flash(gettext("Added."))
    return redirect(_after(chosen, row), 303)


@pages.get("/places/<kind>/<int:row_id>")
@login_required
def show(kind: str, row_id: int) -> ResponseReturnValue:
    """A row and its form."""
    chosen = kind_named(kind)
    with services().database.session() as db:
        row = service.get(db, chosen, row_id)
        [given] = _as_given(db, chosen, [row])
    return _form_page(chosen, row, given)


@pages.post("/places/<kind>/<int:row_id>")
@admin_required
def change(kind: str, row_id: int) -> ResponseReturnValue:
    """Change a row."""
    chosen = kind_named(kind)
    try:
        with services().database.session() as db:
            row = service.get(db, chosen, row_id)
            if service.change(db, chosen, row, _sent(chosen)):
                note(db, chosen, "change", row)
    except Invalid as error:
        with services().database.session() as db:
            row = service.get(db, chosen, row_id)
        return _form_page(chosen, row, _sent(chosen), error)
    flash(gettext("Saved."))
    return redirect(_after(chosen, row), 303)


@pages.post("/places/<kind>/<int:row_id>/delete")
@admin_required
def delete(kind: str, row_id: int) -> ResponseReturnValue:
    """Remove a row that nothing refers to."""
    chosen = kind_named(kind)
    with services().database.session() as db:
        row = service.get(db, chosen, row_id)
        note(db, chosen, "delete", row)
        service.delete(db, chosen, row)
    flash(gettext("Deleted."))
    return redirect(_list_url(chosen), 303)


# Imports


@pages.get("/locations/import")
@admin_required
def ask_import() -> ResponseReturnValue:
    """The form that takes a file."""
    return _import_page()


@pages.post("/locations/import")
@admin_required
def begin_import() -> ResponseReturnValue:
    """Try a file, and go on to the report."""
    try:
        content, filename = sent_file()
        kind = kind_named(request.form.get("kind", ""), "kind")
        with services().database.session() as db:
            made = importing.begin(db, current_user().id, content, filename, kind)
    except Invalid as error:
        return _import_page(error)
    return redirect(url_for("places.show_import", import_id=made.id), 303)


@pages.get("/locations/imports/<uuid:import_id>")
@admin_required
def show_import(import_id: UUID) -> ResponseReturnValue:
    """The report: what is or would be imported, and what is wrong with the rest."""
    with services().database.session() as db:
        found = importing.get(db, import_id)
    return render_template(
        "counting/places/report.html",
        found=found,
        kind=KINDS[found.kind],
        report=Report.of(found.report),
    )


@pages.post("/locations/imports/<uuid:import_id>")
@admin_required
def carry_out_import(import_id: UUID) -> ResponseReturnValue:
    """Import the good rows."""
    with services().database.session() as db:
        take_in(db, importing.get(db, import_id))
    return redirect(url_for("places.show_import", import_id=import_id), 303)


@pages.get("/locations/imports/<uuid:import_id>.csv")
@admin_required
def bad_rows(import_id: UUID) -> Response:
    """The bad rows and their problems, to be corrected and sent again."""
    with services().database.session() as db:
        found = importing.get(db, import_id)
        text = importing.bad_rows(found)
    response = Response(text, mimetype="text/csv")
    name = f"{Path(found.filename).stem}-problems.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _import_page(error: Invalid | None = None) -> ResponseReturnValue:
    page = render_template(
        "counting/places/import.html",
        error=error,
        kinds=KINDS.values(),
        chosen=request.values.get("kind", LOCATIONS.name),
        columns={kind.name: files.columns(kind) for kind in KINDS.values()},
    )
    return page, error.status if error else 200


def _list_page(kind: Kind) -> ResponseReturnValue:
    after = request.args.get("after", "")
    text = request.args.get("q", "").replace("\0", "").strip()
    with services().database.session() as db:
        found = service.rows(
            db,
            kind,
            text=text,
            after=int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else None,
            limit=PAGE + 1,
        )
        shown = found[:PAGE]
        table = list(zip(shown, _as_given(db, kind, shown), strict=True))
        expected = mapping.expected(db, [row.id for row in found]) if kind is LOCATIONS else {}
        names = _names(db, kind)
    return render_template(
        "counting/places/list.html",
        kind=kind,
        here=_here(kind),
        tabs=TABS[_here(kind)],
        table=table,
        names=names,
        brought=kind in BROUGHT,
        expected=expected,
        text=text,
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        first_page=not after,
        list_url=_list_url,
        may_change=current_user().is_admin,
    )


def _form_page(
    kind: Kind, row: Any, given: Mapping[str, Any], error: Invalid | None = None
) -> ResponseReturnValue:
    with services().database.session() as db:
        options = {
            one.name: _choices(db, one)
            for asked in (kind, CONFIGS)
            for one in service.references(asked)
        }
        extra = _of_location(db, row) if kind is LOCATIONS and row is not None else {}
    page = render_template(
        "counting/places/form.html",
        kind=kind,
        here=_here(kind),
        row=row,
        given=given,
        fields=_shown(kind),
        options=options,
        list_url=_list_url(kind),
        errors={error.field: error.message} if error else {},
        next=request.values.get("next", ""),
        may_change=current_user().is_admin,
        **extra,
    )
    return page, error.status if error else 200


def _of_location(db: Session, row: Any) -> dict[str, Any]:
    """What the page of a location shows beside its own fields."""
    here = {"storage_location_id": row.id}
    configs = service.rows(db, CONFIGS, equal=here)
    config = configs[0] if configs else None
    kept = _as_given(db, CONFIGS, configs)
    return {
        "config": config,
        "config_kind": CONFIGS,
        "config_fields": [one for one in _shown(CONFIGS) if one.name != "storage_location_id"],
        "config_given": kept[0] if kept else {"storage_location_id": row.code},
        "bins": service.rows(db, BINS, equal=here),
        "counts": mapping.counts_at(db, row.id, current_user()),
    }


def _shown(kind: Kind) -> list[Any]:
    """The fields of a form: all but who counts, which is Darkroom itself."""
    return [one for one in kind.fields if not (isinstance(one, Reference) and one.kind == "users")]


def _start(field: Any) -> Any:
    return field.default if isinstance(field, Flag) else None


def _sent(kind: Kind) -> dict[str, Any]:
    """The fields of the form that was sent; a box that is not ticked says no."""
    return {
        one.name: request.form.get(one.name, "false" if isinstance(one, Flag) else "")
        for one in _shown(kind)
        if isinstance(one, Flag) or one.name in request.form
    }


def _as_given(db: Session, kind: Kind, rows: Sequence[Any]) -> list[dict[str, str]]:
    """The values of rows as a form or a file holds them: references by code."""
    codes = {one.name: _codes(db, one, rows) for one in service.references(kind)}
    return [
        {
            one.name: codes[one.name].get(getattr(row, one.name), "")
            if one.name in codes
            else one.text(getattr(row, one.name))
            for one in _shown(kind)
        }
        for row in rows
    ]


def _codes(db: Session, field: Reference, rows: Sequence[Any]) -> dict[int, str]:
    """The codes of what the rows refer to with a field, by number."""
    ids = {getattr(row, field.name) for row in rows} - {None}
    return service.codes_of(db, KINDS[field.kind], ids)


def _choices(db: Session, field: Reference) -> list[tuple[str, str]]:
    """Code and name of what a field may refer to, as the reader calls it."""
    kind = KINDS[field.kind]
    found = service.codes(db, kind)
    return [(code, say(name)) for code, name in found] if kind in BROUGHT else found


def _names(db: Session, kind: Kind) -> dict[str, dict[str, str]]:
    """What the codes of references are called, by field."""
    return {one.name: dict(_choices(db, one)) for one in service.references(kind)}


def _here(kind: Kind) -> str:
    return next(name for name, kinds in TABS.items() if kind in kinds)


def _list_url(kind: Kind) -> str:
    if kind is LOCATIONS:
        return url_for("places.index")
    return url_for("places.products" if kind is PRODUCTS else "places.listed", kind=kind.name)


def _after(kind: Kind, row: Any) -> str:
    """Where to go when a row is kept: where the form said, or to a location's page, or the list."""
    if request.form.get("next"):
        return safe_next(request.form["next"])
    if kind is LOCATIONS:
        return url_for("places.show", kind=kind.name, row_id=row.id)
    return _list_url(kind)
