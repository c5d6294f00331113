"""What the forms of the variants' pages say."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from darkroom.errors import Invalid
from darkroom.variants.anchors import KINDS
from darkroom.variants.slots import FIELD, MOST_SLOTS
from darkroom.web.words import N_

Json = dict[str, Any]
Form = MultiDict[str, str]

NEW_SLOT: Json = {"type": "AUTO", "variant": "BALANCED"}
_STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True)
class Row:
    """A slot as the form shows it: "AUTO:FORENSIC" or "PRESET:<id>", its service, its anchors."""

    kind: str
    provider: str
    anchors: str

    @classmethod
    def of(cls, slot: object) -> "Row":
        """A stored slot; one that cannot be read is shown as one that is to be chosen anew."""
        given = slot if isinstance(slot, dict) else {}
        of_what = given.get("preset_id") if given.get("type") == "PRESET" else given.get("variant")
        anchors = json.dumps(given.get("smart_anchors") or [])
        return cls(f"{given.get('type')}:{of_what}", str(given.get("provider") or ""), anchors)


def batch(form: Form) -> list[Json]:
    """The slots of a form in their order, as `batch_config` has them."""
    rows = zip(
        form.getlist("kind"), form.getlist("provider"), form.getlist("anchors"), strict=False
    )
    return [_slot(*row) for row in rows]


def rearranged(slots: Sequence[Json], wish: str) -> list[Json]:
    """The slots after a button was pressed: "up-2", "down-0", "remove-1" or "add"."""
    changed = list(slots)
    how, _, place = wish.partition("-")
    if how == "add" and len(changed) < MOST_SLOTS:
        return [*changed, dict(NEW_SLOT)]
    if not place.isdecimal() or int(place) >= len(changed):
        return changed
    taken = changed.pop(int(place))
    if how in _STEPS:
        changed.insert(max(0, int(place) + _STEPS[how]), taken)
    return changed


def preset(form: Form) -> Json:
    """The fields of a preset, for `presets` to check."""
    params = {name: _number(form.get(name, "")) for name in ("strength", "seed")}
    return {
        "name": form.get("name", ""),
        "prompt": form.get("prompt", ""),
        "nano_params": params,
        "smart_anchors": [_anchor(form, kind) for kind in KINDS if f"anchor-{kind}" in form],
    }


def count(form: Form, name: str) -> int | str:
    """A number of the form; what is none comes back as it is, for the domain to refuse."""
    given = form.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else given


def _slot(kind: str, provider: str, anchors: str) -> Json:
    of_type, _, of_what = kind.partition(":")
    name = "preset_id" if of_type == "PRESET" else "variant"
    slot: Json = {"type": of_type, name: of_what}
    if provider:
        slot["provider"] = provider
    kept = _anchors(anchors)
    return {**slot, "smart_anchors": kept} if kept else slot


def _anchors(given: str) -> Any:
    try:
        return json.loads(given)
    except ValueError:
        raise Invalid(N_("The Smart Anchors of a slot could not be read."), FIELD) from None


def _anchor(form: Form, kind: str) -> Json:
    anchor: Json = {"kind": kind, "strictness": _number(form.get(f"strictness-{kind}", ""))}
    if kind == "reference":
        anchor["asset_id"] = form.get("asset_id", "")
    return anchor


def _number(given: str) -> float | str:
    try:
        return int(given) if given.isdecimal() else float(given.replace(",", "."))
    except ValueError:
        return given
