"""Sound and video files: what they are, and the sound in them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Invalid, Permanent
from darkroom.media import ffmpeg
from darkroom.media.ffmpeg import Stop, Told

Samples = NDArray[np.float32]

RATE = 16_000
"""Samples a second of what is given to be heard."""
LONGEST = 2 * 3600
"""Seconds of a file that is taken."""
_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
"""Sound that an MP4 may hold as it is."""
_LATITUDE = 60
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Picture:
    """What a video shows: pixels as seen (turned as the file says), frames a second, its codec."""

    width: int
    height: int
    fps: float
    codec: str


@dataclass(frozen=True)
class Media:
    """What a file holds: seconds, what it shows if anything, its sound's codec if it has one.

    `container` has the names that ffmpeg has for the file's format.
    """

    seconds: float
    picture: Picture | None
    sound: str | None
    container: str


def look_at(path: Path) -> Media:
    """What the file is, by its content; its name says nothing.

    Raises
    ------
    Invalid
        When it is empty, no sound or video, broken, or longer than two hours.
    """
    if not path.stat().st_size:
        raise Invalid("This file is empty: send it again.", "file")
    import av

    try:
        with opened(path) as container:
            found = _looked_at(container)
    except (av.FFmpegError, ValueError) as error:
        raise Invalid("This is no sound or video that can be read.", "file") from error
    if found.seconds > LONGEST:
        raise Invalid("This is longer than two hours: send it in parts.", "file")
    return found


def opened(path: Path) -> Any:
    """The file as PyAV opens it, a context; what would not be given to ffmpeg is not opened."""
    import av

    options = {"format_whitelist": ffmpeg.CONTAINERS, "protocol_whitelist": "file"}
    return av.open(f"file:{path.resolve()}", options=options)


def kept(media: Media) -> list[str]:
    """The options that keep a file's sound in an MP4: as it is where an MP4 may hold it so."""
    if media.sound in _COPIED:
        return ["-c:a", "copy"]
    return ["-c:a", "aac", "-b:a", "192k"]


def samples(path: Path, folder: Path, *, told: Told, stop: Stop) -> Samples:
    """The sound of a file (N,), mixed to one channel of 16 000 samples a second from −1 to 1.

    Parameters
    ----------
    folder : where it is written to, and gone when this ends
    told, stop : see `ffmpeg.run`

    Raises
    ------
    Invalid
        When there is no sound in it, or it is broken, or longer than two hours.
    """
    if look_at(path).sound is None:
        raise Invalid("This video has no sound: there is nothing to write down.", "file")
    raw = folder / "sound.raw"
    options = [
        *ffmpeg.given(path), "-map", "0:a:0", "-vn", "-sn", "-dn", "-ac", "1", "-ar", str(RATE),
        "-t", str(LONGEST + _LATITUDE), "-f", "s16le", raw.name,
    ]  # fmt: skip
    try:
        ffmpeg.run(options, folder, told=told, stop=stop)
        heard = _read(raw)
    except Permanent as error:
        raise Invalid("The sound in this file is broken.", "file") from error
    finally:
        raw.unlink(missing_ok=True)
    if len(heard) > LONGEST * RATE:
        raise Invalid("This is longer than two hours: send it in parts.", "file")
    if not len(heard):
        raise Invalid("The sound in this file is broken.", "file")
    return heard


def _looked_at(container: Any) -> Media:
    videos = [stream for stream in container.streams.video if not is_cover(stream)]
    sounds = container.streams.audio
    if not videos and not sounds:
        raise Invalid("There is neither sound nor video in this file.", "file")
    sound = sounds[0].codec_context.name if sounds else None
    picture = _seen(container, videos[0]) if videos else None
    return Media((container.duration or 0) / 1e6, picture, sound, container.format.name)


def is_cover(stream: Any) -> bool:
    """Whether it is a sound file's cover, which is a video of one picture."""
    import av

    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _seen(container: Any, stream: Any) -> Picture:
    frame = next(container.decode(stream), None)
    if frame is None:
        raise Invalid("The video in this file is broken.", "file")
    width, height = frame.width, frame.height
    if frame.rotation % 180:
        width, height = height, width
    fps = float(stream.average_rate or stream.guessed_rate or 25)
    return Picture(width, height, fps, stream.codec_context.name)


def _read(raw: Path) -> Samples:
    """16-bit samples as floats, block by block: the file as a whole need not be there twice."""
    heard = np.empty(raw.stat().st_size // 2, np.float32)
    whole = np.memmap(raw, np.int16, "r") if len(heard) else np.empty(0, np.int16)
    for first in range(0, len(heard), _BLOCK):
        np.divide(whole[first : first + _BLOCK], 32768, out=heard[first : first + _BLOCK])
    return heard
