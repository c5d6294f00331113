"""`POST /face-swap`: the face of one picture in another."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from darkroom.media import envelope, receiving
from darkroom.media.answering import answered
from darkroom.media.faces import taking
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit

blueprint = Blueprint("faces_api", __name__)
blueprint.after_request(envelope.wear)


def _answer(run_id: UUID) -> ResponseReturnValue:
    return answered(run_id, inline=True)


@blueprint.post("/face-swap")
@login_required
@idempotent(_answer)
@rate_limit("face-swap")
def swap(keep: Keep) -> UUID:
    """Put the face of `source` into `target`, given `consent`."""
    return taking.take(receiving.body(), keep)
