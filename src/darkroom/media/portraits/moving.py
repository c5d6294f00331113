"""LivePortrait at work: a checkout of its own, with packages of its own, run as a program.

It knows nothing of ours but the files that it is given.
"""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from darkroom.errors import Permanent
from darkroom.media import children, ffmpeg
from darkroom.media.faces.choosing import no_face
from darkroom.media.ffmpeg import Stop
from darkroom.media.portraits.orders import PORTRAIT
from darkroom.vision import liveportrait
from darkroom.vision.liveportrait import Wishes

LONGEST = 3600
"""Seconds that it is given."""
_LOOK_SECONDS = 0.5
_TAIL = 2000
_FACELESS = b"No face detected"
_PASSED_ON = ("HOME", "LANG", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "TMPDIR")
"""The variables that a program of others gets of ours: none of them is a secret."""


def moved(
    checkout: Path, wishes: Wishes, portrait: Path, motion: Path, folder: Path, *, stop: Stop
) -> Path:
    """What LivePortrait makes of a portrait and a motion: a video in the folder, without sound.

    `stop` is called twice a second; it raises to stop.

    Raises
    ------
    Invalid
        When it finds no face.
    Permanent
        When it fails, or takes too long.
    """
    command = liveportrait.command(checkout, wishes, portrait, motion, folder)
    said, environ = folder / "said.txt", _environ(folder)
    with (
        said.open("wb") as out,
        children.started(command, checkout, out=out, said=out, environ=environ) as process,
    ):
        code = _waited(process, stop)
    words = said.read_bytes()
    if code != 0 and _FACELESS in words:
        raise no_face(PORTRAIT)
    made = folder / f"{portrait.stem}--{motion.stem}.mp4"
    if code != 0 or not made.is_file():
        end = words.decode(errors="replace").strip()[-_TAIL:]
        raise Permanent(f"LivePortrait ended with code {code}: {end}")
    return made


def _waited(process: "subprocess.Popen[bytes]", stop: Stop) -> int:
    for _ in range(int(LONGEST / _LOOK_SECONDS)):
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_LOOK_SECONDS)
        stop()
    raise Permanent(f"LivePortrait was not done within {LONGEST} seconds.")


def _environ(folder: Path) -> dict[str, str]:
    """The variables of the program; it looks for an ffmpeg of that name."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "ffmpeg").symlink_to(ffmpeg.program())
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, "PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}"}
