"""Subtitles into a video: burnt into its pictures, or beside them as a track."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Invalid, Permanent
from darkroom.media import ffmpeg, fonts
from darkroom.media.ffmpeg import Stop, Told
from darkroom.media.fonts import Font
from darkroom.media.sound import Media, Picture, kept, look_at
from darkroom.media.subtitles import writing
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.style import Style

Pixels = NDArray[np.uint8]

_WRITTEN, _FONTS, _DRAWN, _FRAME = "cues.ass", "fonts", "drawn.raw", "frame.raw"
_FILTER = f"ass={_WRITTEN}:fontsdir={_FONTS}"
_EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
MIMES: Mapping[str, str] = {".mp4": "video/mp4", ".mkv": "video/x-matroska"}
_SHOWN = frozenset({"h264", "hevc", "av1", "mpeg4"})
"""Pictures that an MP4 may hold as they are."""
_QUALITY = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p")
_GREY = 128
_INK = 40
"""How far from grey letters and outlines are, at least."""
_SEEN = 95
"""The percentile of what lies under the text that has to change: outlines are thin."""
_CHANGED = 30
_LOOKS = 3
"""Cues that are looked at afterwards."""
_CODES: Mapping[str, str] = {
    "en": "eng", "es": "spa", "pt": "por", "fr": "fra", "it": "ita", "de": "deu", "nl": "nld",
    "ca": "cat", "gl": "glg", "eu": "eus", "pl": "pol", "ru": "rus", "uk": "ukr", "el": "ell",
    "tr": "tur", "ar": "ara", "he": "heb", "hi": "hin", "zh": "zho", "ja": "jpn", "ko": "kor",
}  # fmt: skip
"""What containers call languages (ISO 639-2)."""


def burn(
    video: Path,
    cues: Sequence[Cue],
    target: Path,
    folder: Path,
    *,
    style: Style,
    font: Font | None = None,
    told: Told = lambda share: None,
    stop: Stop = lambda: None,
) -> None:
    """Write an MP4 of the video with the cues drawn into its pictures; its sound is kept.

    Parameters
    ----------
    target : where the MP4 goes
    folder : an empty one, for what lasts no longer than this
    font : DejaVu Sans where None
    told : called with the share that is done, 0 to 1
    stop : called about twice a second; raises to stop

    Raises
    ------
    Invalid
        When it is no video, there are no cues in its time, or the font lacks letters of them.
    Permanent
        When ffmpeg fails, or the pictures did not change.
    """
    media = look_at(video)
    picture = _picture(media)
    shown = _insist_shown(cues, media)
    _prepare(shown, style, font or fonts.default(), picture, folder)
    options = [
        *ffmpeg.given(video), "-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn",
        "-vf", f"{_FILTER},{_EVEN}", "-fps_mode", "vfr", *_QUALITY, *kept(media),
        "-movflags", "+faststart", "-f", "mp4", f"file:{target.resolve()}",
    ]  # fmt: skip
    ffmpeg.run(options, folder, told=_share(told, media), stop=stop)
    _insist_changed(video, target, shown, picture, folder)


def mux(
    video: Path,
    cues: Sequence[Cue],
    target: Path,
    folder: Path,
    *,
    language: str,
    told: Told = lambda share: None,
    stop: Stop = lambda: None,
) -> None:
    """Write the video with the cues as a track of their own; pictures and sound stay as they are.

    Parameters
    ----------
    target : an .mp4 or .mkv file; the latter takes pictures and sound of every kind
    language : of the cues ("es")
    folder, told, stop : see `burn`

    Raises
    ------
    Invalid
        When it is no video, there are no cues in its time, or the target is of another kind.
    Permanent
        When ffmpeg fails.
    """
    formats = {".mp4": ("mp4", "mov_text"), ".mkv": ("matroska", "subrip")}
    if target.suffix not in formats:
        raise Invalid(f"A track of subtitles goes into: {', '.join(formats)}.", "format")
    container, codec = formats[target.suffix]
    media = look_at(video)
    _picture(media)
    (folder / "cues.srt").write_text(writing.srt(_insist_shown(cues, media)), encoding="utf-8")
    options = [
        *ffmpeg.given(video), "-f", "srt", "-i", "file:cues.srt",
        "-map", "0:v:0", "-map", "0:a:0?", "-map", "1:s:0", "-c", "copy", "-c:s", codec,
        "-metadata:s:s:0", f"language={_CODES.get(language, 'und')}",
        "-disposition:s:0", "default", "-f", container, f"file:{target.resolve()}",
    ]  # fmt: skip
    ffmpeg.run(options, folder, told=_share(told, media), stop=stop)


def container_for(media: Media) -> str:
    """The suffix of the file that takes its pictures and sound as they are: .mp4, else .mkv."""
    takes_sound = media.sound is None or "copy" in kept(media)
    return ".mp4" if takes_sound and _picture(media).codec in _SHOWN else ".mkv"


def _picture(media: Media) -> Picture:
    if media.picture is None:
        raise Invalid("This is sound alone: there are no pictures to put subtitles in.", "file")
    return media.picture


def _insist_shown(cues: Sequence[Cue], media: Media) -> list[Cue]:
    """The cues that are seen while the video lasts."""
    lasts = media.seconds * 1000 if media.seconds else float("inf")
    shown = [cue for cue in cues if cue.start < lasts]
    if not shown:
        raise Invalid("There are no cues while this video lasts.", "cues")
    return shown


def _prepare(cues: Sequence[Cue], style: Style, font: Font, picture: Picture, folder: Path) -> None:
    """Put what the filter reads into the folder."""
    fonts.insist_covers(font, "".join(cue.text for cue in cues))
    (folder / _FONTS).mkdir()
    shutil.copyfile(font.path, folder / _FONTS / f"font{font.path.suffix}")
    written = writing.ass(cues, style, font.family, (picture.width, picture.height))
    (folder / _WRITTEN).write_text(written, encoding="utf-8")


def _share(told: Told, media: Media) -> Told:
    """Tells shares of what ffmpeg tells in seconds."""
    return lambda seconds: told(min(1.0, seconds / media.seconds)) if media.seconds else None


def _insist_changed(
    video: Path, target: Path, cues: Sequence[Cue], picture: Picture, folder: Path
) -> None:
    """`Permanent` where letters were drawn nowhere: a font that does not load draws nothing."""
    step = max(1, len(cues) // _LOOKS)
    for cue in cues[::step]:
        at = (cue.start + min(cue.end, cue.start + 2000)) / 2000
        ink = _ink(at, picture, folder)
        before, after = (_seen(path, at, picture, folder) for path in (video, target))
        if ink.any() and before.size and after.size:
            change = np.abs(after.astype(np.int16) - before)[ink]
            if np.percentile(change, _SEEN) >= _CHANGED:
                return
    raise Permanent("The subtitles cannot be seen in the video: take another font or colour.")


def _ink(at: float, picture: Picture, folder: Path) -> NDArray[np.bool_]:
    """Where text and its outline are drawn at that second (H, W)."""
    plain = f"color=0x808080:size={picture.width}x{picture.height}:rate=25:duration=1"
    drawn = f"setpts=PTS+{at:.3f}/TB,{_FILTER}"
    options = ["-f", "lavfi", "-i", plain, "-vf", drawn, *_ONE_GREY, _DRAWN]
    ffmpeg.run(options, folder)
    return np.abs(_grey(folder / _DRAWN, picture).astype(np.int16) - _GREY) > _INK


def _seen(path: Path, at: float, picture: Picture, folder: Path) -> Pixels:
    """The picture at that second (H, W), grey; empty where there is none any more."""
    same = f"scale={picture.width}:{picture.height}"
    options = ["-ss", f"{at:.3f}", *ffmpeg.given(path), "-map", "0:v:0", "-vf", same]
    ffmpeg.run([*options, *_ONE_GREY, _FRAME], folder)
    return _grey(folder / _FRAME, picture)


_ONE_GREY = ("-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo")


def _grey(raw: Path, picture: Picture) -> Pixels:
    pixels = np.fromfile(raw, np.uint8)
    raw.unlink()
    return pixels.reshape(-1, picture.width)[: picture.height] if pixels.size else pixels
