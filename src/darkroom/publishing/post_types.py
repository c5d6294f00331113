"""The types of posts that are set up for a site."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.db.texts import is_storable
from darkroom.errors import Invalid, NotFound
from darkroom.publishing.fields import PostType
from darkroom.publishing.models import PostTypeRow

Json = dict[str, Any]
STATUSES = ("publish", "draft", "pending", "private")


def of(session: Session, site_id: int | None, endpoint: str) -> PostType:
    """A type of a site; one that nobody set up has the usual field."""
    row = session.scalar(_at(site_id, endpoint))
    if row is None:
        return PostType(endpoint)
    return PostType(endpoint, row.fields, row.gallery, row.title_from, row.texts, row.status)


def listing(session: Session, site_id: int | None) -> Sequence[PostType]:
    """The types that are set up for a site, by name."""
    query = select(PostTypeRow.endpoint).where(PostTypeRow.site_id.is_not_distinct_from(site_id))
    names = session.scalars(query.order_by(PostTypeRow.endpoint)).all()
    return [of(session, site_id, name) for name in names]


def put(session: Session, site_id: int | None, endpoint: str, given: Mapping[str, Any]) -> PostType:
    """Set a type up, or anew: `fields`, and if wanted `gallery`, `title_from`, `texts`, `status`.

    Raises
    ------
    Invalid
        Naming what is wrong.
    """
    values = _checked(given)
    row = session.scalar(_at(site_id, endpoint).with_for_update())
    if row is None:
        session.add(PostTypeRow(site_id=site_id, endpoint=endpoint, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()
    return of(session, site_id, endpoint)


def remove(session: Session, site_id: int | None, endpoint: str) -> None:
    """Forget how a type is set up; what was published stays."""
    row = session.scalar(_at(site_id, endpoint))
    if row is None:
        raise NotFound("This type of post is not set up.", "endpoint")
    session.delete(row)
    session.flush()


def _at(site_id: int | None, endpoint: str) -> Any:
    same_site = PostTypeRow.site_id.is_not_distinct_from(site_id)
    return select(PostTypeRow).where(same_site, PostTypeRow.endpoint == endpoint)


def _checked(given: Mapping[str, Any]) -> Json:
    fields, gallery = given.get("fields"), given.get("gallery")
    if not isinstance(fields, list) or not fields or not all(map(_is_name, fields)):
        raise Invalid("fields must list the fields that hold one picture each.", "fields")
    if gallery is not None and not _is_name(gallery):
        raise Invalid("gallery must be the name of a field, or null.", "gallery")
    texts = given.get("texts", {})
    if not isinstance(texts, dict) or not all(map(_is_name, [*texts, *texts.values()])):
        raise Invalid("texts must map fields of requests to custom fields.", "texts")
    title_from, status = given.get("title_from", "tema"), given.get("status", "publish")
    if not _is_name(title_from):
        raise Invalid("title_from must be the name of a field of requests.", "title_from")
    if status not in STATUSES:
        raise Invalid(f"status must be one of {', '.join(STATUSES)}.", "status")
    said = {"fields": fields, "gallery": gallery, "texts": texts}
    return {**said, "title_from": title_from, "status": status}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and is_storable(value)
