"""Writing pictures into the fields of their post, and reading back what the fields then hold."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from darkroom.db.statements import raw, statement
from darkroom.errors import Invalid, NotNow, Permanent
from darkroom.providers import acf
from darkroom.providers.calls import calling_provider
from darkroom.providers.wordpress import WordPress
from darkroom.publishing import fields, sites
from darkroom.publishing.orders import Delivery, Parcel
from darkroom.queue.settle import now
from darkroom.queue.task import Task

AGAIN = timedelta(seconds=2)
LONGEST_HOLD = "10min"


@dataclass(frozen=True)
class Attached:
    """The pictures that their fields hold, the post's address, and what went wrong with others."""

    ids: Sequence[UUID]
    post_url: str
    errors: Sequence[str]


def insist_on_turn(task: Task, publication_id: UUID) -> None:
    """Let earlier pictures of the same fields go first, so that the last one asked for stays.

    Raises
    ------
    NotNow
        While one of them is still on its way.
    """
    asked = {"publication_id": publication_id}
    with task.database.session() as session:
        is_preceded = session.execute(statement("publishing/is_preceded"), asked).scalar_one()
    if is_preceded:
        raise _later(task, "an earlier picture of the same field goes first")


@contextmanager
def alone(task: Task, delivery: Delivery) -> Iterator[None]:
    """Let nobody else write into the post meanwhile: a gallery is read, then written with more.

    Held on a connection of its own, as long as that lives: calls take too long for the pool's. It
    does not outlive a worker that is frozen or cut off for long.

    Raises
    ------
    NotNow
        While somebody else writes.
    """
    place = f"darkroom post {delivery.site.id} {delivery.endpoint} {delivery.wp_post_id}"
    with task.database.connect() as connection:
        connection.execute(f"SET idle_session_timeout = '{LONGEST_HOLD}'")
        asked = connection.execute(raw("publishing/hold_post"), {"place": place})
        if asked.fetchone() != (True,):
            raise _later(task, "another picture of the same post goes first")
        yield


def attach(task: Task, delivery: Delivery) -> Attached:
    """Write each field that does not hold its pictures yet, and compare what it holds then.

    A place that a later picture has taken is left to it. Do it `alone`.
    """
    asked = {"publication_id": delivery.publication_id}
    with task.database.session() as session:
        superseded = set(session.scalars(statement("publishing/superseded_pictures"), asked))
    site = task.resource(sites.doors).of(delivery.site)
    ids: list[UUID] = []
    errors: list[str] = []
    with calling_provider(task, delivery.site.provider, "fields"):
        held = site.post(delivery.endpoint, delivery.wp_post_id, acf.READ)
        for name, parcels in _by_field(delivery).items():
            wanted = [parcel for parcel in parcels if parcel.picture_id not in superseded]
            value_there = _fields_of(held).get(name)
            error = _written(site, delivery, wanted, value_there) if wanted else None
            if error is None:
                ids.extend(parcel.picture_id for parcel in parcels)
            else:
                errors.append(error)
    return Attached(ids, str(held.get("link") or ""), errors)


def _later(task: Task, said: str) -> NotNow:
    return NotNow(said, now(task.database) + AGAIN, kind="order")


def _written(
    site: WordPress, delivery: Delivery, parcels: Sequence[Parcel], held: Any
) -> str | None:
    """Write one field; answers why the site does not hold it, if it does not."""
    value = {parcels[0].field: _value(delivery, parcels, held)}
    try:
        acf.write(site, delivery.endpoint, delivery.wp_post_id, value)
    except (Permanent, Invalid) as error:
        return error.message
    return None


def _by_field(delivery: Delivery) -> dict[str, list[Parcel]]:
    found: dict[str, list[Parcel]] = {}
    for parcel in delivery.parcels:
        if parcel.media_id is not None and not parcel.is_completed:
            found.setdefault(parcel.field, []).append(parcel)
    return found


def _value(delivery: Delivery, parcels: Sequence[Parcel], held: Any) -> int | list[int]:
    ids = [parcel.media_id for parcel in parcels if parcel.media_id is not None]
    if not parcels[0].in_gallery:
        return ids[0]
    return fields.edited_gallery(held, ids, None if delivery.joins else delivery.replaced)


def _fields_of(post: dict[str, Any]) -> dict[str, Any]:
    held = post.get("acf")
    # PHP has an empty list for no fields.
    return held if isinstance(held, dict) else {}
