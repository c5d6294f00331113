"""Reviewed photos as a YOLO data set, for training on what people corrected.

    DIR/data.yaml   images/train/*.jpg   labels/train/*.txt   images/val/*.jpg   labels/val/*.txt

Only photos that somebody accepted are in it; one that was counted again as it was accepted last.
Which part a photo goes to depends on the id of its first count alone, so that what a network was
validated on today is not what it is trained on tomorrow.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
import yaml
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from darkroom.counting.geometry import Floats
from darkroom.counting.models import Container, Detection, Photo
from darkroom.counting.review import tiles
from darkroom.counting.review.rebasing import outline
from darkroom.db.sessions import Database
from darkroom.errors import Invalid
from darkroom.settings import Settings
from darkroom.storage import images
from darkroom.storage.images import Pixels
from darkroom.storage.store import Store

TRAIN, VAL = "train", "val"
VAL_SHARE = 0.2
QUALITY = 95


@dataclass(frozen=True)
class Sheet:
    """A reviewed photo: where it lies, its plants, and which containers are wholly marked.

    `first_id` is that of the first count of its file.
    `boxes` (N, 4) and `names` (N,) are the plants of those containers, whose outlines are `whole`;
    `partial` are the outlines of the others.
    """

    image_id: UUID
    first_id: UUID
    key: str
    boxes: Floats
    names: tuple[str, ...]
    whole: tuple[Floats, ...]
    partial: tuple[Floats, ...]


@dataclass(frozen=True)
class Exported:
    """What was written: photos and tiles of each part, plants, and containers left out."""

    train: int
    val: int
    tiles: int
    plants: int
    left_out: int
    names: tuple[str, ...]


def export(
    database: Database, store: Store, settings: Settings, folder: Path, since: datetime | None
) -> Exported:
    """Write the photos reviewed since then to a new folder; all of it is there at once, or nothing.

    Raises
    ------
    Invalid
        When the folder has something in it, or nothing was reviewed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Invalid(f"{folder} is not empty: name a new folder.", "DIR")
    with database.session() as session:
        sheets = [sheet for sheet in reviewed(session, since) if sheet.whole]
    if not sheets:
        raise Invalid(
            "There is no reviewed photo whose plants are all marked. Accept one on its review page."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
        written = _write(Path(made) / "set", sheets, store, settings)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(Path(made) / "set", folder)
    return written


def reviewed(session: Session, since: datetime | None) -> list[Sheet]:
    """The photos that somebody accepted, each as it was last, in the order of their files' ids."""
    query = (
        select(Photo)
        .where(Photo.reviewed_at.is_not(None))
        .ext(distinct_on(Photo.original_asset_id))
        .order_by(Photo.original_asset_id, Photo.reviewed_at.desc(), Photo.image_id)
    )
    if since is not None:
        query = query.where(Photo.reviewed_at >= since)
    return [_sheet(session, photo) for photo in session.scalars(query)]


def parts_of(first_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The part of the set that each photo goes to; of two or more, at least one to each."""
    ranks = {key: hashlib.sha256(key.bytes).digest()[0] / 256 for key in first_ids}
    parts = {key: VAL if rank < VAL_SHARE else TRAIN for key, rank in ranks.items()}
    least = min(ranks, key=lambda key: (ranks[key], key))
    most = max(ranks, key=lambda key: (ranks[key], key))
    if len(parts) > 1:
        parts[least], parts[most] = VAL, TRAIN
    else:
        parts[most] = TRAIN
    return parts


def _first_id(session: Session, photo: Photo) -> UUID:
    counts = select(Photo.image_id).where(Photo.original_asset_id == photo.original_asset_id)
    return session.scalars(counts.order_by(Photo.created_at, Photo.image_id).limit(1)).one()


def _sheet(session: Session, photo: Photo) -> Sheet:
    containers = list(
        session.scalars(
            select(Container).where(Container.image_id == photo.image_id).order_by(Container.number)
        )
    )
    # Beyond its boxes a container may hold plants that were counted but not marked.
    whole = [row for row in containers if row.total == row.total_detected]
    rows = session.execute(
        select(
            Detection.center_x,
            Detection.center_y,
            Detection.width_px,
            Detection.height_px,
            Detection.class_name,
        )
        .where(Detection.container_id.in_([row.id for row in whole]))
        .order_by(Detection.id)
    ).all()
    places = np.array([tuple(row)[:4] for row in rows], float).reshape(-1, 4)
    middles, halves = places[:, :2], places[:, 2:] / 2
    return Sheet(
        photo.image_id,
        _first_id(session, photo),
        photo.s3_key_original,
        np.hstack([middles - halves, middles + halves]),
        tuple(row.class_name for row in rows),
        tuple(outline(row) for row in whole),
        tuple(outline(row) for row in containers if row not in whole),
    )


def _write(folder: Path, sheets: Sequence[Sheet], store: Store, settings: Settings) -> Exported:
    names = tuple(sorted({name for sheet in sheets for name in sheet.names}))
    parts = parts_of([sheet.first_id for sheet in sheets])
    for part in (TRAIN, VAL):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
    counts = [_write_sheet(folder, parts[s.first_id], s, names, store, settings) for s in sheets]
    val = sum(part == VAL for part in parts.values())
    _describe(folder, names, has_val=val > 0)
    return Exported(
        train=len(sheets) - val,
        val=val,
        tiles=sum(counts),
        plants=sum(len(sheet.names) for sheet in sheets),
        left_out=sum(len(sheet.partial) for sheet in sheets),
        names=names,
    )


def _describe(folder: Path, names: Sequence[str], has_val: bool) -> None:
    told = {
        "train": f"images/{TRAIN}",
        # A set of one photo has nothing else to be validated on.
        "val": f"images/{VAL if has_val else TRAIN}",
        "names": dict(enumerate(names)),
    }
    (folder / "data.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")


def _write_sheet(
    folder: Path, part: str, sheet: Sheet, names: Sequence[str], store: Store, settings: Settings
) -> int:
    """Write the tiles of a photo; answers how many."""
    photo = tiles.painted_over(_pixels(sheet, store, settings), sheet.partial)
    side = tiles.side_for(sheet.boxes, settings.counting.slice_size)
    classes = [names.index(name) for name in sheet.names]
    shape = (photo.shape[0], photo.shape[1])
    cut = [tile for outline in sheet.whole for tile in tiles.tiles(outline, side, shape)]
    for number, tile in enumerate(cut):
        name = f"{sheet.image_id}_{number:03d}"
        rows = tiles.rows(tile, sheet.boxes, classes)
        lines = [f"{kind:g} " + " ".join(f"{share:.6f}" for share in rest) for kind, *rest in rows]
        picture = folder / "images" / part / f"{name}.jpg"
        images.save(np.ascontiguousarray(tile.of(photo)), picture, images.JPEG, quality=QUALITY)
        (folder / "labels" / part / f"{name}.txt").write_text("\n".join(lines))
    return len(cut)


def _pixels(sheet: Sheet, store: Store, settings: Settings) -> Pixels:
    settings.temp_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=settings.temp_dir) as folder:
        path = Path(folder) / "original"
        store.fetch(sheet.key, path)
        return images.load(path, max_pixels=settings.max_pixels)
