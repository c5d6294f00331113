"""Smart Anchors: what a variant must not change. Each has a JSON schema and a clause of the prompt.

Whether a variant kept them is measured afterwards, in `checks`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

from darkroom.errors import Invalid

Json = dict[str, Any]
Kind = Literal["identity", "text", "colours", "composition", "reference"]

KINDS: tuple[Kind, ...] = get_args(Kind)
USUAL_STRICTNESS = 0.5
FIELD = "smart_anchors"
_CLOSELY = 0.25
_EXACTLY = 0.75

_CLAUSES: Mapping[Kind, str] = {
    "identity": (
        "Keep every person {how} as they are: the same face, features, age, skin tone, hair and "
        "expression."
    ),
    "text": (
        "Keep every logo and every written word {how} as in the photo: the same letters, spelling, "
        "typeface and place. Add no other text."
    ),
    "colours": (
        "Keep the colours {how} as in the photo: the same hues and saturation, without a cast or "
        "a filter."
    ),
    "composition": (
        "Keep the composition {how} as in the photo: the same framing, viewpoint, and place and "
        "size of everything in it. Do not crop, mirror or turn it."
    ),
    "reference": (
        "An additional picture shows a reference. Show {how} the object of that picture, with its "
        "shape, markings, materials and colours."
    ),
}


@dataclass(frozen=True)
class Anchor:
    """One thing that must not change.

    Attributes
    ----------
    kind : what it is
    strictness : 0 (roughly) to 1 (to the letter)
    asset_id : the reference picture; only where the kind is "reference"
    """

    kind: Kind
    strictness: float = USUAL_STRICTNESS
    asset_id: UUID | None = None

    @property
    def as_json(self) -> Json:
        """The entry that `parse` reads back as this anchor."""
        reference = {} if self.asset_id is None else {"asset_id": str(self.asset_id)}
        return {"kind": self.kind, "strictness": self.strictness, **reference}


def _schema(kind: Kind) -> Json:
    properties: Json = {
        "kind": {"const": kind},
        "strictness": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": USUAL_STRICTNESS,
        },
    }
    if kind == "reference":
        properties["asset_id"] = {"type": "string", "format": "uuid"}
    return {
        "type": "object",
        "properties": properties,
        "required": ["kind", "asset_id"] if kind == "reference" else ["kind"],
        "additionalProperties": False,
    }


SCHEMAS: Mapping[Kind, Json] = {kind: _schema(kind) for kind in KINDS}
"""The JSON schema of an entry, by kind."""
SCHEMA: Json = {
    "type": "array",
    "items": {"oneOf": list(SCHEMAS.values())},
    "maxItems": len(KINDS),
}
"""The JSON schema of the list in a preset or slot."""


def parse(given: object, field: str = FIELD) -> tuple[Anchor, ...]:
    """The anchors of a preset's or slot's list, as `SCHEMA` describes it; each kind once.

    Raises
    ------
    Invalid
        Naming the entry and field at fault ("smart_anchors[1].strictness"), and the fix.
    """
    if not isinstance(given, list):
        raise Invalid(f'{field} must be a list of objects like {{"kind": "text"}}.', field)
    anchors = tuple(_anchor(each, f"{field}[{index}]") for index, each in enumerate(given))
    kinds = [anchor.kind for anchor in anchors]
    for index, kind in enumerate(kinds):
        if kind in kinds[:index]:
            place = f"{field}[{index}]"
            raise Invalid(f"{place} is a second {kind} anchor: leave one out.", f"{place}.kind")
    return anchors


def clause(anchor: Anchor) -> str:
    """What the anchor adds to the prompt."""
    return _CLAUSES[anchor.kind].format(how=_how(anchor.strictness))


def references(anchors: Iterable[Anchor]) -> tuple[UUID, ...]:
    """The assets of the pictures that go to the model beside the photo."""
    return tuple(anchor.asset_id for anchor in anchors if anchor.asset_id is not None)


def _how(strictness: float) -> str:
    if strictness >= _EXACTLY:
        return "exactly"
    return "closely" if strictness >= _CLOSELY else "roughly"


def _anchor(given: object, field: str) -> Anchor:
    if not isinstance(given, dict):
        raise Invalid(f'{field} must be an object like {{"kind": "text"}}.', field)
    kind = given.get("kind")
    if kind not in KINDS:
        raise Invalid(f"{field}.kind must be one of {', '.join(KINDS)}.", f"{field}.kind")
    _check_fields(given, SCHEMAS[kind], field)
    strictness = _strictness(given.get("strictness", USUAL_STRICTNESS), f"{field}.strictness")
    wants_asset = "asset_id" in SCHEMAS[kind]["properties"]
    asset_id = _asset_id(given.get("asset_id"), f"{field}.asset_id") if wants_asset else None
    return Anchor(kind, strictness, asset_id)


def _check_fields(given: Json, schema: Json, field: str) -> None:
    known = ", ".join(schema["properties"])
    for name in given:
        if name not in schema["properties"]:
            raise Invalid(
                f"{field} has the unknown field {name!r}; it may have {known}.", f"{field}.{name}"
            )


def _strictness(given: object, field: str) -> float:
    if not isinstance(given, int | float) or isinstance(given, bool) or not 0 <= given <= 1:
        raise Invalid(f"{field} must be a number from 0 to 1.", field)
    return float(given)


def _asset_id(given: object, field: str) -> UUID:
    try:
        return UUID(str(given))
    except ValueError:
        raise Invalid(f"{field} must be the id of a stored picture.", field) from None
