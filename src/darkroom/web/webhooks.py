"""Webhooks: endpoints that are told what happens to runs; what was sent to them, and again."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from darkroom.errors import Invalid
from darkroom.signals import service
from darkroom.signals.models import EVENTS, Webhook
from darkroom.signals.service import DeliveryView
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services

pages = Blueprint("webhooks", __name__, url_prefix="/webhooks")

PAGE = 25


@pages.get("")
@login_required
def index() -> ResponseReturnValue:
    """The reader's webhooks; everybody's for administrators."""
    return _page()


@pages.post("")
@login_required
def create() -> ResponseReturnValue:
    """Make one; the answer is the only place that shows its secret."""
    form = request.form
    try:
        with services().database.session() as db:
            made = create_webhook(
                db, form.get("url", ""), form.getlist("events"), form.get("all_runs") == "1"
            )
    except Invalid as error:
        return _page(error)
    response = make_response(_page(made=made))
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/<uuid:webhook_id>")
@login_required
def show(webhook_id: UUID) -> ResponseReturnValue:
    """One webhook and its deliveries, newest first."""
    with services().database.session() as db:
        webhook = service.get(db, webhook_id, owner())
        deliveries, older = page_of_deliveries(db, webhook)
    return render_template(
        "webhook.html",
        webhook=webhook,
        deliveries=deliveries,
        older=older,
        first_page="before" not in request.args,
        may_change=current_user().may_change,
    )


@pages.post("/<uuid:webhook_id>/pause")
@login_required
def pause(webhook_id: UUID) -> ResponseReturnValue:
    """Send it nothing more for now."""
    with services().database.session() as db:
        service.pause(db, service.get(db, webhook_id, owner()))
    flash(gettext("Paused. What happens from now on is not sent."))
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


@pages.post("/<uuid:webhook_id>/resume")
@login_required
def resume(webhook_id: UUID) -> ResponseReturnValue:
    """Send it what happens from now on."""
    with services().database.session() as db:
        service.resume(db, service.get(db, webhook_id, owner()))
    flash(gettext("Resumed. What was missed can be sent again below."))
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


@pages.post("/<uuid:webhook_id>/delete")
@login_required
def delete(webhook_id: UUID) -> ResponseReturnValue:
    """Remove it and its deliveries."""
    with services().database.session() as db:
        service.delete(db, service.get(db, webhook_id, owner()))
    flash(gettext("The webhook is deleted."))
    return redirect(url_for("webhooks.index"), 303)


@pages.post("/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/resend")
@login_required
def resend(webhook_id: UUID, delivery_id: UUID) -> ResponseReturnValue:
    """Send a delivery again."""
    with services().database.session() as db:
        service.resend(db, service.get(db, webhook_id, owner()), delivery_id)
    flash(gettext("The delivery is on its way again."))
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


# What the JSON API does too


def owner() -> int | None:
    """Whose webhooks the caller sees and changes: their own, or everybody's for administrators."""
    user = current_user()
    return None if user.is_admin else user.id


def create_webhook(db: Session, url: str, events: list[str], all_runs: bool) -> Webhook:
    """A webhook of the caller's."""
    return service.create(
        db,
        current_user(),
        url=url,
        events=events,
        all_runs=all_runs,
        private=services().settings.signals.webhook_private,
    )


def page_of_deliveries(db: Session, webhook: Webhook) -> tuple[list[DeliveryView], str | None]:
    """The deliveries after the parameter `before`, and the cursor of those older still."""
    found = service.deliveries(db, webhook, _before(), PAGE + 1)
    last = found[PAGE - 1] if len(found) > PAGE else None
    return found[:PAGE], f"{last.created_at.isoformat()}_{last.id}" if last else None


def _before() -> tuple[datetime, UUID] | None:
    cursor = request.args.get("before")
    if not cursor:
        return None
    try:
        moment, delivery_id = cursor.rsplit("_", 1)
        return datetime.fromisoformat(moment), UUID(delivery_id)
    except ValueError:
        raise Invalid("This page of the list does not exist.", "before") from None


def _page(error: Invalid | None = None, made: Webhook | None = None) -> ResponseReturnValue:
    with services().database.session() as db:
        found = service.list_webhooks(db, owner())
    page = render_template(
        "webhooks.html",
        webhooks=found,
        events=EVENTS,
        made=made,
        errors={error.field: error.message} if error else {},
        given=request.form if error else None,
        user=current_user(),
    )
    return page, error.status if error else 200
