"""A picture of a video, for lists."""

from contextlib import suppress
from pathlib import Path
from uuid import UUID

from darkroom.errors import Permanent
from darkroom.media import ffmpeg, sound
from darkroom.media.requests import Made
from darkroom.media.subtitles.exports import Put
from darkroom.storage import images

SIDE = 480
_AT = 0.1
"""The part of the video that is over then: its first picture is often black."""
_FIT = f"scale={SIDE}:{SIDE}:force_original_aspect_ratio=decrease"


def stored(request_id: UUID, video: Path, folder: Path, put: Put) -> list[Made]:
    """Store a picture of the video; none where there is none to be had."""
    media, shot = sound.look_at(video), folder / "shot.jpg"
    if media.picture is None:
        return []
    options = ["-ss", f"{_AT * media.seconds:.3f}", *ffmpeg.given(video), "-map", "0:v:0"]
    # Nobody would miss the subtitles for want of it.
    with suppress(Permanent):
        ffmpeg.run([*options, "-frames:v", "1", "-vf", _FIT, shot.name], folder)
    if not shot.is_file():
        return []
    info = images.inspect(shot, shot.name, max_pixels=SIDE * SIDE)
    key, size = f"media/{request_id}/thumbnail.jpg", (info.width, info.height)
    return [Made("thumbnail", put(shot, mime=info.mime, key=key, pixels=size))]
