"""Publications as the pages show them: each picture with the stages of its way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.publishing import sites, status
from darkroom.publishing.models import Publication, PublicationPicture, WordPressSite
from darkroom.publishing.requesting import pictures_of
from darkroom.publishing.sites import OWN
from darkroom.publishing.status import Progress, State
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.queue.runs import StepView
from darkroom.settings import ProvidersSettings
from darkroom.storage.assets import Asset
from darkroom.web.services import services
from darkroom.web.words import N_

LINK_LIFE = timedelta(hours=1)
STAGES = {
    "made": N_("Picture"),
    "uploaded": N_("Media library"),
    "copied": N_("Copy in the bucket"),
    "written": N_("Field of the post"),
}

Standing = Literal["done", "running", "waiting", "failed", "later"]


@dataclass(frozen=True)
class Stage:
    """A stage of a picture's way, one of `STAGES`, and how it stands."""

    name: str
    standing: Standing


@dataclass(frozen=True)
class Shot:
    """A picture of a request; `is_replaced` once its field belongs to a later one."""

    row: PublicationPicture
    asset: Asset | None
    stages: Sequence[Stage]
    is_replaced: bool

    @property
    def url(self) -> str | None:
        """A signed address of the whole picture, which expires."""
        return services().store.url(self.asset.storage_key, LINK_LIFE) if self.asset else None

    @property
    def shape(self) -> str:
        """A text that changes when there is something else to show."""
        standing = (each.standing for each in self.stages)
        return " ".join([*standing, str(self.is_replaced), self.row.error or ""])


@dataclass(frozen=True)
class Request:
    """What was asked for at once: n pictures, or an edit of the picture `source`."""

    publication: Publication
    shots: Sequence[Shot]
    source: PublicationPicture | None


@dataclass(frozen=True)
class Going:
    """A run that goes on."""

    run: Run
    steps: Sequence[StepView]


@dataclass(frozen=True)
class Row:
    """A request in a list, with its site's name and the first of its pictures that is there."""

    publication: Publication
    site: str
    state: State
    thumbnail: UUID | None
    run: Run | None


def stages(row: PublicationPicture, *, is_begun: bool, is_copied: bool) -> list[Stage]:
    """How far a picture has come, and how the stage stands that it is at.

    A copy is a stage where there is one, or will be: `is_copied` says that its site's are made.
    """
    is_done = {
        "made": row.asset_id is not None,
        "uploaded": row.media_id is not None,
        "copied": row.copy_url is not None,
        "written": row.wp_status == "completed",
    }
    if not is_done["copied"] and (is_done["written"] or not is_copied):
        del is_done["copied"]
    now: Standing = "running" if is_begun else "waiting"
    if row.wp_status == "failed":
        now = "failed"
    at = next((name for name, done in is_done.items() if not done), None)
    return [
        Stage(name, "done" if done else now if name == at else "later")
        for name, done in is_done.items()
    ]


def requests(
    session: Session, found: Progress, publications: Sequence[Publication]
) -> list[Request]:
    """The requests for a post with their pictures, in their order."""
    counting = {each.id for each in found.pictures}
    begun = {going.run.id for going in going_on(session, publications) if going.run.started_at}
    return [_request(session, each, counting, each.run_id in begun) for each in publications]


def going_on(session: Session, publications: Sequence[Publication]) -> list[Going]:
    """The runs of requests that are not over."""
    return [
        Going(run, runs.steps_of(session, run.id))
        for run in _open_runs(session, publications).values()
    ]


def rows(session: Session, listed: Sequence[Publication]) -> list[Row]:
    """Requests for a list."""
    pictures = _by_publication(session, listed)
    names = {row.id: row.name for row in session.scalars(select(WordPressSite))}
    open_runs = _open_runs(session, listed)
    return [
        Row(
            each,
            names.get(each.site_id or 0, OWN),
            status.state_of(pictures[each.id]),
            next((row.id for row in pictures[each.id] if row.asset_id), None),
            open_runs.get(each.run_id) if each.run_id else None,
        )
        for each in listed
    ]


def site_word(name: str, providers: ProvidersSettings) -> str:
    """What people call a site: the settings' own by its address."""
    if name != OWN:
        return name
    if providers.wordpress.is_sandbox:
        return str(gettext("Sandbox"))
    return urlsplit(providers.wordpress.base_url).netloc


def _request(
    session: Session, publication: Publication, counting: Collection[UUID], is_begun: bool
) -> Request:
    source_id = publication.source_id
    source = session.get(PublicationPicture, source_id) if source_id else None
    is_copied = sites.is_copied(services().settings, publication.site_id)
    shots = [
        Shot(
            row,
            session.get(Asset, row.asset_id) if row.asset_id else None,
            stages(row, is_begun=is_begun, is_copied=is_copied),
            row.id not in counting,
        )
        for row in pictures_of(session, publication.id)
    ]
    return Request(publication, shots, source)


def _open_runs(session: Session, listed: Sequence[Publication]) -> Mapping[UUID, Run]:
    wanted = [each.run_id for each in listed if each.run_id is not None]
    query = select(Run).where(Run.id.in_(wanted), Run.finished_at.is_(None))
    return {run.id: run for run in session.scalars(query.order_by(Run.created_at))}


def _by_publication(
    session: Session, listed: Sequence[Publication]
) -> Mapping[UUID, list[PublicationPicture]]:
    found: dict[UUID, list[PublicationPicture]] = {each.id: [] for each in listed}
    query = select(PublicationPicture).where(PublicationPicture.publication_id.in_(found))
    for row in session.scalars(query.order_by(PublicationPicture.index)):
        found[row.publication_id].append(row)
    return found
