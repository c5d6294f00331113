"""How lanes are doing; pausing one and letting it go on.

A paused lane is not fetched from; what runs goes on.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.db.statements import statement
from darkroom.errors import Conflict, Invalid, NotFound

LANES = table("lanes", column("name"))
LONGEST_REASON = 300


def health(row: Mapping[str, Any]) -> str:
    """How a lane is doing, from its row of the dashboard `lanes`."""
    if row["paused_at"] is not None:
        return "paused"
    if not row["slots"]:
        return "unmanned"
    if row["running"] >= row["slots"]:
        return "full"
    return "running" if row["running"] else "idle"


def pause(session: Session, lane: str, reason: str, actor: Actor) -> None:
    """Pause a lane, with its audit row.

    Raises
    ------
    Invalid
        When the reason is missing or longer than 300 characters.
    NotFound, Conflict
        When there is no such lane, or it is paused already.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON or "\x00" in reason:
        raise Invalid("Say why the lane is paused, in at most 300 characters.", "reason")
    given = {"lane": lane, "reason": reason, "user_id": actor.user_id}
    if session.execute(statement("console/pause_lane"), given).first() is None:
        _insist(session, lane)
        raise Conflict("This lane is paused already.")
    audit.write(session, actor=actor, action="lane.pause", subject=lane, filter={"reason": reason})


def resume(session: Session, lane: str, actor: Actor) -> None:
    """Let a paused lane go on, with its audit row; raises `NotFound` and `Conflict`."""
    if session.execute(statement("console/resume_lane"), {"lane": lane}).first() is None:
        _insist(session, lane)
        raise Conflict("This lane is not paused.")
    audit.write(session, actor=actor, action="lane.resume", subject=lane)


def _insist(session: Session, lane: str) -> None:
    if session.scalar(select(LANES.c.name).where(LANES.c.name == lane)) is None:
        raise NotFound("There is no such lane.", "lane")
