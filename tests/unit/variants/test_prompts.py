"""What is asked of the model, and what is made of its analysis."""

from dataclasses import replace
from typing import Any

import pytest

from darkroom.variants import analysis, prompts
from darkroom.variants.anchors import Anchor
from darkroom.variants.slots import Slot

FOUND = analysis.read(
    {
        "subject": "a red mug",
        "scene": "a table",
        "faults": ["noise"],
        "text_present": True,
        "texts": ["CAFÉ"],
        "faces": 0,
        "suggested_edits": ["brighten"],
    }
)


def slot(variant: str, *anchors: Anchor) -> Slot:
    return Slot(0, "AUTO", variant, None, None, anchors)


def test_a_forensic_prompt_names_the_faults_and_adds_nothing() -> None:
    said = prompts.compiled(slot("FORENSIC"), FOUND)
    assert "Add nothing" in said and "noise" in said and "a red mug" in said


def test_a_creative_prompt_is_free_of_the_faults_but_keeps_the_texts() -> None:
    said = prompts.compiled(slot("CREATIVE"), FOUND)
    assert "noise" not in said and "CAFÉ" in said


def test_each_anchor_adds_its_clause() -> None:
    plain = prompts.compiled(slot("BALANCED"), FOUND)
    held = prompts.compiled(slot("BALANCED", Anchor("colours"), Anchor("composition")), FOUND)
    assert "Keep the colours" in held and "Keep the composition" in held
    assert "Keep the colours" not in plain


def test_the_same_photo_and_slot_ask_the_same() -> None:
    assert prompts.compiled(slot("FORENSIC"), FOUND) == prompts.compiled(slot("FORENSIC"), FOUND)


@pytest.mark.parametrize("given", [None, [], "red", {"subject": 3, "faults": "x", "faces": True}])
def test_an_answer_of_another_shape_is_an_empty_analysis(given: Any) -> None:
    found = analysis.read(given)
    assert found == replace(found, subject="", faults=(), faces=0, text_present=False)


def test_an_analysis_reads_back_as_it_was_stored() -> None:
    assert analysis.read(FOUND.as_json) == FOUND
