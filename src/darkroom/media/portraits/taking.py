"""Portraits taken in, by program or by page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from darkroom.media import receiving, requests
from darkroom.media.portraits import orders
from darkroom.media.portraits.orders import AUDIO, PORTRAIT
from darkroom.web.auth import current_user
from darkroom.web.idempotency import Keep
from darkroom.web.services import services

STEP = "portraits.animate"


def take(sent: Mapping[str, Any], keep: Keep) -> UUID:
    """Store a portrait and a recording and have a video made of them; answers the run."""
    asked = orders.asked(sent)
    given, heard = (receiving.part(sent, name) for name in (PORTRAIT, AUDIO))
    portrait = receiving.picture(given, PORTRAIT, PORTRAIT)
    wish = orders.wish(asked, portrait, receiving.media(heard, AUDIO, AUDIO), most_seconds())
    lane = "gpu" if is_moving() else "cpu"
    with services().database.session() as session:
        return requests.begin(session, current_user().id, wish, STEP, lane, keep)


def is_moving() -> bool:
    """Whether LivePortrait is to move portraits: else they stay still."""
    return services().settings.media.liveportrait_dir is not None


def most_seconds() -> int:
    """How long a recording may be."""
    return orders.MOST_MOVING_SECONDS if is_moving() else orders.MOST_SECONDS
