"""What people say of new pictures: approve, reject, go back to an earlier one, try again.

One edit or ten thousand, each verb is one transaction with its audit row. The articles are held
while it lasts, so that of two people who decide at once the second sees what the first did. Each
verb answers what it changed, and of the rest why not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.catalog import articles, orders, queueing
from darkroom.catalog.models import Article, Edit, Version
from darkroom.catalog.queueing import Keep
from darkroom.catalog.selection import EditFilter, EditSelection
from darkroom.db.statements import statement
from darkroom.errors import Conflict, NotFound

Reason = Literal[
    "missing", "not_done", "not_failed", "already", "gone", "queued", "not_shown", "no_earlier"
]


@dataclass(frozen=True)
class Reviewed:
    """The edits that were changed, and those that were left as they are, with the reason."""

    changed: list[int]
    left: Mapping[int, Reason]


@dataclass(frozen=True)
class Retried:
    """What came of trying again; there is no run when nothing was queued."""

    run_id: UUID | None
    reviewed: Reviewed


def approve(session: Session, chosen: EditSelection, actor: Actor) -> Reviewed:
    """Call the new pictures good; one that was rejected is shown again, if none is newer."""
    return _done(session, "approve", chosen, actor)


def reject(session: Session, chosen: EditSelection, actor: Actor) -> Reviewed:
    """Call the new pictures bad; articles that show them show their earlier ones again."""
    return _done(session, "reject", chosen, actor)


def roll_back_edits(session: Session, chosen: EditSelection, actor: Actor) -> Reviewed:
    """Have articles that show these new pictures show the earlier ones, without a verdict."""
    return _done(session, "roll_back", chosen, actor)


def roll_back(
    session: Session, article_id: int, actor: Actor, version_id: int | None = None
) -> Version:
    """Have an article show another version: a given one, or (None) the one before.

    A picture that was rejected is not any more once it is chosen here.

    Raises
    ------
    NotFound, Conflict
        When there is no such article or version, its file was removed, it is shown already, or the
        article is in the queue.
    """
    article = session.get(Article, article_id, with_for_update=True, populate_existing=True)
    if article is None:
        raise NotFound(articles.NO_ARTICLE)
    version = (
        _earlier(session, article) if version_id is None else _given(session, article, version_id)
    )
    articles.refuse_queued(session, article_id)
    if version.veredicto == "rejected":
        version.veredicto = None
    orders.show(session, article, version)
    audit.write(session, actor=actor, action="catalog.roll_back", subject=str(article_id))
    return version


def retry(
    session: Session, chosen: EditSelection, actor: Actor, owner_id: int, keep: Keep | None = None
) -> Retried:
    """Queue failed edits again, in one run of their own; of an article, the newest."""
    asked = chosen.resolve(session)
    run_id, left = queueing.retry_all(session, asked, owner_id, keep)
    changed = [each for each in asked if each not in left]
    _note(session, "retry", chosen, actor, len(changed))
    return Retried(run_id, Reviewed(changed, left))


def page(
    session: Session, wanted: EditFilter, *, before: int | None = None, limit: int
) -> Sequence[Edit]:
    """Edits that fit, newest first, from the one older than `before` on."""
    query = select(Edit).where(*wanted.conditions).order_by(Edit.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Edit.id < before)
    return session.scalars(query).all()


def count(session: Session, wanted: EditFilter) -> int:
    """How many edits fit."""
    return session.scalar(select(func.count()).select_from(Edit).where(*wanted.conditions)) or 0


def _done(session: Session, verb: str, chosen: EditSelection, actor: Actor) -> Reviewed:
    asked = {"edit_ids": chosen.resolve(session)}
    session.execute(statement("catalog/hold_articles"), asked)
    rows = session.execute(statement(f"catalog/{verb}"), asked).all()
    changed = [edit_id for edit_id, left_out in rows if left_out is None]
    _note(session, verb, chosen, actor, len(changed))
    # What was loaded before says how things were.
    session.expire_all()
    left = {edit_id: left_out for edit_id, left_out in rows if left_out is not None}
    return Reviewed(changed, left)


def _note(session: Session, verb: str, chosen: EditSelection, actor: Actor, changed: int) -> None:
    if changed:
        said = chosen.as_json
        audit.write(session, actor=actor, action=f"catalog.{verb}", filter=said, count=changed)


def _given(session: Session, article: Article, version_id: int) -> Version:
    version = session.get(Version, version_id)
    if version is None or version.articulo_id != article.id or version.is_preview:
        raise NotFound("The article has no such picture.", "version_id")
    if version.removed_at is not None:
        raise Conflict("The file of this picture was removed.", "version_id")
    if version.id == article.imagen_version_id:
        raise Conflict("The article shows this picture already.", "version_id")
    return version


def _earlier(session: Session, article: Article) -> Version:
    query = (
        select(Version)
        .where(Version.articulo_id == article.id, Version.id < (article.imagen_version_id or 0))
        .where(Version.removed_at.is_(None), Version.is_preview.is_(False))
        .where(Version.veredicto.is_distinct_from("rejected"))
        .order_by(Version.id.desc())
        .limit(1)
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise Conflict("The article has no earlier picture.")
    return found
