"""The console but for its jobs: dashboards, gates, cron jobs, audit; metrics and health."""

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from werkzeug.test import TestResponse

from darkroom.accounts import audit
from darkroom.cli import main
from darkroom.console import dashboards, health, words
from darkroom.db.sessions import Database
from darkroom.settings import ROOT

from .conftest import Site, Visitor

HISTORY = ROOT / "tests" / "engine" / "history.sql"
PAGES = ("", "/dashboards", "/lanes", "/breakers", "/limits", "/crons", "/workers", "/audit")
ADDRESSES = [f"/console{page}" for page in PAGES] + [
    f"/console/dashboards/{name}" for name in dashboards.names()
]
API = ("dashboards", "dashboards/lanes", "lanes", "breakers", "limits", "crons", "workers", "audit")
ACTIONS = (
    "/console/lanes/io/pause",
    "/console/lanes/gpu/resume",
    "/console/breakers/isolate",
    "/console/breakers/reset",
    "/console/crons/upkeep.roll_up/run",
    "/console/crons/upkeep.roll_up/off",
    "/console/crons/upkeep.roll_up/on",
)


@pytest.fixture
def filled(site: Site) -> Site:
    """A site whose queue has a past."""
    with site.database.connect() as connection:
        connection.execute(HISTORY.read_bytes())
    return site


@pytest.fixture
def admin(filled: Site) -> Visitor:
    """The local administrator's browser."""
    return filled.visitor()


def audited(site: Site) -> list[tuple[str, str, str]]:
    """Actor, action and subject of what was done just now."""
    with site.database.session() as session:
        rows = session.execute(
            text(
                "SELECT actor, action, subject FROM audit WHERE action <> 'jobs.retry' ORDER BY id"
            )
        )
        return [(row.actor, row.action, row.subject) for row in rows]


def one(site: Site, query: str) -> Any:
    with site.database.session() as session:
        return session.scalar(text(query))


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_shows_an_empty_queue(visitor: Visitor, address: str) -> None:
    assert visitor.get(address).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_page_shows_a_queue_with_a_past(admin: Visitor, address: str, language: str) -> None:
    page = admin.get(f"{address}?minutes=1440", headers={"Accept-Language": language})
    assert page.status_code == 200
    # What our own policy would block, and what would come from elsewhere.
    for forbidden in ("<style", "<script>", "style=", "googleapis", "onload="):
        assert forbidden not in page.text.split("<body>")[1].split('class="sql"')[0], forbidden


@pytest.mark.parametrize("address", ["/console", "/console/dashboards/depth", "/metrics"])
def test_members_do_not_see_the_console(closed_site: Site, address: str) -> None:
    member = closed_site.signed_in(closed_site.user("Bo"))
    assert member.get(address).status_code == 403


@pytest.mark.parametrize("address", ["/console", "/console/lanes", "/metrics"])
def test_strangers_do_not_see_the_console(closed_site: Site, address: str) -> None:
    assert closed_site.visitor().get(address).status_code in (302, 401)


def test_viewers_see_everything_and_are_offered_nothing(closed_site: Site) -> None:
    viewer = closed_site.signed_in(closed_site.user("Vi", role="viewer"))
    for address in ADDRESSES:
        page = viewer.get(address)
        assert page.status_code == 200, address
        assert 'action="/console/' not in page.text, address


@pytest.mark.parametrize("address", ACTIONS)
def test_viewers_change_nothing(closed_site: Site, address: str) -> None:
    viewer = closed_site.signed_in(closed_site.user("Vi", role="viewer"))
    assert viewer.send(address, page="/runs").status_code == 403
    assert audited(closed_site) == []


def test_every_dashboard_has_words_and_a_place() -> None:
    names = set(dashboards.names())
    assert set(words.TITLES) == set(words.QUESTIONS) == names
    placed = [name for _title, group in words.GROUPS for name in group]
    assert sorted(placed) == sorted(names)


def test_every_column_has_a_word(filled: Site) -> None:
    hidden = {"note_values", "capped"}
    for name in dashboards.names():
        columns = dashboards.run(filled.database, name).columns
        assert set(columns) - hidden <= set(words.COLUMNS), name


def test_the_overview_says_what_needs_somebody(admin: Visitor) -> None:
    page = admin.get("/console").text
    for alarm in (
        "Lane gpu is paused.",
        "Steps wait in lane cpu, but no worker takes it.",
        "Breaker gemini edit is open.",
        "Breaker veo render is isolated.",
        "Cron job upkeep.sweep is late.",
    ):
        assert alarm in page


def test_the_overview_draws_charts_whose_shapes_speak(admin: Visitor) -> None:
    page = admin.get("/console").text
    charts = re.findall(r'<svg [^>]*class="chart-svg".*?</svg>', page, re.DOTALL)
    assert len(charts) == 2
    assert 'role="img"' in charts[0] and "<title>Succeeded, " in charts[0]
    assert page.count('class="spark-svg"') == 3


def test_why_waiting_is_told_in_the_readers_language(admin: Visitor) -> None:
    address = "/console/dashboards/why_waiting"
    assert "no worker takes lane cpu" in admin.get(address).text
    spanish = admin.get(address, headers={"Accept-Language": "es"}).text
    assert "ningún trabajador atiende el carril cpu" in spanish


@pytest.mark.parametrize("minutes", ["0", "-5", "x", "99999999", "1e3", "٣"])
def test_a_period_that_is_none_is_400(admin: Visitor, minutes: str) -> None:
    assert admin.get(f"/console?minutes={minutes}").status_code == 400


def test_an_unknown_dashboard_is_404(admin: Visitor) -> None:
    assert admin.get("/console/dashboards/odd").status_code == 404
    assert admin.get("/api/queue/dashboards/odd").status_code == 404


def test_a_lane_is_paused_with_a_reason_and_goes_on(filled: Site, admin: Visitor) -> None:
    done = admin.send("/console/lanes/io/pause", page="/console/lanes", reason=" a <new> disk ")
    assert (done.status_code, done.location) == (303, "/console/lanes")
    page = admin.get("/console/lanes").text
    assert "a &lt;new&gt; disk" in page and "Ana" in page
    assert admin.send("/console/lanes/io/resume", page="/console/lanes").status_code == 303
    assert one(filled, "SELECT paused_at FROM lanes WHERE name = 'io'") is None
    assert audited(filled) == [("Ana", "lane.pause", "io"), ("Ana", "lane.resume", "io")]


@pytest.mark.parametrize(
    ("address", "fields", "status"),
    [
        ("/console/lanes/io/pause", {"reason": " "}, 400),
        ("/console/lanes/io/pause", {"reason": "x" * 301}, 400),
        ("/console/lanes/io/pause", {"reason": "a\0b"}, 400),
        ("/console/lanes/gpu/pause", {"reason": "again"}, 409),
        ("/console/lanes/odd/pause", {"reason": "x"}, 404),
        ("/console/lanes/io/resume", {}, 409),
        ("/console/lanes/odd/resume", {}, 404),
        ("/console/breakers/isolate", {"provider": "x", "operation": "", "reason": "x"}, 400),
        ("/console/breakers/isolate", {"provider": "x", "operation": "y"}, 400),
        ("/console/breakers/isolate", {"provider": "x", "operation": "y", "reason": "x"}, 400),
        ("/console/breakers/reset", {"provider": "x", "operation": "y"}, 404),
        ("/console/crons/odd/run", {}, 404),
        ("/console/crons/upkeep.vacuum/on", {}, 409),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    filled: Site, admin: Visitor, address: str, fields: dict[str, str], status: int
) -> None:
    assert admin.send(address, page="/console/lanes", **fields).status_code == status
    assert audited(filled) == []


def test_an_action_without_the_pages_token_is_refused_and_logged_once(
    filled: Site, admin: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert admin.client.post("/console/lanes/gpu/resume").status_code == 400
    assert [record.message for record in caplog.records] == ["The CSRF token is missing."]
    assert audited(filled) == []


def test_a_breaker_is_isolated_and_reset(filled: Site, admin: Visitor) -> None:
    named = {"provider": "fal", "operation": "upscale"}
    state = "SELECT state FROM breakers WHERE provider = 'fal'"
    page = "/console/breakers"
    assert admin.send(f"{page}/isolate", page=page, **named, reason="odd").status_code == 303
    assert one(filled, state) == "isolated"
    assert admin.send(f"{page}/reset", page=page, **named).status_code == 303
    assert one(filled, state) == "closed"
    assert audited(filled) == [
        ("Ana", "breaker.isolate", "fal upscale"),
        ("Ana", "breaker.reset", "fal upscale"),
    ]


def test_a_cron_job_is_run_now_and_switched(filled: Site, admin: Visitor) -> None:
    page = "/console/crons"
    for action in ("run", "off", "on"):
        assert admin.send(f"{page}/upkeep.roll_up/{action}", page=page).status_code == 303
    assert [action for _, action, _ in audited(filled)] == ["cron.run", "cron.off", "cron.on"]
    assert one(filled, "SELECT running_job_id FROM crons WHERE name = 'upkeep.roll_up'")
    again = admin.send(f"{page}/upkeep.roll_up/run", page=page)
    assert again.status_code == 409


def test_the_audit_goes_on_page_by_page(admin: Visitor) -> None:
    first = admin.get("/console/audit").text
    [older] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = admin.get(older.replace("&amp;", "&")).text
    assert (first.count("<tr data-item"), second.count("<tr data-item")) == (50, 10)


@pytest.mark.parametrize("before", ["x", "2026-01-01_1", "2026-01-01T00:00:00+00:00_x"])
def test_an_odd_page_of_the_audit_is_400(admin: Visitor, before: str) -> None:
    assert admin.get("/console/audit", query_string={"before": before}).status_code == 400


@pytest.mark.parametrize("name", API)
def test_the_api_answers_json(admin: Visitor, name: str) -> None:
    answer = admin.get(f"/api/queue/{name}")
    assert answer.status_code == 200 and answer.is_json


def test_the_api_gives_a_dashboard_with_its_columns(admin: Visitor) -> None:
    answer = admin.get("/api/queue/dashboards/throughput?minutes=10").json
    assert answer["columns"][0] == "minute" and len(answer["rows"]) == 11
    assert answer["capped"] is False and answer["rows"][0]["ended"] >= 0


def test_the_api_pauses_and_resumes(closed_site: Site) -> None:
    headers = closed_site.token_of(closed_site.user("Root", role="admin"))
    client = closed_site.visitor().client

    def post(path: str, **body: Any) -> TestResponse:
        return client.post(f"/api/queue/lanes/{path}", json=body, headers=headers)

    assert post("io/pause", reason="why not").json["pause_reason"] == "why not"
    assert post("io/pause", reason="again").status_code == 409
    assert post("io/resume").json["paused_at"] is None
    assert post("io/pause").json["error"]["field"] == "reason"


def test_the_api_isolates_resets_and_runs(closed_site: Site) -> None:
    headers = closed_site.token_of(closed_site.user("Root", role="admin"))
    with closed_site.database.connect() as connection:
        connection.execute(
            "INSERT INTO crons (name, purpose, lane, max_attempts, schedule) "
            "VALUES ('t.t', 'T.', 'io', 3, '* * * * *')"
        )
    client = closed_site.visitor().client

    def post(path: str, **body: Any) -> TestResponse:
        return client.post(f"/api/queue/{path}", json=body, headers=headers)

    assert post("breakers/gemini/edit/isolate", reason="x").json["state"] == "isolated"
    assert post("breakers/gemini/edit/reset").json["state"] == "closed"
    mistyped = post("breakers/gemni/edit/isolate", reason="x").json["error"]
    assert (
        mistyped["field"] == "provider"
        and "There are: cloudinary, gcs, gemini" in (mistyped["message"])
    )
    rows = client.get("/api/queue/breakers", headers=headers).json["breakers"]
    assert [row["provider"] for row in rows] == ["gemini"]
    assert post("crons/t.t/run").status_code == 202
    assert post("crons/t.t/off").json["enabled"] is False
    assert post("crons/t.t/odd").status_code == 404


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_the_api_lets_only_administrators_act(closed_site: Site, role: str) -> None:
    headers = closed_site.token_of(closed_site.user("Bo", role=role))
    client = closed_site.visitor().client
    pause = client.post("/api/queue/lanes/io/pause", json={"reason": "x"}, headers=headers)
    assert pause.status_code == 403
    read = client.get("/api/queue/lanes", headers=headers)
    assert read.status_code == (200 if role == "viewer" else 403)


def test_prometheus_reads_the_metrics(filled: Site, admin: Visitor) -> None:
    one(filled, "SELECT rolled FROM darkroom_roll_up_v1(100000)")
    answer = admin.get("/metrics")
    assert answer.mimetype == "text/plain"
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    for name in (
        "ml_processing_duration_seconds",
        "ml_detection_count",
        "ml_estimation_count",
        "circuit_breaker_state",
        "darkroom_lane_waiting",
        "darkroom_attempts",
        "darkroom_workers",
        "darkroom_cost_usd",
    ):
        assert found[name].samples, name
    states = {
        sample.labels["provider"]: sample.value for sample in found["circuit_breaker_state"].samples
    }
    assert states == {"fal": 0, "gemini": 1, "storage": 2, "veo": 3}


def test_histograms_of_the_metrics_add_up(filled: Site, admin: Visitor) -> None:
    one(filled, "SELECT rolled FROM darkroom_roll_up_v1(100000)")
    families = text_string_to_metric_families(admin.get("/metrics").text)
    found = {family.name: family.samples for family in families}
    detected = {
        (sample.name.removeprefix("ml_detection_count_"), sample.labels.get("le")): sample.value
        for sample in found["ml_detection_count"]
    }
    assert (detected["count", None], detected["sum", None]) == (2, 24)
    assert (detected["bucket", "10.0"], detected["bucket", "20.0"]) == (0, 2)
    runs = [s for s in found["darkroom_attempt_run_seconds"] if s.labels["task"] == "counting.draw"]
    counts = [s.value for s in runs if s.name.endswith("_bucket")]
    assert counts == sorted(counts)
    assert counts[-1] == next(s.value for s in runs if s.name.endswith("_count"))


def test_a_viewers_token_reads_the_metrics(closed_site: Site) -> None:
    headers = closed_site.token_of(closed_site.user("Vi", role="viewer"))
    assert closed_site.visitor().client.get("/metrics", headers=headers).status_code == 200


def test_ready_means_a_database_its_schema_and_a_worker(filled: Site, visitor: Visitor) -> None:
    answer = visitor.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "reasons": []})


def test_not_ready_without_a_worker(visitor: Visitor) -> None:
    answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert [reason["check"] for reason in answer.json["reasons"]] == ["workers"]


@pytest.mark.parametrize(("stale", "status"), [(60, 200), (20, 503)])
def test_how_long_a_worker_may_be_silent_is_its_own_setting(
    site: Site, visitor: Visitor, stale: float, status: int
) -> None:
    with site.database.connect() as connection:
        connection.execute(
            "INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE"
            " VALUES (7, now() - interval '40 s')"
        )
        connection.execute(
            "INSERT INTO worker_lanes (worker_id, name, lane, slots, stale_seconds)"
            " VALUES (7, 'shop:1:io', 'io', 1, %s)",
            [stale],
        )
    assert visitor.get("/readyz").status_code == status
    lives = status == 200
    assert dashboards.run(site.database, "workers").records[0]["lives"] is lives
    lanes = {row["lane"]: row for row in dashboards.run(site.database, "lanes").records}
    assert lanes["io"]["workers"] == int(lives)


def test_not_ready_with_an_older_schema(filled: Site, visitor: Visitor) -> None:
    one(filled, "DELETE FROM _yoyo_migration WHERE migration_id = 'roll_up_v1' RETURNING 1")
    answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert [reason["check"] for reason in answer.json["reasons"]] == ["schema"]


def test_not_ready_without_a_database(site: Site) -> None:
    nowhere = Database("postgresql://nobody:x@127.0.0.1:1/none")
    with site.app.app_context():
        assert [reason.check for reason in health.find_reasons(nowhere)] == ["database"]


def test_a_dashboard_that_takes_too_long_is_503_and_asked_once(
    filled: Site, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboards, "TIMEOUT_MS", 1)
    monkeypatch.setattr(dashboards, "load", lambda name: slow)
    slow = dashboards.Dashboard("tables", "How?", "How?", "SELECT pg_sleep(1)")
    answer = admin.get("/console/dashboards/tables")
    assert answer.status_code == 503 and "longer than 2 seconds" in answer.text


def run_command(site: Site, *arguments: str) -> Any:
    environ = {
        "DATABASE_URL": site.database.url,
        "DARKROOM_HOME": str(site.services.settings.home),
        "COLUMNS": "160",
    }
    return CliRunner().invoke(main, arguments, env=environ)


@pytest.mark.parametrize("name", dashboards.names())
def test_the_command_line_shows_a_dashboard(filled: Site, name: str) -> None:
    for more in ((), ("--json", "--minutes", "1440")):
        done = run_command(filled, "queue", "dashboard", name, *more)
        assert done.exit_code == 0, done.output


def test_the_command_line_lists_the_dashboards(site: Site) -> None:
    done = run_command(site, "queue", "dashboard")
    assert "why_waiting" in done.output and "Why does each waiting step wait?" in done.output


@pytest.mark.parametrize(
    "command", ["lanes list", "breakers list", "limits", "cron list", "workers"]
)
def test_the_command_line_lists(filled: Site, command: str) -> None:
    for more in ((), ("--json",)):
        done = run_command(filled, *command.split(), *more)
        assert done.exit_code == 0 and done.output, done.output


def test_the_command_line_acts_and_says_so_in_the_audit(filled: Site) -> None:
    for command in (
        "lanes pause io --reason disk",
        "lanes resume io",
        "breakers isolate fal upscale --reason odd",
        "breakers reset fal upscale",
        "cron run upkeep.sweep",
        "cron off upkeep.roll_up",
        "cron on upkeep.roll_up",
    ):
        done = run_command(filled, *command.split())
        assert done.exit_code == 0, done.output
    assert {actor for actor, _, _ in audited(filled)} == {"cli"}
    assert [action for _, action, _ in audited(filled)] == [
        "lane.pause",
        "lane.resume",
        "breaker.isolate",
        "breaker.reset",
        "cron.run",
        "cron.off",
        "cron.on",
    ]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("lanes pause io --reason disk", {"lane": "io", "pause_reason": "disk"}),
        ("lanes resume gpu", {"lane": "gpu", "paused_at": None}),
        ("breakers isolate gemini edit --reason odd", {"provider": "gemini", "state": "isolated"}),
        ("breakers reset gemini edit", {"operation": "edit", "state": "closed"}),
        ("cron run upkeep.sweep", {"name": "upkeep.sweep", "running_job_id": 325}),
        ("cron off upkeep.roll_up", {"name": "upkeep.roll_up", "enabled": False}),
        ("cron on upkeep.roll_up", {"name": "upkeep.roll_up", "enabled": True}),
    ],
)
def test_the_command_line_answers_programs_with_what_it_acted_on(
    filled: Site, command: str, told: dict[str, Any]
) -> None:
    done = run_command(filled, *command.split(), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {name: found[name] for name in told} == told


def test_the_command_line_says_what_is_wrong(filled: Site) -> None:
    done = run_command(filled, "lanes", "pause", "odd", "--reason", "x")
    assert done.exit_code == 1 and "There is no such lane." in done.output
    done = run_command(filled, "queue", "dashboard", "odd")
    assert done.exit_code == 1 and "There is no dashboard 'odd'" in done.output


def test_an_action_can_be_taken_back_on_the_audit_page(site: Site) -> None:
    with site.database.session() as db:
        audit.write(
            db, actor=audit.CLI, action="jobs.reprioritise", count=1, undo={"priorities": []}
        )
    visitor = site.signed_in(site.user("Ada", role="admin"))

    assert "/console/jobs/undo/" in visitor.get("/console/audit").text
    assert "/console/jobs/undo/" not in (
        site.signed_in(site.user("Vi", role="viewer")).get("/console/audit").text
    )
