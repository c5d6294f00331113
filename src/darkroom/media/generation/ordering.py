"""Asking for a picture: answered at once where it is there, else begun; and for better words."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.errors import NotFound
from darkroom.media import requests
from darkroom.media.generation import cache
from darkroom.media.generation.cache import Kept
from darkroom.media.generation.parameters import Parameters, shortened
from darkroom.media.requests import Wish
from darkroom.web.idempotency import Keep
from darkroom.web.services import services

Json = dict[str, Any]

SERVICE, STEP = "images", "images.generate"
PROMPTS, IMPROVE = "prompts", "prompts.improve"
LANE = "io"


def from_cache(owner_id: int, wish: Parameters) -> UUID | None:
    """The request that the kept picture answers; None where it has to be made."""
    database = services().database
    with database.session() as session:
        found = cache.find(session, wish.key)
    if found is None:
        return None
    if not _is_stored(found):
        with database.session() as session:
            cache.forget(session, wish.key)
        return None
    with database.session() as session:
        kept = cache.hit(session, wish.key)
        return None if kept is None else _answer(session, owner_id, wish, kept)


def begin(session: Session, owner_id: int, wish: Parameters, keep: Keep) -> UUID:
    """Have a picture made; the run's id."""
    asked = Wish(SERVICE, wish.title, wish.as_json)
    return requests.begin(session, owner_id, asked, STEP, LANE, keep)


def improve(session: Session, owner_id: int, asked: Json, keep: Keep) -> UUID:
    """Have the words of `asked` (`prompt` in a `style`) made better; the run's id."""
    wish = Wish(PROMPTS, shortened(asked["prompt"]), asked)
    return requests.begin(session, owner_id, wish, IMPROVE, LANE, keep)


def _is_stored(kept: Kept) -> bool:
    try:
        services().store.open(kept.picture.key).close()
    except NotFound:
        return False
    return True


def _answer(session: Session, owner_id: int, wish: Parameters, kept: Kept) -> UUID:
    asked = Wish(SERVICE, wish.title, wish.as_json)
    result = kept.result(cached=True)
    return requests.at_once(session, owner_id, asked, result, kept.files, kept.engine)
