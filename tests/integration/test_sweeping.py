"""Orphaned files and rows are removed, and nothing that may still be wanted, in either store."""

import io
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from darkroom.accounts.service import ensure_admin
from darkroom.db.sessions import Database
from darkroom.errors import Conflict
from darkroom.settings import S3Settings
from darkroom.storage import assets, sweeping, temporary
from darkroom.storage.assets import Asset, StoredFile
from darkroom.storage.local import LocalStore
from darkroom.storage.s3 import S3Store
from darkroom.storage.store import Store
from tests.integration.test_storage import bucket, client, endpoint, s3_settings

__all__ = ["bucket", "endpoint"]

GRACE = timedelta(days=7)
SHA = "a" * 64


def store_at(folder: Path, now: datetime | None = None) -> LocalStore:
    return LocalStore(folder, "a secret for tests", (lambda: now) if now else _now)


def _now() -> datetime:
    return datetime.now(UTC)


class Place:
    """A local store and a database, in which things can be old."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.store = store_at(folder)

    def file(self, key: str, days: float = 8) -> str:
        """A file stored so many days ago."""
        self.store.put(key, io.BytesIO(b"x"), "image/png")
        self.age(key, days)
        return key

    def age(self, key: str, days: float) -> None:
        then = time.time() - days * 86_400
        os.utime(self.folder / key, (then, then))

    def asset(self, key: str, days: float = 8, derived_from: UUID | None = None) -> UUID:
        """An asset recorded, and its file stored, so many days ago."""
        self.file(key, days)
        with self.database.session() as session:
            stored = StoredFile(SHA, 1, "image/png", 1, 1, key, "local")
            row = assets.record(session, ensure_admin(session).id, stored, derived_from)
            row.created_at = _now() - timedelta(days=days)
            return row.id

    def sweep(self) -> Counter[str]:
        return +sum(sweeping.sweep(self.database, self.store, GRACE), Counter())

    def keys(self) -> set[str]:
        return {entry.key for prefix in sweeping.PREFIXES for entry in self.store.listing(prefix)}

    def assets(self) -> set[str]:
        with self.database.session() as session:
            return {row.storage_key for row in session.query(Asset)}


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Place:
    return Place(database, tmp_path / "files")


@pytest.fixture
def holder(database: Database) -> Callable[[UUID], None]:
    """Lets a row of a table of its own refer to an asset."""
    with database.session() as session:
        session.execute(text("CREATE TABLE holders (asset_id uuid REFERENCES assets)"))

    def hold(asset_id: UUID) -> None:
        with database.session() as session:
            session.execute(text("INSERT INTO holders VALUES (:id)"), {"id": asset_id})

    return hold


def test_an_old_asset_that_nothing_refers_to_goes_with_its_file(place: Place):
    place.asset("uploads/a")
    assert place.sweep() == {"assets": 1, "files": 1}
    assert (place.keys(), place.assets()) == (set(), set())


def test_a_young_asset_stays(place: Place):
    place.asset("uploads/a", days=6)
    assert place.sweep() == {}


def test_an_asset_that_a_row_refers_to_stays_however_old(place: Place, holder):
    holder(place.asset("uploads/a", days=900))
    assert place.sweep() == {}
    assert place.keys() == {"uploads/a"}


def test_an_original_stays_as_long_as_something_derived_from_it(place: Place, holder):
    original = place.asset("uploads/a")
    holder(place.asset("uploads/b", derived_from=original))
    assert place.sweep() == {}


def test_an_old_file_without_a_row_goes(place: Place):
    place.file("uploads/a/original.jpg")
    place.file("uploads/b/original.jpg", days=6)
    place.file("elsewhere/c")
    assert place.sweep() == {"files": 1}
    assert (place.folder / "elsewhere/c").exists()


def test_a_file_that_two_owners_share_stays_with_the_second(place: Place, holder):
    place.asset("assets/aa/x")
    with place.database.session() as session:
        other = session.execute(text("INSERT INTO users (name) VALUES ('b') RETURNING id"))
        stored = StoredFile(SHA, 1, "image/png", 1, 1, "assets/aa/x", "local")
        kept = assets.record(session, other.scalar_one(), stored).id
    holder(kept)
    assert place.sweep() == {"assets": 1}
    assert place.keys() == {"assets/aa/x"}


def test_a_crash_between_row_and_file_is_made_good_by_the_next_sweep(place: Place):
    for name in "abc":
        place.asset(f"uploads/{name}")
    batches = sweeping.sweep(place.database, place.store, GRACE)
    assert next(batches) == {"assets": 3}
    batches.close()
    assert len(place.keys()) == 3
    assert place.sweep() == {"files": 3}


def test_an_upload_that_relies_on_an_old_file_makes_it_young(place: Place, tmp_path: Path):
    (tmp_path / "x").write_bytes(b"x")
    stored = assets.put(place.store, tmp_path / "x", mime="image/png")
    place.age(stored.key, 30)
    # Stored again, but not yet recorded, when the sweep comes by.
    assert assets.put(place.store, tmp_path / "x", mime="image/png").key == stored.key
    assert place.sweep() == {}
    assert place.keys() == {stored.key}


def test_a_file_stored_after_the_sweep_looked_is_not_hit(place: Place, monkeypatch):
    key = place.file("uploads/a")
    unknown = sweeping._unknown

    def looked_then_stored_again(*asked):
        for keys in unknown(*asked):
            place.file(key, days=0)
            yield keys

    monkeypatch.setattr(sweeping, "_unknown", looked_then_stored_again)
    assert place.sweep() == {}
    assert place.keys() == {key}


def test_an_asset_referred_to_while_the_sweep_looks_is_not_hit(place: Place, holder, monkeypatch):
    asset_id = place.asset("uploads/a")
    delete = sweeping._delete_rows

    def referred_to(database, ids):
        holder(asset_id)
        return delete(database, ids)

    monkeypatch.setattr(sweeping, "_delete_rows", referred_to)
    assert place.sweep() == {}
    assert place.assets() == {"uploads/a"}


def test_no_grace_is_shorter_than_a_day(place: Place):
    place.file("uploads/a", days=0.9)
    gone = sum(sweeping.sweep(place.database, place.store, timedelta()), Counter())
    assert +gone == {}


def test_unfinished_files_of_killed_writers_go(place: Place):
    place.file("uploads/a/x", days=0)
    left = place.folder / "uploads" / "a" / ".new-left"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    assert place.sweep() == {"unfinished": 1}
    assert not left.exists()


def test_a_store_of_two_installations_is_left_alone(place: Place, make_database):
    place.asset("uploads/a")
    with make_database() as url:
        other = Database(url)
        sweeping.claim(other, place.store)
        with pytest.raises(Conflict, match="Another Darkroom"):
            place.sweep()
        with pytest.raises(Conflict, match="installations/"):
            list(sweeping.sweep(other, place.store, GRACE))
        other.close()
    assert place.keys() == {"uploads/a"}


def test_an_installation_that_is_long_gone_does_not_count(place: Place):
    place.file("installations/1-2", days=61)
    place.asset("uploads/a")
    assert place.sweep() == {"assets": 1, "files": 1}


def test_a_dry_run_counts_and_removes_nothing(place: Place):
    place.asset("uploads/a")
    place.file("uploads/b")
    assert sweeping.count(place.database, place.store, GRACE) == {"assets": 1, "files": 1}
    assert len(place.keys()) == 2


def test_many_pages_are_gone_through(place: Place, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 3)
    for number in range(10):
        place.asset(f"uploads/{number}")
    assert place.sweep() == {"assets": 10, "files": 10}


def test_temporary_files_that_are_old_go_and_young_ones_stay(tmp_path: Path):
    folder = tmp_path / "tmp"
    (folder / "tmpold").mkdir(parents=True)
    for name in ("upload-old", "tmpold/original", "upload-young"):
        (folder / name).write_bytes(b"x")
    for name in ("upload-old", "tmpold/original", "tmpold"):
        os.utime(folder / name, (0, 0))
    (folder / "tmpused").mkdir()
    (folder / "tmpused/now").write_bytes(b"x")
    os.utime(folder / "tmpused", (0, 0))
    day = timedelta(days=1)
    assert sweeping.count_temp_files(folder, day) == {"temp_files": 2}
    assert sweeping.delete_temp_files(folder, day) == {"temp_files": 2}
    assert sorted(path.name for path in folder.iterdir()) == ["tmpused", "upload-young"]


def test_a_step_s_folder_goes_when_its_owner_is_dead_and_never_before(tmp_path: Path):
    (tmp_path / "work-dead" / "files").mkdir(parents=True)
    with temporary.folder(tmp_path) as folder:
        for path in (folder, folder.parent):
            os.utime(path, (0, 0))
        assert sweeping.count_temp_files(tmp_path, timedelta()) == {"temp_files": 1}
        assert sweeping.delete_temp_files(tmp_path, timedelta()) == {"temp_files": 1}
        assert list(tmp_path.iterdir()) == [folder.parent]


def test_a_missing_folder_holds_no_temporary_files(tmp_path: Path):
    assert +sweeping.delete_temp_files(tmp_path / "none", timedelta()) == {}


@pytest.fixture
def s3(endpoint: str, bucket: str) -> tuple[S3Settings, Store]:
    chosen = s3_settings(endpoint, bucket)
    return chosen, S3Store(chosen)


def test_s3_keeps_what_was_stored_just_now(s3):
    _, store = s3
    store.put("uploads/a", io.BytesIO(b"x"), "image/png")
    assert store.keeps("uploads/a")
    assert not store.keeps("uploads/b")
    assert not store.discard("uploads/a", GRACE)
    assert store.exists("uploads/a")
    assert store.discard("uploads/a", timedelta())
    assert store.discard("uploads/b", GRACE)
    assert not store.exists("uploads/a")


def test_s3_lists_what_lies_in_a_folder(s3):
    _, store = s3
    for key in ("uploads/a", "uploads/b/c", "assets/d"):
        store.put(key, io.BytesIO(b"x"), "image/png")
    entries = list(store.listing("uploads/"))
    assert {entry.key for entry in entries} == {"uploads/a", "uploads/b/c"}
    assert all(abs(entry.stored_at - _now()) < timedelta(minutes=1) for entry in entries)


def test_s3_gives_up_uploads_in_parts_that_nobody_ended(s3, endpoint: str):
    chosen, store = s3
    for key in ("uploads/a", "foreign/b"):
        client(endpoint).create_multipart_upload(Bucket=chosen.bucket, Key=key)
    assert store.clear_unfinished("uploads/", timedelta(days=36_500)) == 0
    assert store.clear_unfinished("uploads/", timedelta(days=1)) == 1
    left = client(endpoint).list_multipart_uploads(Bucket=chosen.bucket)["Uploads"]
    assert [upload["Key"] for upload in left] == ["foreign/b"]


def test_a_store_never_loses_a_file_between_a_sweeper_and_a_writer(tmp_path: Path):
    """Both at work on one old key at once: what the writer relies on is there."""
    from concurrent.futures import ThreadPoolExecutor

    store = store_at(tmp_path / "files")
    lost = []

    def discard(_: int) -> None:
        store.discard("assets/a", timedelta(days=1))

    def rely(_: int) -> None:
        if not store.keeps("assets/a"):
            store.put("assets/a", io.BytesIO(b"x"), "image/png")
        if not store.exists("assets/a"):
            lost.append(1)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            store.put("assets/a", io.BytesIO(b"x"), "image/png")
            with suppress(FileNotFoundError):
                os.utime(tmp_path / "files/assets/a", (0, 0))
            list(pool.map(lambda act: act(0), [discard, rely, discard, rely, discard, rely]))
    assert lost == []
