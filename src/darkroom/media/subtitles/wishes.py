"""What is asked for: the language, whether the video is to show the cues, how, and which files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from darkroom.errors import Invalid
from darkroom.media.sound import Media
from darkroom.media.subtitles.languages import LANGUAGES
from darkroom.media.subtitles.style import Style
from darkroom.web.words import N_

Json = dict[str, Any]

NONE, BURN, SOFT = "none", "burn", "soft"
MODES = (NONE, BURN, SOFT)
"""What becomes of the video: nothing, the cues in its pictures, or a track of them beside those."""
FORMATS = ("srt", "vtt", "ass", "json", "txt")

_NUMBERS = ("size", "outline", "margin_x", "margin_y")
_UNSET = (None, "")


@dataclass(frozen=True)
class Asked:
    """A checked wish. `language` and `font` are None where they are to be found out."""

    language: str | None = None
    mode: str = NONE
    font: str | None = None
    style: Style = field(default_factory=Style)
    formats: tuple[str, ...] = FORMATS

    @classmethod
    def of(cls, stored: Json) -> Self:
        """As a request keeps it."""
        kept = {**stored, "style": Style(**stored["style"]), "formats": tuple(stored["formats"])}
        return cls(**kept)

    def as_json(self) -> Json:
        """What a request keeps."""
        return {**asdict(self), "formats": list(self.formats)}


def read(sent: Mapping[str, Any], fonts: Sequence[str]) -> Asked:
    """The fields of a request.

    Parameters
    ----------
    fonts : names of those that there are

    Raises
    ------
    Invalid
        Naming the field that cannot be.
    """
    return Asked(
        language=_language(sent.get("language")),
        mode=_one_of(sent, "mode", MODES) or NONE,
        font=_one_of(sent, "font", fonts),
        style=style(sent),
        formats=_formats(sent.get("formats")),
    )


def style(sent: Mapping[str, Any]) -> Style:
    """How the cues are to look; what is not said is as usual."""
    names = [each.name for each in fields(Style)]
    given = {name: sent[name] for name in names if _is_set(sent, name)}
    for name, value in given.items():
        given[name] = _number(value, name) if name in _NUMBERS else str(value)
    return Style(**given)


def insist_fits(asked: Asked, media: Media) -> None:
    """`Invalid` where this cannot be had of such a file."""
    if media.sound is None:
        raise Invalid(N_("This video has no sound: there is nothing to write down."), "file")
    insist_shown(asked.mode, media.picture is not None)


def insist_shown(mode: str, has_pictures: bool) -> None:
    """`Invalid` where cues are to be seen in what has no pictures."""
    if mode != NONE and not has_pictures:
        message = N_("This is sound alone: there are no pictures to put subtitles in.")
        raise Invalid(message, "mode")


def _is_set(sent: Mapping[str, Any], name: str) -> bool:
    return sent.get(name) not in _UNSET


def _language(given: object) -> str | None:
    if given in (*_UNSET, "auto"):
        return None
    if not isinstance(given, str) or given not in LANGUAGES:
        raise Invalid(
            f"The language {given} is not known: give its code, like es or en.", "language"
        )
    return given


def _one_of(sent: Mapping[str, Any], name: str, known: Sequence[str]) -> str | None:
    if not _is_set(sent, name):
        return None
    if sent[name] not in known:
        raise Invalid(f"{name} must be one of {', '.join(known)}.", name)
    return str(sent[name])


def _number(given: object, name: str) -> float:
    """Margins are whole pixels; half of one is not worth an error."""
    try:
        if isinstance(given, bool):
            raise ValueError
        value = float(str(given))
        return round(value) if name.startswith("margin") else value
    except (ValueError, OverflowError):
        raise Invalid(f"{name} must be a number.", name) from None


def _formats(given: object) -> tuple[str, ...]:
    """A list, or names with commas between them; all where nothing is said."""
    if given in (*_UNSET, []):
        return FORMATS
    named = given.split(",") if isinstance(given, str) else given
    if not isinstance(named, list):
        raise Invalid(f"formats must be a list of: {', '.join(FORMATS)}.", "formats")
    wanted = {str(name).strip().lower() for name in named}
    if not wanted <= set(FORMATS):
        raise Invalid(f"formats must be a list of: {', '.join(FORMATS)}.", "formats")
    return tuple(name for name in FORMATS if name in wanted)
