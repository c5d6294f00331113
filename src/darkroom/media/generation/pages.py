"""The studio's page that makes pictures: the wish, better words for it, what was made lately."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.errors import Invalid, NotFound
from darkroom.media import requests
from darkroom.media.generation import ordering, parameters
from darkroom.media.generation.shapes import RATIOS
from darkroom.media.generation.styles import STYLES
from darkroom.media.models import MediaRequest
from darkroom.web.auth import current_user, login_required, scope
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end

Json = dict[str, Any]

pages = Blueprint("generation", __name__, url_prefix="/studio/generate")

LATELY = 6
PATIENCE = 20
"""Seconds that the form waits for better words before it shows their run instead."""
FIELDS = ("negative_prompt", "aspect_ratio", "engine", "seed")


@pages.record_once
def _offer_to_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(picture_styles=STYLES)


@pages.get("")
@login_required
def form() -> ResponseReturnValue:
    """The form: empty, with words of the address, or like a wish that was made before.

    `?prompt=…`, `?like=<request>`, or `?improved=<request>` for its better words.
    """
    with services().database.session() as db:
        like, improved = _named(db, "like"), _named(db, "improved")
        given = {"prompt": request.args.get("prompt", ""), **_fields(like or improved)}
        original = None
        if improved is not None and improved.result is not None:
            given["prompt"], original = improved.result["prompt"], improved
        return _page(db, given, original=original)


def _on_to(run_id: UUID) -> ResponseReturnValue:
    return _show(_request_of(run_id))


@pages.post("")
@login_required
@idempotent(_on_to)
@rate_limit("generate-image")
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a picture made, or show the one that is there."""
    owner_id = current_user().id
    try:
        wish = parameters.parse(_sent(), services().settings)
    except Invalid as error:
        return _again(error)
    request_id = ordering.from_cache(owner_id, wish)
    if request_id is not None:
        return _show(request_id)
    with services().database.session() as db:
        return ordering.begin(db, owner_id, wish, keep)


def _back(run_id: UUID) -> ResponseReturnValue:
    """Back to the form, with the better words once they are there."""
    wait_for_end(run_id, PATIENCE)
    request_id = _request_of(run_id)
    with services().database.session() as db:
        is_there = requests.of(db, scope(), request_id).row.status == "completed"
    if not is_there:
        return _show(request_id)
    return redirect(url_for("generation.form", improved=request_id), 303)


@pages.post("/improve")
@login_required
@idempotent(_back)
@rate_limit("magic-prompt")
def improve(keep: Keep) -> UUID | ResponseReturnValue:
    """Put better words into the form."""
    try:
        others = {name: parameters.text(request.form, name) for name in FIELDS}
        asked = {**others, **parameters.words(request.form)}
    except Invalid as error:
        return _again(error)
    with services().database.session() as db:
        return ordering.improve(db, current_user().id, asked, keep)


def _sent() -> Json:
    """The form as `parameters` reads it: service and model are one choice there."""
    provider, _, model = request.form.get("engine", "").partition("/")
    return {**request.form, "provider": provider, "model": model}


def _named(db: Session, name: str) -> MediaRequest | None:
    """The request that the address names, if it names one: of a picture, or of better words."""
    try:
        request_id = UUID(request.args.get(name, ""))
    except ValueError:
        return None
    row = requests.of(db, scope(), request_id).row
    if row.service not in (ordering.SERVICE, ordering.PROMPTS):
        raise NotFound(requests.NO_REQUEST)
    return row


def _fields(row: MediaRequest | None) -> Json:
    """What the form said, or would have said, for a request."""
    asked = {} if row is None else row.asked
    engine = f"{asked['provider']}/{asked['model']}" if "model" in asked else ""
    return {"engine": engine, **asked}


def _again(error: Invalid) -> ResponseReturnValue:
    with services().database.session() as db:
        return _page(db, request.form, error), error.status


def _page(
    db: Session,
    given: Mapping[str, Any],
    error: Invalid | None = None,
    original: MediaRequest | None = None,
) -> str:
    settings = services().settings
    models = parameters.models_of(settings.providers)
    usual = settings.media.provider
    return render_template(
        "media/generate.html",
        given=given,
        original=original,
        errors={} if error is None else {error.field or "": error.message},
        ratios=RATIOS,
        engines=[f"{name}/{model}" for name in models for model in models[name]],
        usual=f"{usual}/{models[usual][0]}",
        is_sandbox=usual in settings.providers.sandboxed,
        found=requests.page(db, scope(), service=ordering.SERVICE, limit=LATELY),
    )


def _request_of(run_id: UUID) -> UUID:
    with services().database.session() as db:
        return requests.of_run(db, run_id).row.id


def _show(request_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("studio.show", request_id=request_id), 303)
