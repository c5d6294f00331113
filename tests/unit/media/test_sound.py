"""Files of every kind are taken for what they are, and their sound is got out of them."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import Cancelled, Invalid, Permanent
from darkroom.media import ffmpeg, sound

from .conftest import Made


def _samples(path: Path, folder: Path) -> sound.Samples:
    return sound.samples(path, folder, told=lambda seconds: None, stop=lambda: None)


def test_a_video_is_told_by_its_content_not_its_name(make: Made) -> None:
    found = sound.look_at(make("photo.heic"))
    assert found.picture == sound.Picture(320, 180, 25.0, "h264")
    assert found.sound == "aac"
    assert found.seconds == pytest.approx(3, abs=0.1)


def test_a_turned_video_is_as_wide_as_it_is_seen(make: Made, tmp_path: Path) -> None:
    turned = ["-display_rotation", "90", *ffmpeg.given(make()), "-c", "copy", "turned.mp4"]
    ffmpeg.run(turned, tmp_path)
    picture = sound.look_at(tmp_path / "turned.mp4").picture
    assert picture is not None and (picture.width, picture.height) == (180, 320)


def test_the_cover_of_a_song_is_no_video(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "cover.png")
    options = ["-f", "lavfi", "-i", "sine=duration=1", "-i", "cover.png", "-map", "0", "-map", "1"]
    ffmpeg.run([*options, "-c:v", "copy", "-disposition:v", "attached_pic", "song.mp3"], tmp_path)
    assert sound.look_at(tmp_path / "song.mp3").picture is None


def test_the_sound_of_a_video_is_got_as_whisper_hears_it(make: Made, folder: Path) -> None:
    heard = _samples(make(), folder)
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(3 * sound.RATE, rel=0.02)
    loudest = np.abs(np.fft.rfft(heard[: sound.RATE])).argmax()
    assert loudest == pytest.approx(440, abs=2)
    assert not list(folder.iterdir())


def test_a_video_without_sound_is_refused(make: Made, folder: Path) -> None:
    with pytest.raises(Invalid, match="no sound"):
        _samples(make(has_sound=False), folder)


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0" * 5000])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        sound.look_at(path)
    assert refused.value.field == "file"


def test_half_a_video_is_refused(make: Made, tmp_path: Path) -> None:
    whole = make().read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Invalid, match="can be read"):
        sound.look_at(tmp_path / "half.mp4")


def test_a_list_that_names_other_files_is_not_followed(make: Made, tmp_path: Path) -> None:
    make("secret.mp4")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(Invalid, match="can be read"):
        sound.look_at(tmp_path / "list.mp4")
    with pytest.raises(Permanent):
        ffmpeg.run([*ffmpeg.given(tmp_path / "list.mp4"), "out.wav"], tmp_path)


def test_a_cancel_kills_ffmpeg_and_leaves_no_file(make: Made, folder: Path) -> None:
    def stop() -> None:
        raise Cancelled("The run was cancelled.")

    with pytest.raises(Cancelled):
        sound.samples(make(), folder, told=lambda seconds: None, stop=stop)
    assert not list(folder.iterdir())


def test_ffmpeg_says_what_was_wrong(folder: Path) -> None:
    with pytest.raises(Permanent, match="nowhere"):
        ffmpeg.run(["-i", "nowhere.mp4", "out.mp4"], folder)


def test_no_process_of_ffmpeg_outlives_a_cancel(folder: Path) -> None:
    endless = ["-re", "-f", "lavfi", "-i", "sine", "-f", "null", "-"]
    before = _children()

    def stop() -> None:
        assert _children() > before
        raise Cancelled("The run was cancelled.")

    started = time.monotonic()
    with pytest.raises(Cancelled):
        ffmpeg.run(endless, folder, stop=stop)
    assert _children() == before
    assert time.monotonic() - started < 10


def _children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
