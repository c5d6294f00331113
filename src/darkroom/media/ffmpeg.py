"""Ffmpeg as a child process: told where it is by its own clock, killed with all it started.

It comes with the package imageio-ffmpeg. No shell is involved, and nothing that people wrote ever
becomes part of an option or a filter: files have fixed names in a folder of the step's own, which
ffmpeg works in. Only containers of sound and pictures are opened: a playlist that names other files
is none.
"""

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from darkroom.errors import Permanent
from darkroom.media import children

Told = Callable[[float], None]
Stop = Callable[[], None]

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,wav,w64,mp3,flac,aac,asf,aiff,"
    "caf,amr,gif,mxf"
)
"""What is opened; ffmpeg's names."""
_TAIL = 2000


def run(
    options: Sequence[str],
    folder: Path,
    *,
    told: Told = lambda seconds: None,
    stop: Stop = lambda: None,
) -> None:
    """Run ffmpeg in a folder, to its end.

    Parameters
    ----------
    told : called with the seconds of the result that are written, about twice a second
    stop : called as often; raises to stop

    Raises
    ------
    Permanent
        When ffmpeg ends with an error; the message holds the end of what it said.
    """
    command = [program(), *_QUIET, *options]
    with (
        tempfile.TemporaryFile(dir=folder) as said,
        children.started(command, folder, out=subprocess.PIPE, said=said) as process,
    ):
        for line in process.stdout or ():
            stop()
            key, _, value = line.decode(errors="replace").strip().partition("=")
            if key == "out_time_us" and value.lstrip("-").isdigit():
                told(max(0, int(value)) / 1e6)
        code = process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace").strip()
    if code != 0:
        raise Permanent(f"ffmpeg ended with code {code}: {words[-_TAIL:]}")


def given(path: Path) -> list[str]:
    """The options that open a file, which is nothing but sound and pictures."""
    allowed = ["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS]
    return [*allowed, "-i", f"file:{path.resolve()}"]


_QUIET = (
    "-nostdin", "-hide_banner", "-loglevel", "error", "-y",
    "-progress", "pipe:1", "-stats_period", "0.5",
)  # fmt: skip


def program() -> str:
    """Where ffmpeg lies."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())
