"""The graphs of filters that ffmpeg is given: made of numbers and of words from here, alone.

Pure functions. What a graph reads is numbered as the inputs are; what it gives is `[v]`, and `[a]`
where there is sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.media.videos.plan import FPS, OVERLAP, TRANSITIONS

Size = tuple[int, int]

_RATE = 48_000
_ZOOM = 1.15
_MARGIN = (1 - 1 / _ZOOM) / 2
"""The part of the frame beyond each edge when the view is closest."""
_COLOURS = "out_color_matrix=bt709:out_range=tv"
_MARKED = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
_TITLE_FADE = 0.4
_BLUR = 24


@dataclass(frozen=True)
class Overlay:
    """Where a title lies: pixels from the left and from the top."""

    x: int
    y: int


@dataclass(frozen=True)
class Sound:
    """A sound within a video.

    Attributes
    ----------
    start, seconds : when it begins, and how much of it is heard
    volume : 1 as it is
    fade_in, fade_out : seconds
    """

    start: float
    seconds: float
    volume: float = 1.0
    fade_in: float = 0.0
    fade_out: float = 0.0


def picture(frames: int, motion: str, overlay: Overlay | None) -> str:
    """A still picture (input 0) seen for so many frames, under its title (input 1), if any."""
    still = f"scale={_COLOURS},format=yuv420p,{_held(frames)}"
    shown = f"[0:v]{still}{_moved(motion, frames)},setsar=1,{_MARKED}"
    return f"{shown}{_titled(overlay, frames)}"


def clip(size: Size, frames: int, fit: str, overlay: Overlay | None) -> str:
    """A clip (input 0) in a frame of that size; its last picture stays where it is too short."""
    steady = f"[0:v:0]fps={FPS}:start_time=0,setsar=1"
    held = f"tpad=stop=-1:stop_mode=clone,trim=end_frame={frames},format=yuv420p,{_MARKED}"
    return f"{steady}{_fitted(size, fit)},{held}{_titled(overlay, frames)}"


def cut(spans: Sequence[tuple[int, int]]) -> str:
    """`[v]` cut into parts `[p0]` …, each from a frame up to, without, another."""
    parts = [
        f"[c{at}]trim=start_frame={first}:end_frame={last},setpts=PTS-STARTPTS[p{at}]"
        for at, (first, last) in enumerate(spans)
    ]
    copies = "".join(f"[c{at}]" for at in range(len(spans)))
    return ";".join([f"[v]split={len(spans)}{copies}", *parts])


def taking_over(transition: str) -> str:
    """The end of one scene (input 0) becoming the beginning of another (input 1)."""
    even = f"fps={FPS},settb=AVTB,setpts=PTS-STARTPTS"
    mixed = f"xfade=transition={TRANSITIONS[transition]}:duration={_number(OVERLAP / FPS)}:offset=0"
    return f"[0:v]{even}[a];[1:v]{even}[b];[a][b]{mixed},format=yuv420p,{_MARKED}[v]"


def joined() -> str:
    """All pieces (input 0), whose times are rounded, as one video of even frames.

    They have to be alike: ffmpeg begins to count anew where pixels are of another kind.
    """
    return f"[0:v]setpts=N/{FPS}/TB,fps={FPS},format=yuv420p,{_MARKED}[v]"


def heard(sounds: Sequence[Sound], first: int, seconds: float) -> str:
    """All sounds (inputs `first` …) at their times, for so many seconds in all."""
    parts = [_sound(sound, first + at, at) for at, sound in enumerate(sounds)]
    mixed = "".join(f"[m{at}]" for at in range(len(sounds)))
    whole = f"apad,atrim=end={_number(seconds)}"
    together = f"amix=inputs={len(sounds)}:normalize=0:duration=longest,alimiter=limit=0.95"
    return ";".join([*parts, f"{mixed}{together},{whole}[a]"])


def _held(frames: int) -> str:
    return f"loop=loop={frames - 1}:size=1,setpts=N/{FPS}/TB,fps={FPS}"


def _moved(motion: str, frames: int) -> str:
    """The view as it moves: the corners of what is seen, frame by frame, to parts of a pixel."""
    if motion == "none":
        return ""
    done = f"min(on/{frames},1)"
    margin, shift = _number(_MARGIN), "0"
    if motion == "in":
        margin = f"{margin}*{done}"
    elif motion == "out":
        margin = f"{margin}*(1-{done})"
    else:
        shift = f"{margin}*(2*{done}-1)*{-1 if motion == 'left' else 1}"
    left, right = f"W*({shift}+{margin})", f"W*(1+{shift}-{margin})"
    top, bottom = f"H*{margin}", f"H*(1-{margin})"
    corners = ((left, top), (right, top), (left, bottom), (right, bottom))
    said = ":".join(f"x{at}='{x}':y{at}='{y}'" for at, (x, y) in enumerate(corners))
    return f",perspective={said}:interpolation=linear:eval=frame:sense=source"


def _titled(overlay: Overlay | None, frames: int) -> str:
    if overlay is None:
        return "[v]"
    end = _number(frames / FPS - _TITLE_FADE)
    fades = f"fade=in:st=0:d={_TITLE_FADE}:alpha=1,fade=out:st={end}:d={_TITLE_FADE}:alpha=1"
    drawn = f"[1:v]format=rgba,{_held(frames)},{fades}[t]"
    return f"[p];{drawn};[p][t]overlay={overlay.x}:{overlay.y}:eof_action=pass,format=yuv420p[v]"


def _fitted(size: Size, fit: str) -> str:
    frame = f"{size[0]}:{size[1]}"
    filling = f"scale={frame}:force_original_aspect_ratio=increase:{_COLOURS},crop={frame}"
    if fit == "cover":
        return f",{filling}"
    whole = f"scale={frame}:force_original_aspect_ratio=decrease:{_COLOURS}"
    return (
        f",split[f][b];[b]{filling},gblur={_BLUR}[back];[f]{whole}[front];"
        "[back][front]overlay=(W-w)/2:(H-h)/2,setsar=1"
    )


def _sound(sound: Sound, number: int, at: int) -> str:
    even = f"aresample={_RATE}:async=1:first_pts=0,aformat=channel_layouts=stereo"
    cut = f"atrim=end={_number(sound.seconds)}"
    fades = [f"afade=in:st=0:d={_number(sound.fade_in)}"] if sound.fade_in else []
    if sound.fade_out:
        last = _number(sound.seconds - sound.fade_out)
        fades.append(f"afade=out:st={last}:d={_number(sound.fade_out)}")
    placed = f"volume={_number(sound.volume)},adelay={round(sound.start * 1000)}:all=1"
    return f"[{number}:a:0]{','.join([even, cut, *fades, placed])}[m{at}]"


def _number(value: float) -> str:
    return f"{value:.6f}"
