"""Which of the faces in a picture is meant."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from darkroom.errors import Invalid
from darkroom.media.faces.orders import CHOICES

SMALLEST = 48
"""Pixels that a face must be wide to be told from another."""


class Sized(Protocol):
    """What has a width in pixels."""

    @property
    def width(self) -> float:
        """In pixels."""
        ...


Face = TypeVar("Face", bound=Sized)


def chosen(found: Sequence[Face], name: str, number: int | None) -> Face:
    """The face that is meant among those of a picture, from left to right.

    Faces that are too small to be used do not count beside others.

    Parameters
    ----------
    name : of the picture's field
    number : from 0, of those that can be used; None where there is but one

    Raises
    ------
    Invalid
        When there is none, none of that number, none large enough, or several to choose from.
    """
    usable = [face for face in found if face.width >= SMALLEST]
    if not usable:
        raise _none(found, name)
    choice, last = CHOICES[name], len(usable) - 1
    if number is None and last:
        raise Invalid(
            f"There are {len(usable)} faces in {name}: say which one is meant, counted from the "
            f"left ({choice}, from 0 to {last}).",
            choice,
            code="several_faces",
        )
    if number is not None and number > last:
        raise Invalid(
            f"There is no face {number} in {name}: the last one, at the right, is {last}.", choice
        )
    return usable[number or 0]


def no_face(name: str) -> Invalid:
    """The refusal of a picture in which no face is found."""
    return Invalid(
        f"There is no face in {name}: send a picture that shows one from the front.",
        name,
        code="no_face",
    )


def _none(found: Sequence[Face], name: str) -> Invalid:
    if not found:
        return no_face(name)
    widest = max(face.width for face in found)
    message = (
        f"The face in {name} is too small: {widest:.0f} pixels wide, at least {SMALLEST} are "
        "needed. Send a larger picture, or one taken from nearer."
    )
    return Invalid(
        message,
        name,
        code="tiny_face",
    )
