"""How far the pictures of a post have come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.publishing.models import Publication, PublicationPicture
from darkroom.publishing.requesting import pictures_of
from darkroom.storage.assets import Asset

State = Literal["processing", "completed", "failed"]
MOVING = ("pending", "uploading")


@dataclass(frozen=True)
class Progress:
    """What was asked for of a post under one run_id.

    `pictures` are those that count: of a field that holds one, the newest.
    """

    publication: Publication
    pictures: Sequence[PublicationPicture]

    @property
    def state(self) -> State:
        """All at their end, something on its way, or something failed and nothing on its way."""
        return state_of(self.pictures)

    def with_status(self, *statuses: str) -> list[PublicationPicture]:
        """The pictures in one of those states."""
        return [each for each in self.pictures if each.wp_status in statuses]


@dataclass(frozen=True)
class Preview:
    """A picture of a publication, and the file there is of it."""

    picture: PublicationPicture
    asset: Asset | None


def state_of(pictures: Iterable[PublicationPicture]) -> State:
    """How pictures stand together."""
    found = {each.wp_status for each in pictures}
    if found & set(MOVING):
        return "processing"
    return "failed" if "failed" in found else "completed"


def progress(session: Session, publications: Sequence[Publication]) -> Progress:
    """How publications of one post stand together; they come oldest first."""
    found: dict[tuple[str, UUID | None], PublicationPicture] = {}
    for publication in publications:
        for each in pictures_of(session, publication.id):
            found[each.field, each.id if each.in_gallery else None] = each
    return Progress(publications[-1], list(found.values()))


def previews(session: Session, publication_id: UUID) -> list[Preview]:
    """The pictures of a publication with their files."""
    return [
        Preview(each, session.get_one(Asset, each.asset_id) if each.asset_id else None)
        for each in pictures_of(session, publication_id)
    ]


def are_made(found: Iterable[PublicationPicture]) -> bool:
    """Whether no picture is being made any more."""
    return all(each.asset_id is not None or each.wp_status == "failed" for each in found)
