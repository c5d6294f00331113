"""Videos read frame by frame and written again: times, turns, shapes and colours stay."""

from pathlib import Path

import av
import numpy as np
import pytest

from darkroom.errors import Invalid
from darkroom.media import ffmpeg, frames

from .conftest import Made


def rewritten(path: Path) -> Path:
    target = path.with_name("written.mp4")
    with frames.opened(path) as footage:
        frames.write(footage.frames(), footage, target)
    return target


def stream_of(path: Path) -> av.VideoStream:
    with av.open(str(path)) as container:
        return container.streams.video[0]


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [round(float(frame.time), 3) for frame in container.decode(video=0)]


def pixels_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def converted(path: Path, name: str, *options: str) -> Path:
    ffmpeg.run(["-i", path.name, *options, name], path.parent)
    return path.with_name(name)


@pytest.mark.parametrize("name", ["slow.mp4", "slow.mkv"])
def test_frames_of_changing_speed_keep_their_times(make: Made, name: str) -> None:
    chosen = ["-vf", "select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr"]
    video = converted(make(), name, *chosen)
    times = times_of(video)
    assert times_of(rewritten(video)) == times and len(set(np.diff(times).round(2))) > 1


@pytest.mark.parametrize("degrees", ["90", "180", "270"])
def test_a_turned_video_is_written_upright(make: Made, tmp_path: Path, degrees: str) -> None:
    make("straight.mp4")
    turned = ["-display_rotation", degrees, "-i", "straight.mp4", "-c", "copy", "turned.mp4"]
    ffmpeg.run(turned, tmp_path)
    # Ffmpeg turns what it decodes by itself.
    shown = pixels_of(converted(tmp_path / "turned.mp4", "shown.mp4"))
    written = pixels_of(rewritten(tmp_path / "turned.mp4"))
    assert np.abs(written.astype(int) - shown).mean() < 8


def test_pixels_that_are_not_square_stay_so_and_turn_with_the_video(
    make: Made, tmp_path: Path
) -> None:
    wide = converted(make("straight.mp4"), "wide.mp4", "-vf", "setsar=4/3")
    ffmpeg.run(["-display_rotation", "90", "-i", wide.name, "-c", "copy", "turned.mp4"], tmp_path)
    assert stream_of(rewritten(wide)).sample_aspect_ratio == pytest.approx(4 / 3)
    turned = rewritten(tmp_path / "turned.mp4")
    assert stream_of(turned).sample_aspect_ratio == pytest.approx(3 / 4)


def test_an_odd_size_loses_a_row_and_a_column(make: Made) -> None:
    odd = converted(make(), "odd.webm", "-vf", "crop=161:91", "-c:v", "libvpx", "-an")
    written = stream_of(rewritten(odd))
    assert (written.width, written.height) == (160, 90)


@pytest.mark.parametrize("size", ["320x180", "1280x720"])
def test_colours_stay_what_they_are(make: Made, tmp_path: Path, size: str) -> None:
    plain = f"color=0xc83214:size={size}:rate=25:duration=0.2"
    ffmpeg.run(["-f", "lavfi", "-i", plain, "-pix_fmt", "yuv420p", "plain.mp4"], tmp_path)
    written = rewritten(tmp_path / "plain.mp4")
    with frames.opened(tmp_path / "plain.mp4") as before, frames.opened(written) as after:
        first, second = (next(each.frames()).pixels.mean((0, 1)) for each in (before, after))
    assert np.abs(first - second).max() < 4


def test_a_file_without_a_whole_frame_is_refused(make: Made, tmp_path: Path) -> None:
    whole = make(options=("-movflags", "+faststart")).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: whole.index(b"mdat") + 4])
    with frames.opened(tmp_path / "cut.mp4") as footage, pytest.raises(Invalid, match="broken"):
        list(footage.frames())
