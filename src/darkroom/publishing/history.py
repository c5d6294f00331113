"""What was published before, found again: requests for pictures, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from darkroom.errors import Invalid, NotFound
from darkroom.publishing import requesting, sites
from darkroom.publishing.models import Publication, PublicationPicture
from darkroom.publishing.status import MOVING

STATES = ("processing", "completed", "failed")
MOST_DIGITS = 18
"""A post's number has no more: it is a bigint."""


@dataclass(frozen=True)
class Filter:
    """Which requests are meant.

    Parameters
    ----------
    text
        A part of the prompt or of the run_id, or the number of the post.
    state
        One of `STATES`.
    site_id
        0 for the settings' own site.
    """

    text: str = ""
    state: str | None = None
    site_id: int | None = None


@dataclass(frozen=True)
class Post:
    """The post that pictures were asked for, as who asks names it: without a site, any."""

    wp_post_id: int
    client_run_id: str
    site: str | None = None
    endpoint: str | None = None


def checked_state(given: str | None) -> str | None:
    """A state, or none; `Invalid` for any other word."""
    if given and given not in STATES:
        raise Invalid("There is no such state.", "state")
    return given or None


def page(
    session: Session,
    owner_id: int | None,
    wanted: Filter,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> Sequence[Publication]:
    """Requests (owner None: everybody's); `before` is the (created_at, id) of the last one seen."""
    query = _fitting(select(Publication), wanted)
    if owner_id is not None:
        query = query.where(Publication.owner_id == owner_id)
    if before is not None:
        query = query.where(tuple_(Publication.created_at, Publication.id) < tuple_(*before))
    newest = query.order_by(Publication.created_at.desc(), Publication.id.desc())
    return session.scalars(newest.limit(limit)).all()


def together(session: Session, owner_id: int | None, publication_id: UUID) -> Sequence[Publication]:
    """A request with all others for its post under its run_id, oldest first.

    Raises
    ------
    NotFound
        When there is none, or it is another owner's (None: anybody's will do).
    """
    return requesting.together(session, _own(session, owner_id, publication_id))


def of_post(session: Session, owner_id: int | None, wanted: Post) -> Sequence[Publication]:
    """What was asked for of a post under a run_id, oldest first (owner None: anybody's).

    Where that fits several owners, sites or types of post, it is those of the newest request.

    Raises
    ------
    NotFound
        When there is nothing, or no such site.
    """
    query = select(Publication).filter_by(
        wp_post_id=wanted.wp_post_id, client_run_id=wanted.client_run_id
    )
    if owner_id is not None:
        query = query.where(Publication.owner_id == owner_id)
    if wanted.site is not None:
        site = sites.named(session, wanted.site)
        query = query.where(Publication.site_id.is_not_distinct_from(site.id if site else None))
    if wanted.endpoint is not None:
        query = query.where(Publication.endpoint == wanted.endpoint)
    newest = query.order_by(Publication.created_at.desc(), Publication.id.desc())
    found = session.scalar(newest.limit(1))
    if found is None:
        said = f"Nothing was published for post {wanted.wp_post_id} under that run_id."
        raise NotFound(said, "run_id")
    return requesting.together(session, found)


def picture(session: Session, owner_id: int | None, picture_id: UUID) -> PublicationPicture:
    """A picture that was made; `NotFound` for any other, and for another owner's."""
    found = session.get(PublicationPicture, picture_id)
    if found is None or found.asset_id is None:
        raise NotFound("There is no such picture.")
    _own(session, owner_id, found.publication_id)
    return found


def _own(session: Session, owner_id: int | None, publication_id: UUID) -> Publication:
    found = session.get(Publication, publication_id)
    if found is None or owner_id not in (None, found.owner_id):
        raise NotFound("Nothing was published under this address.")
    return found


def _fitting(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.text:
        query = query.where(_says(wanted.text))
    if wanted.state:
        query = query.where(_stands(wanted.state))
    if wanted.site_id is not None:
        query = query.where(Publication.site_id.is_not_distinct_from(wanted.site_id or None))
    return query


def _says(text: str) -> ColumnElement[bool]:
    said = [
        column.icontains(text, autoescape=True)
        for column in (Publication.prompt, Publication.client_run_id)
    ]
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return or_(*said, Publication.wp_post_id == int(text)) if is_number else or_(*said)


def _stands(state: str) -> ColumnElement[bool]:
    """The same as `status.state_of`, asked of the database."""
    moves, fails = _has(*MOVING), _has("failed")
    if state == "processing":
        return moves
    return and_(~moves, fails if state == "failed" else ~fails)


def _has(*statuses: str) -> ColumnElement[bool]:
    of_it = select(PublicationPicture.id).where(
        PublicationPicture.publication_id == Publication.id,
        PublicationPicture.wp_status.in_(statuses),
    )
    return of_it.exists()
