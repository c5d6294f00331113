"""`/generate-image`, `/magic-prompt` and what is kept: the paths and words of the seed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import envelope, receiving, requests
from darkroom.media.answering import answered, as_json, data_url, first
from darkroom.media.generation import cache, ordering, parameters
from darkroom.settings import LONGEST_AGE, MIB
from darkroom.web.auth import admin_required, current_user, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services
from darkroom.web.words import N_

Json = dict[str, Any]

blueprint = Blueprint("generation_api", __name__)
blueprint.after_request(envelope.wear)

_AGE = N_("max_age_days must be a number of days, 0 or more.")


@blueprint.post("/generate-image")
@login_required
@idempotent(lambda run_id: answered(run_id, inline=True))
@rate_limit("generate-image")
def generate(keep: Keep) -> UUID | ResponseReturnValue:
    """A picture of a prompt: at once where the same was asked for before, else when it is made."""
    settings, owner_id = services().settings, current_user().id
    wish = parameters.parse(receiving.body(), settings)
    request_id = ordering.from_cache(owner_id, wish)
    if request_id is not None:
        return _made(request_id)
    with services().database.session() as session:
        return ordering.begin(session, owner_id, wish, keep)


@blueprint.post("/magic-prompt")
@login_required
@idempotent(answered)
@rate_limit("magic-prompt")
def improve(keep: Keep) -> UUID:
    """A better prompt for the same picture, in the same language."""
    asked = parameters.words(receiving.body())
    with services().database.session() as session:
        return ordering.improve(session, current_user().id, asked, keep)


@blueprint.get("/api/cache/stats")
@login_required
def cache_stats() -> Response:
    """How many pictures are kept, what they take, and how often that spared buying one."""
    with services().database.session() as session:
        found = cache.stats(session)
    return jsonify({"status": "success", **_stats_json(found)})


@blueprint.post("/api/cache/clear")
@admin_required
def clear_cache() -> Response:
    """Let go of the pictures that nobody asked for in `max_age_days`."""
    age = _age(request.get_json(silent=True))
    with services().database.session() as session:
        freed = cache.clear(session, age)
    return jsonify(
        {
            "status": "success",
            "removed": freed.removed,
            "freed_bytes": freed.freed_bytes,
            "freed_mb": round(freed.freed_bytes / MIB, 2),
        }
    )


def _made(request_id: UUID) -> Response:
    with services().database.session() as session:
        found = requests.of(session, None, request_id)
        answer = as_json(found, None)
    picture = first(found)
    assert picture is not None
    return jsonify({**answer, "image": data_url(picture)})


def _stats_json(found: Mapping[str, Any]) -> Json:
    media = services().settings.media
    asked = found["hits"] + found["misses"]
    times = {name: found[name] and found[name].isoformat() for name in ("oldest", "last_used")}
    return {
        **found,
        **times,
        "hit_rate": round(found["hits"] / asked, 4) if asked else 0.0,
        "total_size_mb": round(found["total_size_bytes"] / MIB, 2),
        "max_size_mb": media.cache_bytes // MIB,
        "max_age_days": media.cache_days,
    }


def _age(sent: object) -> timedelta:
    """The age that is asked for; that of the settings where nothing is said of it."""
    given = sent.get("max_age_days") if isinstance(sent, dict) else None
    if given is None:
        return timedelta(days=services().settings.media.cache_days)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Invalid(_AGE, "max_age_days")
    # Not a number is between nothing.
    if not 0 <= given <= LONGEST_AGE:
        raise Invalid(_AGE, "max_age_days")
    return timedelta(days=given)
