"""What people do to cues."""

import pytest

from darkroom.errors import Invalid
from darkroom.media.subtitles.cues import Cue, insist_in_order, merge, shift, split

CUES = [
    Cue(1000, 3000, ("Good morning to you all.",)),
    Cue(3500, 7500, ("We are here today", "and we shall be here tomorrow.")),
]


def test_all_cues_are_shifted() -> None:
    assert [(cue.start, cue.end) for cue in shift(CUES, -400)] == [(600, 2600), (3100, 7100)]


def test_the_cues_from_one_on_are_shifted() -> None:
    assert [cue.start for cue in shift(CUES, 250, first=2)] == [1000, 3750]


@pytest.mark.parametrize(("by", "first"), [(-1001, 1), (-2600, 2)])
def test_no_cue_is_shifted_before_the_beginning_or_another(by: int, first: int) -> None:
    with pytest.raises(Invalid, match="starts before"):
        shift(CUES, by, first)


def test_two_cues_become_one_with_its_lines_broken_anew() -> None:
    short = [Cue(0, 1000, ("Come in,",)), Cue(1200, 2500, ("both of you.",)), CUES[1]]
    assert merge(short, 1, "en") == [Cue(0, 2500, ("Come in, both of you.",)), CUES[1]]


def test_what_does_not_fit_two_lines_is_merged_into_more() -> None:
    long = [Cue(0, 4000, ("word " * 8,)), Cue(4100, 8000, ("word " * 12,))]
    (cue,) = merge(long, 1, "en")
    assert len(cue.lines) == 3 and max(map(len, cue.lines)) <= 42


def test_one_cue_becomes_two_with_time_by_their_characters() -> None:
    _, one, other = split(CUES, 2, at=18, language="en", fps=25)
    assert (one.text, other.text) == ("We are here today", "and we shall be here tomorrow.")
    assert (one.start, other.end, other.start - one.end) == (3500, 7500, 80)
    assert one.duration == round(3920 * 17 / 47)


@pytest.mark.parametrize("at", [-3, 0, 48, 500])
def test_no_part_of_a_split_cue_is_empty(at: int) -> None:
    with pytest.raises(Invalid, match="between two of its words"):
        split(CUES, 2, at=at, language="en", fps=25)


def test_a_cue_of_a_few_frames_is_not_split() -> None:
    with pytest.raises(Invalid, match="too short"):
        split([Cue(0, 160, ("Oh no.",))], 1, at=2, language="en", fps=25)


@pytest.mark.parametrize("number", [0, 3])
def test_a_cue_that_is_not_there_is_named(number: int) -> None:
    with pytest.raises(Invalid, match="There is no cue"):
        split(CUES, number, at=3, language="en", fps=25)
    with pytest.raises(Invalid, match="There is no cue"):
        merge(CUES, number - 1 if number else -1, "en")


@pytest.mark.parametrize(
    ("cue", "reason"),
    [
        (Cue(9000, 9000, ("a",)), "ends before"),
        (Cue(500, 900, ("a",)), "starts before"),
        (Cue(9000, 9500, (" ",)), "is empty"),
    ],
)
def test_cues_that_cannot_be_are_refused_with_their_number(cue: Cue, reason: str) -> None:
    with pytest.raises(Invalid, match=f"Cue 3 {reason}"):
        insist_in_order([*CUES, cue])
