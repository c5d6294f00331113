"""Videos of portraits: one whose picture stays still, or one that LivePortrait moves."""

from collections.abc import Sequence
from pathlib import Path

from darkroom.errors import Permanent
from darkroom.media import ffmpeg, sound
from darkroom.media.ffmpeg import Stop, Told

STILL_FPS = 10
"""Players take it, and a longer recording is done in a tenth of its time."""
LATITUDE = 0.2
"""Seconds that the result may differ from the sound by."""
_SOUND = "sound.m4a"
_EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
_OVER = "[under][2:v]overlay=W-w-8:H-h-8[even]"
_ENCODED = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p")


def take_sound(path: Path, folder: Path, *, stop: Stop) -> tuple[Path, float]:
    """The sound of a file as an MP4 holds it, in the folder, and its seconds."""
    options = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-c:a", "aac", "-b:a", "192k", _SOUND]
    ffmpeg.run([*ffmpeg.given(path), *options], folder, stop=stop)
    made = folder / _SOUND
    return made, sound.look_at(made).seconds


def still(picture: Path) -> list[str]:
    """The options that open a picture (of ours) as a video that does not end."""
    return ["-loop", "1", "-framerate", str(STILL_FPS), "-i", f"file:{picture.resolve()}"]


def film(
    opened: Sequence[str],
    heard: Path,
    seconds: float,
    target: Path,
    folder: Path,
    *,
    label: Path | None = None,
    told: Told,
    stop: Stop,
) -> None:
    """Write an MP4 of pictures and sound.

    Parameters
    ----------
    opened : the options that open the pictures
    label : a picture that is laid into the lower right corner
    told, stop : see `ffmpeg.run`
    """
    labels = [] if label is None else ["-i", f"file:{label.resolve()}"]
    graph = f"[0:v]{_EVEN}[even]" if label is None else f"[0:v]{_EVEN}[under];{_OVER}"
    options = [
        *opened, *ffmpeg.given(heard), *labels, "-filter_complex", graph,
        "-map", "[even]", "-map", "1:a:0", *_ENCODED, "-c:a", "copy", "-t", f"{seconds:.3f}",
        "-movflags", "+faststart", "-f", "mp4", f"file:{target.resolve()}",
    ]  # fmt: skip
    ffmpeg.run(options, folder, told=told, stop=stop)


def size_of(video: Path) -> tuple[int, int]:
    """Width and height of what a video shows; `Permanent` where it shows nothing."""
    shown = sound.look_at(video).picture
    if shown is None:
        raise Permanent("The video shows nothing.")
    return shown.width, shown.height


def insist_whole(path: Path, seconds: float) -> None:
    """`Permanent` where an MP4 lacks sound, or lasts longer or shorter than that."""
    made = sound.look_at(path)
    if made.sound is None or abs(made.seconds - seconds) > LATITUDE:
        raise Permanent(f"The video lasts {made.seconds:.1f} s instead of {seconds:.1f}.")
