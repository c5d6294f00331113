"""What is asked of the portraits, checked."""

from collections.abc import Mapping
from typing import Any

from darkroom.errors import Invalid
from darkroom.media import consent
from darkroom.media.fields import Fields
from darkroom.media.requests import Received, Wish
from darkroom.web.words import N_

Json = dict[str, Any]

SERVICE = "portraits"
PORTRAIT, AUDIO = "portrait", "audio"
"""The fields of both files, and their roles."""
FLAGS: Mapping[str, bool] = {"lip_zero": True, "eye_retargeting": False, "stitching": True}
"""LivePortrait's own, and what each is where it is not said."""
MOST_SECONDS = 600
MOST_MOVING_SECONDS = 60
"""LivePortrait holds all its frames in memory."""


def asked(sent: Mapping[str, Any]) -> Json:
    """How the portrait is to be moved. `Invalid` without the consent of all.

    Call it before any file is stored.
    """
    consent.insist(sent)
    fields = Fields(sent)
    return {name: fields.flag(name, usual) for name, usual in FLAGS.items()}


def wish(asked: Json, portrait: Received, audio: Received, most_seconds: int) -> Wish:
    """A video of this portrait and the sound; `Invalid` where there is none, or too much."""
    media = audio.media
    if media is None or media.sound is None:
        raise Invalid(N_("There is no sound in this file."), AUDIO, code="no_sound")
    if media.seconds > most_seconds:
        raise Invalid(
            f"The sound may last {most_seconds} seconds: cut it shorter.", AUDIO, code="too_long"
        )
    return Wish(SERVICE, portrait.filename or N_("Portrait"), asked, [portrait, audio])
