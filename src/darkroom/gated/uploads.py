"""Putting uploads into the storage from the web process: behind the same breaker as the steps."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import uuid4

from darkroom.db.sessions import Database
from darkroom.errors import Invalid, Transient
from darkroom.gated.files import PROVIDER
from darkroom.queue.gates import breaker
from darkroom.queue.gates.breaker import Outcome, Verdict
from darkroom.queue.gates.question import AWAY
from darkroom.settings import BreakerSettings

log = logging.getLogger(__name__)

OPERATION = "put"
SHORTLY = timedelta(seconds=15)
"""When to send again what met a fault that did not open the breaker."""


@contextmanager
def storing(database: Database, settings: BreakerSettings) -> Iterator[None]:
    """For the block that stores an upload.

    Raises
    ------
    Transient
        When the storage is away, or was just now; it says when to send again.
    """
    call = uuid4()
    verdict = breaker.take(database, settings, PROVIDER, OPERATION, call)
    if not verdict.passes:
        raise _away(_wait(verdict))
    outcome: Outcome = "uncounted"
    error = ""
    try:
        yield
        outcome = "succeeded"
    except Invalid:
        raise
    except Exception as fault:
        outcome, error = "failed", f"{type(fault).__name__}: {fault}"
        raise _away(SHORTLY) from fault
    finally:
        try:
            breaker.report(database, settings, PROVIDER, OPERATION, call, outcome, error=error)
        except AWAY:
            log.exception("the breaker was not told how storing an upload ended")


def _wait(verdict: Verdict) -> timedelta:
    if verdict.opens_at is None:
        return SHORTLY
    return max(verdict.opens_at - datetime.now(UTC), SHORTLY)


def _away(wait: timedelta) -> Transient:
    seconds = ceil(wait.total_seconds())
    words = (
        "The file storage does not answer, and nothing of this upload was kept. "
        f"Send it again in {seconds} seconds."
    )
    return Transient(words, timedelta(seconds=seconds))
