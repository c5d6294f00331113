"""Writing pictures into the fields of their post, and reading back what the fields then hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from darkroom.db.statements import statement
from darkroom.errors import Invalid, NotNow, Permanent
from darkroom.providers import acf
from darkroom.providers.calls import calling_provider
from darkroom.providers.wordpress import WordPress
from darkroom.publishing import fields, sites
from darkroom.publishing.orders import Delivery, Parcel
from darkroom.queue.settle import now
from darkroom.queue.task import Task

AGAIN = timedelta(seconds=2)


@dataclass(frozen=True)
class Attached:
    """The pictures that their fields hold, the post's address, and what went wrong with others."""

    ids: Sequence[UUID]
    post_url: str
    errors: Sequence[str]


def insist_on_turn(task: Task, delivery: Delivery) -> None:
    """Let earlier pictures of the same fields go first, so that the last one asked for stays.

    Raises
    ------
    NotNow
        While one of them is still on its way.
    """
    asked = {"publication_id": delivery.publication_id}
    with task.database.session() as session:
        is_preceded = session.execute(statement("publishing/is_preceded"), asked).scalar_one()
    if is_preceded:
        said = "an earlier picture of the same field goes first"
        raise NotNow(said, now(task.database) + AGAIN)


def attach(task: Task, delivery: Delivery) -> Attached:
    """Write each field that does not hold its pictures yet, and compare what it holds then.

    A field that a later picture has taken is left to it.
    """
    asked = {"publication_id": delivery.publication_id}
    with task.database.session() as session:
        taken = set(session.scalars(statement("publishing/superseded_fields"), asked))
    site = task.resource(sites.doors).of(delivery.site)
    ids: list[UUID] = []
    errors: list[str] = []
    with calling_provider(task, delivery.site.provider, "fields"):
        held = site.post(delivery.endpoint, delivery.wp_post_id, acf.READ)
        for name, parcels in _by_field(delivery).items():
            value = _value(delivery, parcels, _fields_of(held).get(name))
            error = None if name in taken else _written(site, delivery, name, value)
            if error is None:
                ids.extend(parcel.picture_id for parcel in parcels)
            else:
                errors.append(error)
    return Attached(ids, str(held.get("link") or ""), errors)


def _written(site: WordPress, delivery: Delivery, name: str, value: Any) -> str | None:
    """Write one field; answers why the site does not hold it, if it does not."""
    try:
        acf.write(site, delivery.endpoint, delivery.wp_post_id, {name: value})
    except (Permanent, Invalid) as error:
        return error.message
    return None


def _by_field(delivery: Delivery) -> dict[str, list[Parcel]]:
    found: dict[str, list[Parcel]] = {}
    for parcel in delivery.parcels:
        if parcel.media_id is not None:
            found.setdefault(parcel.field, []).append(parcel)
    return {name: parcels for name, parcels in found.items() if not _is_done(parcels)}


def _is_done(parcels: Sequence[Parcel]) -> bool:
    return all(parcel.is_completed for parcel in parcels)


def _value(delivery: Delivery, parcels: Sequence[Parcel], held: Any) -> int | list[int]:
    ids = [parcel.media_id for parcel in parcels if parcel.media_id is not None]
    if not parcels[0].in_gallery:
        return ids[0]
    if not delivery.is_edit:
        return ids
    return fields.edited_gallery(held, ids, None if delivery.joins else delivery.replaced)


def _fields_of(post: dict[str, Any]) -> dict[str, Any]:
    held = post.get("acf")
    # PHP has an empty list for no fields.
    return held if isinstance(held, dict) else {}
