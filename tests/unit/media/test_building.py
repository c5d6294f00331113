"""Spoken words become cues by the rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.media.subtitles import rules
from darkroom.media.subtitles.building import build
from darkroom.media.subtitles.checking import check

from .heard import Heard, spoken

SPANISH = (
    "Esta mañana hemos visitado el vivero de Juan de la Cruz, que está cerca de Nueva York, y nos"
    " ha enseñado sus 25 000 plantas. Las riega con 300 litros al día porque hace mucho calor,"
    " pero dice que en invierno bastan 40. ¿Qué hará cuando llegue la primavera?"
)
ENGLISH = (
    "This morning we went to see the nursery that Mary Ann Smith keeps near New York, and she"
    " showed us all of her 25 000 plants. She gives them 80 gallons a day because it is so hot,"
    " but she says that 10 will do in winter. What is she going to do in spring?"
)


@pytest.mark.parametrize(("text", "language"), [(SPANISH, "es"), (ENGLISH, "en")])
def test_speech_of_an_ordinary_speed_keeps_every_rule(text: str, language: str) -> None:
    cues = build(spoken(text), language)
    assert check(cues, language).violations == ()


@pytest.mark.parametrize(("text", "language"), [(SPANISH, "es"), (ENGLISH, "en")])
def test_no_word_is_lost(text: str, language: str) -> None:
    assert " ".join(cue.text for cue in build(spoken(text), language)) == text


def test_a_sentence_ends_its_cue_rather_than_standing_in_two() -> None:
    cues = build(spoken("We are here today for a talk. Let us begin with the first of them."), "en")
    assert [cue.text for cue in cues] == [
        "We are here today for a talk.",
        "Let us begin with the first of them.",
    ]


@pytest.mark.parametrize(
    ("text", "language", "lines"),
    [
        (
            "She wanted to come along with us but she had to stay at work",
            "en",
            ("She wanted to come along with us", "but she had to stay at work"),
        ),
        (
            "Quería venir con nosotros al campo porque le gustan las flores",
            "es",
            ("Quería venir con nosotros al campo", "porque le gustan las flores"),
        ),
    ],
)
def test_a_line_breaks_before_a_conjunction(
    text: str, language: str, lines: tuple[str, ...]
) -> None:
    (cue,) = build(spoken(text), language)
    assert cue.lines == lines


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("ayer vinieron a vernos desde lejos Juan de la Cruz con su hermana", "Juan de la Cruz"),
        ("ayer se vendieron en este mercado grande 25 000 plantas de tomate", "25 000"),
        ("ayer estuvimos con los vecinos y con la Sra. Martínez en su casa", "Sra. Martínez"),
    ],
)
def test_names_and_numbers_stay_in_one_line(text: str, whole: str) -> None:
    lines = [line for cue in build(spoken(text), "es") for line in cue.lines]
    assert len(lines) > 1
    assert any(whole in line for line in lines)


def test_a_pause_parts_cues() -> None:
    words = spoken("one moment please") + spoken("here it is at last", start=6)
    assert [cue.text for cue in build(words, "en")] == ["one moment please", "here it is at last"]


def test_a_short_word_is_shown_long_enough_to_be_read() -> None:
    (cue,) = build([Heard(" Yes.", 3.0, 3.2)], "en")
    assert (cue.start, cue.duration) == (3000, rules.SHORTEST)


def test_a_cue_without_room_after_it_starts_before_it_is_spoken() -> None:
    words = [Heard(" Yes.", 3.0, 3.2), *spoken("And now for something else altogether.", start=3.3)]
    first = build(words, "en")[0]
    assert first.duration >= rules.SHORTEST


def test_too_fast_speech_is_reported_as_what_cannot_be_helped() -> None:
    report = check(build(spoken(ENGLISH, letter=0.04), "en"), "en")
    assert report.count("reading_speed") > 0
    assert report.avoidable == ()


def test_parts_of_a_word_that_are_heard_singly_stay_together() -> None:
    words = [Heard(" a", 0, 0.2), Heard(" full", 0.2, 0.5), Heard("-featured", 0.5, 1.2)]
    assert build(words, "en")[0].text == "a full-featured"


def test_languages_without_spaces_are_not_given_any() -> None:
    assert build([Heard("你", 0, 0.5), Heard("好", 0.5, 1)], "zh")[0].text == "你好"


def test_nothing_said_makes_no_cues() -> None:
    assert build([], "es") == []


_WORD = st.tuples(st.text("aZ9.,", min_size=1, max_size=50), st.floats(0, 3), st.floats(0, 4))


@settings(max_examples=200, deadline=None)
@given(st.lists(_WORD, max_size=40), st.sampled_from(["en", "es", "de"]))
def test_whatever_is_heard_no_rule_is_missed_that_could_be_kept(
    parts: list[tuple[str, float, float]], language: str
) -> None:
    words, at = [], 0.0
    for text, pause, lasts in parts:
        words.append(Heard(f" {text}", at + pause, at + pause + lasts))
        at += pause + lasts
    cues = build(words, language)
    assert " ".join(cue.text for cue in cues).split() == [text for text, *_ in parts]
    assert check(cues, language).avoidable == ()
