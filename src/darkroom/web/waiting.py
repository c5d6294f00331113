"""`Prefer: wait=N` (RFC 7240): an answer that waits for a run's end, or for what it needs of it.

Each holds a thread, so that they are capped: calls that wait unasked by a cap of their own, all
others together with the live streams. Beyond the cap the preference is not applied, and the answer
comes at once and says nothing of it.
"""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from flask import Response, after_this_request, request
from werkzeug.http import parse_list_header

from darkroom.queue import runs
from darkroom.web.auth import scope
from darkroom.web.live import RunFeed
from darkroom.web.services import services


def wait_for_end(run_id: UUID, usual: int | None = None) -> bool:
    """Wait for the run's end, as `wait_until` waits."""
    return wait_until(run_id, lambda: _is_over(run_id), usual)


def wait_until(run_id: UUID, is_there: Callable[[], bool], usual: int | None = None) -> bool:
    """Wait for what a run makes for as long as the caller prefers; answers whether it came in time.

    False at once where the caller prefers nothing, or too many wait already.

    Parameters
    ----------
    is_there
        Looks for it; called now, and at each change of the run.
    usual
        How many seconds to wait where the caller prefers nothing.
    """
    preferred = preferred_wait(request.headers.getlist("Prefer"))
    wanted = usual if preferred is None else preferred
    live = services().live
    slots = live.streams if usual is None else live.answers
    if wanted is None or not slots.enter():
        return False
    try:
        most = services().settings.signals.max_wait_seconds
        seconds = min(wanted, max(most, usual or 0))
        if preferred is not None:
            after_this_request(lambda answer: _applied(answer, seconds))
        return _wait(live.feed, run_id, seconds, is_there)
    finally:
        slots.leave()


def preferred_wait(headers: Sequence[str]) -> int | None:
    """The N of the first readable `wait=N` among the `Prefer` headers, in seconds."""
    preferences = [item for header in headers for item in parse_list_header(header)]
    for preference in preferences:
        name, _, value = preference.partition(";")[0].partition("=")
        value = value.strip().strip('"')
        if name.strip().lower() == "wait" and value.isdecimal():
            return int(value[:9])
    return None


def _wait(feed: RunFeed, run_id: UUID, seconds: int, is_there: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        position = feed.position
        if is_there():
            return True
        left = deadline - time.monotonic()
        if left <= 0 or feed.stopped:
            return False
        feed.wait([run_id], position, left)


def _is_over(run_id: UUID) -> bool:
    """Whether there is nothing to wait for: it has ended, or is not the caller's to see."""
    with services().database.session() as db:
        run = runs.get(db, run_id)
    return run is None or run.is_over or scope() not in (None, run.owner_id)


def _applied(answer: Response, seconds: int) -> Response:
    answer.headers["Preference-Applied"] = f"wait={seconds}"
    answer.vary.add("Prefer")
    return answer
