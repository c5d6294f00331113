"""The JSON API of the variants: `/api/v41`."""

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.accounts import ledger
from darkroom.errors import Invalid
from darkroom.queue.models import Run
from darkroom.storage.uploads import Incoming
from darkroom.variants import archives, orders, presets, shooting, unlocking, workflows
from darkroom.variants.archives import Archive, Variant
from darkroom.variants.models import Preset, Workflow
from darkroom.variants.shooting import AUTO, FIELD
from darkroom.web.auth import current_user, login_required, scope
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.paging import last_seen, mark
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end
from darkroom.web.words import N_

Json = dict[str, Any]

blueprint = Blueprint("variants_api", __name__, url_prefix="/api/v41")

LINK_LIFE = timedelta(hours=1)
PAGE, MOST = 24, 100
POCKET = "Procesando... puedes cerrar la app"


@dataclass
class File:
    """A photo that came inside JSON."""

    filename: str
    stream: io.BytesIO


# Shoot.


def _shot(run_id: UUID) -> ResponseReturnValue:
    """What taking a photo answers: at once in Pocket Mode, else when the variants are there."""
    upload_id = _upload_of(run_id)
    with services().database.session() as session:
        tier = archives.one(session, None, upload_id).upload.tier
        waits = (
            tier.upper() != AUTO or not workflows.of(session, current_user().uuid).is_async_enabled
        )
    is_over = wait_for_end(run_id, services().settings.variants.wait_seconds if waits else None)
    answer = {**_archive_json(upload_id), "run_id": str(run_id)}
    if is_over:
        return jsonify({**answer, **_end_of(run_id)}), 200
    status = "BATCH_PROCESSING" if tier.upper() == AUTO else "PROCESSING"
    there = {"Location": url_for("variants_api.archive", upload_id=upload_id)}
    return jsonify({**answer, "status": status, "message": POCKET}), 202, there


def _upload_of(run_id: UUID) -> UUID:
    with services().database.session() as session:
        return UUID(session.get_one(Run, run_id).params["upload_id"])


def _end_of(run_id: UUID) -> Json:
    """How a run that makes variants has ended: `FAILED` when it made none of them."""
    with services().database.session() as session:
        made, _ = orders.ended(session, run_id)
        error = session.get_one(Run, run_id).error or {}
    if made:
        return {"status": "COMPLETED"}
    message = error.get("message") or N_("No variant was made.")
    return {"status": "FAILED", "message": message}


@blueprint.post("/vision-orchestrator")
@login_required
@idempotent(_shot)
def vision_orchestrator(keep: Keep) -> UUID:
    """Take a photo: multipart `photo` and `tier`, or JSON with `photo` as base64 or data URL.

    Tier AUTO makes the slots of the caller's workflow; a preset's name or id makes one.
    """
    found = services()
    file, tier = _photo()
    return shooting.shoot(
        found.settings, found.database, found.store, current_user(), file, tier, keep
    )


@blueprint.post("/archives/<uuid:upload_id>/variants")
@login_required
@idempotent(_shot)
def more(upload_id: UUID, keep: Keep) -> UUID:
    """More variants of a photo (`{"tier": "AUTO"}`); it is not analysed again."""
    tier = _text(_body(), "tier", AUTO)
    with services().database.session() as session:
        tokens = services().settings.tokens
        return shooting.again(session, tokens, current_user(), upload_id, tier, keep)


@blueprint.post("/variants/<uuid:variant_id>/retry")
@login_required
@idempotent(_shot)
def retry(variant_id: UUID, keep: Keep) -> UUID:
    """Make a variant that failed once more, alone."""
    with services().database.session() as session:
        tokens = services().settings.tokens
        return shooting.retry(session, tokens, current_user(), variant_id, keep)


# Review.


@blueprint.get("/archives")
@login_required
def index() -> Response:
    """The caller's photos, newest first (`?limit=24&before=…`, as `next` says)."""
    limit = _number("limit", PAGE, 1, MOST)
    with services().database.session() as session:
        found = archives.page(session, current_user().id, before=last_seen(), limit=limit + 1)
        listed = [as_json(each) for each in found[:limit]]
        following = mark(found[limit - 1].upload) if len(found) > limit else None
    return jsonify({"archives": listed, "next": following})


@blueprint.get("/archives/<uuid:upload_id>")
@login_required
def archive(upload_id: UUID) -> Response:
    """One photo with its variants."""
    return jsonify(_archive_json(upload_id))


@blueprint.delete("/archives/<uuid:upload_id>")
@login_required
def delete(upload_id: UUID) -> ResponseReturnValue:
    """Delete a photo and its variants, files and all; what was paid stays in the ledger."""
    with services().database.session() as session:
        shooting.delete(session, current_user().id, upload_id)
    return "", 204


# Unlock.


def _unlocking(run_id: UUID) -> ResponseReturnValue:
    is_over = wait_for_end(run_id, services().settings.variants.wait_seconds)
    found = services()
    with found.database.session() as session:
        run = session.get_one(Run, run_id)
        upload_id = UUID(run.params["upload_id"])
        have = ledger.balance(session, current_user().id, start=found.settings.tokens.at_start)
        status, result, error = run.status, run.result or {}, run.error or {}
    answer = {**_archive_json(upload_id), "run_id": str(run_id), "balance": have}
    if not is_over:
        there = {"Location": url_for("variants_api.archive", upload_id=upload_id)}
        return jsonify({**answer, "status": "PROCESSING"}), 202, there
    if status != "completed":
        message = error.get("message") or N_("The unlock was cancelled; nothing was charged.")
        return jsonify({**answer, "status": "FAILED", "message": message, "tokens_charged": 0}), 200
    told = {"texts": result.get("texts"), "upscale": result.get("upscale")}
    paid = {"status": "COMPLETED", "tokens_charged": result.get("tokens", 0), **told}
    return jsonify({**answer, **paid}), 200


@blueprint.post("/finalize-image")
@login_required
@idempotent(_unlocking)
def finalize_image(keep: Keep) -> UUID:
    """Unlock a variant: `{"variant_id": "…", "upscale": false}`. 402 without tokens."""
    body = _body()
    variant_id = _uuid(body.get("variant_id", body.get("generation_id")), "variant_id")
    with_upscale = body.get("upscale", False)
    if not isinstance(with_upscale, bool):
        raise Invalid(N_("This must be true or false."), "upscale")
    with services().database.session() as session:
        return unlocking.begin(
            session,
            services().settings.tokens,
            current_user(),
            variant_id,
            with_upscale=with_upscale,
            keep=keep,
        )


# Settings.


@blueprint.get("/workflow")
@login_required
def workflow() -> Response:
    """How the caller wants their photos treated."""
    with services().database.session() as session:
        return jsonify(_workflow_json(workflows.of(session, current_user().uuid)))


@blueprint.put("/workflow")
@blueprint.patch("/workflow")
@login_required
def change_workflow() -> Response:
    """Change the fields that are given: batch_config, is_async_enabled, max_previews …"""
    with services().database.session() as session:
        return jsonify(_workflow_json(workflows.change(session, current_user(), _body())))


@blueprint.get("/presets")
@login_required
def list_presets() -> Response:
    """The caller's presets and everybody's."""
    with services().database.session() as session:
        listed = [preset_json(each) for each in presets.usable(session, current_user().id)]
    return jsonify({"presets": listed})


@blueprint.post("/presets")
@login_required
def create_preset() -> ResponseReturnValue:
    """Make a preset of `name`, `prompt`, `nano_params` and `smart_anchors`."""
    with services().database.session() as session:
        return jsonify(preset_json(presets.create(session, current_user().id, _body()))), 201


@blueprint.put("/presets/<uuid:preset_id>")
@blueprint.patch("/presets/<uuid:preset_id>")
@login_required
def change_preset(preset_id: UUID) -> Response:
    """Change the fields that are given of a preset of the caller's own."""
    with services().database.session() as session:
        made = presets.change(session, current_user().id, preset_id, _body())
        return jsonify(preset_json(made))


@blueprint.delete("/presets/<uuid:preset_id>")
@login_required
def delete_preset(preset_id: UUID) -> ResponseReturnValue:
    """Delete a preset of the caller's own."""
    with services().database.session() as session:
        presets.delete(session, current_user().id, preset_id)
    return "", 204


# What is answered.


def as_json(found: Archive) -> Json:
    """A photo with its variants."""
    unlocked = found.unlocked
    return {
        "upload_id": str(found.upload.id),
        "asset_id": str(found.upload.asset_id),
        "state": found.state,
        "filename": found.upload.filename,
        "tier": found.upload.tier,
        "created_at": found.upload.created_at.isoformat(),
        "run_id": str(found.upload.run_id) if found.upload.run_id else None,
        "analysis": found.upload.analysis,
        "photo_url": link(found.photo.storage_key),
        "thumbnail_url": link(found.thumbnail),
        "variants": [_variant_json(each) for each in found.variants],
        "final_url": link(unlocked.final.storage_key) if unlocked and unlocked.final else None,
    }


def preset_json(preset: Preset) -> Json:
    """A preset as it is answered."""
    return {
        "id": str(preset.id),
        "name": preset.name,
        "prompt": preset.prompt,
        "nano_params": preset.nano_params,
        "smart_anchors": preset.smart_anchors,
        "is_own": preset.owner_id is not None,
    }


def link(key: str | None) -> str | None:
    """A signed address of a stored file, which expires."""
    return services().store.url(key, LINK_LIFE) if key is not None else None


def _archive_json(upload_id: UUID) -> Json:
    with services().database.session() as session:
        return as_json(archives.one(session, scope(), upload_id))


def _variant_json(found: Variant) -> Json:
    row = found.row
    return {
        "id": str(row.id),
        "slot": row.slot,
        "type": row.type,
        "variant": row.variant,
        "preset_id": row.preset["id"] if row.preset else None,
        "status": row.status,
        "error": row.error,
        "temperature": row.temperature,
        "seed": row.seed,
        "provider": row.made_by or row.provider,
        "model": row.model,
        "is_sandbox": row.is_sandbox,
        "checks": row.checks,
        "preview_url": link(found.preview) if row.discarded_at is None else None,
        "is_unlocked": row.unlocked_at is not None,
        "is_discarded": row.discarded_at is not None,
        "final_url": link(found.final.storage_key) if found.final else None,
    }


def _workflow_json(found: Workflow) -> Json:
    return {
        "user_id": str(found.user_id),
        "batch_config": found.batch_config,
        "is_async_enabled": found.is_async_enabled,
        "max_previews": found.max_previews,
        "notify_by_email": found.notify_by_email,
    }


# What is read from a request.


def _photo() -> tuple[Incoming | None, str]:
    if not request.is_json:
        return request.files.get(FIELD), request.form.get("tier") or AUTO
    body = _body()
    given = body.get(FIELD)
    if not isinstance(given, str) or not given:
        raise Invalid(N_("Send the photo as “photo”: base64 or a data URL."), FIELD, code="missing")
    head, comma, data = given.rpartition(",")
    if comma and not head.startswith("data:image/"):
        raise Invalid(N_("The data URL in “photo” is not that of an image."), FIELD)
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(N_("“photo” is not valid base64."), FIELD) from None
    return File("photo", io.BytesIO(content)), _text(body, "tier", AUTO)


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(N_("The body must be a JSON object."), code="not_json")
    return body


def _text(body: Mapping[str, Any], name: str, default: str) -> str:
    given = body.get(name, default)
    if not isinstance(given, str) or "\0" in given:
        raise Invalid(f"{name} must be text.", name)
    return given or default


def _uuid(given: object, field: str) -> UUID:
    try:
        return UUID(str(given))
    except ValueError:
        raise Invalid(f"{field} must be the id of a variant.", field) from None


def _number(name: str, default: int, low: int, high: int) -> int:
    given = request.args.get(name)
    if not given:
        return default
    if not given.isdecimal() or not low <= int(given) <= high:
        raise Invalid(f"{name} must be a whole number from {low} to {high}, not {given!r}.", name)
    return int(given)
