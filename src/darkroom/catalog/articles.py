"""Articles: reading, writing, and the pictures they have."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.catalog.models import Article, Category, Edit, Version
from darkroom.catalog.selection import ArticleFilter
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.queue.calls import Call, enqueue

LONGEST = {"nombre": 255, "descripcion": 10_000, "unidad": 50}
MOST = 10_000
NO_ARTICLE = "There is no such article."


def page(
    session: Session, wanted: ArticleFilter, after: int = 0, limit: int = MOST
) -> Sequence[Article]:
    """Articles that fit, in the order of their numbers, from the one behind `after` on."""
    query = select(Article).where(Article.id > after, *wanted.conditions)
    return session.scalars(query.order_by(Article.id).limit(limit)).all()


def count(session: Session, wanted: ArticleFilter) -> int:
    """How many articles fit."""
    query = select(func.count()).select_from(Article).where(*wanted.conditions)
    return session.scalar(query) or 0


def get(session: Session, article_id: int) -> Article:
    """The article; `NotFound` when there is none."""
    found = session.get(Article, article_id)
    if found is None:
        raise NotFound(NO_ARTICLE)
    return found


def create(session: Session, given: Mapping[str, Any]) -> Article:
    """A new article of these fields; `Invalid` names the one that is wrong."""
    fields = checked(session, given)
    if "nombre" not in fields:
        raise Invalid("An article needs a name (nombre).", "nombre", code="missing")
    made = Article(**fields)
    session.add(made)
    session.flush()
    session.refresh(made)
    return made


def change(session: Session, article_id: int, given: Mapping[str, Any]) -> Article:
    """The article with these fields changed; those that are not given stay."""
    found = get(session, article_id)
    for name, value in checked(session, given).items():
        setattr(found, name, value)
    found.updated_at = func.now()
    session.flush()
    session.refresh(found)
    return found


def delete(session: Session, article_id: int) -> None:
    """Delete an article with its versions and edits; `Conflict` while it is being edited.

    What Cloudinary has of it is removed by a step.
    """
    found = get(session, article_id)
    refuse_queued(session, article_id)
    of_it = (Version.articulo_id == article_id) & Version.public_id.is_not(None)
    hosted = session.scalars(select(Version.public_id).where(of_it)).all()
    if hosted:
        args = {"public_ids": list(hosted)}
        enqueue(session, [Call("catalog.forget", "io", args, label=found.nombre)], run_id=None)
    session.delete(found)
    session.flush()


def refuse_queued(session: Session, article_id: int) -> None:
    """`Conflict` while an edit of the article waits or goes on."""
    is_open = Edit.estado.in_(("pending", "processing")) & Edit.is_preview.is_(False)
    if session.scalar(select(Edit.id).where(Edit.articulo_id == article_id, is_open)):
        raise Conflict("The article is in the queue. Cancel its edit first.")


def versions(session: Session, article_id: int) -> Sequence[Version]:
    """The pictures of an article, newest first."""
    query = select(Version).where(Version.articulo_id == article_id).order_by(Version.id.desc())
    return session.scalars(query).all()


def checked(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are given, each as its column wants it; `Invalid` names the wrong one."""
    found = checked_words(given)
    if "categoria_id" in given:
        found["categoria_id"] = _category(session, given["categoria_id"])
    return found


def checked_words(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the fields that can be checked by themselves: all but the category."""
    found: dict[str, Any] = {name: _text(name, given[name]) for name in LONGEST if name in given}
    if found.get("nombre") == "":
        raise Invalid("The name (nombre) must not be empty.", "nombre")
    if "activo" in given:
        if not isinstance(given["activo"], bool):
            raise Invalid("activo must be true or false.", "activo")
        found["activo"] = given["activo"]
    return found


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Invalid(f"{name} must be text.", name)
    clean = value.strip()
    if len(clean) > LONGEST[name]:
        raise Invalid(f"{name} has {len(clean)} characters; at most {LONGEST[name]}.", name)
    return clean


def _category(session: Session, value: Any) -> int | None:
    if value is None:
        return None
    known = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    if not known or session.get(Category, value) is None:
        raise Invalid(f"There is no category {value!r}.", "categoria_id")
    return int(value)
