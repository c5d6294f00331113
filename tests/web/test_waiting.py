"""`Prefer: wait=N` through the real server."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
import requests

from darkroom.accounts import service as accounts
from darkroom.db.sessions import Database
from darkroom.queue.models import Run

from .conftest import Served, Site, Submit, jpeg

UPLOAD = "/api/v1/stock/photo"
PATIENCE = 120
WAIT = {"Prefer": "wait=30"}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


@pytest.fixture
def run_id(served: Served, submit: Submit) -> UUID:
    with served.site.database.session() as db:
        owner = accounts.ensure_admin(db)
    return submit(served.site, owner).run_id


def finish(database: Database, run_id: UUID, status: str = "completed") -> None:
    with database.session() as db:
        db.get_one(Run, run_id).status = status


def upload(served: Served, **headers: str) -> requests.Response:
    files = {"file": ("a.jpg", jpeg())}
    return requests.post(served.url + UPLOAD, files=files, headers=headers, timeout=PATIENCE)


def get(served: Served, path: str, headers: dict[str, str] = WAIT) -> requests.Response:
    return requests.get(served.url + path, headers=headers, timeout=PATIENCE)


def test_upload_that_waits_is_answered_with_the_finished_task(
    served: Served, pool: ThreadPoolExecutor
) -> None:
    with psycopg.connect(served.site.database.url, autocommit=True) as listening:
        listening.execute("LISTEN darkroom_runs")
        coming = pool.submit(upload, served, **WAIT)
        assert next(listening.notifies(timeout=PATIENCE, stop_after=1), None)
    with served.site.database.session() as db:
        [run] = db.query(Run)
    finish(served.site.database, run.id)
    answer = coming.result()
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=30")
    assert answer.headers["Content-Location"] == f"/api/v1/stock/tasks/{run.id}"
    assert answer.json()["task_id"] == str(run.id)
    assert {"session_id", "status", "message", "photos"} <= set(answer.json())


def test_upload_whose_run_takes_longer_is_202_as_ever(served: Served) -> None:
    answer = upload(served, Prefer="respond-async, wait=0")
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=0")
    assert set(answer.json()) == {"task_id", "session_id", "status", "message"}


def test_upload_that_prefers_nothing_is_told_nothing(served: Served) -> None:
    assert "Preference-Applied" not in upload(served).headers


def test_repeated_upload_waits_for_the_first_ones_run(served: Served) -> None:
    key = {"Idempotency-Key": "k"}
    first = upload(served, **key)
    finish(served.site.database, UUID(first.json()["task_id"]), "failed")
    assert upload(served, **key).status_code == 202
    waited = upload(served, **key, **WAIT)
    assert (waited.status_code, waited.headers["Idempotent-Replayed"]) == (200, "true")
    assert waited.json()["status"] == "failed"


@pytest.mark.parametrize("path", ["/api/v1/stock/tasks/{}", "/runs/{}.json"])
def test_read_that_waits_is_answered_at_the_end(
    served: Served, run_id: UUID, pool: ThreadPoolExecutor, path: str
) -> None:
    coming: Future[requests.Response] = pool.submit(get, served, path.format(run_id))
    with served.site.database.session() as db:
        db.get_one(Run, run_id).progress = 0.5
    finish(served.site.database, run_id)
    answer = coming.result()
    assert answer.headers["Preference-Applied"] == "wait=30" and answer.headers["Vary"]
    assert answer.json()["status"] in ("completed", "finished")


def test_wait_is_no_longer_than_the_setting(served: Served, run_id: UUID) -> None:
    finish(served.site.database, run_id)
    answer = get(served, f"/runs/{run_id}.json", {"Prefer": "wait=9999"})
    assert answer.headers["Preference-Applied"] == "wait=60"


def test_over_the_cap_of_streams_the_answer_comes_at_once_and_says_nothing(
    served: Served, run_id: UUID
) -> None:
    streams = [
        requests.get(f"{served.url}/runs/{run_id}/events", stream=True, timeout=PATIENCE)
        for _ in range(4)
    ]
    try:
        began = time.monotonic()
        answers = [get(served, f"/runs/{run_id}.json"), upload(served, **WAIT)]
        assert time.monotonic() - began < 15
        assert [answer.status_code for answer in answers] == [200, 202]
        assert all("Preference-Applied" not in answer.headers for answer in answers)
    finally:
        for stream in streams:
            stream.close()


def test_place_is_free_again_after_the_wait(served: Served, run_id: UUID) -> None:
    for _ in range(6):
        answer = get(served, f"/runs/{run_id}.json", {"Prefer": "wait=0"})
        assert answer.headers["Preference-Applied"] == "wait=0"


def test_server_that_is_told_to_leave_answers_those_who_wait(
    served: Served, run_id: UUID, pool: ThreadPoolExecutor
) -> None:
    with psycopg.connect(served.site.database.url, autocommit=True) as listening:
        listening.execute("LISTEN darkroom_runs")
        coming = pool.submit(upload, served, **WAIT)
        assert next(listening.notifies(timeout=PATIENCE, stop_after=1), None)
    served.process.terminate()
    began = time.monotonic()
    assert coming.result().status_code == 202
    assert time.monotonic() - began < 15


def test_run_of_somebody_else_is_not_waited_for(closed_site: Site, submit: Submit) -> None:
    run_id = submit(closed_site, closed_site.user("Ana")).run_id
    eva = closed_site.signed_in(closed_site.user("Eva"))
    for path in (f"/api/v1/stock/tasks/{run_id}", f"/runs/{run_id}.json"):
        assert eva.get(path, headers=WAIT).status_code == 404
