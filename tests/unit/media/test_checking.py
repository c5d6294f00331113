"""The report names what is missed, and tells what can be mended from what cannot."""

from darkroom.media.subtitles.checking import Violation, check
from darkroom.media.subtitles.cues import Cue

FULL = "x" * 40


def _only(cues: list[Cue], language: str = "en") -> Violation:
    (found,) = check(cues, language).violations
    return found


def test_cues_that_keep_the_rules_have_an_empty_report() -> None:
    report = check([Cue(0, 2000, ("Good morning,",)), Cue(2080, 4000, ("everybody.",))], "en")
    assert (report.cues, report.violations) == (2, ())


def test_a_long_line_could_be_two() -> None:
    line = "this line is a little longer than the rule allows"
    assert _only([Cue(0, 5000, (line,))]) == Violation("line_length", 1, len(line), 42, True)


def test_one_endless_word_cannot_be_two_lines() -> None:
    assert not _only([Cue(0, 5000, ("x" * 50,))]).is_avoidable


def test_three_lines_are_one_too_many() -> None:
    found = _only([Cue(0, 5000, ("one", "two", "three"))])
    assert (found.rule, found.found) == ("lines", 3)


def test_more_time_after_a_fast_cue_would_mend_it() -> None:
    found = _only([Cue(0, 2000, (FULL,)), Cue(4000, 7000, (FULL,))])
    assert (found.rule, found.found, found.is_avoidable) == ("reading_speed", 20.0, True)


def test_fast_speech_without_a_pause_cannot_be_mended() -> None:
    fast = [Cue(2080 * at, 2080 * at + 2000, (FULL, FULL)) for at in range(3)]
    report = check([*fast, Cue(6240, 12000, (FULL,))], "en")
    assert report.count("reading_speed") == 3
    assert report.avoidable == ()


def test_a_short_cue_that_could_join_the_next_one_is_avoidable() -> None:
    found = _only([Cue(0, 500, ("Yes.",)), Cue(580, 4000, ("That is what I meant.",))])
    assert (found.rule, found.is_avoidable) == ("shortest", True)


def test_a_cue_is_shown_for_seven_seconds_at_most() -> None:
    assert _only([Cue(0, 7001, ("Hm.",))]).rule == "longest"


def test_cues_closer_than_two_frames_are_found_at_any_frame_rate() -> None:
    cues = [Cue(0, 2000, ("Good morning,",)), Cue(2050, 4000, ("everybody.",))]
    assert check(cues, "en", fps=50).violations == ()
    assert check(cues, "en", fps=25).violations == (Violation("gap", 1, 50, 80, True),)


def test_a_line_that_ends_inside_a_name_is_found() -> None:
    cue = Cue(0, 6000, ("and then we moved to New", "York with all of the children"))
    found = _only([cue])
    assert (found.rule, found.is_avoidable) == ("broken_name_or_number", True)


def test_a_number_is_not_taken_apart() -> None:
    cue = Cue(0, 6000, ("este mes se vendieron 25", "000 plantas de tomate y de fresa"))
    assert _only([cue], "es").rule == "broken_name_or_number"
