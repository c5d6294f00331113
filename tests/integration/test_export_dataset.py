"""What `darkroom counting export-dataset` writes of reviewed photos."""

import io
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import yaml
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from darkroom.accounts.service import ensure_admin
from darkroom.counting.models import Container, Detection, Photo, PhotoSession
from darkroom.counting.rerun import service as rerun
from darkroom.counting.review import dataset
from darkroom.counting.service import CountingService
from darkroom.db.sessions import Database
from darkroom.errors import Invalid
from darkroom.settings import Settings
from darkroom.storage.store import open_store

WIDTH, HEIGHT = 1300, 700


def reviewed(settings: Settings, database: Database, name: str, estimated: int = 0) -> UUID:
    """A photo with a container of ten plants on the left, accepted by somebody."""
    file = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), "green").save(file, "JPEG")
    file.seek(0)
    service = CountingService(settings, database, open_store(settings))
    with database.session() as db:
        owner = ensure_admin(db).id
    made = service.receive([FileStorage(file, filename=name)], owner)
    with database.session() as db:
        session = db.scalars(
            select(PhotoSession).where(PhotoSession.session_id == made.session_id)
        ).one()
        photo = db.scalars(select(Photo).where(Photo.session_id == session.id)).one()
        _accept(db, photo, 1, estimated)
        return photo.image_id


def counted_again(database: Database, image_id: UUID, day: int) -> UUID:
    """The same photo, counted again and accepted on that day of May."""
    with database.session() as db:
        first = db.get_one(PhotoSession, db.get_one(Photo, image_id).session_id)
        run_id = rerun.again(db, first, {})
        photo = db.scalars(
            select(Photo)
            .join(PhotoSession, PhotoSession.id == Photo.session_id)
            .where(PhotoSession.run_id == run_id)
        ).one()
        _accept(db, photo, day)
        return photo.image_id


def _accept(db: Session, photo: Photo, day: int, estimated: int = 0) -> None:
    photo.reviewed_at = datetime(2026, 5, day, tzinfo=UTC)
    for number, (left, more) in enumerate(((20, 0), (700, estimated)), start=1):
        container = _container(photo, number, left, more)
        db.add(container)
        db.flush()
        db.add_all(_plant(photo, container, left + 100 + 40 * place) for place in range(10))


def _container(photo: Photo, number: int, left: int, estimated: int) -> Container:
    right = left + 560
    ring = [[left, 20], [right, 20], [right, 680], [left, 680], [left, 20]]
    return Container(
        session_id=photo.session_id,
        image_id=photo.image_id,
        number=number,
        container_type="box",
        is_segmented=True,
        polygon={"type": "Polygon", "coordinates": [ring]},
        total_detected=10,
        total_estimated=estimated,
        total_unbiased=10,
        total_buffered=10,
        standard_error=1,
        interval_low=9,
        interval_high=11,
        count_confidence=0.9,
        vegetation_fraction=0.4,
        is_empty_container=False,
        needs_review=False,
    )


def _plant(photo: Photo, container: Container, x: float) -> Detection:
    return Detection(
        session_id=photo.session_id,
        image_id=photo.image_id,
        container_id=container.id,
        center_x=x,
        center_y=300,
        width_px=30,
        height_px=20,
        confidence=0.9,
        class_name="plant",
    )


def write(settings: Settings, database: Database, folder: Path, since: datetime | None = None):
    return dataset.export(database, open_store(settings), settings, folder, since)


def test_every_marked_plant_is_in_one_tile_where_it_stands(
    settings: Settings, database: Database, tmp_path: Path
):
    reviewed(settings, database, "a.jpg")
    made = write(settings, database, tmp_path / "set")
    told = yaml.safe_load((tmp_path / "set" / "data.yaml").read_text())
    assert told == {"train": "images/train", "val": "images/train", "names": {0: "plant"}}
    labels = sorted((tmp_path / "set" / "labels" / "train").glob("*.txt"))
    pictures = sorted((tmp_path / "set" / "images" / "train").glob("*.jpg"))
    assert [path.stem for path in labels] == [path.stem for path in pictures]
    assert made.tiles == len(labels) and made.plants == 20
    rows = [line.split() for path in labels for line in path.read_text().splitlines()]
    assert {row[0] for row in rows} == {"0"}
    assert len(rows) >= 20
    assert all(0 <= float(share) <= 1 for row in rows for share in row[1:])


def test_containers_with_plants_that_nobody_marked_are_painted_over(
    settings: Settings, database: Database, tmp_path: Path
):
    reviewed(settings, database, "a.jpg", estimated=5)
    made = write(settings, database, tmp_path / "set")
    assert (made.plants, made.left_out) == (10, 1)
    for path in (tmp_path / "set" / "images" / "train").glob("*.jpg"):
        assert Image.open(path).width <= settings.counting.slice_size


def test_only_reviewed_photos_since_the_given_day_are_written(
    settings: Settings, database: Database, tmp_path: Path
):
    first = reviewed(settings, database, "a.jpg")
    second = reviewed(settings, database, "b.jpg")
    with database.session() as db:
        db.get_one(Photo, first).reviewed_at = None
    assert write(settings, database, tmp_path / "set").train == 1
    names = {path.name[:36] for path in (tmp_path / "set").rglob("*.jpg")}
    assert names == {str(second)}
    with pytest.raises(Invalid, match="no reviewed photo"):
        write(settings, database, tmp_path / "later", datetime(2026, 6, 1, tzinfo=UTC))
    assert not (tmp_path / "later").exists()


@pytest.mark.parametrize("day", [1, 3])
def test_a_photo_counted_again_is_written_once_as_it_was_accepted_last(
    settings: Settings, database: Database, tmp_path: Path, day: int
):
    first = reviewed(settings, database, "a.jpg")
    with database.session() as db:
        db.get_one(Photo, first).reviewed_at = datetime(2026, 5, 2, tzinfo=UTC)
    again = counted_again(database, first, day)
    made = write(settings, database, tmp_path / "set")
    assert (made.train, made.val, made.plants) == (1, 0, 20)
    names = {path.name[:36] for path in (tmp_path / "set").rglob("*.jpg")}
    assert names == {str(again if day == 3 else first)}


def test_a_photo_counted_again_stays_in_its_part(settings: Settings, database: Database):
    first = reviewed(settings, database, "a.jpg")
    with database.session() as db:
        [before] = dataset.reviewed(db, None)
    counted_again(database, first, 3)
    with database.session() as db:
        [after] = dataset.reviewed(db, None)
    assert (after.first_id, after.image_id != first) == (before.first_id, True)


def test_a_folder_with_something_in_it_is_left_alone(
    settings: Settings, database: Database, tmp_path: Path
):
    reviewed(settings, database, "a.jpg")
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(Invalid, match="not empty"):
        write(settings, database, tmp_path)
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_a_failed_export_leaves_nothing_behind(
    settings: Settings, database: Database, tmp_path: Path
):
    reviewed(settings, database, "a.jpg")
    next(settings.files_dir.rglob("original.jpg")).unlink()
    with pytest.raises(Invalid):
        write(settings, database, tmp_path / "out" / "set")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_photo_stays_in_its_part_when_others_come():
    photos = [UUID(int=uuid4().int) for _ in range(200)]
    before, after = dataset.parts_of(photos[:100]), dataset.parts_of(photos)
    moved = [key for key in photos[:100] if before[key] != after[key]]
    assert len(moved) <= 2
    assert np.mean([part == dataset.VAL for part in after.values()]) == pytest.approx(0.2, abs=0.1)
    assert set(dataset.parts_of(photos[:2]).values()) == {"train", "val"}


def test_the_command_says_what_it_wrote(
    settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from click.testing import CliRunner

    from darkroom.cli import main

    reviewed(settings, database, "a.jpg")
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("DARKROOM_HOME", str(settings.home))
    folder = str(tmp_path / "set")
    ran = CliRunner().invoke(main, ["counting", "export-dataset", folder, "--since", "2026-04-01"])
    assert ran.exit_code == 0, ran.output
    assert "20 plants (plant) from 1 photos" in ran.output
    again = CliRunner().invoke(main, ["counting", "export-dataset", folder])
    assert again.exit_code == 1 and "not empty" in again.output
    with database.session() as db:
        assert db.scalar(text("SELECT count(*) FROM s3_images")) == 1
