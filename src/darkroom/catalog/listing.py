"""What the pages show of articles and their edits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from darkroom.catalog.models import Article, Category, Edit, Version
from darkroom.db.statements import statement
from darkroom.errors import NotFound
from darkroom.queue.models import Attempt
from darkroom.queue.runs import Why

MOST_EDITS = 50


@dataclass(frozen=True)
class EditRow:
    """An edit with the picture it began from and the one it made; None once a file is gone."""

    edit: Edit
    before: Version | None
    after: Version | None
    shown_id: int | None

    @property
    def verdict(self) -> str | None:
        """What a person said of the new picture."""
        return self.after.veredicto if self.after else None

    @property
    def is_shown(self) -> bool:
        """Whether the article shows the new picture now."""
        return self.after is not None and self.after.id == self.shown_id

    @property
    def seconds(self) -> float | None:
        """How long it has been going on, or took; None when it has not begun."""
        began, ended = self.edit.started_at, self.edit.completed_at
        return ((ended or datetime.now(UTC)) - began).total_seconds() if began else None

    @property
    def state(self) -> str:
        """The state that a person wants to know first."""
        waits = self.edit.estado == "completed" and self.verdict is None and self.is_shown
        return "review" if waits else self.edit.estado


@dataclass(frozen=True)
class ArticleRow:
    """An article of the list, with its newest edit."""

    article: Article
    category: str | None
    newest: EditRow | None


def article_rows(session: Session, articles: Sequence[Article]) -> list[ArticleRow]:
    """The articles, each with its category's name and its newest edit."""
    categories = {row.id: row.nombre for row in session.scalars(select(Category))}
    newest = {row.edit.articulo_id: row for row in _newest(session, articles)}
    return [
        ArticleRow(each, categories.get(each.categoria_id or 0), newest.get(each.id))
        for each in articles
    ]


def edit_rows(session: Session, edits: Sequence[Edit]) -> list[EditRow]:
    """The edits, each with its two pictures."""
    ids = [each for edit in edits for each in (edit.version_original_id, edit.version_procesada_id)]
    there = select(Version).where(Version.id.in_(_known(ids)), Version.removed_at.is_(None))
    versions = {row.id: row for row in session.scalars(there)}
    mine = Article.id.in_({edit.articulo_id for edit in edits})
    shown = dict(session.execute(select(Article.id, Article.imagen_version_id).where(mine)).all())
    return [
        EditRow(
            edit,
            versions.get(edit.version_original_id or 0),
            versions.get(edit.version_procesada_id or 0),
            shown.get(edit.articulo_id),
        )
        for edit in edits
    ]


def edits_of(session: Session, article_id: int) -> list[EditRow]:
    """The newest edits of one article, trials of prompts among them."""
    query = select(Edit).where(Edit.articulo_id == article_id).order_by(Edit.id.desc())
    return edit_rows(session, session.scalars(query.limit(MOST_EDITS)).all())


def edit(session: Session, edit_id: int) -> Edit:
    """One edit; `NotFound` when there is none."""
    found = session.get(Edit, edit_id)
    if found is None:
        raise NotFound("There is no such edit.")
    return found


def going_on(session: Session) -> EditRow | None:
    """The edit that goes on now; of several the one that began first."""
    query = select(Edit).where(Edit.estado == "processing").order_by(Edit.started_at, Edit.id)
    return next(iter(edit_rows(session, session.scalars(query.limit(1)).all())), None)


def why_waiting(session: Session) -> Why | None:
    """Why the edit that comes next has not begun; None when none waits."""
    waiting = select(Edit.job_id).where(Edit.estado == "pending", Edit.job_id.is_not(None))
    first = waiting.order_by(Edit.prioridad.desc(), Edit.id).limit(1)
    asked = {"job_ids": list(session.scalars(first))}
    rows = session.execute(statement("queue/why_waiting"), asked)
    return next((Why(*rest) for _, *rest in rows), None)


def trials(session: Session, limit: int) -> list[EditRow]:
    """The newest tries of prompts."""
    query = select(Edit).where(Edit.is_preview).order_by(Edit.id.desc()).limit(limit)
    return edit_rows(session, session.scalars(query).all())


def taken_away(session: Session, version_id: int | None) -> Version | None:
    """The picture of that number, if its article shows another one and could show it again."""
    version = session.get(Version, version_id) if version_id else None
    if version is None or version.is_preview or version.removed_at is not None:
        return None
    article = session.get_one(Article, version.articulo_id)
    return None if article.imagen_version_id == version.id else version


def attempts_of(session: Session, rows: Sequence[EditRow]) -> dict[int, list[Attempt]]:
    """The attempts of each edit's step, by the edit's number."""
    jobs = {row.edit.job_id: row.edit.id for row in rows if row.edit.job_id is not None}
    found: dict[int, list[Attempt]] = {}
    query = select(Attempt).where(Attempt.job_id.in_(jobs)).order_by(Attempt.id)
    for attempt in session.scalars(query):
        found.setdefault(jobs[attempt.job_id], []).append(attempt)
    return found


def _newest(session: Session, articles: Sequence[Article]) -> list[EditRow]:
    mine = Edit.articulo_id.in_([each.id for each in articles])
    query = select(Edit).ext(distinct_on(Edit.articulo_id)).order_by(Edit.articulo_id)
    newest = query.where(mine, Edit.is_preview.is_(False)).order_by(Edit.id.desc())
    found = session.scalars(newest).all()
    return edit_rows(session, found)


def _known(ids: Iterable[int | None]) -> list[int]:
    return [each for each in ids if each is not None]
