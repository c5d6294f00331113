"""Circuit breakers, one a provider and operation: `take` before a call, `report` after it.

Steps use `calling`, which does both.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import NotFound
from darkroom.queue.gates.question import ask
from darkroom.settings import BreakerSettings

Outcome = Literal["succeeded", "failed", "uncounted"]


@dataclass(frozen=True)
class Verdict:
    """What a breaker says: closed or probe (go), open, half_open or isolated (not now)."""

    verdict: str
    opens_at: datetime | None

    @property
    def passes(self) -> bool:
        """True when the call may go."""
        return self.verdict in {"closed", "probe"}


def rules(settings: BreakerSettings, provider: str) -> dict[str, Any]:
    """What the SQL functions need to know of the settings."""
    said = asdict(settings)
    own = said.pop("open_seconds_of")
    return {**said, "open_seconds": own.get(provider, settings.open_seconds)}


def take(
    database: Database,
    settings: BreakerSettings,
    provider: str,
    operation: str,
    call_id: UUID,
    *,
    lease: int | None = None,
    at: datetime | None = None,
) -> Verdict:
    """Ask for one call; whoever may go must report. It ends with the attempt `lease`, if given."""
    row = ask(
        database,
        "take_breaker",
        provider=provider,
        operation=operation,
        call=call_id,
        lease=lease,
        probe_seconds=settings.probe_seconds,
        at=at,
    )
    assert row is not None
    return Verdict(row.verdict, row.opens_at)


def report(
    database: Database,
    settings: BreakerSettings,
    provider: str,
    operation: str,
    call_id: UUID,
    outcome: Outcome,
    *,
    error: str = "",
    at: datetime | None = None,
) -> str:
    """Say how the call ended; answers the breaker's state."""
    row = ask(
        database,
        "report_breaker",
        provider=provider,
        operation=operation,
        call=call_id,
        outcome=outcome,
        said=error,
        rules=json.dumps(rules(settings, provider)),
        at=at,
    )
    assert row is not None
    return str(row[0])


def isolate(session: Session, provider: str, operation: str, *, who: str, reason: str = "") -> None:
    """Hold it open until it is reset, in the caller's transaction. Alerts."""
    session.execute(
        statement("gates/isolate_breaker"),
        {"provider": provider, "operation": operation, "who": who, "reason": reason},
    )


def reset(session: Session, provider: str, operation: str, *, who: str) -> None:
    """Close it and forget its failures; whoever waits for it is called.

    Raises
    ------
    NotFound
        When no call ever asked for it.
    """
    known = session.execute(
        statement("gates/reset_breaker"), {"provider": provider, "operation": operation, "who": who}
    ).scalar_one()
    if not known:
        raise NotFound("There is no such breaker.", "breaker")
