"""How a person wants their photos treated, set once."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.errors import Invalid
from darkroom.variants import presets, references, slots
from darkroom.variants.models import Workflow
from darkroom.variants.slots import MOST_SLOTS, Slot
from darkroom.web.words import N_

Json = dict[str, Any]

FLAGS = ("is_async_enabled", "notify_by_email")


def of(session: Session, user_uuid: UUID) -> Workflow:
    """The person's workflow; the usual one when they never set any (it is not written then)."""
    found = session.get(Workflow, user_uuid)
    if found is not None:
        return found
    return Workflow(
        user_id=user_uuid,
        batch_config=list(slots.DEFAULT),
        is_async_enabled=True,
        max_previews=3,
        notify_by_email=False,
    )


def slots_of(session: Session, user: User) -> Sequence[Slot]:
    """The slots of the person's next batch.

    Raises
    ------
    Invalid
        When what they set (or somebody wrote with SQL) cannot be used; it names the slot.
    """
    workflow = of(session, user.uuid)
    found = presets.finder(session, user.id)
    return slots.parsed(workflow.batch_config, found, workflow.max_previews)


def change(session: Session, user: User, given: Mapping[str, Any]) -> Workflow:
    """The workflow with these fields changed; `Invalid` names the one that is wrong."""
    unknown = set(given) - {"batch_config", "max_previews", *FLAGS}
    if unknown:
        raise Invalid(f"A workflow has no field {min(unknown)!r}.", min(unknown))
    fields = _checked(session, user, given)
    workflow = session.merge(of(session, user.uuid))
    for name, value in fields.items():
        setattr(workflow, name, value)
    workflow.updated_at = func.now()
    session.flush()
    session.refresh(workflow)
    return workflow


def _checked(session: Session, user: User, given: Mapping[str, Any]) -> Json:
    fields: Json = {name: _flag(name, given[name]) for name in FLAGS if name in given}
    if "batch_config" in given:
        for slot in slots.parsed(given["batch_config"], presets.finder(session, user.id)):
            references.insist(session, user.id, slot.anchors, f"batch_config[{slot.index}]")
        fields["batch_config"] = given["batch_config"]
    if "max_previews" in given:
        most = given["max_previews"]
        if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_SLOTS:
            message = f"max_previews must be a whole number from 1 to {MOST_SLOTS}."
            raise Invalid(message, "max_previews")
        fields["max_previews"] = most
    return fields


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid(N_("This must be true or false."), name)
    return value
