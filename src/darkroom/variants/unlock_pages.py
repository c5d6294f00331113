"""The page of an unlock: what it takes, and the yes."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.accounts import ledger
from darkroom.errors import NotEnough, NotFound
from darkroom.variants import archives, pricing, unlocking, views
from darkroom.variants.models import Generation
from darkroom.variants.views import Slide
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services

pages = Blueprint(
    "variants_unlock", __name__, url_prefix="/variants/unlock", template_folder="templates"
)


@pages.get("/<uuid:variant_id>")
@login_required
def ask(variant_id: UUID) -> ResponseReturnValue:
    """What unlocking a variant takes, and what is there; nothing has begun yet."""
    return _ask_page(variant_id)


@pages.post("/<uuid:variant_id>")
@login_required
def begin(variant_id: UUID) -> ResponseReturnValue:
    """Set the price aside and begin; asked twice, it begins once."""
    tokens = services().settings.tokens
    with_upscale = request.form.get("upscale") == "1"
    try:
        with services().database.session() as db:
            unlocking.begin(
                db, tokens, current_user(), variant_id, with_upscale=with_upscale, keep=_nothing
            )
            upload_id = db.get_one(Generation, variant_id).upload_id
    except NotEnough as error:
        return _ask_page(variant_id, error)
    return redirect(url_for("variants.show", upload_id=upload_id), 303)


def _nothing(session: Session, run_id: UUID) -> None:
    """A form has no Idempotency-Key: an unlock begins once of itself."""


def _ask_page(variant_id: UUID, error: NotEnough | None = None) -> ResponseReturnValue:
    settings, user = services().settings, current_user()
    with services().database.session() as db:
        slide = _slide(db, user.id, variant_id)
        upload_id = slide.row.upload_id
        page = render_template(
            "variants/unlock.html",
            slide=slide,
            plain=pricing.tokens(db, settings.tokens, user.id, upload_id, with_upscale=False),
            whole=pricing.tokens(db, settings.tokens, user.id, upload_id, with_upscale=True),
            balance=ledger.balance(db, user.id, start=settings.tokens.at_start),
            side=settings.variants.long_side,
            error=error,
        )
    return page, error.status if error else 200


def _slide(db: Session, owner_id: int, variant_id: UUID) -> Slide:
    row = db.get(Generation, variant_id)
    if row is None:
        raise NotFound(unlocking.NO_VARIANT)
    found = archives.one(db, owner_id, row.upload_id)
    return next(each for each in views.slides(db, found) if each.row.id == variant_id)
