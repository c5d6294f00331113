"""`POST /enhance-media`: a picture or a short video, enlarged."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import envelope, receiving, requests
from darkroom.media.answering import answered
from darkroom.media.enhancing import orders, taking
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services
from darkroom.web.words import N_

blueprint = Blueprint("enhancing_api", __name__)
blueprint.after_request(envelope.wear)


def _answer(run_id: UUID) -> ResponseReturnValue:
    """A picture in the answer itself; of a video, where to look for it."""
    with services().database.session() as session:
        is_picture = requests.of_run(session, run_id).row.asked["kind"] == orders.PICTURE
    return answered(run_id, waits=is_picture, inline=is_picture)


@blueprint.post("/enhance-media")
@login_required
@idempotent(_answer)
@rate_limit("enhance-media")
def enhance(keep: Keep) -> UUID:
    """Enlarge `image` or `video` `scale` times by `model`."""
    sent = receiving.body()
    film = receiving.part(sent, "video", optional=True)
    if film is None:
        return taking.take_picture(sent, receiving.part(sent, "image"), "image", keep)
    if receiving.part(sent, "image", optional=True) is not None:
        raise Invalid(N_("Send either image or video, not both."), "video")
    return taking.take_film(sent, film, "video", keep)
