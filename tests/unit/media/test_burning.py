"""Subtitles get into videos, and are seen there."""

from pathlib import Path

import av
import numpy as np
import pytest

from darkroom.errors import Cancelled, Invalid, Permanent
from darkroom.media import burning, ffmpeg, fonts
from darkroom.media.sound import look_at
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.style import Style

from .conftest import Made

CUES = [Cue(500, 2500, ("¿Qué tal, señor Ñandú?", r"{\b1}C:\Nuevo"))]


def _frame(path: Path, second: float) -> np.ndarray:
    """The picture shown at that second, RGB."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time >= second:
                return frame.to_ndarray(format="rgb24").astype(np.int16)
    raise AssertionError(f"{path} ends before second {second}")


def _burnt(video: Path, folder: Path, cues: list[Cue] = CUES, style: Style | None = None) -> Path:
    target = video.with_name("burnt.mp4")
    burning.burn(video, cues, target, folder, style=style or Style())
    return target


def test_letters_are_drawn_while_a_cue_lasts_and_only_then(make: Made, folder: Path) -> None:
    video = make()
    burnt = _burnt(video, folder)
    change = {at: np.abs(_frame(burnt, at) - _frame(video, at)) for at in (0.2, 1.5)}
    below = slice(120, None)
    assert (change[1.5][below] > 60).mean() > 0.02
    assert (change[0.2][below] > 60).mean() < 0.005
    assert (change[1.5][:90] > 60).mean() < 0.005


def test_sound_and_size_are_kept(make: Made, folder: Path) -> None:
    video = make()
    before, after = look_at(video), look_at(_burnt(video, folder))
    assert (after.sound, after.picture) == (before.sound, before.picture)
    assert after.seconds == pytest.approx(before.seconds, abs=0.1)


def test_position_and_colour_are_as_asked(make: Made, folder: Path) -> None:
    video = make()
    style = Style(position="top", colour="#ff0000", size=120, outline=0)
    burnt = _frame(_burnt(video, folder, [Cue(0, 2500, ("MMM",))], style), 1)
    change = np.abs(burnt - _frame(video, 1)).max(axis=2)
    rows = np.nonzero((change > 80).any(axis=1))[0]
    assert rows.max() < 60
    red, green, blue = np.median(burnt[:60][change[:60] > 80], axis=0)
    assert red > 150 and max(green, blue) < 80


def test_a_turned_video_is_burnt_as_it_is_seen(make: Made, folder: Path, tmp_path: Path) -> None:
    turned = ["-display_rotation", "90", *ffmpeg.given(make()), "-c", "copy", "turned.mp4"]
    ffmpeg.run(turned, tmp_path)
    picture = look_at(_burnt(tmp_path / "turned.mp4", folder)).picture
    assert picture is not None and (picture.width, picture.height) == (180, 320)


def test_frames_of_uneven_length_keep_their_times(make: Made, folder: Path, tmp_path: Path) -> None:
    uneven = ["-vf", "select='not(between(n,10,40))'", "-fps_mode", "vfr", "-an", "uneven.mp4"]
    ffmpeg.run([*ffmpeg.given(make()), *uneven], tmp_path)
    burnt = _burnt(tmp_path / "uneven.mp4", folder)
    assert _times(burnt) == pytest.approx(_times(tmp_path / "uneven.mp4"), abs=0.001)


def _times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def test_progress_goes_up_to_one(make: Made, folder: Path, tmp_path: Path) -> None:
    told: list[float] = []
    video = make(size="1280x720", seconds=8, has_sound=False)
    burning.burn(video, CUES, tmp_path / "x.mp4", folder, style=Style(), told=told.append)
    assert told == sorted(told) and 0.9 < told[-1] <= 1


def test_a_cancel_stops_the_work(make: Made, folder: Path, tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled("The run was cancelled.")

    with pytest.raises(Cancelled):
        burning.burn(make(), CUES, tmp_path / "x.mp4", folder, style=Style(), stop=stop)


def test_letters_that_the_font_lacks_are_named(make: Made, folder: Path) -> None:
    with pytest.raises(Invalid, match="has no letters for: 中"):
        _burnt(make(), folder, [Cue(0, 1000, ("中",))])


def test_letters_that_cannot_be_seen_are_an_error(make: Made, folder: Path, tmp_path: Path) -> None:
    options = ["-f", "lavfi", "-i", "color=white:size=320x180:duration=2", "white.mp4"]
    ffmpeg.run(options, tmp_path)
    with pytest.raises(Permanent, match="cannot be seen"):
        _burnt(tmp_path / "white.mp4", folder, style=Style(outline=0))


def test_sound_alone_has_no_pictures_to_draw_on(folder: Path, tmp_path: Path) -> None:
    ffmpeg.run(["-f", "lavfi", "-i", "sine=duration=1", "a.wav"], tmp_path)
    with pytest.raises(Invalid, match="no pictures"):
        _burnt(tmp_path / "a.wav", folder)


def test_cues_after_the_end_are_no_cues(make: Made, folder: Path) -> None:
    with pytest.raises(Invalid, match="no cues while"):
        _burnt(make(), folder, [Cue(60_000, 61_000, ("Late.",))])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_track_of_subtitles_goes_beside_the_untouched_pictures(
    make: Made, folder: Path, tmp_path: Path, suffix: str
) -> None:
    video, target = make(), tmp_path / f"soft{suffix}"
    burning.mux(video, CUES, target, folder, language="es")
    with av.open(str(target)) as container:
        (track,) = container.streams.subtitles
        assert track.language == "spa"
        (packet,) = [packet for packet in container.demux(track) if packet.size > 2]
        assert "señor Ñandú?" in bytes(packet).decode()
    assert np.array_equal(_frame(target, 1.5), _frame(video, 1.5))


def test_a_track_goes_beside_the_first_sound_alone(folder: Path, tmp_path: Path) -> None:
    sounds = [part for hz in (300, 600) for part in ("-f", "lavfi", "-i", f"sine={hz}:duration=3")]
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3")
    kept = ("-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    coded = ("-c:a:0", "aac", "-c:a:1", "pcm_s16le", "two.mkv")
    ffmpeg.run([*pictures, *sounds, *kept, *coded], tmp_path)
    video = tmp_path / "two.mkv"
    target = tmp_path / f"soft{burning.container_for(look_at(video))}"
    burning.mux(video, CUES, target, folder, language="es")
    with av.open(str(target)) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ["aac"]


def test_what_is_no_font_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ttf").write_bytes(b"nothing")
    with pytest.raises(Invalid) as refused:
        fonts.load(tmp_path / "x.ttf")
    assert refused.value.field == "font"


def test_the_font_that_comes_along_has_the_letters_of_many_languages() -> None:
    fonts.insist_covers(fonts.default(), "ñÑáéíóúü¿¡«»…— çãõ àèù äöß łżść привет Ελλάς ğış €")
