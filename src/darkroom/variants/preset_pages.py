"""The pages of presets: a person's own, and everybody's."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from darkroom.errors import Invalid, NotFound
from darkroom.variants import anchors, archives, forms, presets, workflows
from darkroom.variants.anchors import USUAL_STRICTNESS
from darkroom.variants.forms import Row
from darkroom.variants.models import Preset
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services

pages = Blueprint(
    "variants_presets", __name__, url_prefix="/variants/presets", template_folder="templates"
)

Json = dict[str, Any]

NEW: Json = {"nano_params": {"strength": 0.4, "seed": 42}, "smart_anchors": []}


@pages.get("")
@login_required
def index() -> ResponseReturnValue:
    """What the reader may use: their own, then everybody's."""
    with services().database.session() as db:
        found = presets.usable(db, current_user().id)
        return render_template(
            "variants/presets.html",
            own=[each for each in found if each.owner_id is not None],
            shared=[each for each in found if each.owner_id is None],
        )


@pages.get("/new")
@login_required
def new() -> ResponseReturnValue:
    """The form of a new preset; `?from=` begins it as a copy of another."""
    with services().database.session() as db:
        return _form_page(db, None, _copied(db))


@pages.post("/new")
@login_required
def create() -> ResponseReturnValue:
    """Make a preset of the reader's own."""
    given = forms.preset(request.form)
    try:
        with services().database.session() as db:
            presets.create(db, current_user().id, given)
    except Invalid as error:
        return _again(None, given, error)
    return _saved()


@pages.get("/<uuid:preset_id>")
@login_required
def edit(preset_id: UUID) -> ResponseReturnValue:
    """The form of a preset of the reader's own."""
    with services().database.session() as db:
        found = presets.own(db, current_user().id, preset_id)
        return _form_page(db, found, _fields(found))


@pages.post("/<uuid:preset_id>")
@login_required
def change(preset_id: UUID) -> ResponseReturnValue:
    """Change a preset of the reader's own."""
    given = forms.preset(request.form)
    try:
        with services().database.session() as db:
            presets.change(db, current_user().id, preset_id, given)
    except NotFound:
        raise
    except Invalid as error:
        return _again(preset_id, given, error)
    return _saved()


@pages.post("/<uuid:preset_id>/delete")
@login_required
def delete(preset_id: UUID) -> ResponseReturnValue:
    """Delete a preset of the reader's own."""
    with services().database.session() as db:
        presets.delete(db, current_user().id, preset_id)
    flash(gettext("Deleted."))
    return redirect(url_for("variants_presets.index"), 303)


def _saved() -> ResponseReturnValue:
    flash(gettext("Saved."))
    return redirect(url_for("variants_presets.index"), 303)


def _copied(db: Session) -> Json:
    for found in presets.usable(db, current_user().id):
        if str(found.id) == request.args.get("from"):
            return {**_fields(found), "name": gettext("%(name)s, my own", name=found.name)}
    return NEW


def _fields(found: Preset) -> Json:
    return {name: getattr(found, name) for name in presets.FIELDS}


def _again(preset_id: UUID | None, given: Json, error: Invalid) -> ResponseReturnValue:
    with services().database.session() as db:
        found = presets.own(db, current_user().id, preset_id) if preset_id else None
        return _form_page(db, found, given, error)


def _form_page(
    db: Session, found: Preset | None, given: Mapping[str, Any], error: Invalid | None = None
) -> ResponseReturnValue:
    user = current_user()
    page = render_template(
        "variants/preset.html",
        preset=found,
        given=given,
        chosen={each["kind"]: each for each in given["smart_anchors"]},
        kinds=anchors.KINDS,
        usual=USUAL_STRICTNESS,
        photos=[each.upload for each in archives.page(db, user.id)],
        errors={error.field: error.message} if error else {},
        is_used=found is not None and _is_used(db, found.id),
    )
    return page, error.status if error else 200


def _is_used(db: Session, preset_id: UUID) -> bool:
    """Whether a slot of the reader's batch names the preset."""
    config = workflows.of(db, current_user().uuid).batch_config
    return any(Row.of(slot).kind == f"PRESET:{preset_id}" for slot in config)
