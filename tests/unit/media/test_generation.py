"""What a picture is asked to be, the key of it, and its shape."""

import hashlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import Invalid
from darkroom.media.generation import parameters, shapes
from darkroom.media.generation.parameters import Parameters
from darkroom.settings import Settings

SETTINGS = Settings.from_env({"DARKROOM_GEMINI_IMAGE_MODELS": "one,two"})


def wish(**sent: Any) -> Parameters:
    return parameters.parse({"prompt": "a cat", **sent}, SETTINGS)


def test_what_is_written_otherwise_and_means_the_same_has_one_key() -> None:
    same = [
        wish(),
        wish(prompt="  a\n cat "),
        wish(style="", seed=None, aspect_ratio=""),
        wish(provider="gemini", model="one"),
        wish(unknown="field"),
    ]
    assert len({each.key for each in same}) == 1
    assert wish(prompt="caf\u00e9").key == wish(prompt="cafe\u0301").key


def test_a_form_and_json_ask_for_the_same() -> None:
    form = wish(width="512", height="768", seed="7")
    assert form == wish(width=512, height=768, seed=7)


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "a dog"},
        {"prompt": "A cat"},
        {"negative_prompt": "a dog"},
        {"style": "oil"},
        {"aspect_ratio": "1:1"},
        {"width": 512, "height": 512},
        {"seed": 0},
        {"model": "two"},
        {"provider": "openai"},
    ],
)
def test_each_parameter_changes_the_key(changed: dict[str, Any]) -> None:
    assert wish(**changed).key != wish().key


def test_the_key_is_the_md5_of_canonical_json() -> None:
    asked = wish(style="oil", seed=3)
    written = json.dumps(asked.as_json, sort_keys=True, separators=(",", ":"))
    assert asked.key == hashlib.md5(written.encode(), usedforsecurity=False).hexdigest()
    assert Parameters(**json.loads(written)) == asked


def test_what_the_sandbox_draws_has_a_key_of_its_own() -> None:
    with_key = Settings.from_env({"GEMINI_API_KEY": "a-key"})
    real = parameters.parse({"prompt": "a cat"}, with_key)
    drawn = parameters.parse({"prompt": "a cat"}, Settings.from_env({}))
    assert (real.is_sandbox, drawn.is_sandbox) == (False, True)
    assert real.key != drawn.key
    # Who makes it counts, not who was there when it was asked for.
    assert parameters.stored(drawn.as_json, with_key.providers) == real


def test_what_was_bought_before_there_was_a_sandbox_in_the_key_is_still_found() -> None:
    real = parameters.parse({"prompt": "a cat"}, Settings.from_env({"GEMINI_API_KEY": "a-key"}))
    before = {name: value for name, value in real.as_json.items() if name != "is_sandbox"}
    written = json.dumps(before, sort_keys=True, separators=(",", ":"))
    assert real.key == hashlib.md5(written.encode(), usedforsecurity=False).hexdigest()
    assert Parameters(**before) == real


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"prompt": " "}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"style": "ugly"}, "style"),
        ({"style": ["oil"]}, "style"),
        ({"aspect_ratio": "17:3"}, "aspect_ratio"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": "1.5"}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"width": 512}, "height"),
        ({"height": 512}, "width"),
        ({"width": 100, "height": 512}, "width"),
        ({"width": 2048, "height": 512}, "width"),
        ({"width": 512, "height": 512, "aspect_ratio": "1:1"}, "aspect_ratio"),
        ({"provider": "nobody"}, "provider"),
        ({"model": "three"}, "model"),
        ({"model": "one", "provider": "openai"}, "model"),
    ],
)
def test_what_cannot_be_made_names_its_field(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        wish(**sent)
    assert raised.value.field == field


def test_what_no_database_keeps_is_left_out_of_the_prompt() -> None:
    assert wish(prompt="a\0 c\ud800at").prompt == "a c?at"


def test_the_model_is_told_the_style_and_what_to_leave_out() -> None:
    told = wish(style="oil", negative_prompt="dogs.").told
    assert told.startswith("a cat") and "oil painting" in told and "Leave out: dogs." in told


def test_a_model_is_followed_by_those_after_it() -> None:
    assert list(parameters.chain(wish(), SETTINGS.providers)) == ["one", "two"]
    assert list(parameters.chain(wish(model="two"), SETTINGS.providers)) == ["two"]


def test_a_file_is_named_after_the_prompt() -> None:
    assert wish(prompt="Una niña, ¡y un gato!").stem == "una-nina-y-un-gato"
    assert wish(prompt="猫").stem == "picture"


@given(st.sampled_from(shapes.RATIOS))
def test_a_size_is_asked_for_in_its_own_ratio(ratio: str) -> None:
    high = 400
    assert shapes.nearest((round(high * shapes.proportion(ratio)), high)) == ratio


@given(st.integers(256, 900), st.integers(256, 900))
def test_a_picture_gets_exactly_the_size_asked_for(width: int, height: int) -> None:
    assert shapes.in_size(np.zeros((300, 400, 3), np.uint8), (width, height)).shape == (
        height,
        width,
        3,
    )


def test_the_middle_of_a_picture_is_kept() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, 50:150] = 255
    assert (shapes.in_ratio(pixels, "1:1") == 255).all()


def test_a_picture_in_about_the_right_ratio_stays_as_it_came() -> None:
    pixels = np.zeros((768, 1344, 3), np.uint8)
    assert shapes.in_ratio(pixels, "16:9") is pixels
