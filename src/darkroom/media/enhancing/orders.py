"""What is asked of the enlarging service, checked against what it can do."""

from collections.abc import Mapping
from math import floor, sqrt
from typing import Any

from darkroom.errors import Invalid
from darkroom.media.requests import Received, Wish
from darkroom.media.sound import Picture
from darkroom.web.words import N_

Json = dict[str, Any]

SERVICE = "enhancing"
PICTURE, VIDEO = "picture", "video"
"""What came, and the role of its file."""
LARGEST = 4.0
MOST_SECONDS, MOST_FRAMES = 60, 1800
MOST_FRAME_PIXELS = 4096 * 2304
"""What players decode of the codec that videos are written in."""
PHOTOS, DRAWINGS, VIDEOS = "RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B", "animevideov3"
MODELS: Mapping[str, str] = {
    PHOTOS: N_("Photos: invents fine detail"),
    DRAWINGS: N_("Drawings: clean lines and surfaces"),
    VIDEOS: N_("Videos and drawings: much faster"),
}
"""The networks, and what each is for."""


USUAL: Mapping[str, str] = {PICTURE: PHOTOS, VIDEO: VIDEOS}


def asked(sent: Mapping[str, Any], kind: str) -> Json:
    """How a picture or a video is to be enlarged, before its file is looked at."""
    return {"kind": kind, "scale": _scale(sent), "model": _model(sent, USUAL[kind])}


def picture(asked: Json, file: Received, most: int, field: str) -> Wish:
    """A picture to be enlarged to at most so many pixels; `Invalid` where that is not enough."""
    pixels = (file.stored.width or 0) * (file.stored.height or 0)
    _insist_fits(pixels, asked["scale"], most, field)
    return Wish(SERVICE, _title(file, N_("A picture")), asked, [file])


def film(asked: Json, file: Received, most: int, field: str) -> Wish:
    """A short video to be enlarged; `Invalid` where it is none, or longer or larger than can be."""
    seen = _seen(file, field)
    most = min(most, MOST_FRAME_PIXELS)
    _insist_fits(seen.width * seen.height, asked["scale"], most, field)
    return Wish(SERVICE, _title(file, N_("A video")), asked, [file])


def too_long(field: str = "video") -> Invalid:
    """The refusal of a video that lasts too long."""
    return Invalid(
        f"A video may last {MOST_SECONDS} seconds and have {MOST_FRAMES} frames: cut it shorter.",
        field,
        code="too_long",
    )


def _title(file: Received, unnamed: str) -> str:
    return file.filename or unnamed


def _seen(file: Received, field: str) -> Picture:
    media = file.media
    if media is None or media.picture is None:
        raise Invalid(N_("There is no picture in this file, only sound."), field)
    seconds = media.seconds
    if seconds > MOST_SECONDS or seconds * media.picture.fps > MOST_FRAMES:
        raise too_long(field)
    return media.picture


def _scale(sent: Mapping[str, Any]) -> float:
    given = sent.get("scale", LARGEST)
    try:
        found = float("nan") if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if not 1 <= found <= LARGEST:
        raise Invalid(f"scale must be a number from 1 to {LARGEST:g}, not {given!r}.", "scale")
    return found


def _model(sent: Mapping[str, Any], usual: str) -> str:
    given = sent.get("model") or usual
    if not isinstance(given, str) or given not in MODELS:
        raise Invalid(f"There is no model {given!r}; there are: {', '.join(MODELS)}.", "model")
    return given


def _insist_fits(pixels: int, scale: float, most: int, field: str) -> None:
    fitting = floor(sqrt(most / max(1, pixels)) * 100) / 100
    if fitting < 1:
        raise Invalid(
            f"This has {pixels / 1e6:.1f} megapixels already, and a result may have "
            f"{most / 1e6:.1f}: send a smaller one.",
            field,
            code="too_many_pixels",
        )
    if scale > fitting:
        raise Invalid(
            f"scale {scale:g} would make {pixels * scale**2 / 1e6:.1f} megapixels, and a result "
            f"may have {most / 1e6:.1f}: at most {fitting:g} times fits.",
            "scale",
            code="too_many_pixels",
        )
