"""What the steps of publishing read and write."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.providers.buying import Bought
from darkroom.providers.wordpress import Media
from darkroom.publishing import requesting, sites
from darkroom.publishing.models import Publication, PublicationPicture
from darkroom.publishing.sites import Site
from darkroom.queue.task import Lease
from darkroom.settings import Settings
from darkroom.storage.assets import Asset

UUIDS = ARRAY(Uuid)


@dataclass(frozen=True)
class Order:
    """A picture to be made; of a prompt, or of another picture, too.

    `answer_key` names what is bought: another only after a bad answer.
    """

    picture_id: UUID
    publication_id: UUID
    owner_id: int
    index: int
    prompt: str
    source_asset_id: UUID | None
    answer_key: str


@dataclass(frozen=True)
class Parcel:
    """A picture on its way to the site, and what was noted of its way so far."""

    picture_id: UUID
    index: int
    field: str
    in_gallery: bool
    asset_id: UUID
    media_id: int | None
    copy_url: str | None
    is_completed: bool


@dataclass(frozen=True)
class Delivery:
    """The pictures of a publication, as far as they are made, and where they go.

    `replaced` is the id that the edited picture has in the media library.
    """

    publication_id: UUID
    prompt: str
    client_run_id: str
    wp_post_id: int
    endpoint: str
    site: Site
    joins: bool
    replaced: int | None
    parcels: Sequence[Parcel]


def order(database: Database, picture_id: UUID, run_id: UUID) -> Order | None:
    """What the run is to make; None when it is there, or another run's by now."""
    with database.session() as session:
        found = session.get_one(PublicationPicture, picture_id)
        publication = session.get_one(Publication, found.publication_id)
        if found.asset_id is not None or publication.run_id != run_id:
            return None
        source = _source(session, publication)
        return Order(
            found.id,
            publication.id,
            publication.owner_id,
            found.index,
            publication.prompt,
            source.asset_id if source else None,
            f"publish-{found.id}-{found.rejected}",
        )


def delivery(
    database: Database, settings: Settings, publication_id: UUID, run_id: UUID
) -> Delivery | None:
    """A publication's way to its post; None when another run brings it there by now.

    Raises
    ------
    NotFound, Permanent
        When its site was removed, or cannot be entered any more.
    """
    with database.session() as session:
        publication = session.get_one(Publication, publication_id)
        if publication.run_id != run_id:
            return None
        source = _source(session, publication)
        return Delivery(
            publication.id,
            publication.prompt,
            publication.client_run_id,
            publication.wp_post_id,
            publication.endpoint,
            sites.opened(session, settings, publication.site_id),
            publication.joins,
            source.media_id if source else None,
            _parcels(session, publication_id),
        )


def is_led_by(session: Session, publication_id: UUID, run_id: UUID | None) -> bool:
    """Whether a publication is still this run's; it stays so until the transaction ends."""
    found = session.get_one(Publication, publication_id, with_for_update={"read": True})
    return found.run_id == run_id


def open_pictures(session: Session, publication_id: UUID) -> list[PublicationPicture]:
    """The pictures that are not yet at their end."""
    found = requesting.pictures_of(session, publication_id)
    return [each for each in found if each.wp_status != "completed"]


def generated(session: Session, order: Order, asset: Asset, bought: Bought) -> None:
    """Keep a picture that was made."""
    found = session.get_one(PublicationPicture, order.picture_id)
    found.asset_id = asset.id
    found.provider, found.model = bought.provider, bought.model
    found.cost, found.is_sandbox = bought.cost, bought.is_sandbox
    found.wp_status, found.error = "pending", None
    session.flush()


def uploaded(session: Session, picture_id: UUID, media: Media) -> None:
    """Keep where the media library has a picture."""
    found = session.get_one(PublicationPicture, picture_id)
    found.media_id, found.media_url = media.id, media.url
    session.flush()


def copied(session: Session, urls: dict[UUID, str]) -> None:
    """Keep where the bucket has pictures."""
    for picture_id, url in urls.items():
        session.get_one(PublicationPicture, picture_id).copy_url = url
    session.flush()


def mark_uploading(database: Database, lease: Lease, ids: Sequence[UUID]) -> None:
    """Say at once that pictures are on their way, while the lease is held."""
    with database.session() as session:
        session.execute(_of("mark_uploading", ids), {"attempt_id": lease.attempt_id})


def mark_completed(
    database: Database, lease: Lease, publication_id: UUID, ids: Sequence[UUID], post_url: str
) -> None:
    """Say at once that the post's fields hold the pictures, while the lease is held."""
    asked = {"publication_id": publication_id, "post_url": post_url}
    with database.session() as session:
        session.execute(_of("mark_completed", ids), {**asked, "attempt_id": lease.attempt_id})


def reject(database: Database, lease: Lease, order: Order) -> None:
    """Have the next try buy another answer, while the lease is held."""
    asked = {"picture_id": order.picture_id, "attempt_id": lease.attempt_id}
    with database.session() as session:
        session.execute(statement("publishing/reject"), asked)


def _of(query: str, ids: Sequence[UUID]) -> TextClause:
    return statement(f"publishing/{query}").bindparams(bindparam("ids", list(ids), UUIDS))


def _source(session: Session, publication: Publication) -> PublicationPicture | None:
    if publication.source_id is None:
        return None
    return session.get(PublicationPicture, publication.source_id)


def _parcels(session: Session, publication_id: UUID) -> list[Parcel]:
    query = select(PublicationPicture).where(PublicationPicture.publication_id == publication_id)
    return [
        Parcel(
            row.id,
            row.index,
            row.field,
            row.in_gallery,
            row.asset_id,
            row.media_id,
            row.copy_url,
            row.wp_status == "completed",
        )
        for row in session.scalars(query.order_by(PublicationPicture.index))
        if row.asset_id is not None
    ]
