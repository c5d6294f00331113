"""Wishes for subtitles are checked, kept and read again; fonts are found for them."""

import json
import shutil
from pathlib import Path

import pytest

from darkroom.errors import Invalid
from darkroom.media import burning, fonts
from darkroom.media.sound import Media, Picture
from darkroom.media.subtitles import wishes
from darkroom.media.subtitles.languages import LANGUAGES
from darkroom.media.subtitles.style import Style
from darkroom.media.subtitles.wishes import Asked

SENT = {"language": "es", "mode": "burn", "font": "A", "size": "70.5", "margin_y": "12.4"}


def test_the_languages_are_those_of_whisper() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert set(_LANGUAGE_CODES) == LANGUAGES


def test_a_wish_survives_being_kept() -> None:
    asked = wishes.read({**SENT, "formats": "vtt, srt"}, ["A"])
    assert Asked.of(json.loads(json.dumps(asked.as_json()))) == asked
    assert asked == Asked("es", "burn", "A", Style(size=70.5, margin_y=12), ("srt", "vtt"))


def test_what_is_not_said_is_as_usual() -> None:
    assert wishes.read({"language": "auto", "size": "", "font": None}, []) == Asked()


@pytest.mark.parametrize("formats", ["exe", ["srt", "exe"], 5, {"srt": True}])
def test_other_formats_are_refused(formats: object) -> None:
    with pytest.raises(Invalid, match="must be a list of: srt, vtt") as caught:
        wishes.read({"formats": formats}, [])
    assert caught.value.field == "formats"


def test_a_font_is_found_that_has_the_letters(tmp_path: Path) -> None:
    assert fonts.choose(tmp_path, None, "Ñandú Ж").family == "DejaVu Sans"
    assert fonts.choose(tmp_path, "DejaVu Serif", "日").family == "DejaVu Serif"
    with pytest.raises(Invalid, match="There is no font Arial"):
        fonts.choose(tmp_path, "Arial", "a")


def test_fonts_that_the_owner_adds_are_taken_and_broken_ones_are_not(tmp_path: Path) -> None:
    display = fonts.families(tmp_path)["DejaVu Sans"].with_name("DejaVuSansDisplay.ttf")
    shutil.copy(display, tmp_path / "added.ttf")
    (tmp_path / "broken.otf").write_bytes(b"no font")
    assert list(fonts.families(tmp_path))[3:] == ["DejaVu Sans Display"]


@pytest.mark.parametrize(
    ("codec", "sound", "suffix"),
    [
        ("h264", "aac", ".mp4"),
        ("hevc", None, ".mp4"),
        ("h264", "pcm_s16le", ".mkv"),
        ("vp9", "opus", ".mkv"),
    ],
)
def test_a_track_goes_into_what_holds_the_rest(codec: str, sound: str | None, suffix: str) -> None:
    media = Media(3, Picture(320, 180, 25, codec), sound, "mov,mp4")
    assert burning.container_for(media) == suffix
