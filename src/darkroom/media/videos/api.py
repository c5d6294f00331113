"""`/render-video` and `/render-multi-scene`: the paths of the seed."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from darkroom.media import envelope, receiving
from darkroom.media.answering import answered
from darkroom.media.videos import taking
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit

blueprint = Blueprint("videos_api", __name__)
blueprint.after_request(envelope.wear)


def _answered(run_id: UUID) -> ResponseReturnValue:
    """Where to look for it: a video takes minutes."""
    return answered(run_id, waits=False)


@blueprint.post("/render-video")
@login_required
@idempotent(_answered)
@rate_limit("render-video")
def render_video(keep: Keep) -> UUID:
    """A video of `images`, one after the other, with `audio` under them."""
    return taking.take_slideshow(receiving.body(), keep)


@blueprint.post("/render-multi-scene")
@login_required
@idempotent(_answered)
@rate_limit("render-multi-scene")
def render_multi_scene(keep: Keep) -> UUID:
    """A video of `scenes`, each with a picture or a clip, narration, a text and a transition."""
    return taking.take_scenes(receiving.body(), keep)
