"""The doctor finds each fault that was planted, says what to do, and is content without any."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from darkroom import doctor
from darkroom.db import migrate
from darkroom.db.sessions import Database
from darkroom.doctor import disk, machine, server
from darkroom.doctor.findings import Finding
from darkroom.queue.calls import Call, enqueue
from darkroom.settings import ROOT, Settings
from darkroom.storage import sweeping
from darkroom.storage.store import open_store

Run = Callable[..., None]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOM = "a very large disk has room"


@pytest.fixture
def run(database: Database) -> Run:
    def execute(statement: str, **values: object) -> None:
        with database.session() as session:
            session.execute(text(statement), values)

    return execute


@pytest.fixture
def healthy(settings: Settings, run: Run, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with a worker on each lane, whose cron jobs have run."""
    run(
        "WITH w AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id) "
        "INSERT INTO worker_lanes (worker_id, name, lane, slots) "
        "SELECT w.id, 'host:1:' || l.name, l.name, 1 FROM w, (VALUES ('io')) l (name)"
    )
    for lane in ("cpu", "gpu"):
        run(
            "WITH w AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id) "
            "INSERT INTO worker_lanes (worker_id, name, lane, slots) "
            "SELECT w.id, 'host:1:' || :lane, :lane, 1 FROM w",
            lane=lane,
        )
    run(
        "INSERT INTO crons (name, purpose, lane, max_attempts, schedule, next_at, last_outcome, "
        "last_started_at, last_finished_at) VALUES ('upkeep.delete_finished', 'Tidy.', 'io', 3, "
        "'@daily', now() + interval '1 hour', 'succeeded', now(), now())"
    )
    monkeypatch.setattr(machine, "weights", lambda settings: Finding("ok", "weights", "There."))
    roomy = lambda subject, folder: Finding("ok", subject, ROOM)  # noqa: E731
    monkeypatch.setattr(disk, "examine", roomy)
    return settings


def complaints(settings: Settings) -> list[Finding]:
    found = doctor.examine(settings)
    assert all(finding.fix for finding in found if finding.level != "ok")
    return [finding for finding in found if finding.level != "ok"]


def the_one(settings: Settings, level: str, subject: str) -> str:
    """What the only complaint says, which is of that level and about that."""
    found = complaints(settings)
    assert [(finding.level, finding.subject) for finding in found] == [(level, subject)], found
    return found[0].said


def test_nothing_is_wrong_with_a_healthy_installation(healthy: Settings):
    assert complaints(healthy) == []


def test_a_database_that_does_not_answer(healthy: Settings):
    away = replace(healthy, database_url="postgresql://nobody@127.0.0.1:1/none")
    assert "does not answer" in the_one(away, "fail", "database")


def test_a_missing_migration(healthy: Settings, run: Run):
    run("DELETE FROM _yoyo_migration WHERE migration_id = '0010_cron'")
    assert "0010_cron" in the_one(healthy, "fail", "schema")


def test_a_migration_that_was_edited(healthy: Settings, run: Run):
    run("UPDATE migration_checksums SET sha256 = 'x' WHERE name = '0004_engine'")
    assert "0004_engine" in the_one(healthy, "warn", "schema")


def test_a_database_that_is_newer(healthy: Settings, run: Run):
    run("INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('h', '9999_tomorrow')")
    assert "9999_tomorrow" in the_one(healthy, "warn", "schema")


def test_checksums_stay_those_of_the_first_time(settings: Settings, run: Run):
    run("UPDATE migration_checksums SET sha256 = 'x' WHERE name = '0004_engine'")
    assert settings.database_url is not None
    migrate.migrate(settings.database_url)
    assert migrate.differences(settings.database_url).edited == ("0004_engine",)


@pytest.mark.parametrize(
    ("apart", "took", "level"),
    [(0, 0.1, "ok"), (-1, 0.1, "ok"), (5, 0.1, "warn"), (5, 12, "ok"), (-90, 0.1, "fail")],
)
def test_clocks_that_differ(apart: float, took: float, level: str):
    after = NOW + timedelta(seconds=took)
    theirs = NOW + timedelta(seconds=took / 2 + apart)
    assert server.clock(theirs, NOW, after).level == level


@pytest.mark.parametrize(
    ("free", "total", "level"),
    [(50, 100, "ok"), (3, 100, "warn"), (30, 1000, "warn"), (0.1, 100, "fail")],
)
def test_room_on_a_disk_in_gigabytes(free: float, total: float, level: str):
    found = disk.room("home disk", Path("/x"), int(free * 1024**3), int(total * 1024**3))
    assert found.level == level


def test_a_worker_that_fell_silent(healthy: Settings, run: Run):
    run(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 min' "
        "WHERE id = (SELECT worker_id FROM worker_lanes WHERE lane = 'gpu')"
    )
    found = complaints(healthy)
    assert {(finding.level, finding.subject) for finding in found} == {
        ("warn", "workers"),
        ("warn", "lanes"),
    }
    assert "host:1:gpu has been silent for 30" in found[0].said


def test_no_worker_at_all(healthy: Settings, run: Run):
    run("DELETE FROM worker_lanes")
    assert ("fail", "workers") in {
        (finding.level, finding.subject) for finding in complaints(healthy)
    }


def test_a_lane_with_waiting_steps_and_no_worker(healthy: Settings, run: Run, database: Database):
    run("DELETE FROM worker_lanes WHERE lane = 'gpu'")
    with database.session() as session:
        enqueue(session, [Call("test.step", "gpu")], run_id=None)
    assert "gpu has no worker; 1 step waits" in the_one(healthy, "fail", "lanes")


def test_a_paused_lane(healthy: Settings, run: Run):
    run("UPDATE lanes SET paused_at = now(), pause_reason = 'moving house' WHERE name = 'io'")
    assert "moving house" in the_one(healthy, "warn", "lanes")


def test_a_step_that_stands_still(healthy: Settings, run: Run, database: Database):
    with database.session() as session:
        enqueue(session, [Call("test.step", "io")], run_id=None)
    run("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '10 min'")
    assert "test.step" in the_one(healthy, "fail", "steps")


def test_many_steps_that_stand_still_are_counted(healthy: Settings, run: Run, database: Database):
    with database.session() as session:
        enqueue(session, [Call("test.step", "io")] * 15, run_id=None)
    run("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '10 min'")
    found = complaints(healthy)
    assert len(found) == 11
    assert found[-1].said == "And 5 more stand still."


def test_a_cron_job_that_nobody_starts(healthy: Settings, run: Run):
    run("UPDATE crons SET next_at = now() - interval '1 hour'")
    assert "nobody started it" in the_one(healthy, "fail", "crons")


def test_a_cron_job_that_failed(healthy: Settings, run: Run):
    run("UPDATE crons SET last_outcome = 'failed', last_error = 'no broom'")
    assert "no broom" in the_one(healthy, "warn", "crons")


def test_a_cron_job_that_missed_due_times(healthy: Settings, run: Run):
    run("UPDATE crons SET missed = 4, last_missed_at = now() - interval '2 hours'")
    assert "missed due times, 4 so far" in the_one(healthy, "warn", "crons")


def test_a_cron_job_that_hangs(healthy: Settings, run: Run, database: Database):
    with database.session() as session:
        (job_id,) = enqueue(session, [Call("upkeep.delete_finished", "io")], run_id=None)
    run("UPDATE crons SET running_job_id = :id", id=job_id)
    run("UPDATE steps SET created_at = now() - interval '2 hours'")
    assert f"job {job_id}" in the_one(healthy, "warn", "crons")


def test_an_installation_whose_workers_never_started(healthy: Settings, run: Run):
    run("DELETE FROM crons")
    assert "no worker has ever started" in the_one(healthy, "warn", "crons")


@pytest.mark.parametrize("state", ["open", "half_open", "isolated"])
def test_a_breaker_that_is_not_closed(healthy: Settings, run: Run, state: str):
    run(
        "INSERT INTO breakers (provider, operation, state, last_error, isolated_by) "
        "VALUES ('gemini', 'edit', :state, 'quota', 'ana')",
        state=state,
    )
    assert "gemini edit" in the_one(healthy, "warn", "breakers")


def test_the_providers_are_told_with_their_breakers(healthy: Settings, run: Run):
    run("INSERT INTO breakers (provider, operation, state) VALUES ('gemini', 'edit', 'half_open')")
    told = [finding.said for finding in doctor.examine(healthy) if finding.subject == "providers"]
    assert "The sandbox stands in for: gemini" in told[0]
    assert told[1] == "Their breakers: gemini edit half open."


def test_a_transaction_that_never_ends(healthy: Settings, database: Database, monkeypatch):
    from darkroom.queue import tables

    monkeypatch.setattr(tables, "LONG_SECONDS", 0.0)
    with database.session() as session:
        session.execute(text("SELECT 1"))
        assert "has a transaction open" in the_one(healthy, "warn", "tables")


def test_a_store_that_cannot_be_written(healthy: Settings):
    healthy.files_dir.write_text("not a folder")
    assert the_one(healthy, "fail", "storage")


def test_the_probe_of_the_store_is_removed(healthy: Settings):
    complaints(healthy)
    assert list(open_store(healthy).listing("doctor/")) == []


@pytest.fixture
def neighbour(make_database) -> Iterator[Database]:
    with make_database() as url:
        other = Database(url)
        yield other
        other.close()


def test_a_store_that_another_installation_uses(healthy: Settings, neighbour: Database):
    sweeping.claim(neighbour, open_store(healthy))
    assert "Another Darkroom" in the_one(healthy, "warn", "storage")


def test_weights_that_are_missing(settings: Settings):
    chosen = replace(settings.counting, plant_weights="orchids")
    found = machine.weights(replace(settings, counting=chosen))
    assert found.level == "fail"
    assert "orchids" in found.said


def test_weights_that_are_not_prepared(settings: Settings, tmp_path: Path):
    assert machine.weights(replace(settings, home=tmp_path / "new")).level == "warn"


def test_a_home_that_is_not_there(settings: Settings, tmp_path: Path):
    found = next(machine.examine(replace(settings, home=tmp_path / "none")))
    assert (found.level, found.subject) == ("fail", "home")


def command(settings: Settings, *options: str) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": "/usr/bin:/bin",
        "DARKROOM_HOME": str(settings.home),
        "DATABASE_URL": str(settings.database_url),
        "DARKROOM_SECRET_KEY": str(settings.secret_key),
        "COLUMNS": "200",
    }
    words = [sys.executable, "-m", "darkroom.cli", "doctor", *options]
    return subprocess.run(words, env=environ, cwd=ROOT, text=True, capture_output=True)


def test_the_command_shows_a_table_and_fails_when_something_does(settings: Settings):
    told = command(settings)
    assert told.returncode == 1, told.stderr
    assert "There is none: nothing that is queued will run." in told.stdout
    assert "darkroom worker" in told.stdout


def test_the_command_speaks_json(settings: Settings):
    told = json.loads(command(settings, "--json").stdout)
    assert told["healthy"] is False
    workers = [found for found in told["findings"] if found["subject"] == "workers"]
    assert [found["level"] for found in workers] == ["fail"]
    assert all(found["fix"] for found in workers)
