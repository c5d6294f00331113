"""Where pictures can go: the types of posts of all sites."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from darkroom.errors import NotFound
from darkroom.publishing import post_types, sites
from darkroom.publishing.fields import PostType
from darkroom.publishing.sites import OWN
from darkroom.settings import Settings


@dataclass(frozen=True)
class Destination:
    """A type of post of a site; `site_id` is None for the settings' own."""

    site_id: int | None
    site: str
    type: PostType

    @property
    def key(self) -> str:
        """What forms call it."""
        return f"{self.site_id or 0}-{self.type.endpoint}"


def listing(session: Session, settings: Settings) -> list[Destination]:
    """Each site's usual type of post and those that are set up; the default site's come first."""
    added = sites.listing(session)
    own = _of_site(session, None, OWN, settings.publishing.endpoint)
    others = [_of_site(session, row.id, row.name, row.endpoint) for row in added]
    default = next((row.id for row in added if row.is_default), None)
    return sorted(sum(others, own), key=lambda each: each.site_id != default)


def chosen(found: Sequence[Destination], key: str | None) -> Destination:
    """The one of that key, or the first where none is said; `NotFound` for one that is gone."""
    if not key:
        return found[0]
    there = next((each for each in found if each.key == key), None)
    if there is None:
        raise NotFound("Nothing is published there any more: choose again where to.", "to")
    return there


def _of_site(session: Session, site_id: int | None, name: str, usual: str) -> list[Destination]:
    set_up = {type.endpoint: type for type in post_types.listing(session, site_id)}
    first = set_up.pop(usual, PostType(usual))
    return [Destination(site_id, name, type) for type in (first, *set_up.values())]
