"""What requests of videos say is read, or refused by the name of its field."""

from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import Invalid
from darkroom.media.fields import Fields, flat
from darkroom.media.videos import asking


def fields(**sent: Any) -> Fields:
    return Fields(flat(sent))


def refused(**sent: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        asking.scenes(fields(**sent))
        asking.whole(fields(**sent))
    return caught.value


def test_nested_values_get_dotted_names() -> None:
    assert flat({"scenes": [{"text": "a"}, {"text": "b"}], "x": 1}) == {
        "scenes.0.text": "a",
        "scenes.1.text": "b",
        "x": 1,
    }


def test_pictures_are_moved_over_in_turn() -> None:
    found = asking.slides(fields(images=["", "", ""]), 3)
    assert [scene.motion for scene in found] == ["in", "left", "out"]
    still = asking.slides(fields(ken_burns=False), 1)
    assert still[0].motion == "none"


def test_each_picture_has_its_title_and_its_time() -> None:
    found = asking.slides(fields(titles=["one", None], durations=[1, "2.5"]), 2)
    assert [(scene.title, scene.seconds) for scene in found] == [("one", 1), ("", 2.5)]


def test_durations_are_one_a_picture() -> None:
    with pytest.raises(Invalid) as caught:
        asking.slides(fields(durations=[1]), 2)
    assert caught.value.field == "durations"


def test_a_title_is_one_line_without_control_characters() -> None:
    [scene] = asking.scenes(fields(scenes=[{"text": " a\n\x00b\tc "}]))
    assert scene.title == "a b c"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", 0.1),
        ("duration", "NaN"),
        ("duration", True),
        ("transition", "star"),
        ("motion", 3),
        ("fit", "stretch"),
        ("text", "x" * 201),
        ("text_position", "left"),
    ],
)
def test_what_a_scene_cannot_be_names_its_field(field: str, value: object) -> None:
    error = refused(scenes=[{"text": "fine"}, {field: value}])
    assert error.field == f"scenes.1.{field}"


@pytest.mark.parametrize(
    ("field", "value"),
    [("aspect_ratio", "4:3"), ("language", "xx"), ("generate_subtitles", "perhaps")],
)
def test_what_a_video_cannot_be_names_its_field(field: str, value: object) -> None:
    assert refused(scenes=[{"text": "fine"}], **{field: value}).field == field


@pytest.mark.parametrize("count", [0, 41])
def test_there_are_so_many_scenes_and_no_more(count: int) -> None:
    assert refused(scenes=[{"text": "x"}] * count).field == "scenes"


def test_letters_that_no_font_has_are_named_with_their_scene(tmp_path: Path) -> None:
    found = asking.scenes(fields(scenes=[{"text": "fine"}, {"text": "見"}]))
    with pytest.raises(Invalid, match="見") as caught:
        asking.insist_drawable(found, "scenes.{}.text", tmp_path)
    assert caught.value.field == "scenes.1.text"
