"""The pictures of a video, one after the other: read as they are shown, and written again.

A picture keeps the time at which it is shown, so a video of changing speed stays one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Invalid
from darkroom.media import sound

Pixels = NDArray[np.uint8]

_USUAL_RATE = Fraction(25)
_HD = 720
"""Rows from which on players take colours that are not named for those of HD."""
_NAMED_BT709, _NAMED_MPEG = 1, 1
_QUALITY = {"preset": "veryfast", "crf": "18"}
BROKEN = "The video in this file is broken."


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture (H, W, 3) in RGB, and when it is shown, in ticks from the first one."""

    pixels: Pixels
    at: int


class Footage:
    """The pictures of an opened video.

    Attributes
    ----------
    tick : the seconds that frames count their time in
    rate : frames a second, on average
    aspect : how wide a pixel is shown, of its height
    count : about how many frames there are; 0 where the file does not say
    """

    def __init__(self, container: Any) -> None:
        self._container = container
        videos = container.streams.video
        self._stream = next(stream for stream in videos if not sound.is_cover(stream))
        self._stream.thread_type = "AUTO"
        self.tick = Fraction(self._stream.time_base)
        self.rate = Fraction(self._stream.average_rate or _USUAL_RATE)
        self.aspect = Fraction(self._stream.sample_aspect_ratio or 1)
        self.count = self._stream.frames or ceil((container.duration or 0) / 1e6 * self.rate)
        self._first: int | None = None

    @property
    def begins(self) -> float:
        """Seconds from the file's begin to the first picture; once that was read."""
        opening = Fraction(self._container.start_time or 0, 1_000_000)
        return float((self._first or 0) * self.tick - opening)

    def frames(self) -> Iterator[Frame]:
        """The pictures as they are shown: upright, in the order of their times.

        Raises
        ------
        Invalid
            When the file is broken.
        """
        import av

        last: int | None = None
        try:
            for frame in self._container.decode(self._stream):
                last = self._time_of(frame, last)
                if frame.rotation % 180 and self._first is None:
                    self.aspect = 1 / self.aspect
                self._first = last if self._first is None else self._first
                yield Frame(_shown(frame), last - self._first)
        except (av.FFmpegError, ValueError) as error:
            raise Invalid(BROKEN, "video") from error
        if last is None:
            raise Invalid(BROKEN, "video")

    def _time_of(self, frame: Any, last: int | None) -> int:
        """In ticks, later than the one before: some containers do not say, some say it twice."""
        if last is None:
            return int(frame.pts or 0)
        usual = last + max(1, round(1 / self.rate / self.tick))
        return usual if frame.pts is None else max(int(frame.pts), last + 1)


@contextmanager
def opened(path: Path) -> Iterator[Footage]:
    """The pictures of a video that `sound.look_at` has found to be one."""
    with sound.opened(path) as container:
        yield Footage(container)


def write(frames: Iterable[Frame], footage: Footage, target: Path) -> None:
    """Write an MP4 of at least one picture, without sound, that is timed as the footage is.

    Of an odd width or height the last column or row is left out: the codec takes none.
    """
    import av

    with av.open(str(target), "w", format="mp4") as container:
        stream: Any = None
        for frame in frames:
            stream = stream or _begun(container, footage, frame.pixels)
            container.mux(stream.encode(_encodable(frame, footage, stream)))
        container.mux(stream.encode())


def _shown(frame: Any) -> Pixels:
    from av.video.reformatter import Colorspace

    unnamed = Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601
    known = {each.value for each in Colorspace}
    pixels = frame.to_ndarray(
        format="rgb24", src_colorspace=None if frame.colorspace in known else unnamed
    )
    return np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90))


def _begun(container: Any, footage: Footage, pixels: Pixels) -> Any:
    stream = container.add_stream("libx264", rate=footage.rate, options=_QUALITY)
    stream.height, stream.width = (length - length % 2 for length in pixels.shape[:2])
    stream.pix_fmt = "yuv420p"
    codec = stream.codec_context
    codec.time_base = footage.tick
    codec.sample_aspect_ratio = footage.aspect
    codec.colorspace = codec.color_primaries = codec.color_trc = _NAMED_BT709
    codec.color_range = _NAMED_MPEG
    return stream


def _encodable(frame: Frame, footage: Footage, stream: Any) -> Any:
    import av
    from av.video.reformatter import ColorRange, Colorspace

    height, width = (length - length % 2 for length in frame.pixels.shape[:2])
    even = np.ascontiguousarray(frame.pixels[:height, :width])
    made = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
        width=stream.width,
        height=stream.height,
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
    )
    made.pts, made.time_base = frame.at, footage.tick
    return made
