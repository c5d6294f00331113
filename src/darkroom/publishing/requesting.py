"""Taking requests for pictures: each is one publication, however often it is sent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.publishing import fields, post_types, sites
from darkroom.publishing.fields import Target
from darkroom.publishing.models import Publication, PublicationPicture
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.settings import Settings

PIPELINE, BEGIN = "publishing", "publishing.begin"
MOST_PICTURES = 10
LONGEST_PROMPT, LONGEST_NAME = 32_000, 200
LONGEST_TITLE = 80
_TIME = re.compile(r"T\d\d:\d\d(:\d\d(\.\d+)?)?Z?$")


@dataclass(frozen=True)
class Wish:
    """What is asked for: n pictures of a prompt, for a post.

    Without an endpoint it is the site's usual type of post, without a field the type's first.
    """

    prompt: str
    wp_post_id: int
    client_run_id: str
    n: int = 1
    site: str | None = None
    endpoint: str | None = None
    field: str | None = None


def new_run_id() -> str:
    """What a caller that gives no "run_id" of its own gets."""
    return f"darkroom-{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}-{token_hex(3)}"


def publish(session: Session, settings: Settings, user: User, wish: Wish) -> UUID:
    """Take a request, unless it was taken before; answers its publication.

    Raises
    ------
    Invalid, NotFound
        When the site is not known, or its posts have no fields for so many pictures.
    """
    site = sites.named(session, wish.site)
    usual = settings.publishing.endpoint if site is None else site.endpoint
    endpoint = wish.endpoint or usual
    type = post_types.of(session, site.id if site else None, endpoint)
    targets = fields.targets(type, wish.field, wish.n)
    publication = Publication(
        owner_id=user.id,
        client_run_id=wish.client_run_id,
        site_id=site.id if site else None,
        wp_post_id=wish.wp_post_id,
        endpoint=endpoint,
        field=targets[0].field,
        prompt=wish.prompt,
        n=wish.n,
        joins=False,
    )
    return _begun_once(session, publication, targets)


def edit(session: Session, source: PublicationPicture, prompt: str, *, joins: bool) -> UUID:
    """Have a picture edited; the new one replaces it in its field, or joins it in its gallery.

    Raises
    ------
    Conflict
        When its field holds a single picture, and the new one is to join it.
    """
    if joins and not source.in_gallery:
        raise Conflict(
            f"The field {source.field!r} holds one picture: nothing can join it.", "mode"
        )
    before = session.get_one(Publication, source.publication_id)
    publication = Publication(
        owner_id=before.owner_id,
        client_run_id=before.client_run_id,
        site_id=before.site_id,
        wp_post_id=before.wp_post_id,
        endpoint=before.endpoint,
        field=source.field,
        prompt=prompt,
        n=1,
        source_id=source.id,
        joins=joins,
    )
    return _begun_once(session, publication, [Target(source.field, source.in_gallery)])


def retry(session: Session, publications: Sequence[Publication]) -> None:
    """Go on where the failed ones of the publications failed, each in a new run.

    Raises
    ------
    Conflict
        When none of them has failed.
    """
    ids = sorted(publication.id for publication in publications)
    query = select(Publication).where(Publication.id.in_(ids)).order_by(Publication.id)
    held = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    tried = [publication for publication in held if _is_retried(session, publication)]
    if not tried:
        raise Conflict("Nothing of this has failed: there is nothing to try again.")


def of_post(
    session: Session, owner_id: int | None, wp_post_id: int, client_run_id: str
) -> Sequence[Publication]:
    """What was asked for of a post under a run_id, oldest first (owner None: anybody's).

    Raises
    ------
    NotFound
        When there is nothing.
    """
    query = select(Publication).where(
        Publication.wp_post_id == wp_post_id, Publication.client_run_id == client_run_id
    )
    if owner_id is not None:
        query = query.where(Publication.owner_id == owner_id)
    found = session.scalars(query.order_by(Publication.created_at, Publication.id)).all()
    if not found:
        raise NotFound(f"Nothing was published for post {wp_post_id} under that run_id.", "run_id")
    return found


def pictures_of(session: Session, publication_id: UUID) -> Sequence[PublicationPicture]:
    """The pictures of a publication, in order."""
    query = select(PublicationPicture).where(PublicationPicture.publication_id == publication_id)
    return session.scalars(query.order_by(PublicationPicture.index)).all()


def picture(
    session: Session, publications: Sequence[Publication], index: int
) -> PublicationPicture:
    """The newest picture of that index which is there to be edited; `NotFound` without any."""
    for publication in reversed(publications):
        for each in pictures_of(session, publication.id):
            if each.index == index and each.asset_id is not None:
                return each
    raise NotFound(f"There is no picture {index} yet.", "index")


def file_stem(client_run_id: str) -> str:
    """A run_id as the beginning of files' names: without its time of day."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", _TIME.sub("", client_run_id)).strip("-.")
    return plain[:LONGEST_TITLE] or "picture"


def checked_prompt(given: object) -> str:
    """The prompt, or `Invalid`."""
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise Invalid("prompt must say what is to be seen.", "prompt")
    if len(given) > LONGEST_PROMPT:
        raise Invalid(f"prompt must have at most {LONGEST_PROMPT} characters.", "prompt")
    return given.strip()


def _begun_once(session: Session, new: Publication, targets: Sequence[Target]) -> UUID:
    values = {
        column.key: getattr(new, column.key)
        for column in Publication.__mapper__.column_attrs
        if column.key not in {"id", "run_id", "post_url", "created_at"}
    }
    written = insert(Publication).values(**values).on_conflict_do_nothing()
    made = session.scalars(written.returning(Publication)).one_or_none()
    if made is None:
        return session.scalars(select(Publication.id).filter_by(**values)).one()
    session.add_all(
        PublicationPicture(
            publication_id=made.id, index=at, field=target.field, in_gallery=target.in_gallery
        )
        for at, target in enumerate(targets, 1)
    )
    session.flush()
    _begin(session, made)
    return made.id


def _begin(session: Session, publication: Publication) -> None:
    run: Run = runs.create(
        session,
        pipeline=PIPELINE,
        title=publication.prompt[:LONGEST_TITLE],
        owner_id=publication.owner_id,
        params={
            "publication_id": str(publication.id),
            "wp_post_id": publication.wp_post_id,
            "run_id": publication.client_run_id,
        },
    )
    publication.run_id = run.id
    session.flush()
    args = {"publication_id": str(publication.id)}
    runs.begin(session, run, Call(BEGIN, "io", args, share=0.02))


def _is_retried(session: Session, publication: Publication) -> bool:
    """Whether it had failed; then it is on its way again."""
    run = runs.get(session, publication.run_id) if publication.run_id else None
    failed = [each for each in pictures_of(session, publication.id) if each.wp_status == "failed"]
    if not failed or (run is not None and not run.is_over):
        return False
    for each in failed:
        each.wp_status, each.error = "pending", None
    session.flush()
    _begin(session, publication)
    return True
