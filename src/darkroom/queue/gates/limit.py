"""Request limits: so many calls of a client to an endpoint within a sliding window."""

from dataclasses import dataclass
from datetime import datetime

from darkroom.db.sessions import Database
from darkroom.queue.gates.question import ask
from darkroom.settings import Quota


@dataclass(frozen=True)
class Window:
    """What is left after a call. Times count from that call; `reset_at` is the same as a date."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: datetime
    retry_seconds: float


def hit(
    database: Database, client: str, endpoint: str, quota: Quota, *, at: datetime | None = None
) -> Window:
    """Count one call, if the quota has room for it."""
    row = ask(
        database,
        "hit_limit",
        client=client,
        endpoint=endpoint,
        quota=quota.calls,
        period=quota.seconds,
        at=at,
    )
    assert row is not None
    return Window(row.allowed, quota.calls, row.remaining, row.reset_at, row.retry_seconds)
