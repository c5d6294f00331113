"""Taking requests for pictures: each is one publication, however often it is sent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.db.texts import is_storable
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.publishing import fields, post_types, sites
from darkroom.publishing.fields import Target
from darkroom.publishing.models import Publication, PublicationPicture
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.settings import Settings
from darkroom.web.idempotency import Keep

PIPELINE, BEGIN = "publishing", "publishing.begin"
MOST_PICTURES = 10
LONGEST_PROMPT, LONGEST_NAME = 32_000, 200
LONGEST_TITLE = 80
HIGHEST_INDEX = 1000
"""Of a picture that can be edited by its number: each that joins has the next one."""
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


def publish(
    session: Session, settings: Settings, user: User, wish: Wish, keep: Keep | None = None
) -> UUID:
    """Take a request, unless it was taken before; answers its publication, whose run is kept.

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
    return _begun_once(session, publication, targets, 1, keep)


def edit(
    session: Session,
    source: PublicationPicture,
    prompt: str,
    *,
    joins: bool,
    keep: Keep | None = None,
) -> UUID:
    """Have a picture edited; the new one replaces it in its field, or joins it in its gallery.

    It has the number of the one that it replaces, or else the next one of its post and run_id.

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
    index = _next_index(session, before) if joins else source.index
    target = Target(source.field, source.in_gallery)
    return _begun_once(session, publication, [target], index, keep)


def retry(session: Session, publications: Sequence[Publication], keep: Keep | None = None) -> UUID:
    """Go on where the failed ones of the publications failed, each in a new run.

    Answers the first of the runs, which is kept.

    Raises
    ------
    Conflict
        When none of them has failed, or what failed still goes on.
    """
    failed = [each.id for each in publications if _failed(session, each)]
    if not failed:
        raise Conflict("Nothing of this has failed: there is nothing to try again.")
    # Those that go on are not held: their steps hold them together, in an order of their own.
    goes_on = exists().where(Run.id == Publication.run_id, Run.finished_at.is_(None))
    query = select(Publication).where(Publication.id.in_(failed), ~goes_on)
    in_order = query.order_by(Publication.id).with_for_update()
    held = session.scalars(in_order.execution_options(populate_existing=True)).all()
    tried = [publication for publication in held if _is_retried(session, publication)]
    if not tried:
        raise Conflict("What failed still goes on. Try again in a moment.")
    _keep(session, tried[0], keep)
    assert tried[0].run_id is not None
    return tried[0].run_id


def together(session: Session, publication: Publication) -> Sequence[Publication]:
    """All that its owner asked for of the same post under the same run_id, oldest first."""
    names = ("owner_id", "wp_post_id", "client_run_id", "endpoint")
    query = select(Publication).filter_by(**{name: getattr(publication, name) for name in names})
    same_site = Publication.site_id.is_not_distinct_from(publication.site_id)
    in_order = query.where(same_site).order_by(Publication.created_at, Publication.id)
    return session.scalars(in_order).all()


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
    if not isinstance(given, str) or not given.strip() or not is_storable(given):
        raise Invalid("prompt must say what is to be seen.", "prompt")
    if len(given) > LONGEST_PROMPT:
        raise Invalid(f"prompt must have at most {LONGEST_PROMPT} characters.", "prompt")
    return given.strip()


def _begun_once(
    session: Session,
    new: Publication,
    targets: Sequence[Target],
    first_index: int,
    keep: Keep | None,
) -> UUID:
    values = {
        column.key: getattr(new, column.key)
        for column in Publication.__mapper__.column_attrs
        if column.key not in {"id", "run_id", "post_url", "created_at"}
    }
    written = insert(Publication).values(**values).on_conflict_do_nothing()
    made = session.scalars(written.returning(Publication)).one_or_none()
    if made is None:
        known = session.scalars(select(Publication).filter_by(**values)).one()
        _keep(session, known, keep)
        return known.id
    session.add_all(
        PublicationPicture(
            publication_id=made.id, index=at, field=target.field, in_gallery=target.in_gallery
        )
        for at, target in enumerate(targets, first_index)
    )
    session.flush()
    _begin(session, made)
    _keep(session, made, keep)
    return made.id


def _next_index(session: Session, publication: Publication) -> int:
    """A number that no picture of the post and run_id has; nobody else is given it meanwhile."""
    session.refresh(together(session, publication)[0], with_for_update=True)
    ids = [each.id for each in together(session, publication)]
    highest = select(func.max(PublicationPicture.index))
    of_them = highest.where(PublicationPicture.publication_id.in_(ids))
    return (session.scalar(of_them) or 0) + 1


def _keep(session: Session, publication: Publication, keep: Keep | None) -> None:
    if keep is not None and publication.run_id is not None:
        keep(session, publication.run_id)


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
    run = _held_run(session, publication)
    failed = _failed(session, publication)
    if not failed or (run is not None and not run.is_over):
        return False
    if run is not None and run.open_steps:
        # One of them may be buying what the next run would buy.
        raise Conflict("Some steps of the run are still stopping. Try again in a moment.")
    for each in failed:
        each.wp_status, each.error = "pending", None
    session.flush()
    _begin(session, publication)
    return True


def _failed(session: Session, publication: Publication) -> list[PublicationPicture]:
    return [each for each in pictures_of(session, publication.id) if each.wp_status == "failed"]


def _held_run(session: Session, publication: Publication) -> Run | None:
    """Its run, which nobody ends or retries meanwhile."""
    query = select(Run).where(Run.id == publication.run_id).with_for_update(key_share=True)
    return session.scalar(query.execution_options(populate_existing=True))
