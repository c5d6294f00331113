"""What was asked of a video, before its files are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darkroom.errors import Invalid
from darkroom.media import fonts
from darkroom.media.fields import Fields
from darkroom.media.subtitles.languages import LANGUAGES
from darkroom.media.videos.plan import (
    ASPECTS,
    CUT,
    FITS,
    LONGEST_SCENE,
    MOST_SCENES,
    MOTIONS,
    PLACES,
    SHORTEST,
    TRANSITIONS,
)

LONGEST_TITLE = 200
_ALTERNATING = ("in", "left", "out", "right")


@dataclass(frozen=True)
class Asked:
    """A scene as it was asked for; how long it lasts is sure once its files are known.

    Attributes
    ----------
    number : from 0, as the request numbers it
    seconds : that were asked for, if any
    """

    number: int
    seconds: float | None
    motion: str
    fit: str
    transition: str
    title: str
    title_place: str


@dataclass(frozen=True)
class Whole:
    """What was asked for the video as a whole."""

    aspect: str
    subtitles: bool
    language: str | None


def whole(fields: Fields) -> Whole:
    """The shape of the video, and whether it is to have subtitles."""
    language = fields.text("language", 3) or None
    if language not in (None, *LANGUAGES):
        raise Invalid(
            f"The language {language} is not known: give its code, like es or en.", "language"
        )
    aspect = fields.choice("aspect_ratio", ASPECTS, "16:9")
    return Whole(aspect, fields.flag("generate_subtitles", False), language)


def slides(fields: Fields, count: int) -> list[Asked]:
    """The scenes of so many pictures, which are shown one after the other."""
    _insist_count(count, "images")
    _insist_fits(fields, "titles", count)
    if fields.numbers("durations"):
        _insist_fits(fields, "durations", count, exactly=True)
    return [_slide(fields, number) for number in range(count)]


def scenes(fields: Fields) -> list[Asked]:
    """The scenes that are told of one by one."""
    numbers = fields.numbers("scenes")
    _insist_count(len(numbers), "scenes")
    return [_scene(fields, number) for number in numbers]


def insist_drawable(asked: Sequence[Asked], name: str, folder: Path) -> None:
    """`Invalid` where no font has the letters of a title: they would not be seen.

    Parameters
    ----------
    name : of the titles' fields, with {} where the scene's number is
    folder : of the fonts that people added
    """
    for scene in filter(lambda each: each.title, asked):
        try:
            fonts.insist_covers(fonts.choose(folder, None, scene.title), scene.title)
        except Invalid as error:
            raise Invalid(error.message, name.format(scene.number)) from error


def _slide(fields: Fields, number: int) -> Asked:
    own = fields.number(f"durations.{number}", SHORTEST, LONGEST_SCENE)
    return Asked(
        number,
        own or fields.number("duration", SHORTEST, LONGEST_SCENE),
        _ALTERNATING[number % 4] if fields.flag("ken_burns", True) else "none",
        fields.choice("fit", FITS, "cover"),
        fields.choice("transition", (CUT, *TRANSITIONS), "fade"),
        fields.text(f"titles.{number}", LONGEST_TITLE),
        fields.choice("title_position", PLACES, "bottom"),
    )


def _scene(fields: Fields, number: int) -> Asked:
    name = f"scenes.{number}"
    return Asked(
        number,
        fields.number(f"{name}.duration", SHORTEST, LONGEST_SCENE),
        fields.choice(f"{name}.motion", MOTIONS, "none"),
        fields.choice(f"{name}.fit", FITS, "cover"),
        fields.choice(f"{name}.transition", (CUT, *TRANSITIONS), CUT),
        fields.text(f"{name}.text", LONGEST_TITLE),
        fields.choice(f"{name}.text_position", PLACES, "bottom"),
    )


def _insist_count(count: int, name: str) -> None:
    if not 1 <= count <= MOST_SCENES:
        raise Invalid(f"Send 1 to {MOST_SCENES} in {name}, not {count}.", name, code="missing")


def _insist_fits(fields: Fields, name: str, count: int, *, exactly: bool = False) -> None:
    numbers = fields.numbers(name)
    if numbers and (numbers[-1] >= count or (exactly and len(numbers) != count)):
        raise Invalid(f"{name} must have one a picture: there are {count}.", name)
