"""What is asked of the face swap, checked."""

from collections.abc import Mapping
from typing import Any

from darkroom.errors import Invalid
from darkroom.media import consent
from darkroom.media.requests import Received, Wish
from darkroom.web.words import N_

Json = dict[str, Any]

SERVICE = "faces"
SOURCE, TARGET = "source", "target"
"""The picture that the face is of, and the one it goes into; also the roles of their files."""
CHOICES: Mapping[str, str] = {SOURCE: "source_face", TARGET: "target_face"}
"""The fields that say which face of a picture is meant."""
MOST_FACES = 100


def asked(sent: Mapping[str, Any]) -> Json:
    """Which faces are meant; None is the only one. `Invalid` without the consent of all.

    Call it before any file is stored.
    """
    consent.insist(sent)
    return {choice: _number(sent.get(choice), choice) for choice in CHOICES.values()}


def wish(asked: Json, source: Received, target: Received) -> Wish:
    """A face swap of these pictures."""
    return Wish(SERVICE, target.filename or N_("Face swap"), asked, [source, target])


def _number(given: object, field: str) -> int | None:
    if given in (None, ""):
        return None
    text = "" if isinstance(given, bool) else str(given)
    if not (text.isascii() and text.isdecimal() and int(text[:9]) < MOST_FACES):
        raise Invalid(
            f"{field} must be the number of a face, counted from 0 at the left, not {given!r}.",
            field,
        )
    return int(text)
