"""Activities: posts of a configured type, written once, then filled with their fields."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.db.texts import is_storable
from darkroom.errors import Invalid, NotFound
from darkroom.providers import acf
from darkroom.providers.calls import calling_provider
from darkroom.publishing import post_types, sites
from darkroom.publishing.fields import PostType
from darkroom.publishing.models import Activity
from darkroom.publishing.requesting import PIPELINE
from darkroom.publishing.sites import Site
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.task import Task
from darkroom.settings import Settings
from darkroom.web.idempotency import Keep

Json = dict[str, Any]

WRITE = "publishing.write"
LONGEST_STEM = 60


@dataclass(frozen=True)
class Draft:
    """A post as it is to be written; without an id it is not there yet."""

    activity_id: UUID
    site: Site
    endpoint: str
    slug: str
    title: str
    status: str
    fields: Mapping[str, Any]
    wp_post_id: int | None


@dataclass(frozen=True)
class Wish:
    """A post that is asked for, with the fields that the request gave."""

    client_run_id: str
    site: str | None
    endpoint: str | None
    fields: Mapping[str, Any]


def create(session: Session, settings: Settings, user: User, wish: Wish, keep: Keep) -> UUID:
    """Take a request for a post; answers its run.

    Raises
    ------
    Invalid, NotFound
        When it has no title, or the site is not known.
    """
    site = sites.named(session, wish.site)
    usual = settings.publishing.endpoint if site is None else site.endpoint
    endpoint = wish.endpoint or usual
    type = post_types.of(session, site.id if site else None, endpoint)
    title = _title(type, wish.fields)
    _check_storable(wish.fields)
    activity = Activity(
        id=uuid4(),
        owner_id=user.id,
        client_run_id=wish.client_run_id,
        site_id=site.id if site else None,
        endpoint=endpoint,
        fields=dict(wish.fields),
    )
    params = {"activity_id": str(activity.id), "run_id": wish.client_run_id}
    run = runs.create(session, pipeline=PIPELINE, title=title, owner_id=user.id, params=params)
    activity.run_id = run.id
    session.add(activity)
    session.flush()
    runs.begin(session, run, Call(WRITE, "io", {"activity_id": str(activity.id)}, share=0.5))
    keep(session, run.id)
    return run.id


def of(session: Session, owner_id: int | None, activity_id: UUID) -> Activity:
    """An activity (owner None: anybody's); `NotFound` for any other."""
    found = session.get(Activity, activity_id)
    if found is None or owner_id not in (None, found.owner_id):
        raise NotFound("There is no such post.")
    return found


def latest(session: Session, owner_id: int, limit: int) -> Sequence[Activity]:
    """Somebody's newest activities."""
    query = select(Activity).where(Activity.owner_id == owner_id)
    newest = query.order_by(Activity.created_at.desc(), Activity.id.desc()).limit(limit)
    return session.scalars(newest).all()


def title(session: Session, found: Activity) -> str:
    """What an activity is about, as its type has it; its run_id where that has changed since."""
    type = post_types.of(session, found.site_id, found.endpoint)
    return str(found.fields.get(type.title_from) or found.client_run_id)


def load(database: Database, settings: Settings, activity_id: UUID) -> Draft:
    """The post that a step is to write."""
    with database.session() as session:
        found = session.get_one(Activity, activity_id)
        type = post_types.of(session, found.site_id, found.endpoint)
        title = _title(type, found.fields)
        return Draft(
            found.id,
            sites.opened(session, settings, found.site_id),
            found.endpoint,
            _slug(title, found.id),
            title,
            type.status,
            _custom(type, found.fields),
            found.wp_post_id,
        )


def write(task: Task, draft: Draft) -> tuple[int, str]:
    """Have the post on the site once; answers its id and address.

    It is looked up by its slug first: what an earlier try has left there is taken.
    """
    site = task.resource(sites.doors).of(draft.site)
    path = f"/wp-json/wp/v2/{draft.endpoint}"
    with calling_provider(task, draft.site.provider, "posts"):
        asked = {"slug": draft.slug, "status": "any", "context": "edit"}
        there = site.call("GET", path, params=asked)
        found = there.json()
        if isinstance(found, list) and found:
            post, answer = found[0], there
        else:
            new = {"title": draft.title, "slug": draft.slug, "status": draft.status}
            answer = site.call("POST", path, json=new)
            post = answer.json()
        try:
            return int(post["id"]), str(post.get("link") or "")
        except (KeyError, TypeError, ValueError, AttributeError):
            raise answer.unreadable() from None


def fill(task: Task, draft: Draft) -> str:
    """Write the post's custom fields and read them back; answers its address."""
    assert draft.wp_post_id is not None
    site = task.resource(sites.doors).of(draft.site)
    with calling_provider(task, draft.site.provider, "fields"):
        return acf.write(site, draft.endpoint, draft.wp_post_id, draft.fields)


def written(session: Session, activity_id: UUID, post_id: int, url: str) -> None:
    """Keep which post it is."""
    found = session.get_one(Activity, activity_id)
    found.wp_post_id, found.post_url = post_id, url
    session.flush()


def _check_storable(fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if not is_storable(name):
            raise Invalid("This holds a character that cannot be stored.", "fields")
        for found in _leaves(value):
            if isinstance(found, str) and not is_storable(found):
                raise Invalid("This holds a character that cannot be stored.", name)
            if isinstance(found, float) and not isfinite(found):
                raise Invalid(f"{name} must be a number.", name)


def _leaves(value: Any) -> Iterator[Any]:
    """What is in a JSON value, the names in objects included."""
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, dict):
            left += [*found, *found.values()]
        elif isinstance(found, list):
            left += found
        else:
            yield found


def _title(type: PostType, given: Mapping[str, Any]) -> str:
    title = given.get(type.title_from)
    if not isinstance(title, str) or not title.strip():
        raise Invalid(f"{type.title_from} must say what the post is about.", type.title_from)
    return title.strip()


def _custom(type: PostType, given: Mapping[str, Any]) -> Json:
    return {type.texts.get(name, name): value for name, value in given.items()}


def _slug(title: str, activity_id: UUID) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_STEM] or "post"
    return f"{stem}-{activity_id.hex[:12]}"
