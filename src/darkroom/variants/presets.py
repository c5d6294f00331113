"""Presets: looks with a name, a person's own and everybody's."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.variants import anchors, references
from darkroom.variants.models import Preset
from darkroom.variants.slots import LARGEST_SEED, Look
from darkroom.web.words import N_

Json = dict[str, Any]

NO_PRESET = N_("There is no such preset.")
LONGEST = {"name": 100, "prompt": 4000}
FIELDS = ("name", "prompt", "nano_params", "smart_anchors")


def usable(session: Session, owner_id: int) -> Sequence[Preset]:
    """What a person may use, by name: their own and everybody's."""
    query = select(Preset).where(or_(Preset.owner_id == owner_id, Preset.owner_id.is_(None)))
    return session.scalars(query.order_by(Preset.name, Preset.id)).all()


def finder(session: Session, owner_id: int) -> Callable[[UUID], Look]:
    """Finds the presets that a person may use, as `slots.parsed` wants it."""

    def find(preset_id: UUID) -> Look:
        found = session.get(Preset, preset_id)
        if found is None or found.owner_id not in (None, owner_id):
            raise Invalid(NO_PRESET, "preset_id")
        return look(found)

    return find


def named(session: Session, owner_id: int, name: str) -> Look:
    """The preset of that name or id, the person's own first; `Invalid` when there is none."""
    for found in sorted(usable(session, owner_id), key=lambda each: each.owner_id is None):
        if name.casefold() in (found.name.casefold(), str(found.id)):
            return look(found)
    raise Invalid(
        f"There is no preset {name!r}. Send tier AUTO, or the name or id of a preset.", "tier"
    )


def look(preset: Preset) -> Look:
    """A preset as a slot uses it."""
    strength, seed = _params(preset.nano_params)
    kept = anchors.parse(preset.smart_anchors, "smart_anchors")
    return Look(preset.id, preset.name, preset.prompt, strength, seed, kept)


def own(session: Session, owner_id: int, preset_id: UUID) -> Preset:
    """A preset of the person's own; `NotFound` for any other."""
    found = session.get(Preset, preset_id)
    if found is None or found.owner_id != owner_id:
        raise NotFound(NO_PRESET)
    return found


def create(session: Session, owner_id: int, given: Mapping[str, Any]) -> Preset:
    """A new preset of the person's own; `Invalid` names the field that is wrong."""
    for name in ("name", "prompt"):
        if not given.get(name):
            raise Invalid(f"A preset needs a {name}.", name, code="missing")
    made = Preset(owner_id=owner_id, **_usable(session, owner_id, given))
    session.add(made)
    _flush(session)
    session.refresh(made)
    return made


def change(session: Session, owner_id: int, preset_id: UUID, given: Mapping[str, Any]) -> Preset:
    """The preset with these fields changed; those that are not given stay."""
    found = own(session, owner_id, preset_id)
    for name, value in _usable(session, owner_id, given).items():
        setattr(found, name, value)
    found.updated_at = func.now()
    _flush(session)
    session.refresh(found)
    return found


def delete(session: Session, owner_id: int, preset_id: UUID) -> None:
    """Delete a preset; slots that name it are refused from then on, past variants stay."""
    session.delete(own(session, owner_id, preset_id))
    session.flush()


def checked(given: Mapping[str, Any]) -> Json:
    """The fields that are given, as they are stored."""
    unknown = set(given) - set(FIELDS)
    if unknown:
        raise Invalid(f"A preset has no field {min(unknown)!r}.", min(unknown))
    fields: Json = {name: _text(name, given[name]) for name in LONGEST if name in given}
    if "nano_params" in given:
        strength, seed = _params(given["nano_params"])
        fields["nano_params"] = {"strength": strength, "seed": seed}
    if "smart_anchors" in given:
        anchors.parse(given["smart_anchors"], "smart_anchors")
        fields["smart_anchors"] = given["smart_anchors"]
    return fields


def _usable(session: Session, owner_id: int, given: Mapping[str, Any]) -> Json:
    fields = checked(given)
    kept = anchors.parse(fields.get("smart_anchors", []), "smart_anchors")
    references.insist(session, owner_id, kept, "smart_anchors")
    return fields


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value or not value.strip():
        raise Invalid(f"{name} must be a text.", name)
    clean = value.strip()
    if len(clean) > LONGEST[name]:
        raise Invalid(f"{name} has {len(clean)} characters; at most {LONGEST[name]}.", name)
    return clean


def _params(given: object) -> tuple[float, int]:
    """Strength (temperature, 0 to 2) and seed."""
    if not isinstance(given, dict):
        raise Invalid(N_("nano_params must hold strength and seed."), "nano_params")
    strength, seed = given.get("strength", 0.4), given.get("seed", 42)
    if (
        not isinstance(strength, int | float)
        or isinstance(strength, bool)
        or not 0 <= strength <= 2
    ):
        raise Invalid(N_("The strength must be a number from 0 to 2."), "nano_params.strength")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        message = f"The seed must be a whole number from 0 to {LARGEST_SEED}."
        raise Invalid(message, "nano_params.seed")
    return float(strength), seed


def _flush(session: Session) -> None:
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Conflict(N_("There is a preset of that name already."), "name") from None
