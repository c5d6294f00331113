"""The pages of the variants: shoot, find them again, look through them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from darkroom.accounts import ledger
from darkroom.errors import Invalid
from darkroom.queue.models import Run
from darkroom.storage.assets import Asset
from darkroom.storage.uploads import Incoming
from darkroom.variants import (
    archives,
    deposits,
    presets,
    pricing,
    shooting,
    slots,
    views,
    workflows,
)
from darkroom.variants.api import link
from darkroom.variants.models import Generation, Upload
from darkroom.variants.shooting import AUTO
from darkroom.web.audience import wants_json
from darkroom.web.auth import current_user, login_required, scope
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.paging import last_seen, mark
from darkroom.web.run_views import Card
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end
from darkroom.web.words import say, word

pages = Blueprint("variants", __name__, url_prefix="/variants", template_folder="templates")

PAGE, LATELY = 24, 6
MEGABYTE = 1024 * 1024
SAMPLE = Path(__file__).parents[1] / "web" / "static" / "sample.jpg"


def is_sandbox() -> bool:
    """Whether the sandbox makes the variants."""
    return slots.is_trial(services().settings.providers.sandboxed)


@pages.record_once
def _offer_to_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(variants_are_sandboxed=is_sandbox)
    state.app.jinja_env.filters.update(
        variant_name=views.variant_name,
        variant_about=lambda name: say(views.ABOUT.get(name, "")),
        anchor_word=lambda kind: word(views.ANCHORS, kind),
        provider_name=lambda name: views.PROVIDERS.get(name, name),
        signed=link,
    )


# Shoot.


@pages.get("")
@login_required
def shoot() -> ResponseReturnValue:
    """The camera, and the photos taken last."""
    return _shoot_page()


def _on_to(run_id: UUID) -> ResponseReturnValue:
    """To the photo of a run just begun, whose page fills while it is looked at."""
    with services().database.session() as db:
        upload_id = UUID(db.get_one(Run, run_id).params["upload_id"])
    is_over = wait_for_end(run_id)
    target = url_for("variants.show", upload_id=upload_id)
    if wants_json():
        return jsonify(location=target, run=str(run_id)), 200 if is_over else 202
    return redirect(target, 303)


@pages.post("")
@login_required
@idempotent(_on_to)
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Take a photo in and have its variants made."""
    photo = request.files.get("file")
    try:
        _remember_pocket("is_async_enabled" in request.form)
        return _begin(photo if photo and photo.filename else None, _tier(), keep)
    except Invalid as error:
        if wants_json():
            raise
        return _shoot_page(error)


@pages.post("/sample")
@login_required
@idempotent(_on_to)
def try_sample(keep: Keep) -> UUID:
    """Make variants of the sample photo that comes with Darkroom."""
    with SAMPLE.open("rb") as file:
        return _begin(FileStorage(file, filename="sample.jpg"), AUTO, keep)


# Find them again.


@pages.get("/archives")
@login_required
def index() -> ResponseReturnValue:
    """The reader's photos, newest first."""
    with services().database.session() as db:
        found = archives.page(db, current_user().id, before=last_seen(), limit=PAGE + 1)
        listed = found[:PAGE]
        return render_template(
            "variants/archives.html",
            archives=listed,
            going=views.open_runs(db, listed),
            older=mark(listed[-1].upload) if len(found) > PAGE else None,
            first_page="before" not in request.args,
        )


# Look through them.


@pages.get("/<uuid:upload_id>")
@login_required
def show(upload_id: UUID) -> ResponseReturnValue:
    """A photo with its variants, side by side; it fills while they are made."""
    tokens, user = services().settings.tokens, current_user()
    with services().database.session() as db:
        found = archives.one(db, scope(), upload_id)
        owner_id = found.upload.owner_id
        return render_template(
            "variants/archive.html",
            archive=found,
            photo=views.Picture.of(found.photo),
            slides=views.slides(db, found),
            going=views.going_on(db, found),
            failed=views.failed_unlock(db, found),
            report=views.report(db, found),
            price=pricing.tokens(db, tokens, owner_id, upload_id, with_upscale=False),
            enlarging=pricing.tokens(db, tokens, owner_id, upload_id, with_upscale=True),
            preview=tokens.prices.get(deposits.PREVIEW, 0),
            presets=presets.usable(db, owner_id),
            workflow=workflows.of(db, user.uuid),
            is_own=user.may_change and owner_id == user.id,
        )


@pages.post("/<uuid:upload_id>/more")
@login_required
@idempotent(_on_to)
def more(upload_id: UUID, keep: Keep) -> UUID:
    """More variants of a photo."""
    with services().database.session() as db:
        tokens = services().settings.tokens
        return shooting.again(db, tokens, current_user(), upload_id, _tier(), keep)


@pages.post("/retry/<uuid:variant_id>")
@login_required
@idempotent(_on_to)
def retry(variant_id: UUID, keep: Keep) -> UUID:
    """Make a variant that failed once more, alone."""
    with services().database.session() as db:
        tokens = services().settings.tokens
        return shooting.retry(db, tokens, current_user(), variant_id, keep)


@pages.post("/<uuid:upload_id>/delete")
@login_required
def delete(upload_id: UUID) -> ResponseReturnValue:
    """Delete a photo with its variants."""
    with services().database.session() as db:
        shooting.delete(db, current_user().id, upload_id)
    flash(gettext("Deleted."))
    return redirect(url_for("variants.index"), 303)


def cards(db: Session, found: Sequence[Run]) -> list[Card]:
    """Runs of this pipeline with their photo, where it is, and how many variants it has."""
    wanted = [UUID(str(run.params["upload_id"])) for run in found]
    query = select(Upload, Asset.storage_key).outerjoin(Asset, Asset.id == Upload.thumbnail_id)
    uploads = {row.Upload.id: row for row in db.execute(query.where(Upload.id.in_(wanted)))}
    counts = _made(db, wanted)
    return [
        _card(run, uploads.get(upload_id), counts.get(upload_id, 0))
        for run, upload_id in zip(found, wanted, strict=True)
    ]


def _made(db: Session, upload_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    query = select(Generation.upload_id, func.count()).where(
        Generation.upload_id.in_(upload_ids), Generation.status == "completed"
    )
    return {row[0]: row[1] for row in db.execute(query.group_by(Generation.upload_id))}


def _card(run: Run, found: Any, made: int) -> Card:
    if found is None:
        return Card(run)
    url = url_for("variants.show", upload_id=found.Upload.id)
    text = ngettext("%(num)s variant", "%(num)s variants", made)
    return Card(run, url, link(found.storage_key), text)


def _begin(photo: Incoming | None, tier: str, keep: Keep) -> UUID:
    found = services()
    return shooting.shoot(
        found.settings, found.database, found.store, current_user(), photo, tier, keep
    )


def _tier() -> str:
    return request.form.get("tier", "").replace("\0", "") or AUTO


def _remember_pocket(wanted: bool) -> None:
    """Pocket Mode stays as it was chosen last."""
    user = current_user()
    with services().database.session() as db:
        if workflows.of(db, user.uuid).is_async_enabled is not wanted:
            workflows.change(db, user, {"is_async_enabled": wanted})


def _shoot_page(error: Invalid | None = None) -> ResponseReturnValue:
    settings, user = services().settings, current_user()
    with services().database.session() as db:
        lately = archives.page(db, user.id, limit=LATELY)
        page = render_template(
            "variants/shoot.html",
            error=error,
            workflow=workflows.of(db, user.uuid),
            presets=presets.usable(db, user.id),
            tier=_tier(),
            balance=ledger.balance(db, user.id, start=settings.tokens.at_start),
            prices=settings.tokens.prices,
            archives=lately,
            going=views.open_runs(db, lately),
            max_bytes=settings.max_upload_bytes,
            max_megabytes=settings.max_upload_bytes // MEGABYTE,
        )
    return page, error.status if error else 200
