"""The console's pages of jobs and their API: who may do what, and what comes of it."""

import re
from typing import Any

import pytest
from sqlalchemy import select, text

from darkroom.accounts.audit import AuditRow
from darkroom.accounts.models import User
from darkroom.queue.calls import Call, enqueue

from .conftest import Site, Submit, Visitor


@pytest.fixture
def jobs(site: Site) -> list[int]:
    """Three jobs that wait and, the last, one that failed."""
    with site.database.session() as session:
        calls = [Call("steps.note", "io", {"photo_id": n}, label=f"photo {n}") for n in range(4)]
        ids = enqueue(session, calls, run_id=None)
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = :id"), {"id": ids[3]}
        )
        session.execute(
            text(
                "INSERT INTO attempts (job_id, number, worker_id, worker, finished_at, outcome, "
                "error_class, error_message, traceback, log) VALUES (:id, 1, 1, 'host:1:io', "
                "now(), 'failed', 'Transient', 'storage answered <503>', 'Traceback …', '<disk>')"
            ),
            {"id": ids[3]},
        )
    return ids


def statuses(site: Site) -> list[str]:
    with site.database.session() as session:
        found = text("SELECT status::text FROM procrastinate_jobs ORDER BY id")
        return list(session.scalars(found))


def audit(site: Site) -> list[AuditRow]:
    with site.database.session() as session:
        return list(session.scalars(select(AuditRow).order_by(AuditRow.id)))


def shown(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'<tr id="job-(\d+)"', page)]


def fields_of(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: value.replace("&amp;", "&") for name, value in found if name != "csrf_token"}


# Pages


def test_the_list_shows_the_newest_first(visitor: Visitor, jobs: list[int]) -> None:
    page = visitor.get("/console/jobs").text
    assert shown(page) == jobs[::-1]
    assert "4 jobs" in page and "storage answered &lt;503&gt;" in page


def test_an_empty_queue_says_so(visitor: Visitor) -> None:
    assert "has not had a job yet" in visitor.get("/console/jobs").text


def test_filters_are_in_the_address(visitor: Visitor, jobs: list[int]) -> None:
    assert shown(visitor.get("/console/jobs?state=failed").text) == [jobs[3]]
    page = visitor.get("/console/jobs?text=args.photo_id:2&lane=io&task=").text
    assert shown(page) == [jobs[2]]
    assert 'value="args.photo_id:2"' in page
    assert "No job fits" in visitor.get("/console/jobs?task=odd").text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=odd", "state"),
        ("stat=failed", "stat"),
        ("created_after=soon", "created_after"),
        ("before=x", "before"),
        ("run=1", "run"),
        ("text=a%00b", "text"),
    ],
)
def test_a_bad_filter_is_said_on_the_page(visitor: Visitor, query: str, field: str) -> None:
    answer = visitor.get(f"/console/jobs?{query}")
    assert answer.status_code == 400
    assert f'<b class="mono">{field}</b>' in answer.text and "data-filters" in answer.text


def test_a_job_shows_what_it_was_asked_and_what_went_wrong(
    visitor: Visitor, jobs: list[int]
) -> None:
    page = visitor.get(f"/console/jobs/{jobs[3]}").text
    for words in ("steps.note", "&#34;photo_id&#34;: 3", "Traceback …", "&lt;503&gt;", "host:1:io"):
        assert words in page
    assert "<summary>Log</summary>" in page and "&lt;disk&gt;" in page
    waits = visitor.get(f"/console/jobs/{jobs[0]}").text
    assert "<summary>Log</summary>" not in waits
    assert "Why it waits:" in waits and "no worker takes lane io" in waits
    assert visitor.get("/console/jobs/999999").status_code == 404


def test_a_job_of_a_run_leads_to_it(site: Site, visitor: Visitor, submit: Submit) -> None:
    run_id = submit(site, site.user("Root", role="admin")).run_id
    page = visitor.get(f"/console/jobs?run={run_id}").text
    [job_id] = shown(page)
    assert f'href="/runs/{run_id}"' in visitor.get(f"/console/jobs/{job_id}").text


def test_pages_are_spoken_in_spanish(visitor: Visitor, jobs: list[int]) -> None:
    headers = {"Accept-Language": "es"}
    assert "4 trabajos" in visitor.get("/console/jobs", headers=headers).text
    assert "Por qué espera:" in visitor.get(f"/console/jobs/{jobs[0]}", headers=headers).text


def test_an_action_is_counted_first_then_done_then_taken_back(
    site: Site, visitor: Visitor, jobs: list[int]
) -> None:
    asked = "/console/jobs/confirm?action=cancel&scope=all&filter=state%3Dwaiting"
    page = visitor.get(asked + "&back=/console/jobs%3Fstate%3Dwaiting").text
    assert "Cancel: 3 jobs?" in page and statuses(site) == ["todo"] * 3 + ["failed"]
    sent = visitor.send("/console/jobs/act", page="/console/jobs", **fields_of(page))
    assert sent.status_code == 303
    assert statuses(site) == ["cancelled"] * 3 + ["failed"]
    [row] = audit(site)
    assert (row.actor, row.action, row.count) == ("local", "jobs.cancel", 3)
    assert row.filter == {"state": ["waiting"]} and row.user_id is not None
    assert sent.location == f"/console/jobs?state=waiting&done={row.id}"
    assert "Cancel: 3 jobs." in visitor.get(sent.location).text
    visitor.send(f"/console/jobs/undo/{row.id}", page="/console/jobs")
    assert statuses(site) == ["todo"] * 3 + ["failed"]
    assert [row.action for row in audit(site)] == ["jobs.cancel", "jobs.undo"]
    assert "Undo" not in visitor.get(sent.location).text


def test_only_selected_rows_are_touched(site: Site, visitor: Visitor, jobs: list[int]) -> None:
    asked = f"/console/jobs/confirm?action=cancel&scope=selected&id={jobs[0]}&id={jobs[2]}&filter="
    page = visitor.get(asked).text
    assert "Cancel: 2 jobs?" in page
    visitor.send("/console/jobs/act", page="/console/jobs", **fields_of(page))
    assert statuses(site) == ["cancelled", "todo", "cancelled", "failed"]


def test_nothing_selected_leads_back_with_a_word(visitor: Visitor, jobs: list[int]) -> None:
    answer = visitor.get("/console/jobs/confirm?action=cancel&scope=selected&filter=")
    assert answer.status_code == 303
    assert "Select jobs first" in visitor.get(answer.location).text


def test_priority_is_set_from_the_page(site: Site, visitor: Visitor, jobs: list[int]) -> None:
    asked = f"/console/jobs/confirm?action=reprioritise&scope=all&filter=id%3D{jobs[1]}&priority=7"
    page = visitor.get(asked).text
    assert "New priority: 7" in page
    visitor.send("/console/jobs/act", page="/console/jobs", **fields_of(page))
    with site.database.session() as session:
        found = text("SELECT priority FROM procrastinate_jobs ORDER BY id")
        assert list(session.scalars(found)) == [0, 7, 0, 0]


def test_a_long_action_says_how_far_it_is_and_goes_on(
    site: Site, visitor: Visitor, jobs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.console.actions.BATCH", 2)
    monkeypatch.setattr("darkroom.console.jobs.ACT_SECONDS", 0)
    fields = {"action": "cancel", "filter": "state=waiting", "back": "/console/jobs"}
    first = visitor.send("/console/jobs/act", page="/console/jobs", **fields)
    assert "2 jobs so far" in first.text and "data-go-on" in first.text
    sent = visitor.send("/console/jobs/act", page="/console/jobs", **fields_of(first.text))
    assert sent.status_code == 303
    assert statuses(site) == ["cancelled"] * 3 + ["failed"]
    assert [row.count for row in audit(site)] == [3]


@pytest.mark.parametrize(
    "query",
    [
        "action=odd&scope=all",
        "action=reprioritise&scope=all&priority=x",
        "action=reprioritise&scope=all&priority=99999",
        "action=retry&filter=odd%3D1",
    ],
)
def test_a_bad_order_is_400(visitor: Visitor, jobs: list[int], query: str) -> None:
    assert visitor.get(f"/console/jobs/confirm?{query}").status_code == 400


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/account", "/console/jobs\\x"]
)
def test_an_action_leads_back_only_to_jobs(visitor: Visitor, jobs: list[int], back: str) -> None:
    fields = {"action": "cancel", "filter": f"id={jobs[0]}", "back": back}
    sent = visitor.send("/console/jobs/act", page="/console/jobs", **fields)
    assert sent.location.startswith("/console/jobs?done=")


def test_an_action_without_its_token_is_refused(
    site: Site, visitor: Visitor, jobs: list[int]
) -> None:
    answer = visitor.client.post("/console/jobs/act", data={"action": "cancel", "filter": ""})
    assert answer.status_code == 400 and statuses(site) == ["todo"] * 3 + ["failed"]


# Who may


READ = ["/console/jobs", "/console/jobs?state=failed"]
ACT: list[tuple[str, dict[str, Any]]] = [
    ("/console/jobs/act", {"action": "cancel", "filter": ""}),
    ("/console/jobs/undo/1", {}),
]


def viewer_of(site: Site) -> User:
    site.user("Root", role="admin")
    return site.user("Vera", role="viewer")


def test_viewers_see_the_console_but_cannot_act(closed_site: Site, jobs: list[int]) -> None:
    visitor = closed_site.signed_in(viewer_of(closed_site))
    for path in [*READ, f"/console/jobs/{jobs[0]}"]:
        page = visitor.get(path)
        assert page.status_code == 200
        assert "data-select" not in page.text and "/console/jobs/confirm?" not in page.text
    assert visitor.get("/console/jobs/confirm?action=cancel&scope=all").status_code == 403
    for path, fields in ACT:
        assert visitor.send(path, page="/account", **fields).status_code == 403
    assert statuses(closed_site) == ["todo"] * 3 + ["failed"] and audit(closed_site) == []


def test_viewers_see_everybodys_runs_but_change_none(closed_site: Site, submit: Submit) -> None:
    theirs = submit(closed_site, closed_site.user("Ana"))
    visitor = closed_site.signed_in(viewer_of(closed_site))
    assert visitor.get(f"/runs/{theirs.run_id}").status_code == 200
    assert visitor.send(f"/runs/{theirs.run_id}/cancel", page="/account").status_code == 403
    assert visitor.send("/count", page="/account").status_code == 403
    assert visitor.get("/users").status_code == 403


def test_viewers_change_their_own_account(closed_site: Site) -> None:
    visitor = closed_site.signed_in(viewer_of(closed_site))
    fields = {"name": "Vera B", "email": "vera@example.org"}
    sent = visitor.send("/account/profile", page="/account", **fields)
    assert sent.status_code == 303
    assert visitor.send("/preferences", page="/account", theme="dark").status_code == 303


def test_members_have_no_console(closed_site: Site, jobs: list[int]) -> None:
    visitor = closed_site.signed_in(closed_site.user())
    assert visitor.get("/console/jobs").status_code == 403
    assert visitor.get(f"/console/jobs/{jobs[0]}").status_code == 403
    assert visitor.send(ACT[0][0], page="/account", **ACT[0][1]).status_code == 403
    assert "/console" not in visitor.get("/").text


def test_strangers_are_led_to_sign_in(closed_site: Site) -> None:
    assert closed_site.visitor().get("/console/jobs").status_code == 302
    assert closed_site.visitor().get("/api/queue/jobs").status_code == 401


# API


@pytest.fixture
def admin(site: Site) -> dict[str, str]:
    return site.token_of(site.user("Root", role="admin"))


def test_the_api_lists_jobs(site: Site, jobs: list[int], admin: dict[str, str]) -> None:
    client = site.app.test_client()
    body = client.get("/api/queue/jobs?lane=io&limit=3", headers=admin).json
    assert [job["id"] for job in body["jobs"]] == jobs[:0:-1]
    assert (body["older"], body["count"], body["exact"]) == (jobs[1], 4, True)
    older = client.get(f"/api/queue/jobs?lane=io&before={body['older']}", headers=admin).json
    assert [job["id"] for job in older["jobs"]] == [jobs[0]] and older["older"] is None
    failed = body["jobs"][0]
    assert failed["state"] == "failed" and failed["error"]["class"] == "Transient"
    assert body["jobs"][1]["waiting"]["reason"] == "no_worker"


def test_the_api_shows_a_job(site: Site, jobs: list[int], admin: dict[str, str]) -> None:
    client = site.app.test_client()
    body = client.get(f"/api/queue/jobs/{jobs[3]}", headers=admin).json
    assert body["args"] == {"photo_id": 3} and body["attempt_rows"][0]["outcome"] == "failed"
    missing = client.get("/api/queue/jobs/999999", headers=admin)
    assert missing.status_code == 404 and missing.json["error"]["code"] == "not_found"


def test_the_api_counts_acts_and_takes_back(
    site: Site, jobs: list[int], admin: dict[str, str]
) -> None:
    client = site.app.test_client()
    body = {"filter": {"state": "waiting", "args": {"photo_id": 1}}, "dry_run": True}
    dry = client.post("/api/queue/jobs/cancel", json=body, headers=admin).json
    assert dry == {
        "action": "cancel",
        "dry_run": True,
        "count": 1,
        "exact": True,
        "tasks": {"steps.note": 1},
    }
    assert statuses(site) == ["todo"] * 3 + ["failed"] and audit(site) == []
    done = client.post("/api/queue/jobs/cancel", json=body | {"dry_run": False}, headers=admin).json
    assert (done["count"], done["done"], done["continue"]) == (1, True, None)
    assert statuses(site)[1] == "cancelled"
    [row] = audit(site)
    assert (row.id, row.actor, row.count) == (done["audit_id"], "Root", 1)
    back = client.post(f"/api/queue/jobs/undo/{row.id}", headers=admin)
    assert back.json == {"action": "undo", "count": 1} and statuses(site)[1] == "todo"


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("cancel", {}, "filter"),
        ("cancel", {"filter": {}}, "filter"),
        ("cancel", {"filter": []}, "filter"),
        ("cancel", {"filter": {"stat": "failed"}}, "stat"),
        ("cancel", {"filter": {"state": "odd"}}, "state"),
        ("cancel", {"all": "yes"}, "all"),
        ("cancel", {"all": True, "dryrun": True}, "dryrun"),
        ("cancel", {"all": True, "continue": 5}, "continue"),
        ("reprioritise", {"all": True}, "priority"),
        ("reprioritise", {"all": True, "priority": "5"}, "priority"),
        ("cancel", [], None),
    ],
)
def test_a_bad_call_names_its_field_and_changes_nothing(
    site: Site, jobs: list[int], admin: dict[str, str], action: str, body: Any, field: str | None
) -> None:
    answer = site.app.test_client().post(f"/api/queue/jobs/{action}", json=body, headers=admin)
    assert answer.status_code == 400 and answer.json["error"]["field"] == field
    assert statuses(site) == ["todo"] * 3 + ["failed"]


def test_an_unknown_action_is_404(site: Site, admin: dict[str, str]) -> None:
    client = site.app.test_client()
    assert client.post("/api/queue/jobs/explode", json={}, headers=admin).status_code == 404


def test_viewers_read_the_api_but_cannot_act(closed_site: Site, jobs: list[int]) -> None:
    client = closed_site.app.test_client()
    viewer = closed_site.token_of(viewer_of(closed_site))
    assert client.get("/api/queue/jobs", headers=viewer).status_code == 200
    assert client.get(f"/api/queue/jobs/{jobs[0]}", headers=viewer).status_code == 200
    for body in ({"all": True}, {"all": True, "dry_run": True}):
        answer = client.post("/api/queue/jobs/cancel", json=body, headers=viewer)
        assert answer.status_code == 403 and answer.json["error"]["code"] == "forbidden"
    member = closed_site.token_of(closed_site.user())
    assert client.get("/api/queue/jobs", headers=member).status_code == 403
    assert statuses(closed_site) == ["todo"] * 3 + ["failed"]
