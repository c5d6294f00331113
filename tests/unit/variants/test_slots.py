"""The slots of a batch: what may be asked for, and what each of them is."""

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import Invalid
from darkroom.variants import slots
from darkroom.variants.slots import Look, Slot

PRESET = UUID("2f6d8a52-2222-4c5e-8f00-1d2f3a4b5c6d")
LOOK = Look(PRESET, "Boda", "Make it a wedding photograph.", 0.55, 1206, ())
AUTO = st.fixed_dictionaries({"type": st.just("AUTO"), "variant": st.sampled_from(slots.VARIANTS)})
OF_PRESET = st.just({"type": "PRESET", "preset_id": str(PRESET)})


def find(preset_id: UUID) -> Look:
    if preset_id != PRESET:
        raise Invalid("There is no such preset.", "preset_id")
    return LOOK


def one(**more: Any) -> Slot:
    [slot] = slots.parsed([{"type": "AUTO", "variant": "FORENSIC", **more}], find)
    return slot


@given(st.lists(AUTO | OF_PRESET, min_size=1, max_size=8), st.integers(1, 8), st.integers())
def test_every_slot_has_the_temperature_and_seed_of_its_kind(
    config: list[dict[str, str]], most: int, chance: int
) -> None:
    found = slots.parsed(config, find, most)
    assert len(found) == min(most, len(config))
    for index, slot in enumerate(found):
        temperature, seed = slot.temperature(), slot.seed(random.Random(chance))
        expected = {
            "FORENSIC": (0.1, {42}),
            "CREATIVE": (0.8, range(100_000, 1_000_000)),
            "BALANCED": (min(round(0.4 + 0.1 * index, 2), 1.0), range(100_000, 1_000_000)),
            "Boda": (0.55, {1206}),
        }[slot.variant]
        assert temperature == expected[0] and seed in expected[1]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (None, "batch_config"),
        ([], "batch_config"),
        ({"type": "AUTO"}, "batch_config"),
        ([{"type": "AUTO", "variant": "FORENSIC"}] * 9, "batch_config"),
        (["FORENSIC"], "batch_config[0]"),
        ([{"type": "AUTO"}], "batch_config[0].variant"),
        ([{"type": "AUTO", "variant": "WILD"}], "batch_config[0].variant"),
        ([{"variant": "FORENSIC"}], "batch_config[0].type"),
        ([{"type": "PRESET"}], "batch_config[0].preset_id"),
        ([{"type": "PRESET", "preset_id": "boda"}], "batch_config[0].preset_id"),
        ([{"type": "PRESET", "preset_id": str(UUID(int=1))}], "preset_id"),
        ([{"type": "AUTO", "variant": "FORENSIC", "seed": 3}], "batch_config[0].seed"),
        (
            [{"type": "AUTO", "variant": "FORENSIC", "provider": "acme"}],
            "batch_config[0].provider",
        ),
    ],
)
def test_a_slot_that_cannot_be_is_refused_by_its_field(config: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        slots.parsed(config, find)
    assert refused.value.field == field


def test_the_chosen_service_is_asked_first_and_the_others_stand_in() -> None:
    assert one().provider is None
    assert list(slots.order_of(None, ())) == ["laozhang", "gemini", "openai"]
    chosen = one(provider="openai").provider
    assert list(slots.order_of(chosen, ())) == ["openai", "laozhang", "gemini"]


def test_real_services_are_not_mixed_with_the_sandbox() -> None:
    assert list(slots.order_of("laozhang", ("laozhang", "openai"))) == ["gemini"]
    assert list(slots.order_of("openai", slots.PROVIDERS)) == ["openai", "laozhang", "gemini"]


def test_anchors_of_a_slot_come_before_those_of_its_preset() -> None:
    own = [{"type": "PRESET", "preset_id": str(PRESET), "smart_anchors": [{"kind": "text"}]}]
    [slot] = slots.parsed(own, find)
    assert [anchor.kind for anchor in slot.anchors] == ["text"]
