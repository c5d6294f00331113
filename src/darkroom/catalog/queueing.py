"""The queue of edits: putting articles in, looking at it, trying again, cleaning it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import CursorResult, RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.catalog.models import Edit
from darkroom.db.statements import statement
from darkroom.errors import Conflict, NotFound
from darkroom.queue import runs
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.models import Run

STEP, LANE = "catalog.edit", "io"
PIPELINE = "catalog"

LeftOut = Literal["missing", "no_image", "queued"]
Keep = Callable[[Session, UUID], None]


@dataclass(frozen=True)
class Queued:
    """What came of an article that was asked for: its edit, or why there is none."""

    article_id: int
    edit_id: int | None
    name: str | None
    left_out: LeftOut | None


def add(
    session: Session,
    article_ids: Sequence[int],
    *,
    owner_id: int,
    priority: int = 0,
    keep: Keep | None = None,
) -> tuple[UUID | None, list[Queued]]:
    """Queue articles in one run, a step each, and say of each article what came of it.

    No article is ever queued twice, however many callers ask at once. There is no run (None) when
    nothing was queued.

    Parameters
    ----------
    keep
        Called with the run's id in the same transaction.
    """
    asked = {"article_ids": list(article_ids), "priority": priority}
    rows = session.execute(statement("catalog/queue_articles"), asked).mappings()
    answers = [Queued(**row) for row in rows]
    added = [(each.edit_id, each.name or "") for each in answers if each.edit_id is not None]
    if not added:
        return None, answers
    title = added[0][1] if len(added) == 1 else f"{len(added)} artículos"
    run = _run(session, title, owner_id, priority, answers)
    _enqueue(session, run, added)
    if keep is not None:
        keep(session, run.id)
    return run.id, answers


def retry(session: Session, edit_id: int, owner_id: int, keep: Keep | None = None) -> UUID:
    """Queue a failed edit again, in a run of its own; its old attempts stay on record in theirs.

    Raises
    ------
    NotFound, Conflict
        When there is no such edit, it has not failed, or its article is queued already.
    """
    if session.get(Edit, edit_id) is None:
        raise NotFound("There is no such edit in the queue.")
    row = _requeued(session, edit_id)
    if row is None:
        raise Conflict("Only an edit that failed can be tried again.")
    answer = Queued(row["articulo_id"], row["id"], row["articulo_nombre"], None)
    run = _run(session, row["articulo_nombre"], owner_id, row["prioridad"], [answer])
    _enqueue(session, run, [(row["id"], row["articulo_nombre"])])
    if keep is not None:
        keep(session, run.id)
    return run.id


def status(session: Session) -> RowMapping:
    """How many edits are in each state."""
    return session.execute(statement("catalog/queue_status")).mappings().one()


def current(session: Session) -> RowMapping | None:
    """The edit that goes on now, or None."""
    return session.execute(statement("catalog/current_edit")).mappings().one_or_none()


def history(session: Session, limit: int, offset: int) -> Sequence[RowMapping]:
    """Edits, newest first."""
    asked = {"limit": limit, "offset": offset}
    return session.execute(statement("catalog/history"), asked).mappings().all()


def clean(session: Session, days: float) -> int:
    """Delete what ended more than so many days ago; answers how many that were."""
    done = session.execute(statement("catalog/clean"), {"days": days})
    return int(cast("CursorResult[Any]", done).rowcount)


def _run(
    session: Session, title: str, owner_id: int, priority: int, answers: Sequence[Queued]
) -> Run:
    said = [[each.article_id, each.edit_id, each.left_out] for each in answers]
    return runs.create(
        session,
        pipeline=PIPELINE,
        title=title,
        owner_id=owner_id,
        priority=priority,
        params={"articles": said},
    )


def _enqueue(session: Session, run: Run, edits: Sequence[tuple[int, str]]) -> None:
    share = 1 / len(edits)
    calls = [
        Call(STEP, LANE, {"edit_id": edit_id}, label=name, share=share) for edit_id, name in edits
    ]
    job_ids = enqueue(session, calls, run_id=run.id, priority=run.priority)
    run.open_steps = len(calls)
    session.flush()
    linked = {"run_id": run.id, "edit_ids": [edit_id for edit_id, _ in edits], "job_ids": job_ids}
    session.execute(statement("catalog/link_jobs"), linked)


def _requeued(session: Session, edit_id: int) -> RowMapping | None:
    try:
        with session.begin_nested():
            done = session.execute(statement("catalog/requeue"), {"edit_id": edit_id})
            return done.mappings().one_or_none()
    except IntegrityError:
        raise Conflict("Its article is in the queue already, with another edit.") from None
