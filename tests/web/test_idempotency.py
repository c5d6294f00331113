import io
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import requests
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import text

from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.settings import Settings, SignalSettings
from darkroom.web import idempotency
from darkroom.web.app import create_app

from .conftest import Served, Site, Visitor, jpeg

UPLOAD = "/api/v1/stock/photo"
PATIENCE = 120
PHOTO, OTHER = jpeg().getvalue(), jpeg((32, 32)).getvalue()


def send(site: Site, key: str | None = "k", photo: bytes = PHOTO, path: str = UPLOAD, **options):
    headers = {**options.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
    data = {"file": (io.BytesIO(photo), "a.jpg"), **options}
    return site.app.test_client().post(path, data=data, headers=headers)


def count(database: Database, table: str = "runs") -> int:
    with database.session() as db:
        return db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def expire_claims(database: Database) -> None:
    """As if the time of claims had passed."""
    with database.session() as db:
        db.execute(text("UPDATE idempotency_keys SET claimed_until = now() - interval '1 s'"))


def test_same_request_again_is_answered_the_same_without_a_second_run(site: Site) -> None:
    first, second = send(site), send(site)
    assert (second.status_code, second.json) == (202, first.json)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert count(site.database) == 1


def test_same_answer_comes_also_when_the_run_is_over(site: Site) -> None:
    first = send(site)
    with site.database.session() as db:
        db.execute(text("UPDATE runs SET status = 'completed', finished_at = now()"))
    second = send(site)
    assert (second.status_code, second.json) == (202, first.json)


def test_without_a_key_every_request_makes_a_run(site: Site) -> None:
    send(site, None)
    send(site, None)
    assert (count(site.database), count(site.database, "idempotency_keys")) == (2, 0)


@pytest.mark.parametrize(
    "other",
    [
        {"photo": OTHER},
        {"note": "a field more"},
        {"path": f"{UPLOAD}?user_id=1"},
        {"file": [(io.BytesIO(PHOTO), "b.jpg")]},
        {"file": [(io.BytesIO(PHOTO), "a.jpg"), (io.BytesIO(PHOTO), "a.jpg")]},
    ],
)
def test_another_request_under_the_same_key_is_a_conflict(
    site: Site, other: dict[str, Any]
) -> None:
    send(site)
    answer = send(site, **other)
    error = answer.json["error"]
    assert (answer.status_code, error["code"]) == (409, "idempotency_key_reused")
    assert error["field"] == "Idempotency-Key"
    assert answer.json["detail"] == error["message"]
    assert count(site.database) == 1


@pytest.mark.parametrize("key", [" ", "x" * 256, "naïve"])
def test_key_that_is_none_is_refused(site: Site, key: str) -> None:
    answer = send(site, key if key.strip() else "\t")
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "Idempotency-Key")


def test_keys_are_a_users_own(closed_site: Site) -> None:
    for name in ("Ana", "Eva"):
        send(closed_site, headers=closed_site.token_of(closed_site.user(name)))
    assert count(closed_site.database) == 2


def test_keys_are_an_addresss_own(visitor: Visitor, site: Site) -> None:
    headers = {"Idempotency-Key": "k", "Accept": "application/json"}
    for path in ("/count", "/count/sample"):
        data = {"csrf_token": visitor.csrf_token("/count"), "file": (io.BytesIO(PHOTO), "a.jpg")}
        assert visitor.client.post(path, data=data, headers=headers).status_code == 202
    assert count(site.database) == 2


def test_page_that_is_sent_twice_leads_to_the_same_result(visitor: Visitor, site: Site) -> None:
    answers = []
    for _ in range(2):
        # The token differs each time and is no part of what is asked for.
        data = {"csrf_token": visitor.csrf_token("/count"), "file": (io.BytesIO(PHOTO), "a.jpg")}
        headers = {"Idempotency-Key": "k"}
        answers.append(visitor.client.post("/count", data=data, headers=headers))
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert count(site.database) == 1


def test_refused_request_is_not_remembered(site: Site) -> None:
    assert send(site, photo=b"no photo").status_code == 400
    assert count(site.database, "idempotency_keys") == 0
    assert send(site).status_code == 202


def test_refused_page_is_not_remembered(visitor: Visitor, site: Site) -> None:
    data = {"csrf_token": visitor.csrf_token("/count"), "file": (io.BytesIO(b"no"), "a.jpg")}
    answer = visitor.client.post("/count", data=data, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 400
    assert count(site.database, "idempotency_keys") == 0


def test_surprise_leaves_the_key_free(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("darkroom.counting.service._create", lambda *_: 1 / 0)
        assert send(site).status_code == 500
    assert send(site).status_code == 202


def test_key_is_free_again_after_its_time(settings: Settings, database: Database) -> None:
    brief = replace(settings, signals=replace(SignalSettings(), idempotency_hours=0))
    site = Site(create_app(brief, database))
    assert [send(site).status_code for _ in range(2)] == [202, 202]
    assert (count(database), count(database, "idempotency_keys")) == (2, 1)


def test_request_still_being_worked_on_is_a_conflict_that_says_when_to_ask(site: Site) -> None:
    first = send(site)
    with site.database.session() as db:
        # As it stands between the claim and the run.
        db.execute(text("UPDATE idempotency_keys SET run_id = NULL"))
    answer = send(site)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "request_in_progress")
    assert int(answer.headers["Retry-After"]) > 0
    assert first.status_code == 202 and count(site.database) == 1


def test_request_cut_off_before_its_run_is_carried_out_by_the_next(site: Site) -> None:
    send(site)
    with site.database.session() as db:
        db.execute(text("DELETE FROM photo_processing_sessions"))
        db.execute(text("DELETE FROM runs"))
    # The key went with its run. Now one whose process died before it made any:
    with site.database.session() as db:
        db.execute(
            text(
                "INSERT INTO idempotency_keys VALUES"
                " ((SELECT id FROM users WHERE NOT is_system), :path, 'k', '', gen_random_uuid(),"
                " now(), NULL, now(), now() + interval '1 day')"
            ),
            {"path": UPLOAD},
        )
    assert send(site).status_code == 202
    assert count(site.database) == 1


def test_request_that_lost_its_claim_makes_no_run(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One took so long that the next with its key had begun: only that one counts."""
    service, answers = site.services.counting, []
    receive = type(service).receive

    def slow(*args: Any, **kwargs: Any) -> Any:
        if not answers:
            answers.append(None)
            expire_claims(site.database)
            answers.append(send(site))
        return receive(service, *args, **kwargs)

    monkeypatch.setattr(type(service), "receive", lambda _, *args, **kwargs: slow(*args, **kwargs))
    late = send(site)
    assert answers[1].status_code == 202
    assert (late.status_code, late.json["error"]["code"]) == (409, "request_in_progress")
    assert count(site.database) == 1
    assert send(site).json == answers[1].json


def test_files_are_hashed_in_pieces_and_can_be_read_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "CHUNK", 7)
    stream = io.BytesIO(PHOTO)
    first = idempotency._file_hash(stream)
    assert stream.read() == PHOTO
    assert idempotency._file_hash(io.BytesIO(PHOTO)) == first


# Many at once, and retries in any order


def test_twenty_at_once_make_one_run(served: Served) -> None:
    def post(_: int) -> requests.Response:
        files = {"file": ("a.jpg", PHOTO)}
        headers = {"Idempotency-Key": "k"}
        return requests.post(served.url + UPLOAD, files=files, headers=headers, timeout=PATIENCE)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({a.json()["task_id"] for a in answers if a.status_code == 202}) == 1
    assert all(a.headers["Retry-After"] for a in answers if a.status_code == 409)
    replayed = [a for a in answers if a.status_code == 202 and "Idempotent-Replayed" in a.headers]
    assert len(replayed) == sum(a.status_code == 202 for a in answers) - 1
    assert count(served.site.database) == 1


REQUESTS = st.tuples(
    st.sampled_from(["a", "b", None]),
    st.sampled_from([PHOTO, OTHER, b"no photo"]),
    st.sampled_from(["whole", "cut off", "too late"]),
)


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(REQUESTS, max_size=8))
def test_however_requests_are_repeated_a_key_makes_one_run(site: Site, sent: Any) -> None:
    """Against a model: what each key answered first, and with which photo."""
    first: dict[str, tuple[bytes, Any]] = {}
    with site.database.session() as db:
        db.execute(text("TRUNCATE runs, idempotency_keys CASCADE"))
    unkeyed = 0
    for key, photo, way in sent:
        answer = _send_and_perhaps_lose(site, key, photo, way)
        if key in first:
            known, said = first[key]
            assert answer.status_code == (202 if photo == known else 409)
            assert photo != known or answer.json == said
        elif photo == b"no photo":
            assert answer.status_code == 400
        elif key is None:
            unkeyed += 1
        else:
            first[key] = (photo, send(site, key, photo).json)
    assert count(site.database) == unkeyed + len(first)


def _send_and_perhaps_lose(site: Site, key: str | None, photo: bytes, way: str):
    """Sends a request; `cut off`: the process dies after the commit, before the answer is made."""
    if way == "too late":
        expire_claims(site.database)
    if way != "cut off" or key is None:
        return send(site, key, photo)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("darkroom.counting.api.wait_for_end", lambda _: 1 / 0)
        send(site, key, photo)
    return send(site, key, photo)


# A process that is killed


def test_process_killed_between_the_commit_and_the_answer_has_made_the_one_run(
    served: Served,
) -> None:
    """It waits for the run's end when it is killed: the run is committed, nothing is answered."""
    database = served.site.database
    headers = {"Idempotency-Key": "k"}
    with (
        psycopg.connect(database.url, autocommit=True) as listening,
        ThreadPoolExecutor(1) as pool,
    ):
        listening.execute("LISTEN darkroom_runs")
        waiting = pool.submit(
            requests.post,
            served.url + UPLOAD,
            files={"file": ("a.jpg", PHOTO)},
            headers={**headers, "Prefer": "wait=60"},
            timeout=PATIENCE,
        )
        assert next(listening.notifies(timeout=PATIENCE, stop_after=1), None)
        for worker in children(served.process.pid):
            os.kill(worker, signal.SIGKILL)
        with pytest.raises(requests.ConnectionError):
            waiting.result()
    files = {"file": ("a.jpg", PHOTO)}
    again = requests.post(served.url + UPLOAD, files=files, headers=headers, timeout=PATIENCE)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert set(again.json()) == {"task_id", "session_id", "status", "message"}
    assert count(database) == 1


def children(pid: int) -> Iterator[int]:
    """The server's own worker processes."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        yield from map(int, file.read().split())


def test_key_of_another_owner_of_the_run_is_the_callers(site: Site) -> None:
    other: User = site.user("Eva")
    first = send(site, user_id=str(other.id))
    assert send(site, user_id=str(other.id)).json == first.json
    assert send(site).status_code == 409
