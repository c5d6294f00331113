"""What may be set otherwise for a session, and what is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from darkroom.counting.models import PhotoSession
from darkroom.counting.places.models import Product
from darkroom.counting.rerun import knobs, weights
from darkroom.counting.rerun.knobs import Json, Knob
from darkroom.errors import Invalid
from darkroom.settings import Settings


@dataclass(frozen=True)
class Question:
    """The knobs, what they stand at without a session's own settings, and those settings."""

    known: tuple[Knob, ...]
    base: Json
    own: Json

    @property
    def in_use(self) -> Json:
        """What every knob stands at."""
        return self.base | self.own

    def options(self, name: str) -> tuple[str, ...]:
        """What a knob can be set to, if that is a choice."""
        return next(knob.options for knob in self.known if knob.name == name)


@dataclass(frozen=True)
class Answer:
    """Settings in place of the others, or what is wrong with what was given, by its field."""

    settings: Json
    wrong: dict[str, str]

    def checked(self) -> Json:
        """The settings; `Invalid`, naming the first field, if anything is wrong."""
        for field, message in self.wrong.items():
            raise Invalid(message, field)
        return self.settings


def ask(session: Session, photos: PhotoSession, settings: Settings) -> Question:
    """The knobs of a session as they stand."""
    return Question(
        known=_knobs(settings.weights_dir),
        base=knobs.in_use(settings.counting) | _colours(session, photos),
        own=photos.settings,
    )


def read(question: Question, given: Mapping[str, Any]) -> Answer:
    """Settings out of what a form or a program says; what it leaves out stays as it is."""
    values, wrong = knobs.read(given, question.known)
    if wrong:
        return Answer({}, wrong)
    try:
        return Answer(knobs.settled(question.base, question.own, values), {})
    except Invalid as error:
        return Answer({}, {error.field or "": error.message})


def _knobs(weights_dir: Path) -> tuple[Knob, ...]:
    plants = weights.names(weights.PLANTS, weights_dir)
    return knobs.knobs(plants, weights.names(weights.CONTAINERS, weights_dir))


def _colours(session: Session, photos: PhotoSession) -> Json:
    """The colours of the product that is expected, where it has its own."""
    if photos.expected_product_id is None:
        return {}
    product = session.get_one(Product, photos.expected_product_id)
    if product.hsv_low is None or product.hsv_high is None:
        return {}
    return {"hsv_low": product.hsv_low, "hsv_high": product.hsv_high}
