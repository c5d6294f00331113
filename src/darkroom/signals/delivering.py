"""What the step that delivers reads and writes."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.signals.messages import Message
from darkroom.signals.sending import Answer


@dataclass(frozen=True)
class Try:
    """What one try at a delivery came to: an answer, or an error on the way to one."""

    error: str | None = None
    answer: Answer | None = None


def load(database: Database, delivery_id: UUID) -> Message | None:
    """The message of a delivery; None when it, its webhook or its run was deleted."""
    with database.session() as session:
        found = session.execute(statement("signals/message"), {"delivery_id": delivery_id})
        row = found.mappings().one_or_none()
        return Message(**row) if row else None


def note_failure(database: Database, delivery_id: UUID, job_id: int, tried: Try) -> None:
    """Keep what a failed try came to, and let the deliveries behind it pass.

    In a transaction of its own: the engine drops what a step that fails would write.
    """
    with database.session() as session:
        _note(session, delivery_id, tried, None)
        session.execute(statement("signals/let_others_pass"), {"job_id": job_id})


def note_delivered(session: Session, delivery_id: UUID, answer: Answer) -> None:
    """Keep the answer to a delivery that was taken."""
    _note(session, delivery_id, Try(answer=answer), "delivered")


def note_gone(session: Session, message: Message, tried: Try) -> None:
    """Keep that the endpoint is gone for good, and send it nothing more."""
    session.execute(
        statement("signals/disable"), {"webhook_id": message.webhook_id, "reason": tried.error}
    )
    _note(session, message.id, tried, "skipped")


def skip(session: Session, delivery_id: UUID, reason: str) -> None:
    """End a delivery unsent."""
    session.execute(statement("signals/skip"), {"delivery_id": delivery_id, "error": reason})


def _note(session: Session, delivery_id: UUID, tried: Try, outcome: str | None) -> None:
    answer = tried.answer
    session.execute(
        statement("signals/note_try"),
        {
            "delivery_id": delivery_id,
            "outcome": outcome,
            "error": tried.error,
            "seconds": answer and answer.seconds,
            "response_status": answer and answer.status,
            "response_body": answer and answer.body,
        },
    )
