"""Runs as cards, each with what its pipeline shows of it."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from darkroom.counting import pages as counting
from darkroom.media import pages as media
from darkroom.media.tools import SERVICES
from darkroom.publishing import pages as publishing
from darkroom.publishing import requesting
from darkroom.queue.models import Run
from darkroom.variants import pages as variants
from darkroom.variants.shooting import PIPELINE
from darkroom.web.run_views import Card

OTHERS = {PIPELINE, requesting.PIPELINE, *SERVICES}


def cards(db: Session, found: Sequence[Run]) -> list[Card]:
    """The runs in their order."""
    made = {
        card.run.id: card
        for card in (
            *variants.cards(db, [run for run in found if run.pipeline == PIPELINE]),
            *publishing.cards(db, [run for run in found if run.pipeline == requesting.PIPELINE]),
            *media.cards(db, [run for run in found if run.pipeline in SERVICES]),
            *counting.cards(db, [run for run in found if run.pipeline not in OTHERS]),
        )
    }
    return [made[run.id] for run in found]
