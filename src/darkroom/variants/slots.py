"""The slots of a batch: each is one variant, with a temperature and a seed of its own."""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from darkroom.errors import Invalid
from darkroom.variants.anchors import Anchor, parse
from darkroom.web.words import N_

Json = dict[str, Any]

VARIANTS = ("FORENSIC", "CREATIVE", "BALANCED")
PROVIDERS = ("laozhang", "gemini", "openai")
"""Who makes a variant, in this order unless a slot chooses."""
MOST_SLOTS = 8
FIELD = "batch_config"
FORENSIC_SEED = 42
SEEDS = (100_000, 999_999)
LARGEST_SEED = 2**31 - 1
DEFAULT: list[Json] = [
    {"type": "AUTO", "variant": "FORENSIC"},
    {"type": "AUTO", "variant": "CREATIVE"},
]


@dataclass(frozen=True)
class Look:
    """A preset as a slot uses it: what it asks for, its temperature and seed."""

    id: UUID
    name: str
    prompt: str
    strength: float
    seed: int
    anchors: tuple[Anchor, ...]

    @property
    def as_json(self) -> Json:
        """What is kept of it beside a variant."""
        return {"id": str(self.id), "name": self.name, "prompt": self.prompt}


Presets = Callable[[UUID], Look]
"""Finds a preset that the person may use; raises `Invalid` for any other."""


@dataclass(frozen=True)
class Slot:
    """One variant to be made."""

    index: int
    type: str
    variant: str
    look: Look | None
    provider: str | None
    anchors: tuple[Anchor, ...]

    def temperature(self) -> float:
        """How freely the model may take it, 0 to 2."""
        if self.look is not None:
            return self.look.strength
        kinds = {"FORENSIC": 0.1, "CREATIVE": 0.8}
        return kinds.get(self.variant, round(min(0.4 + 0.1 * self.index, 1.0), 2))

    def seed(self, rng: random.Random) -> int:
        """What the model's chance begins with; fixed for FORENSIC and presets."""
        if self.look is not None:
            return self.look.seed
        return FORENSIC_SEED if self.variant == "FORENSIC" else rng.randint(*SEEDS)


def parsed(config: object, presets: Presets, most: int = MOST_SLOTS) -> tuple[Slot, ...]:
    """The first `most` slots of a batch configuration.

    Raises
    ------
    Invalid
        Naming the slot and what is wrong with it.
    """
    if not isinstance(config, list) or not config:
        raise Invalid(N_("batch_config must be a list of at least one slot."), FIELD)
    if len(config) > MOST_SLOTS:
        raise Invalid(f"batch_config has {len(config)} slots; at most {MOST_SLOTS}.", FIELD)
    return tuple(_slot(index, each, presets) for index, each in enumerate(config))[:most]


def of_preset(look: Look) -> Slot:
    """The one slot of an upload that asks for a preset."""
    return Slot(0, "PRESET", look.name, look, None, look.anchors)


def is_trial(sandboxed: Collection[str]) -> bool:
    """Whether the sandbox stands in for every service, and so may stand in for one."""
    return set(PROVIDERS) <= set(sandboxed)


def order_of(provider: str | None, sandboxed: Collection[str]) -> Sequence[str]:
    """Whom to ask for a variant, in turn: the slot's choice first.

    Once a service is real nobody is given what the sandbox makes instead.
    """
    trial = is_trial(sandboxed)
    asked = [name for name in PROVIDERS if trial or name not in sandboxed]
    return sorted(asked, key=lambda name: name != provider)


def _slot(index: int, given: object, presets: Presets) -> Slot:
    field = f"{FIELD}[{index}]"
    if not isinstance(given, dict):
        raise Invalid(f'{field} must be an object like {{"type": "AUTO", …}}.', field)
    unknown = set(given) - {"type", "variant", "preset_id", "provider", "smart_anchors"}
    if unknown:
        raise Invalid(f"{field} has the unknown field {min(unknown)!r}.", f"{field}.{min(unknown)}")
    provider = _provider(given.get("provider"), f"{field}.provider")
    own = parse(given.get("smart_anchors", []), f"{field}.smart_anchors")
    if given.get("type") == "PRESET":
        look = presets(_uuid(given.get("preset_id"), f"{field}.preset_id"))
        return Slot(index, "PRESET", look.name, look, provider, own or look.anchors)
    if given.get("type") != "AUTO":
        raise Invalid(f"{field}.type must be AUTO or PRESET.", f"{field}.type")
    return Slot(index, "AUTO", _variant(given, field), None, provider, own)


def _variant(given: Mapping[str, Any], field: str) -> str:
    name = given.get("variant")
    if name not in VARIANTS:
        raise Invalid(f"{field}.variant must be one of {', '.join(VARIANTS)}.", f"{field}.variant")
    return str(name)


def _provider(given: object, field: str) -> str | None:
    if given is None or given == "":
        return None
    if given not in PROVIDERS:
        raise Invalid(f"{field} must be one of {', '.join(PROVIDERS)}.", field)
    return str(given)


def _uuid(given: object, field: str) -> UUID:
    try:
        return UUID(str(given))
    except ValueError:
        raise Invalid(f"{field} must be the id of a preset.", field) from None
