"""From a photo's position to its location, or to somebody's choice, with a real worker."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.queue import control
from darkroom.settings import ROOT, Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.places import STEP, add_benches, middle_of, photo_at

UPLOAD = "/api/v1/stock/photo"


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def benches(database: Database) -> list[Any]:
    with database.session() as session:
        return add_benches(session)


@pytest.fixture
def worker(engine: Engine) -> Iterator[Callable[..., None]]:
    def start(lanes: str = "io") -> None:
        command = [sys.executable, "-m", "darkroom.cli", "worker", "--lanes", lanes]
        engine.workers.append(subprocess.Popen(command, env=engine.environ, cwd=ROOT))

    yield start


def upload(client: FlaskClient, *photos: bytes, **fields: str) -> Any:
    data = {"file": [(io.BytesIO(photo), f"{n}.jpg") for n, photo in enumerate(photos)], **fields}
    return client.post(UPLOAD, data=data)


def status(client: FlaskClient, task_id: str) -> dict:
    return client.get(f"/api/v1/stock/tasks/{task_id}").json


def located(client: FlaskClient, engine: Engine, answer: Any) -> dict:
    """The task once `locate` has had its say."""
    task_id = answer.json["task_id"]
    engine.until(lambda: has_steps(engine, "counting.detect") or waits(client, task_id))
    return status(client, task_id)


def waits(client: FlaskClient, task_id: str) -> bool:
    return status(client, task_id)["status"] == "needs_location"


def has_steps(engine: Engine, name: str) -> int:
    with engine.database.session() as session:
        found = text("SELECT count(*) FROM steps WHERE name = :name")
        return session.execute(found, {"name": name}).scalar_one()


def queued(database: Database) -> int:
    with database.session() as session:
        counted = "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM procrastinate_jobs)"
        return session.execute(text(counted)).scalar_one()


def choose(client: FlaskClient, task_id: str, **body: Any) -> Any:
    return client.post(f"/api/v1/stock/tasks/{task_id}/location", json=body)


def test_a_photo_is_of_the_location_that_contains_it(client, engine, worker, benches):
    worker()
    task = located(client, engine, upload(client, photo_at(middle_of(0))))
    assert (task["storage_location_id"], task["location_source"]) == (benches[0].id, "gps")
    assert task["location_distance_m"] is None


def test_what_is_expected_there_is_copied_into_the_session(
    client, engine, worker, benches, database
):
    worker()
    located(client, engine, upload(client, photo_at(middle_of(0))))
    with database.session() as session:
        names = session.execute(
            text(
                "SELECT p.code, s.code, c.code, u.name, u.is_system"
                " FROM photo_processing_sessions x"
                " JOIN products p ON p.id = expected_product_id"
                " JOIN product_states s ON s.id = expected_product_state_id"
                " JOIN container_types c ON c.id = expected_container_type_id"
                " JOIN users u ON u.id = ml_user_id"
                " WHERE storage_location_config_id IS NOT NULL"
            )
        ).one()
    assert tuple(names) == ("ECH", "SEEDLING", "plug", "ML", True)


def test_a_photo_from_beside_is_of_the_nearest_location(client, engine, worker, benches):
    worker()
    beside = middle_of(1)[0] + STEP, middle_of(1)[1]
    task = located(client, engine, upload(client, photo_at(beside)))
    assert (task["storage_location_id"], task["location_source"]) == (benches[1].id, "nearest")
    assert task["location_distance_m"] == pytest.approx(5.5, abs=0.5)


def test_a_location_given_wins_over_the_photo_s_position(client, engine, worker, benches):
    worker()
    answer = upload(client, photo_at(middle_of(0)), storage_location_id="b-1")
    task = located(client, engine, answer)
    assert (task["storage_location_id"], task["location_source"]) == (benches[1].id, "given")
    assert task["expected_product_id"] is None


@pytest.mark.parametrize(
    ("positions", "doubt"),
    [
        ([None], "without_position"),
        ([(10.0, 10.0)], "too_far"),
        ([middle_of(0), middle_of(1)], "apart"),
        ([middle_of(0), (10.0, 10.0)], "too_far"),
    ],
)
def test_photos_that_do_not_say_one_location_wait_for_a_choice(
    client, engine, worker, benches, positions, doubt
):
    worker()
    answer = upload(client, *[photo_at(position) for position in positions])
    task = located(client, engine, answer)
    assert (task["status"], task["storage_location_id"]) == ("needs_location", None)
    asked = client.get(f"/api/v1/stock/tasks/{task['task_id']}/location").json
    assert asked["doubt"] == doubt and len(asked["candidates"]) == 2


def test_photos_without_a_position_follow_the_others(client, engine, worker, benches):
    worker()
    answer = upload(client, photo_at(), photo_at(middle_of(1)))
    assert located(client, engine, answer)["storage_location_id"] == benches[1].id


def test_a_chosen_location_lets_the_count_go_on_to_its_end(client, engine, worker, benches):
    worker("io,cpu,gpu")
    task_id = upload(client, photo_at()).json["task_id"]
    engine.until(lambda: waits(client, task_id))
    chosen = choose(client, task_id, storage_location_id=benches[0].id)
    assert (chosen.status_code, chosen.json["location_source"]) == (200, "chosen")
    engine.until(lambda: status(client, task_id)["status"] == "completed", seconds=120)
    task = status(client, task_id)
    assert task["storage_location_id"] == benches[0].id and task["expected_product_id"]


def test_a_count_without_a_location_goes_on_too(client, engine, worker, benches):
    worker()
    task_id = upload(client, photo_at()).json["task_id"]
    engine.until(lambda: waits(client, task_id))
    assert choose(client, task_id, without_location=True).status_code == 200
    engine.until(lambda: has_steps(engine, "counting.detect"))
    task = status(client, task_id)
    assert (task["without_location"], task["storage_location_id"]) == (True, None)


def test_candidates_are_sorted_by_their_distance(client, engine, worker, benches):
    worker()
    away = middle_of(1)[0], middle_of(1)[1] + 10 * STEP
    task = located(client, engine, upload(client, photo_at(away)))
    asked = client.get(f"/api/v1/stock/tasks/{task['task_id']}/location").json
    assert [one["code"] for one in asked["candidates"]] == ["B-1", "B-0"]
    assert 80 < asked["candidates"][0]["distance_m"] < asked["candidates"][1]["distance_m"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 400),
        ({"storage_location_id": 1, "without_location": True}, 400),
        ({"storage_location_id": True}, 400),
        ({"storage_location_id": "nowhere"}, 404),
        ({"storage_location_id": 10**12}, 404),
    ],
)
def test_a_wrong_choice_is_refused_and_the_count_goes_on_waiting(
    client, engine, worker, benches, body, code
):
    worker()
    task_id = upload(client, photo_at()).json["task_id"]
    engine.until(lambda: waits(client, task_id))
    answer = choose(client, task_id, **body)
    assert (answer.status_code, answer.json["error"]["field"]) == (code, "storage_location_id")
    assert waits(client, task_id)


def test_a_second_choice_comes_too_late(client, engine, worker, benches):
    worker()
    task_id = upload(client, photo_at()).json["task_id"]
    engine.until(lambda: waits(client, task_id))
    assert choose(client, task_id, storage_location_id="B-0").status_code == 200
    late = choose(client, task_id, storage_location_id="B-1")
    assert (late.status_code, late.json["error"]["code"]) == (409, "conflict")
    assert status(client, task_id)["storage_location_id"] == benches[0].id


def test_a_waiting_count_says_what_it_waits_for(client, engine, worker, benches, database):
    worker()
    task = located(client, engine, upload(client, photo_at()))
    page = client.get(f"/runs/{task['task_id']}").text
    assert "waits for a location to be chosen" in page
    with database.session() as session:
        reasons = session.scalars(text("SELECT waiting_kind FROM steps WHERE finished_at IS NULL"))
        assert list(reasons) == ["location"]


def test_a_cancelled_wait_asks_again_when_it_is_retried(client, engine, worker, benches):
    worker()
    task_id = upload(client, photo_at()).json["task_id"]
    engine.until(lambda: waits(client, task_id))
    with engine.database.session() as session:
        control.cancel(session, task_id)
    assert status(client, task_id)["status"] == "failed"
    assert choose(client, task_id, storage_location_id="B-0").status_code == 409
    with engine.database.session() as session:
        control.retry(session, task_id)
    engine.until(lambda: waits(client, task_id))


def test_where_no_location_is_in_use_nothing_waits(client, engine, worker, benches, database):
    with database.session() as session:
        session.execute(text("UPDATE warehouses SET is_active = false"))
    worker()
    task = located(client, engine, upload(client, photo_at()))
    assert (task["status"], task["storage_location_id"]) == ("processing", None)
    assert task["without_location"] is False


@pytest.mark.parametrize(
    ("given", "switched_off", "code"),
    [
        ("B-9", None, 404),
        ("4711", None, 404),
        ("99999999999999", None, 404),
        ("B-1", "storage_locations", 409),
        ("B-1", "storage_areas", 409),
        ("B-1", "warehouses", 409),
    ],
)
def test_a_given_location_that_is_not_to_be_had_is_refused_before_anything_is_kept(
    client, database, settings, benches, given, switched_off, code
):
    if switched_off:
        with database.session() as session:
            session.execute(text(f"UPDATE {switched_off} SET is_active = false"))
    answer = upload(client, photo_at(), storage_location_id=given)
    error = answer.json["error"]
    assert (answer.status_code, error["field"]) == (code, "storage_location_id")
    assert given in error["message"] and answer.json["detail"] == error["message"]
    assert queued(database) == 0
    assert not [path for path in settings.files_dir.rglob("*") if path.is_file()]


def test_the_time_and_place_of_a_photo_are_kept(client, engine, worker, benches, database):
    worker()
    located(client, engine, upload(client, photo_at(middle_of(0))))
    with database.session() as session:
        found = session.execute(text("SELECT gps_latitude, gps_longitude FROM s3_images")).one()
    assert tuple(found) == pytest.approx(middle_of(0), abs=1e-6)
