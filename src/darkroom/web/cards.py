"""Runs as cards, each with what its pipeline shows of it."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from darkroom.counting import pages as counting
from darkroom.queue.models import Run
from darkroom.variants import pages as variants
from darkroom.variants.shooting import PIPELINE
from darkroom.web.run_views import Card


def cards(db: Session, found: Sequence[Run]) -> list[Card]:
    """The runs in their order."""
    made = {
        card.run.id: card
        for card in (
            *variants.cards(db, [run for run in found if run.pipeline == PIPELINE]),
            *counting.cards(db, [run for run in found if run.pipeline != PIPELINE]),
        )
    }
    return [made[run.id] for run in found]
