"""Cues go into files and come back, and other programs' files are understood."""

import json

import pytest

from darkroom.errors import Invalid
from darkroom.media.subtitles import reading, writing
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.style import Style

CUES = [
    Cue(500, 2500, ("¿Qué tal, señor Ñandú?", "a < b & c > {d}")),
    Cue(3_723_040, 3_725_990, (r"C:\Nuevo\{x}",)),
]


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass", "json"])
def test_what_is_written_is_read_again(kind: str) -> None:
    files = {
        "srt": writing.srt(CUES),
        "vtt": writing.vtt(CUES),
        "ass": writing.ass(CUES, Style(), "DejaVu Sans"),
        "json": writing.as_json(CUES, "es"),
    }
    assert reading.read(files[kind], kind) == CUES


def test_subrip_looks_as_players_want_it() -> None:
    assert writing.srt([Cue(500, 2500, ("One", "two")), Cue(3000, 4000, ("three",))]) == (
        "1\n00:00:00,500 --> 00:00:02,500\nOne\ntwo\n\n2\n00:00:03,000 --> 00:00:04,000\nthree\n"
    )


def test_an_arrow_in_a_text_is_no_time() -> None:
    (cue,) = reading.read(writing.vtt([Cue(0, 1000, ("a --> b",))]), "vtt")
    assert cue.lines == ("a → b",)


def test_json_has_seconds_and_the_language() -> None:
    told = json.loads(writing.as_json(CUES[:1], "es"))
    assert told["language"] == "es"
    assert told["cues"][0]["start"] == 0.5


def test_a_long_silence_begins_a_paragraph_of_plain_text() -> None:
    cues = [
        Cue(0, 1000, ("One,", "two.")),
        Cue(1100, 2000, ("Three.",)),
        Cue(5000, 6000, ("Ten.",)),
    ]
    assert writing.text(cues) == "One, two. Three.\n\nTen.\n"


def test_colours_are_turned_round_for_ass() -> None:
    written = writing.ass(CUES, Style(colour="#ffcc01"), "DejaVu Sans", (1080, 1920))
    assert "&H0001CCFF" in written
    assert "PlayResX: 1080\nPlayResY: 1920" in written


def test_other_programs_marks_and_cues_without_text_are_left_out() -> None:
    content = (
        "\ufeff1\r\n00:00:01,000 --> 00:00:02,000 X1:0\r\n<i>One</i>\r\n\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000\r\n\r\n3\r\n00:00:05,5 --> 00:00:06,000\r\ntwo\r\n"
    )
    read = reading.read(content, "srt")
    assert read == [Cue(1000, 2000, ("One",)), Cue(5500, 6000, ("two",))]


def test_webvtt_has_short_times_names_and_notes() -> None:
    content = (
        "WEBVTT - x\n\nNOTE no\n\nintro\n00:01.500 --> 00:02.000 align:start\n<v Ana>A &amp; B\n"
    )
    assert reading.read(content, "vtt") == [Cue(1500, 2000, ("A & B",))]


def test_orders_in_ass_are_left_out() -> None:
    content = r"Dialogue: 0,0:00:01.00,0:00:02.50,Main,,0,0,0,,{\i1}One,{\i0} two\Nthree"
    assert reading.read(content, "ass") == [Cue(1000, 2500, ("One, two", "three"))]


@pytest.mark.parametrize(
    ("content", "kind", "field"),
    [
        ("nothing", "srt", "file"),
        ("{}", "json", "file"),
        ("[1]", "json", "file"),
        ("1\n00:00:03,000 --> 00:00:02,000\nx\n", "srt", "cues"),
        ("x", "sbv", "format"),
    ],
)
def test_what_is_no_subtitle_file_is_refused(content: str, kind: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        reading.read(content, kind)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 4),
        ("size", float("nan")),
        ("outline", -1),
        ("colour", "red"),
        ("outline_colour", "#12345"),
        ("position", "left"),
        ("margin_y", 5000),
    ],
)
def test_a_style_that_cannot_be_names_its_field(field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        Style(**{field: value})  # type: ignore[arg-type]
    assert refused.value.field == field
