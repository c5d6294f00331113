"""Reference pictures of Smart Anchors: only a person's own may be shown to a service."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.errors import Invalid
from darkroom.storage.assets import Asset
from darkroom.variants import anchors
from darkroom.variants.anchors import Anchor
from darkroom.web.words import N_

NOT_YOURS = N_("This picture is not among your photos: take one's asset_id from your archives.")


def own(session: Session, owner_id: int, kept: Iterable[Anchor]) -> list[Asset]:
    """Those of the anchors' pictures that are there and the person's."""
    wanted = anchors.references(kept)
    query = select(Asset).where(Asset.id.in_(wanted), Asset.owner_id == owner_id)
    found: dict[UUID, Asset] = {asset.id: asset for asset in session.scalars(query)}
    return [found[asset_id] for asset_id in wanted if asset_id in found]


def insist(session: Session, owner_id: int, kept: Iterable[Anchor], field: str) -> None:
    """`Invalid` unless all of them are."""
    listed = tuple(kept)
    if len(own(session, owner_id, listed)) < len(anchors.references(listed)):
        raise Invalid(NOT_YOURS, f"{field}.asset_id")
