"""Pictures taken in for a face swap, by program or by page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from darkroom.media import receiving, requests
from darkroom.media.faces import orders
from darkroom.media.faces.orders import SOURCE, TARGET
from darkroom.web.auth import current_user
from darkroom.web.idempotency import Keep
from darkroom.web.services import services

STEP, LANE = "faces.swap", "gpu"


def take(sent: Mapping[str, Any], keep: Keep) -> UUID:
    """Store both pictures and have a face swapped; answers the run."""
    asked = orders.asked(sent)
    parts = {name: receiving.part(sent, name) for name in (SOURCE, TARGET)}
    source, target = (receiving.picture(part, name, name) for name, part in parts.items())
    wish = orders.wish(asked, source, target)
    with services().database.session() as session:
        return requests.begin(session, current_user().id, wish, STEP, LANE, keep)
