"""Questions about pictures: what is measured, and the shape of the answer."""

import numpy as np
import pytest

from darkroom.sandbox.pictures.answering import answered, told
from darkroom.sandbox.pictures.measuring import measured
from darkroom.sandbox.pictures.pixels import saved

from .pictures import grained, product

SCHEMA = {
    "type": "OBJECT",
    "properties": {
        "subject_colors": {"type": "ARRAY", "items": {"type": "STRING"}, "maxItems": 2},
        "brightness": {"type": "NUMBER", "minimum": 0, "maximum": 10},
        "quality": {"type": "INTEGER", "minimum": 1, "maximum": 5},
        "has_text": {"type": "BOOLEAN"},
        "orientation": {"type": "STRING", "enum": ["portrait", "landscape", "square"]},
        "lighting": {"type": "OBJECT", "properties": {"kind": {"type": "string"}}},
    },
    "propertyOrdering": ["brightness", "subject_colors", "quality", "has_text", "orientation"],
}


def test_brightness_and_sharpness_follow_the_picture() -> None:
    pixels, _ = product("studio")
    dark = (pixels * 0.25).astype(np.uint8)
    small = pixels[::8, ::8].repeat(8, 0).repeat(8, 1)
    assert measured(dark).brightness < 0.3 < measured(pixels).brightness
    assert measured(grained(pixels, 2)).noise < measured(grained(pixels, 20)).noise
    assert measured(pixels).sharpness > measured(_blurred(small)).sharpness


def test_the_subjects_colours_are_not_the_grounds() -> None:
    found = measured(product("studio")[0])
    assert "green" in {each.name for each in found.subject_colours[:2]}
    assert found.is_ground_plain
    left, top, right, bottom = found.box
    assert left < 0.4 < 0.6 < right and top < 0.5 < bottom


def test_an_answer_has_the_schemas_shape_and_the_pictures_figures() -> None:
    pixels, _ = product("studio")
    found = answered(SCHEMA, "Describe it", [saved(pixels)], 1)
    assert list(found) == SCHEMA["propertyOrdering"]
    assert len(found["subject_colors"]) == 2 and "green" in found["subject_colors"]
    assert found["brightness"] == pytest.approx(10 * measured(pixels).brightness)
    assert found["quality"] in range(1, 6) and found["has_text"] in {True, False}
    assert found["orientation"] == "square"


def test_an_answer_is_the_same_for_the_same_seed() -> None:
    file = saved(product(side=120)[0])
    choices = [f"choice {at}" for at in range(10)]
    schema = {"type": "object", "properties": {"pick": {"enum": choices}}}
    answers = [answered(schema, "?", [file], seed)["pick"] for seed in (1, 1, 2, 3, 4)]
    assert answers[0] == answers[1]
    assert len(set(answers)) > 1


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": 4},
        {"anyOf": [{"type": "NUMBER"}, {"type": "STRING"}]},
        {"type": "OBJECT"},
        {"type": "STRING", "nullable": True},
    ],
)
def test_any_schema_is_answered(schema: dict[str, object]) -> None:
    assert answered(schema, "anything", [], 1) is not None


def test_words_describe_the_picture_or_spin_the_prompt_on() -> None:
    assert "green" in told("What is it?", [saved(product("studio")[0])], None)
    assert told("A rose.", [], 1).startswith("A rose, ")
    assert "SANDBOX" in told("A rose.", [], 1)


def test_a_prompt_is_spun_on_in_its_language() -> None:
    english, spanish = told("A cat on a roof", [], 1), told("Un gato sobre un tejado", [], 1)
    assert "light" in english and "luz" not in english
    assert "luz" in spanish and "light" not in spanish


def _blurred(pixels: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(pixels, (0, 0), 9)
