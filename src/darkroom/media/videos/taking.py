"""Videos taken in, by program or by page: their files are stored, and their run begins."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from darkroom.media import requests
from darkroom.media.requests import Wish
from darkroom.media.videos import orders
from darkroom.web.auth import current_user
from darkroom.web.idempotency import Keep
from darkroom.web.services import services

_STEP, _LANE = "videos.render", "cpu"
_SHARE = 0.6
"""What of the progress is rendering, where subtitles follow."""


def take_slideshow(sent: Mapping[str, Any], keep: Keep) -> UUID:
    """Store pictures and have a video made of them; answers the run."""
    return _begun(orders.slideshow(sent), keep)


def take_scenes(sent: Mapping[str, Any], keep: Keep) -> UUID:
    """Store the files of scenes and have a video made of them; answers the run."""
    return _begun(orders.scenes(sent), keep)


def _begun(wish: Wish, keep: Keep) -> UUID:
    share = _SHARE if wish.asked["subtitles"] else 1.0
    with services().database.session() as session:
        owner_id = current_user().id
        return requests.begin(session, owner_id, wish, _STEP, _LANE, keep, share=share)
