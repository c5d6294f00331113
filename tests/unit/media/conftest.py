"""Small videos and sounds, made by ffmpeg itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from darkroom.media import ffmpeg

Made = Callable[..., Path]
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For what lasts no longer than the work."""
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.fixture
def make(tmp_path: Path) -> Made:
    """Make a file of three seconds: `make(name, size=…, has_sound=…, options=…)`."""

    def made(
        name: str = "video.mp4",
        size: str = "320x180",
        has_sound: bool = True,
        seconds: int = 3,
        options: tuple[str, ...] = (),
    ) -> Path:
        drawn = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration={seconds}")
        quick = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-shortest")
        heard = _SOUND if has_sound else ()
        ffmpeg.run([*drawn, *heard, *quick, *options, "-f", "mp4", name], tmp_path)
        return tmp_path / name

    return made
