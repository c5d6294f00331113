"""The files of sql/dashboards: each runs as it is, in Python and in psql, and tells the truth."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from darkroom.console import dashboards
from darkroom.console.snapshots import Snapshots
from darkroom.db import embedded
from darkroom.db.sessions import Database
from darkroom.errors import Invalid, NotFound, Transient
from darkroom.settings import ROOT

HISTORY = ROOT / "tests" / "engine" / "history.sql"
NAMES = dashboards.names()


def execute(database: Database, script: str) -> None:
    with database.connect() as connection:
        connection.execute(script.encode())


@pytest.fixture
def filled(database: Database) -> Database:
    """A queue with a past, of every kind of row."""
    execute(database, HISTORY.read_text(encoding="utf-8"))
    return database


def psql() -> str:
    """The psql of the embedded server, or the machine's own."""
    shipped = Path(embedded._installed()) / "bin" / "psql"
    found = str(shipped) if shipped.exists() else shutil.which("psql")
    if found is None:
        pytest.skip("no psql on this machine")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_opens_with_its_question_columns_and_cost(name: str):
    dashboard = dashboards.load(name)
    assert dashboard.question.endswith("?")
    assert "Cost:" in dashboard.about
    # One statement: psql runs the last of a file without a semicolon, and psycopg only one.
    statement = [line for line in dashboard.statement.splitlines() if not line.startswith("--")]
    assert ";" not in "".join(statement)


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_answers_for_an_empty_queue(database: Database, name: str):
    answer = dashboards.run(database, name)
    assert answer.columns and not answer.capped


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_answers_for_a_queue_with_a_past(filled: Database, name: str):
    about = dashboards.load(name).about
    answer = dashboards.run(filled, name, 1440)
    assert answer.rows or name == "stalled"
    for column in answer.columns:
        assert column in about, f"{name}.sql does not say what {column} is"


def test_all_dashboards_run_in_psql(filled: Database):
    files = [
        argument for name in NAMES for argument in ("-f", str(dashboards.FOLDER / f"{name}.sql"))
    ]
    command = [psql(), "-X", "-q", "-v", "ON_ERROR_STOP=1", filled.url, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" row") >= len(NAMES)


def test_another_period_is_set_in_psql_as_the_comment_says(filled: Database):
    folder = dashboards.FOLDER
    command = [psql(), "-X", "-q", "-t", "-c", "SET darkroom.minutes = 5"]
    command += ["-f", str(folder / "throughput.sql"), filled.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert len(done.stdout.strip().splitlines()) == 6


def test_an_unknown_dashboard_is_not_found():
    with pytest.raises(NotFound):
        dashboards.load("../migrations/0001_procrastinate")


@pytest.mark.parametrize("minutes", [0, -1, 10**7])
def test_a_period_has_its_limits(database: Database, minutes: int):
    with pytest.raises(Invalid):
        dashboards.run(database, "throughput", minutes)


def test_a_dashboard_cannot_write(database: Database):
    with (
        pytest.raises(Exception, match="read-only"),
        dashboards.careful(database) as session,
    ):
        session.execute(text("UPDATE lanes SET pause_reason = 'x'"))


def test_a_dashboard_that_takes_too_long_is_ended(database: Database, monkeypatch):
    monkeypatch.setattr(dashboards, "TIMEOUT_MS", 50)
    with pytest.raises(Transient), dashboards.careful(database) as session:
        session.execute(text("SELECT pg_sleep(5)"))


def test_many_who_look_at_once_ask_the_database_once(filled: Database):
    asked = []

    class Counting(Snapshots):
        def _ask(self, name, minutes):
            asked.append(name)
            return super()._ask(name, minutes)

    now = [0.0]
    shared = Counting(filled, seconds=3, clock=lambda: now[0])
    together = [threading.Thread(target=shared.get, args=("lanes",)) for _ in range(20)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    assert asked == ["lanes"]
    now[0] = 2.9
    shared.get("lanes")
    assert asked == ["lanes"]
    now[0] = 3.1
    shared.get("lanes")
    assert asked == ["lanes", "lanes"]


def test_a_period_does_not_matter_where_there_is_none(filled: Database):
    shared = Snapshots(filled)
    assert shared.get("lanes", 60) is shared.get("lanes", 1440)
    assert shared.get("throughput", 60) is not shared.get("throughput", 1440)


def test_cache_tells_what_is_kept_and_counts_what_is_gone(filled: Database):
    assert dashboards.run(filled, "cache").records[0]["hit_fraction"] is None
    execute(
        filled,
        """
        WITH made AS (
            INSERT INTO assets (owner_id, sha256, mime, size_bytes, bucket, storage_key)
            VALUES (1, repeat('0', 64), 'image/png', 9, 'local', 'x') RETURNING id
        )
        INSERT INTO kept_pictures (key, asked, attempt_id, asset_id, thumbnail_id, size_bytes, hits)
        SELECT md5(n::text), '{}', n, made.id, made.id, 100 * n, n
        FROM made, generate_series(1, 3) n;
        INSERT INTO kept_pictures (key, asked, attempt_id) VALUES (md5('in the making'), '{}', 4);
        DELETE FROM kept_pictures WHERE attempt_id = 3;
        """,
    )
    [row] = dashboards.run(filled, "cache").records
    assert (row["entries"], row["total_size_bytes"]) == (2, 300)
    assert (row["hits"], row["misses"], float(row["hit_fraction"])) == (6, 3, 0.6667)


def test_failures_of_one_cause_are_one_row(filled: Database):
    rows = dashboards.run(filled, "failures", 1440).records
    shapes = {row["shape"] for row in rows}
    assert shapes == {"could not read <path>", "gemini answered <n> after <n> s"}
    assert sum(row["failed"] for row in rows) == 8


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ("run 0f8fad5b-d9cb-469f-a165-70867728950e is gone", "run <id> is gone"),
        ("GET https://example.com/a?b=1 answered 503", "GET <url> answered <n>"),
        ("no file /srv/photos/12.jpg", "no file <path>"),
        ("sha256 deadbeef0123456789 differs", "sha<n> <id> differs"),
        ("took 1.5 s and/or 3,000 ms", "took <n> s and/or <n> ms"),
        ("dimension is bad", "dimension is bad"),
    ],
)
def test_the_shape_of_a_message_has_nothing_of_the_single_case(
    database: Database, message: str, shape: str
):
    with database.session() as session:
        found = session.scalar(text("SELECT darkroom_message_shape_v1(:m)"), {"m": message})
    assert found == shape


def test_latencies_lie_in_the_bucket_of_the_true_percentile(filled: Database):
    with filled.session() as session:
        session.execute(text("SELECT darkroom_roll_up_v1(100000)"))
        true = session.scalar(
            text(
                "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY finished_at - started_at) "
                "FROM attempts WHERE outcome = 'succeeded'"
            )
        ).total_seconds()
    for row in dashboards.run(filled, "latency", 1440).records:
        assert true / 2 < row["run_p50_seconds"] < true * 2
        assert row["run_p50_seconds"] <= row["run_p95_seconds"] <= row["run_p99_seconds"]


def test_stalled_names_what_nobody_will_move(filled: Database):
    execute(
        filled,
        """
        UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 min' WHERE id = 1001;
        UPDATE attempts SET worker_id = 999 WHERE job_id = 3;
        UPDATE procrastinate_jobs SET status = 'doing' WHERE id = 1;
        UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 min' WHERE id = 4;
        INSERT INTO runs (pipeline, title, owner_id, status, created_at)
        VALUES ('counting', 'lost', 1, 'running', now() - interval '1 h');
        """,
    )
    rows = dashboards.run(filled, "stalled").records
    found = {(row["job_id"], row["reason"]) for row in rows}
    assert found == {
        (3, "worker_gone"),
        (6, "worker_silent"),
        (9, "worker_silent"),
        (15, "worker_silent"),
        (1, "no_attempt"),
        (4, "not_promoted"),
        (None, "no_steps"),
    }
