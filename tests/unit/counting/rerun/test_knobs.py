import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.counting.rerun import knobs
from darkroom.errors import Invalid
from darkroom.settings import CountingSettings

KNOWN = knobs.knobs(("plants", "ours"), ("containers",))
BASE = knobs.in_use(CountingSettings())


def test_every_knob_is_a_setting_and_has_a_value():
    assert set(BASE) == {knob.name for knob in KNOWN}
    found, wrong = knobs.read(BASE, KNOWN)
    assert (found, wrong) == (BASE, {})


def test_texts_of_a_form_are_read_like_values_of_json():
    texts = {"confidence": "0,5", "slice_size": " 640 ".strip(), "hsv_low": "[1, 2, 3]"}
    values = {"confidence": 0.5, "slice_size": 640, "hsv_low": [1, 2, 3]}
    assert knobs.read(texts, KNOWN) == knobs.read(values, KNOWN) == (values, {})


def test_every_wrong_field_is_named_with_the_others_read():
    found, wrong = knobs.read({"alpha": 3, "slice_size": 640, "speed": 1, "confidence": ""}, KNOWN)
    assert found == {"slice_size": 640}
    assert set(wrong) == {"alpha", "speed"}
    assert wrong["alpha"] == "This must be a number from 0.5 to 1."


@given(
    st.sampled_from(sorted(BASE)),
    st.one_of(
        st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.lists(st.floats())
    ),
)
def test_whatever_is_given_is_read_or_refused(name: str, value: object):
    found, wrong = knobs.read({name: value}, KNOWN)
    assert set(found) | set(wrong) == {name} or value in (None, "")
    knobs.applied(CountingSettings(), found)


def test_what_is_as_before_is_not_set_otherwise():
    assert knobs.settled(BASE, {"alpha": 0.8}, {"alpha": 0.9, "confidence": 0.4}) == {
        "confidence": 0.4
    }


def test_a_range_of_colours_without_any_is_refused():
    with pytest.raises(Invalid) as refused:
        knobs.settled(BASE, {}, {"hsv_low": [35, 40, 200], "hsv_high": [85, 255, 100]})
    assert refused.value.field == "hsv_high"
    assert knobs.settled(BASE, {}, {"hsv_low": [170, 40, 40]})


def test_own_settings_take_the_place_of_the_installations():
    chosen = knobs.applied(CountingSettings(), {"alpha": 0.7, "hsv_low": [1, 2, 3]})
    assert (chosen.alpha, chosen.hsv_low) == (0.7, (1, 2, 3))
    assert chosen.confidence == CountingSettings().confidence
