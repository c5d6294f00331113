"""Pictures and videos taken in to be enlarged, by program or by page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from darkroom.media import receiving, requests
from darkroom.media.enhancing import orders
from darkroom.media.requests import Wish
from darkroom.storage.uploads import Incoming
from darkroom.web.auth import current_user
from darkroom.web.idempotency import Keep
from darkroom.web.services import services

LANE = "gpu"


def take_picture(sent: Mapping[str, Any], file: Incoming | None, field: str, keep: Keep) -> UUID:
    """Store a picture and have it enlarged; answers the run."""
    asked = orders.asked(sent, orders.PICTURE)
    stored = receiving.picture(file, orders.PICTURE, field)
    return _begun(orders.picture(asked, stored, _most(), field), "enhancing.enlarge", keep)


def take_film(sent: Mapping[str, Any], file: Incoming | None, field: str, keep: Keep) -> UUID:
    """Store a video and have it enlarged; answers the run."""
    asked = orders.asked(sent, orders.VIDEO)
    stored = receiving.media(file, orders.VIDEO, field)
    return _begun(orders.film(asked, stored, _most(), field), "enhancing.film", keep)


def _begun(wish: Wish, step: str, keep: Keep) -> UUID:
    with services().database.session() as session:
        return requests.begin(session, current_user().id, wish, step, LANE, keep)


def _most() -> int:
    return services().settings.media.max_result_pixels
