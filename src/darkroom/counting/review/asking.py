"""A correction as its sender's JSON tells it, checked field by field."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from darkroom.counting.review.drafts import PlantKey
from darkroom.counting.review.service import Asked
from darkroom.errors import Invalid
from darkroom.web.words import N_


def asked(body: Any) -> Asked:
    """The correction of a request's body; `Invalid` names the field that is no such thing."""
    told = _told(body)
    return Asked(
        key=key_of(told),
        action=_text(told, "action") or "",
        plant=_plant(told),
        x=_number(told, "x"),
        y=_number(told, "y"),
        width=_number(told, "width"),
        height=_number(told, "height"),
        class_name=_text(told, "class_name"),
        container=_whole(told, "container"),
        total=_whole(told, "total"),
    )


def key_of(body: Any) -> UUID:
    """The key of a correction that a request's body names."""
    given = _told(body).get("key")
    try:
        return UUID(given)
    except (AttributeError, TypeError, ValueError):
        raise Invalid(N_("The key of a correction must be a UUID."), "key") from None


def _told(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise Invalid(N_("Send a correction as a JSON object."))
    return body


def _text(told: Mapping[str, Any], name: str) -> str | None:
    given = told.get(name)
    if given is not None and not isinstance(given, str):
        raise Invalid(f"{name} must be a text.", name)
    return given


def _number(told: Mapping[str, Any], name: str) -> float | None:
    given = told.get(name)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Invalid(f"{name} must be a number.", name)
    try:
        return float(given)
    except OverflowError:
        raise Invalid(f"{name} must be a number.", name) from None


def _whole(told: Mapping[str, Any], name: str) -> int | None:
    given = told.get(name)
    if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
        raise Invalid(f"{name} must be a whole number.", name)
    return given if given is None or abs(given) < 2**31 else -1


def _plant(told: Mapping[str, Any]) -> PlantKey | None:
    given = told.get("plant")
    if isinstance(given, str) or given is None:
        return given
    if isinstance(given, bool) or not isinstance(given, int):
        raise Invalid(N_("Say which plant is meant."), "plant")
    return given
