"""`POST /live-portrait`: a portrait that says what a recording says."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from darkroom.media import envelope, receiving
from darkroom.media.answering import answered
from darkroom.media.portraits import taking
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit

blueprint = Blueprint("portraits_api", __name__)
blueprint.after_request(envelope.wear)


def _answer(run_id: UUID) -> ResponseReturnValue:
    return answered(run_id, waits=False)


@blueprint.post("/live-portrait")
@login_required
@idempotent(_answer)
@rate_limit("live-portrait")
def animate(keep: Keep) -> UUID:
    """Make a video of `portrait` and `audio`, given `consent`."""
    return taking.take(receiving.body(), keep)
