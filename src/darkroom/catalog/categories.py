"""Categories of articles, and the templates of the prompts that their pictures are edited with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.catalog import articles, orders, prompts, queueing
from darkroom.catalog.models import Article, CatalogSettings, Category
from darkroom.catalog.queueing import Keep
from darkroom.errors import Conflict, Invalid, NotFound

LONGEST_NAME = 100


@dataclass(frozen=True)
class Listed:
    """A category and how many articles it has."""

    category: Category
    articles: int


def find(session: Session) -> Sequence[Category]:
    """All categories by their names."""
    return session.scalars(select(Category).order_by(Category.nombre)).all()


def listed(session: Session) -> list[Listed]:
    """All categories by their names, with the number of their articles."""
    counted = select(Article.categoria_id, func.count()).group_by(Article.categoria_id)
    counts = {category: count for category, count in session.execute(counted)}
    return [Listed(each, counts.get(each.id, 0)) for each in find(session)]


def get(session: Session, category_id: int) -> Category:
    """The category; `NotFound` when there is none."""
    found = session.get(Category, category_id)
    if found is None:
        raise NotFound("There is no such category.")
    return found


def create(session: Session, given: Mapping[str, Any]) -> Category:
    """A new category of `nombre` and `prompt_template` (none: the general one)."""
    fields = checked(given)
    if "nombre" not in fields:
        raise Invalid("A category needs a name (nombre).", "nombre", code="missing")
    made = Category(**fields)
    _written(session, made)
    return made


def change(session: Session, category_id: int, given: Mapping[str, Any]) -> Category:
    """The category with these fields changed; those that are not given stay."""
    found = get(session, category_id)
    for name, value in checked(given).items():
        setattr(found, name, value)
    found.updated_at = func.now()
    _written(session, found)
    return found


def delete(session: Session, category_id: int) -> None:
    """Delete a category; `Conflict` while articles are in it."""
    found = get(session, category_id)
    try:
        with session.begin_nested():
            session.delete(found)
    except IntegrityError:
        message = "Articles are in this category. Put them into another one first."
        raise Conflict(message) from None


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are given, each as its column wants it; `Invalid` names the wrong one."""
    found: dict[str, Any] = {}
    if "nombre" in given:
        found["nombre"] = checked_name(given["nombre"])
    if "prompt_template" in given:
        found["prompt_template"] = _template(given["prompt_template"])
    return found


def checked_name(given: object, field: str = "nombre") -> str:
    """The name of a category; `Invalid` when it is none."""
    if not isinstance(given, str) or "\0" in given or not given.strip():
        raise Invalid(f"{field} must be a text that is not empty.", field)
    if len(given.strip()) > LONGEST_NAME:
        raise Invalid(f"{field} may have at most {LONGEST_NAME} characters.", field)
    return given.strip()


def general(session: Session) -> str:
    """The template of articles whose category has none of its own."""
    return orders.general_template(session)


def set_general(session: Session, given: object, actor: Actor) -> str:
    """Give those articles another template; nothing brings back the one that was there first."""
    row = session.scalars(select(CatalogSettings).with_for_update()).one()
    row.prompt_template = _template(given)
    audit.write(session, actor=actor, action="catalog.template")
    session.flush()
    return general(session)


def preview(session: Session, article_id: int, template: str | None) -> str:
    """The prompt of an article with a template; with None, with the one it would be edited with."""
    article = articles.get(session, article_id)
    return orders.prompt_of(
        session, article, None if template is None else prompts.checked(template)
    )


def try_out(
    session: Session, article_id: int, template: str | None, owner_id: int, keep: Keep | None = None
) -> UUID:
    """Have one picture made by a template, to look at: it never becomes the article's.

    Raises
    ------
    NotFound, Invalid, Conflict
        When there is no such article, the template is none, or the article has no picture.
    """
    article = articles.get(session, article_id)
    if article.imagen_version_id is None:
        raise Conflict("The article has no picture that could be edited.", "articulo_id")
    chosen = prompts.checked(template) if template else orders.template_of(session, article)
    return queueing.try_out(session, article, chosen, owner_id, keep)


def _template(given: object) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str) or "\0" in given:
        raise Invalid("prompt_template must be text.", "prompt_template")
    return prompts.checked(given)


def _written(session: Session, category: Category) -> None:
    try:
        with session.begin_nested():
            session.add(category)
            session.flush()
    except IntegrityError:
        raise Conflict("There is a category of that name already.", "nombre") from None
    session.refresh(category)
