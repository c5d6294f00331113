"""What people do with webhooks: make one, pause it, delete it, look at deliveries, send one again.

Every function works in the caller's transaction. Texts of errors are constants, so that the pages
can translate them.
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Uuid, bindparam, func, select
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.db.statements import statement
from darkroom.errors import Conflict, Invalid, NotFound, Transient
from darkroom.providers import addresses
from darkroom.providers.addresses import Look
from darkroom.signals.models import EVENTS, Webhook, WebhookDelivery

MOST_WEBHOOKS = 50
SECRET_BYTES = 32


@dataclass(frozen=True)
class DeliveryView:
    """A delivery and how it stands.

    States: waiting, scheduled (for its next try, at `next_try_at`), running, delivered, skipped
    (its endpoint did not listen any more), failed (given up).
    """

    id: UUID
    event: str
    run_id: UUID
    title: str
    created_at: datetime
    tries: int
    tried_at: datetime | None
    seconds: float | None
    response_status: int | None
    response_body: str | None
    error: str | None
    state: str
    next_try_at: datetime | None


def create(
    session: Session,
    owner: User,
    *,
    url: str,
    events: Sequence[str],
    all_runs: bool = False,
    private: bool = False,
    look: Look = addresses.look_up,
) -> Webhook:
    """A new webhook; its `secret` is to be shown now and never again.

    Parameters
    ----------
    all_runs
        Hear of everybody's runs; for administrators.
    private
        Whether members may name private addresses. Administrators may.

    Raises
    ------
    Invalid
        Naming the field at fault: url, events or all_runs.
    """
    if all_runs and not owner.is_admin:
        raise Invalid("Only administrators can hear of everybody's runs.", "all_runs", status=403)
    made = Webhook(
        owner_id=owner.id,
        all_runs=all_runs,
        url=_checked_url(url, private or owner.is_admin, look),
        events=_checked_events(events),
        secret=f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}",
    )
    _insist_on_room(session, owner)
    session.add(made)
    session.flush()
    session.refresh(made)
    return made


def list_webhooks(session: Session, owner_id: int | None) -> list[Webhook]:
    """The webhooks of an owner, or everybody's; oldest first."""
    query = select(Webhook).order_by(Webhook.created_at, Webhook.id)
    if owner_id is not None:
        query = query.where(Webhook.owner_id == owner_id)
    return list(session.scalars(query))


def get(session: Session, webhook_id: UUID, owner_id: int | None) -> Webhook:
    """The webhook; `NotFound` when there is none, or it is another owner's."""
    found = session.get(Webhook, webhook_id)
    if found is None or owner_id not in (None, found.owner_id):
        raise NotFound("There is no such webhook.")
    return found


def change_events(session: Session, webhook: Webhook, events: Sequence[str]) -> None:
    """Have it hear of other events."""
    webhook.events = _checked_events(events)
    session.flush()


def pause(session: Session, webhook: Webhook) -> None:
    """Send it nothing more until it is resumed; what is on its way is skipped."""
    webhook.active = False
    session.flush()


def resume(session: Session, webhook: Webhook) -> None:
    """Send it what happens from now on, also if it had been disabled."""
    webhook.disabled_at, webhook.disabled_reason, webhook.active = None, None, True
    session.flush()


def delete(session: Session, webhook: Webhook) -> None:
    """Remove it and its deliveries; what is on its way ends unsent."""
    session.delete(webhook)
    session.flush()


def deliveries(
    session: Session, webhook: Webhook, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[DeliveryView]:
    """Its deliveries, newest first. `before` is the (created_at, id) of the last one seen."""
    moment, number = before or (None, None)
    query = statement("signals/deliveries").bindparams(
        bindparam("before", moment, DateTime(timezone=True)), bindparam("before_id", number, Uuid)
    )
    rows = session.execute(query, {"webhook_id": webhook.id, "rows": limit}).mappings()
    return [DeliveryView(**row) for row in rows]


def resend(session: Session, webhook: Webhook, delivery_id: UUID) -> None:
    """Send a delivery again, under its old id; one that waits for its next try goes now.

    Raises
    ------
    NotFound, Conflict
        When the webhook has no such delivery, or does not listen.
    """
    found = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if found is None or found.webhook_id != webhook.id:
        raise NotFound("There is no such delivery.")
    if not webhook.active:
        raise Conflict("The webhook is paused. Resume it first.")
    session.execute(statement("signals/send_now"), {"delivery_id": delivery_id})
    session.execute(statement("signals/resend"), {"delivery_id": delivery_id})


def _checked_url(url: str, private: bool, look: Look) -> str:
    endpoint = addresses.parse(url)
    try:
        addresses.checked(endpoint, private=private, look=look)
    except Transient as error:
        raise Invalid("The host of this address cannot be found.", "url") from error
    return endpoint.url


def _checked_events(events: Sequence[str]) -> list[str]:
    chosen = [event for event in EVENTS if event in events]
    if not chosen or len(chosen) < len(set(events)):
        raise Invalid("Choose at least one of the events there are.", "events")
    return chosen


def _insist_on_room(session: Session, owner: User) -> None:
    counted = select(func.count()).select_from(Webhook).where(Webhook.owner_id == owner.id)
    if session.execute(counted).scalar_one() >= MOST_WEBHOOKS:
        raise Conflict("That is 50 webhooks already. Delete one first.")
