"""Who did what: one row an action, written in the transaction that does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from darkroom.accounts.models import User
from darkroom.db.sessions import Base

TIME = DateTime(timezone=True)
SERVER = FetchedValue()

Json = dict[str, Any]


class AuditRow(Base):
    """One action: who, what, to what, how many rows, and what is needed to take it back."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default=SERVER)
    filter: Mapped[Json] = mapped_column(JSONB, server_default=SERVER)
    count: Mapped[int] = mapped_column(server_default=SERVER)
    undo: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    undone_at: Mapped[datetime | None] = mapped_column(TIME)


@dataclass(frozen=True)
class Actor:
    """Who acts: a user, or, without a number, a program of the machine itself."""

    user_id: int | None
    name: str

    @classmethod
    def of(cls, user: User) -> "Actor":
        """The user as an actor."""
        return cls(user.id, user.name)


CLI = Actor(None, "cli")


def write(
    session: Session,
    *,
    actor: Actor,
    action: str,
    subject: str = "",
    filter: Mapping[str, Any] | None = None,
    count: int = 1,
    undo: Mapping[str, Any] | None = None,
) -> AuditRow:
    """Note an action in the caller's transaction.

    Parameters
    ----------
    action
        What was done, `<noun>.<verb>`: `jobs.retry`, `lane.pause`, `breaker.reset`.
    subject
        What it was done to: a lane, a breaker, a job, a run; empty for a filter.
    filter
        The filter of a bulk action; what a cron job was given by hand.
    count
        How many rows it touched.
    undo
        What is needed to take it back; None where it cannot be.
    """
    row = AuditRow(
        user_id=actor.user_id,
        actor=actor.name,
        action=action,
        subject=subject,
        filter=dict(filter or {}),
        count=count,
        undo=None if undo is None else dict(undo),
    )
    session.add(row)
    session.flush()
    return row
