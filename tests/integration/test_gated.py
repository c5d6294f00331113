"""Stored files and models behind their breakers, as steps use them."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from darkroom.db.sessions import Database
from darkroom.errors import Invalid, NotFound, NotNow, Transient
from darkroom.gated import files, models
from darkroom.gated.uploads import storing
from darkroom.queue.gates import breaker, reading
from darkroom.queue.task import Task
from darkroom.settings import Settings
from darkroom.storage import assets
from darkroom.storage.store import open_store
from darkroom.vision.cache import Model
from tests.engine.floor import Floor
from tests.engine.storage import Storage

PHOTO = b"a photo"


@pytest.fixture
def storage() -> Iterator[Storage]:
    made = Storage()
    yield made
    made.stop()


@pytest.fixture
def floor(database: Database, settings: Settings, storage: Storage, tmp_path: Path) -> Floor:
    """Steps on a machine without a copy of anything."""
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    return Floor(database, replace(settings, s3=storage.settings, home=fresh))


def stored(floor: Floor, key: str = "uploads/7/original.jpg") -> UUID:
    """A stored photo of the first user."""
    store = open_store(floor.settings)
    source = floor.settings.home / "source"
    source.write_bytes(PHOTO)
    file = assets.put(store, source, mime="image/jpeg", key=key, pixels=(4, 3))
    with floor.database.session() as session:
        owner = floor.owner()
        return assets.record(session, owner, file).id


def content(task: Task, asset: UUID) -> bytes:
    with files.original(task, asset) as path:
        return path.read_bytes()


def state(floor: Floor, provider: str, operation: str) -> tuple[str, int]:
    with floor.database.session() as session:
        found = {(b.provider, b.operation): b for b in reading.breakers(session)}
    one = found[provider, operation]
    return one.state, one.failures


def opened_for(floor: Floor, provider: str, operation: str) -> float:
    return float(
        floor.one(
            "SELECT extract(epoch FROM open_until - opened_at) FROM breakers"
            " WHERE provider = :provider AND operation = :operation",
            provider=provider,
            operation=operation,
        )
    )


def test_an_original_comes_from_the_storage_once_and_then_from_this_machine(
    floor: Floor, storage: Storage
) -> None:
    asset, task = stored(floor), floor.new(floor.owner("Bo"))
    assert content(task, asset) == PHOTO
    storage.stop()
    assert content(task, asset) == PHOTO
    assert state(floor, "storage", "get") == ("closed", 0)
    storage.start()


def test_a_spoiled_copy_is_fetched_anew(floor: Floor) -> None:
    asset, task = stored(floor), floor.new(floor.owner("Bo"))
    content(task, asset)
    (copy,) = floor.settings.originals_dir.iterdir()
    copy.unlink()
    copy.write_bytes(b"A photo")
    assert content(task, asset) == PHOTO


def test_a_file_that_came_otherwise_than_it_was_put_is_not_used(floor: Floor) -> None:
    asset, task = stored(floor), floor.new(floor.owner("Bo"))
    open_store(floor.settings).put("uploads/7/original.jpg", io.BytesIO(b"A photo"), "image/jpeg")
    with pytest.raises(Transient, match="other than it was put"):
        content(task, asset)
    assert not list(floor.settings.temp_dir.iterdir())


def test_a_storage_that_is_away_opens_its_breaker_for_a_minute_and_steps_wait(
    floor: Floor, storage: Storage
) -> None:
    asset = stored(floor)
    storage.stop()
    for failures in range(1, 6):
        with pytest.raises(Transient):
            content(floor.new(floor.owner(str(failures))), asset)
    assert state(floor, "storage", "get") == ("open", 5)
    assert opened_for(floor, "storage", "get") == 60
    with pytest.raises(NotNow, match="storage get is open") as refusal:
        content(floor.new(floor.owner("Bo")), asset)
    assert (refusal.value.kind, refusal.value.on) == ("breaker", "storage get")
    assert not list(floor.settings.temp_dir.iterdir())
    storage.start()


def test_a_file_that_is_gone_says_nothing_about_the_storage(floor: Floor) -> None:
    asset, task = stored(floor), floor.new(floor.owner("Bo"))
    open_store(floor.settings).delete("uploads/7/original.jpg")
    with pytest.raises(NotFound):
        content(task, asset)
    assert state(floor, "storage", "get") == ("closed", 0)


def test_pictures_are_put_behind_a_breaker_of_their_own(floor: Floor, storage: Storage) -> None:
    task, picture = floor.new(floor.owner()), np.zeros((8, 6, 3), np.uint8)
    kept = files.put_picture(task, picture, "uploads/8/processed.avif")
    assert (kept.width, kept.height) == (6, 8)
    storage.stop()
    with pytest.raises(Transient):
        files.put_picture(task, picture, "uploads/8/processed.avif")
    assert state(floor, "storage", "put") == ("closed", 1)
    assert not list(floor.settings.temp_dir.iterdir())
    storage.start()


def test_an_upload_that_meets_an_open_breaker_is_told_when_to_come_again(floor: Floor) -> None:
    with floor.database.session() as session:
        breaker.isolate(session, "storage", "put", who="Ana")
    with (
        pytest.raises(Transient, match=r"nothing of this upload was kept.*3[56]\d\d") as error,
        storing(floor.database, floor.gates.breaker),
    ):
        pytest.fail("it was let through")
    assert error.value.retry_after is not None and error.value.retry_after.total_seconds() > 3500


@pytest.mark.parametrize("error", [Invalid("an odd key"), KeyboardInterrupt()])
def test_what_is_not_the_storage_s_fault_does_not_count(floor: Floor, error: BaseException) -> None:
    with pytest.raises(type(error)), storing(floor.database, floor.gates.breaker):
        raise error
    assert state(floor, "storage", "put") == ("closed", 0)


# Models


def model(name: str = "plants") -> Model[list[str]]:
    return Model(name, 1, lambda: [name])


def test_a_model_is_loaded_once_for_all_steps_of_a_process(floor: Floor) -> None:
    loads = []
    counted = Model("plants", 1, lambda: loads.append(1) or ["plants"])
    task = floor.new(floor.owner())
    models.load(task, counted, "detect")
    for _ in range(2):
        with models.using(task, counted, "detect") as loaded:
            assert loaded == ["plants"]
    assert len(loads) == 1


def test_a_broken_model_opens_the_breaker_of_its_operation_for_five_minutes(floor: Floor) -> None:
    for number in range(5):
        task = floor.new(floor.owner(str(number)))
        with pytest.raises(RuntimeError), models.using(task, model(), "detect"):
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
    assert state(floor, "models", "detect") == ("open", 5)
    assert opened_for(floor, "models", "detect") == 300
    with pytest.raises(NotNow), models.using(floor.new(floor.owner("Bo")), model(), "detect"):
        pass
    with models.using(floor.new(floor.owner("Cy")), model(), "segment"):
        pass


def test_a_photo_that_no_model_can_read_never_counts(floor: Floor) -> None:
    task = floor.new(floor.owner())
    for _ in range(6):
        with pytest.raises(Invalid), models.using(task, model(), "detect"):
            raise Invalid("this is no photo")
    assert state(floor, "models", "detect") == ("closed", 0)


def test_weights_that_do_not_load_count(floor: Floor) -> None:
    def broken() -> list[str]:
        raise OSError("the file is cut short")

    task = floor.new(floor.owner())
    with pytest.raises(OSError, match="cut short"):
        models.load(task, Model("plants", 1, broken), "detect")
    assert state(floor, "models", "detect") == ("closed", 1)
