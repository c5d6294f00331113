"""Photos and their variants as the pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.queue.runs import StepView
from darkroom.storage.assets import Asset
from darkroom.variants.api import LINK_LIFE, link
from darkroom.variants.archives import Archive, Variant
from darkroom.variants.models import Generation, Unlock
from darkroom.web.services import services
from darkroom.web.words import N_

VARIANTS = {
    "FORENSIC": N_("Forensic"),
    "CREATIVE": N_("Creative"),
    "BALANCED": N_("Balanced"),
}
ABOUT = {
    "FORENSIC": N_("restored faithfully, nothing added"),
    "CREATIVE": N_("the same subject, seen anew"),
    "BALANCED": N_("as a good photographer would have taken it"),
}
ANCHORS = {
    "identity": N_("Faces"),
    "text": N_("Logo and text"),
    "colours": N_("Colours"),
    "composition": N_("Composition"),
    "reference": N_("Reference picture"),
}
PROVIDERS = {"laozhang": "LaoZhang", "gemini": "Gemini", "openai": "OpenAI"}


@dataclass(frozen=True)
class Picture:
    """A stored picture: its signed address, and its size in pixels."""

    url: str
    width: int
    height: int

    @classmethod
    def of(cls, asset: Asset | None) -> "Picture | None":
        """None where there is no picture."""
        address = link(asset.storage_key) if asset is not None else None
        if asset is None or address is None:
            return None
        return cls(address, asset.width or 1, asset.height or 1)


@dataclass(frozen=True)
class Slide:
    """A variant with the picture that may be shown of it: its preview, or once unlocked itself."""

    row: Generation
    picture: Picture | None
    download_url: str | None
    is_held: bool
    """Whether another unlock of the photo goes on, so that none can begin."""

    @property
    def name(self) -> str:
        """What the reader calls it."""
        return variant_name(self.row.variant)

    @property
    def shape(self) -> str:
        """A text that changes when there is something else to show."""
        row = self.row
        parts = (row.status, row.error, row.unlocked_at, row.discarded_at, row.final_id)
        return " ".join(str(part) for part in (*parts, self.is_held))


@dataclass(frozen=True)
class Going:
    """A run of a photo that goes on: one that makes variants, or an unlock."""

    run: Run
    steps: Sequence[StepView]
    is_unlock: bool


@dataclass(frozen=True)
class Report:
    """What was done to the unlocked picture: its texts, and whether it was enlarged."""

    texts: dict[str, Any] | None
    upscale: dict[str, Any] | None


def variant_name(name: str) -> str:
    """The reader's word for a kind of variant; presets have names of their own."""
    return gettext(VARIANTS[name]) if name in VARIANTS else name


def slides(session: Session, found: Archive) -> list[Slide]:
    """The variants of a photo; of those that were discarded no picture."""
    is_held = found.state == "unlocking"
    return [_slide(session, found, each, is_held) for each in found.variants]


def going_on(session: Session, found: Archive) -> list[Going]:
    """The runs of a photo that are not over: those that make variants, and an unlock."""
    unlock = found.unlock.run_id if found.unlock is not None else None
    return [
        Going(run, runs.steps_of(session, run.id), run.id == unlock)
        for run in open_runs(session, [found])
    ]


def open_runs(session: Session, listed: Sequence[Archive]) -> Sequence[Run]:
    """The runs of these photos that are not over."""
    rows = [variant.row for found in listed for variant in found.variants]
    making = {row.run_id for row in rows if row.status in ("pending", "generating")}
    unlocking = {found.unlock.run_id for found in listed if found.unlock is not None}
    wanted = [run_id for run_id in making | unlocking if run_id is not None]
    query = select(Run).where(Run.id.in_(wanted), Run.finished_at.is_(None))
    return session.scalars(query.order_by(Run.created_at)).all()


def failed_unlock(session: Session, found: Archive) -> Run | None:
    """The run of the newest try to unlock a variant, where it came to nothing."""
    unlock = found.unlock
    if unlock is None or unlock.ended_at is None or unlock.run_id is None:
        return None
    return session.get(Run, unlock.run_id)


def report(session: Session, found: Archive) -> Report:
    """What the unlocks of a photo did that were carried through."""
    query = select(Unlock).where(
        Unlock.upload_id == found.upload.id, Unlock.completed_at.is_not(None)
    )
    told: dict[str, Any] = {}
    for unlock in session.scalars(query.order_by(Unlock.completed_at)):
        told.update(unlock.report)
    return Report(told.get("texts"), told.get("upscale"))


def _slide(session: Session, found: Archive, variant: Variant, is_held: bool) -> Slide:
    row, shown = variant.row, variant.final
    if shown is None and row.preview_id is not None and row.discarded_at is None:
        shown = session.get(Asset, row.preview_id)
    download = _download(found, variant.final) if variant.final is not None else None
    return Slide(row, Picture.of(shown), download, is_held)


def _download(found: Archive, final: Asset) -> str:
    name = Path(found.upload.filename).stem or "photo"
    suffix = Path(final.storage_key).suffix or f".{final.mime.rpartition('/')[2]}"
    return services().store.url(final.storage_key, LINK_LIFE, f"{name}-unlocked{suffix}")
