"""The queue of edits: putting articles in, looking at it, trying again, cleaning it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import CursorResult, RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.catalog.models import Article, Edit
from darkroom.db.statements import statement
from darkroom.errors import Conflict, NotFound
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.queue.transaction import Transaction

STEP, LANE = "catalog.edit", "io"
PIPELINE = "catalog"
CONCLUDE = Call("catalog.conclude", LANE)
TRIES = 3

LeftOut = Literal["missing", "no_image", "queued"]
NotRetried = Literal["missing", "not_failed", "queued"]
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
    answers = _inserted(session, article_ids, priority)
    added = [each.name or "" for each in answers if each.edit_id is not None]
    if not added:
        return None, answers
    title = added[0] if len(added) == 1 else f"{len(added)} artículos"
    run = _run(session, title, owner_id, priority, answers)
    _enqueue(session, run, answers)
    if keep is not None:
        keep(session, run.id)
    return run.id, answers


def join(session: Session, run: Run, article_ids: Sequence[int], share: float) -> list[Queued]:
    """Queue articles in a run that there is already; their steps make that share of it."""
    answers = _inserted(session, article_ids, run.priority)
    _enqueue(session, run, answers, share)
    return answers


def follow(tx: Transaction, article_ids: Sequence[int], share: float) -> None:
    """Queue articles in the run of the step that ends; each of their steps makes that share."""
    answers = _inserted(tx.session, article_ids, tx.priority)
    _fan_out(tx, [each for each in answers if each.edit_id is not None], share)


def outcome(session: Session, run_id: UUID) -> dict[str, int]:
    """How many edits of a run were completed, and how many failed."""
    rows = session.execute(statement("catalog/outcome_of_run"), {"run_id": run_id}).mappings()
    return dict(rows.one())


def try_out(
    session: Session, article: Article, template: str, owner_id: int, keep: Keep | None = None
) -> UUID:
    """Queue an edit that tries a template out: its picture never becomes the article's."""
    edit = Edit(
        articulo_id=article.id,
        articulo_nombre=article.nombre,
        articulo_descripcion=article.descripcion,
        articulo_unidad=article.unidad,
        imagen_url_original=article.imagen_url,
        version_original_id=article.imagen_version_id,
        prompt_template=template,
        is_preview=True,
    )
    session.add(edit)
    session.flush()
    answer = Queued(article.id, edit.id, article.nombre, None)
    run = _run(session, article.nombre, owner_id, 0, [answer])
    _enqueue(session, run, [answer])
    if keep is not None:
        keep(session, run.id)
    return run.id


def retry(session: Session, edit_id: int, owner_id: int, keep: Keep | None = None) -> UUID:
    """Queue a failed edit again, in a run of its own; its old attempts stay on record in theirs.

    Raises
    ------
    NotFound, Conflict
        When there is no such edit, it has not failed, or its article is queued already.
    """
    run_id, left = retry_all(session, [edit_id], owner_id, keep)
    if run_id is not None:
        return run_id
    if left[edit_id] == "missing":
        raise NotFound("There is no such edit in the queue.")
    if left[edit_id] == "not_failed":
        raise Conflict("Only an edit that failed can be tried again.")
    raise Conflict("Its article is in the queue already, with another edit.")


def retry_all(
    session: Session, edit_ids: Sequence[int], owner_id: int, keep: Keep | None = None
) -> tuple[UUID | None, dict[int, NotRetried]]:
    """Queue those that failed again, all their attempts anew, and say why not of the others.

    Of an article the newest is taken. There is no run (None) when nothing was queued.
    """
    rows = _requeued(session, edit_ids)
    left = {row["id"]: row["left_out"] for row in rows if row["left_out"]}
    again = [row for row in rows if not row["left_out"]]
    if not again:
        return None, left
    answers = [Queued(row["articulo_id"], row["id"], row["name"], None) for row in again]
    title = again[0]["name"] if len(again) == 1 else f"{len(again)} artículos"
    run = _run(session, title, owner_id, max(row["prioridad"] for row in again), answers)
    run.params = {**run.params, "left": list(left.items())}
    _enqueue(session, run, answers)
    if keep is not None:
        keep(session, run.id)
    return run.id, left


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


def _inserted(session: Session, article_ids: Sequence[int], priority: int) -> list[Queued]:
    asked = {"article_ids": list(article_ids), "priority": priority}
    rows = session.execute(statement("catalog/queue_articles"), asked).mappings()
    return [Queued(**row) for row in rows]


def _enqueue(session: Session, run: Run, answers: Sequence[Queued], share: float = 1.0) -> None:
    queued = [each for each in answers if each.edit_id is not None]
    tx = Transaction(session, run.id, run.priority)
    _fan_out(tx, queued, share / max(len(queued), 1))
    run.open_steps = (run.open_steps or 0) + tx.enqueued
    session.flush()


def _fan_out(tx: Transaction, queued: Sequence[Queued], share: float) -> None:
    """One step an article: of those that fail the others do not hear."""
    if not queued:
        return
    edits = [each.edit_id for each in queued]
    calls = [
        Call(STEP, LANE, {"edit_id": each.edit_id}, label=each.name or "", share=share)
        for each in queued
    ]
    job_ids = tx.fan_out(calls, CONCLUDE)
    linked = {"run_id": tx.run_id, "edit_ids": edits, "job_ids": job_ids}
    tx.session.execute(statement("catalog/link_jobs"), linked)


def _requeued(session: Session, edit_ids: Sequence[int]) -> Sequence[RowMapping]:
    """What became of each; tried anew when an article of theirs is queued at this very moment."""
    asked = {"edit_ids": list(edit_ids)}
    for _ in range(TRIES):
        try:
            with session.begin_nested():
                return session.execute(statement("catalog/requeue"), asked).mappings().all()
        except IntegrityError:
            continue
    raise Conflict("Others are queueing the same articles just now. Try again in a moment.")
