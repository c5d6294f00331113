import json
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from darkroom.accounts.models import User
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.queue.transaction import Transaction
from darkroom.web.run_views import SHOWN_STEPS
from tests.statements import statements_of

from .conftest import Site, Submit, Visitor


@pytest.fixture
def local(site: Site) -> User:
    """The local administrator, whose pages these are."""
    return site.user("Local", role="admin")


def set_run(site: Site, run_id, **values) -> None:
    with site.database.session() as session:
        run = session.get_one(Run, run_id)
        for name, value in values.items():
            setattr(run, name, value)


def test_empty_list_says_what_to_do_next(visitor: Visitor) -> None:
    page = visitor.get("/runs").text
    assert "No runs yet" in page and 'href="/count"' in page


def test_list_shows_newest_first(site: Site, local: User, submit: Submit) -> None:
    for name in ("first.jpg", "second.jpg"):
        submit(site, local, name)
    page = site.visitor().get("/runs").text
    assert page.index("second.jpg") < page.index("first.jpg")


def test_filters_are_in_the_address(site: Site, local: User, submit: Submit) -> None:
    failed = submit(site, local, "failed.jpg")
    submit(site, local, "waiting.jpg")
    set_run(site, failed.run_id, status="failed", finished_at=datetime.now(UTC))
    visitor = site.visitor()
    assert "waiting.jpg" not in visitor.get("/runs?status=failed").text
    assert "failed.jpg" not in visitor.get("/runs?text=WAIT").text
    assert "No run fits" in visitor.get("/runs?pipeline=variants").text
    assert "failed.jpg" in visitor.get(f"/runs?text={failed.run_id}").text


@pytest.mark.parametrize("query", ["text=%00x", "pipeline=%00", "text=%25_%5C"])
def test_odd_filters_find_nothing(visitor: Visitor, query: str) -> None:
    assert visitor.get(f"/runs?{query}").status_code == 200


@pytest.mark.parametrize("query", ["status=odd", "before=x", "before=2026-01-01_x"])
def test_wrong_filters_are_400(visitor: Visitor, query: str) -> None:
    assert visitor.get(f"/runs?{query}").status_code == 400


def test_list_goes_on_page_by_page(site: Site, local: User, submit: Submit) -> None:
    names = [f"photo-{number:02}.jpg" for number in range(27)]
    for name in names:
        submit(site, local, name)
    visitor = site.visitor()
    first = visitor.get("/runs").text
    [older] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = visitor.get(older.replace("&amp;", "&")).text
    shown = re.findall(r">(photo-\d\d\.jpg)<", first) + re.findall(r">(photo-\d\d\.jpg)<", second)
    assert shown == names[::-1]
    assert 'rel="next"' not in second


def test_run_page_shows_its_steps(site: Site, local: User, submit: Submit) -> None:
    run_id = submit(site, local).run_id
    page = site.visitor().get(f"/runs/{run_id}").text
    assert "Receive the photos" in page and "Waiting" in page
    assert f"/runs/{run_id}/events" in page


def test_state_tells_progress_in_the_readers_language(
    site: Site, local: User, submit: Submit
) -> None:
    run_id = submit(site, local).run_id
    note = {
        "note": "preparing photo {photo} of {photos}",
        "note_values": {"photo": 1, "photos": 2},
    }
    set_run(site, run_id, status="running", progress=0.5, **note)
    with site.database.session() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    visitor = site.visitor()
    state = visitor.get(f"/runs/{run_id}.json").json
    assert (state["status"], state["progress"], state["finished"]) == ("running", 0.5, False)
    assert state["note"] == "preparing photo 1 of 2"
    assert [step["name"] for step in state["steps"]] == ["counting.ingest"]
    spanish = visitor.get(f"/runs/{run_id}.json", headers={"Accept-Language": "es"}).json
    assert spanish["note"] == "preparando la foto 1 de 2"


def test_a_run_that_waits_says_why_instead_of_what_it_did_last(
    site: Site, local: User, submit: Submit
) -> None:
    run_id = submit(site, local).run_id
    set_run(site, run_id, status="running", started_at=datetime.now(UTC), progress=0.5, note="busy")
    with site.database.session() as session:
        session.execute(text("UPDATE lanes SET paused_at = now(), pause_reason = 'x'"))
    state = site.visitor().get(f"/runs/{run_id}.json").json
    assert (state["note"], state["left"]) == ("lane io is paused: x", "")
    page = site.visitor().get(f"/runs/{run_id}").text
    assert "busy" not in page and "waiting for a free worker" not in page


def test_unchanged_state_is_304(site: Site, local: User, submit: Submit) -> None:
    path = f"/runs/{submit(site, local).run_id}.json"
    visitor = site.visitor()
    etag = visitor.get(path).headers["ETag"]
    assert visitor.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_stream_of_a_finished_run_sends_its_state_and_ends(
    site: Site, local: User, submit: Submit
) -> None:
    run_id = submit(site, local).run_id
    set_run(site, run_id, status="completed", progress=1, finished_at=datetime.now(UTC))
    answer = site.visitor().get(f"/runs/{run_id}/events")
    assert answer.mimetype == "text/event-stream"
    [data] = re.findall(r"^data: (.*)$", answer.text, re.MULTILINE)
    assert json.loads(data)["status"] == "completed"


def test_states_of_several_runs_come_together(site: Site, local: User, submit: Submit) -> None:
    ids = [submit(site, local).run_id for _ in range(2)]
    visitor = site.visitor()
    states = visitor.get(f"/runs/followed.json?run={ids[0]}&run={ids[1]}").json
    assert [state["id"] for state in states["runs"]] == [str(found) for found in ids]
    assert states["finished"] is False


@pytest.mark.parametrize("query", ["", "run=x", "&".join(["run=" + str(uuid4())] * 51)])
def test_wrong_list_of_runs_is_400(visitor: Visitor, query: str) -> None:
    assert visitor.get(f"/runs/followed.json?{query}").status_code == 400


def test_waiting_run_can_be_cancelled_and_retried(site: Site, local: User, submit: Submit) -> None:
    path = f"/runs/{submit(site, local).run_id}"
    visitor = site.visitor()
    assert visitor.send(f"{path}/cancel", page=path).location == path
    assert visitor.get(f"{path}.json").json["status"] == "cancelled"
    assert visitor.send(f"{path}/cancel", page=path).status_code == 409
    assert visitor.send(f"{path}/retry", page=path).status_code == 303
    assert visitor.get(f"{path}.json").json["status"] in ("pending", "running")


def test_action_leads_back_only_to_our_own_pages(site: Site, local: User, submit: Submit) -> None:
    path = f"/runs/{submit(site, local).run_id}"
    sent = site.visitor().send(f"{path}/cancel", page=path, next="//evil.example")
    assert sent.location == path


def test_step_of_another_run_cannot_be_retried_here(
    site: Site, local: User, submit: Submit
) -> None:
    first, second = submit(site, local).run_id, submit(site, local).run_id
    with site.database.session() as session:
        job = session.scalar(text("SELECT job_id FROM steps WHERE run_id = :run"), {"run": second})
    answer = site.visitor().send(f"/runs/{first}/steps/{job}/retry", page="/runs")
    assert answer.status_code == 404


def test_failed_run_says_why(site: Site, local: User, submit: Submit) -> None:
    run_id = submit(site, local).run_id
    error = {"class": "Transient", "message": "The bucket does not answer."}
    set_run(site, run_id, status="failed", error=error, finished_at=datetime.now(UTC))
    visitor = site.visitor()
    assert "The bucket does not answer." in visitor.get(f"/runs/{run_id}").text
    assert "The bucket does not answer." in visitor.get("/").text


def test_a_run_in_a_paused_lane_says_why_it_was_paused(
    site: Site, local: User, submit: Submit
) -> None:
    run_id = submit(site, local).run_id
    with site.database.session() as session:
        session.execute(text("UPDATE lanes SET paused_at = now(), pause_reason = 'New disks'"))
    assert "is paused: New disks" in site.visitor().get(f"/runs/{run_id}").text


def test_home_says_what_needs_the_reader(site: Site, local: User, submit: Submit) -> None:
    submit(site, local, "going.jpg")
    page = site.visitor().get("/").text
    assert "Running now" in page and "going.jpg" in page
    assert "Needs you" not in page


def large_run(site: Site, owner: User, **states: int) -> UUID:
    """A run with so many steps in each state of the jobs' table, in this order."""
    calls = [Call("catalog.edit", "io", {"edit_id": at}) for at in range(sum(states.values()))]
    with site.database.session() as session:
        run = runs.create(session, pipeline="catalog", title="large", owner_id=owner.id)
        tx = Transaction(session, run.id, 0)
        job_ids = iter(tx.fan_out(calls, Call("catalog.conclude", "io")))
        for state, count in states.items():
            session.execute(
                text("UPDATE procrastinate_jobs SET status = :state WHERE id = ANY(:ids)"),
                {"state": state, "ids": [next(job_ids) for _ in range(count)]},
            )
        return run.id


def test_of_a_run_with_many_steps_some_of_each_state_are_shown(site: Site, local: User) -> None:
    run_id = large_run(site, local, succeeded=300, failed=300, doing=3, todo=300)
    visitor = site.visitor()
    said = visitor.get(f"/runs/{run_id}.json").json
    assert said["step_states"] == {"failed": 300, "running": 3, "succeeded": 300, "waiting": 300}
    shown = [step["state"] for step in said["steps"]]
    assert len(shown) == SHOWN_STEPS and shown.count("running") == 3
    assert {shown.count(state) for state in ("failed", "succeeded", "waiting")} == {65, 66}
    page = visitor.get(f"/runs/{run_id}").text
    assert page.count("data-step=") == SHOWN_STEPS and "Shown are 200 of 903 steps" in page
    assert f'data-shape="{said["shape"]}"' in page


def test_of_those_that_wait_the_next_are_shown_and_of_the_others_the_newest(
    site: Site, local: User
) -> None:
    run_id = large_run(site, local, succeeded=300, todo=300)
    steps = site.visitor().get(f"/runs/{run_id}.json").json["steps"]
    ids = [step["job_id"] for step in steps]
    assert ids == list(range(ids[0], ids[0] + SHOWN_STEPS))
    assert [step["state"] for step in steps] == ["succeeded"] * 100 + ["waiting"] * 100


def test_a_run_whose_steps_are_all_shown_says_nothing_of_others(site: Site, local: User) -> None:
    run_id = large_run(site, local, todo=SHOWN_STEPS)
    visitor = site.visitor()
    said = visitor.get(f"/runs/{run_id}.json").json
    assert (len(said["steps"]), said["step_states"]) == (SHOWN_STEPS, {})
    assert "Shown are" not in visitor.get(f"/runs/{run_id}").text


def test_attempts_are_read_for_the_page_and_counted_for_the_state(site: Site, local: User) -> None:
    run_id = large_run(site, local, failed=1)
    with site.database.session() as session:
        session.execute(
            text(
                "INSERT INTO attempts (job_id, number, worker, worker_id, finished_at, outcome,"
                " error_class, error_message, traceback) SELECT job_id, 1, 'w', 0, now(), 'failed',"
                " 'Error', 'bad', 'line 7' FROM steps WHERE run_id = :run"
            ),
            {"run": run_id},
        )
    visitor = site.visitor()
    assert "line 7" in visitor.get(f"/runs/{run_id}").text
    with statements_of(site.database) as asked:
        assert visitor.get(f"/runs/{run_id}.json").json["shape"].endswith(":failed:1")
    assert not [each for each in asked if "attempts.traceback" in each]


def test_a_list_of_runs_is_read_at_once(site: Site, local: User, submit: Submit) -> None:
    ids = [submit(site, local).run_id for _ in range(5)]
    visitor, counts = site.visitor(), []
    visitor.get("/runs/followed.json?run=" + str(ids[0]))
    for some in (ids[:1], ids):
        with statements_of(site.database) as asked:
            said = visitor.get("/runs/followed.json?run=" + "&run=".join(map(str, some))).json
        assert [run["id"] for run in said["runs"]] == [str(each) for each in some]
        counts.append(len(asked))
    assert counts[0] == counts[1]
