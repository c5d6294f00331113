"""The cron jobs of upkeep in real worker processes, by schedule and by hand."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text

import jobs.upkeep  # noqa: F401  (registers the cron jobs)
from darkroom.accounts.audit import AuditRow
from darkroom.commands.upkeep import PREVIEWS, WITH_DAYS
from darkroom.queue import cron, schedule
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.cron import CronRow
from darkroom.settings import ROOT, QueueSettings
from tests.integration.conftest import Engine

MEASURE = "upkeep.measure_tables"


def darkroom(engine: Engine, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-m", "darkroom.cli", *words]
    return subprocess.run(command, env=engine.environ, cwd=ROOT, text=True, capture_output=True)


@pytest.fixture
def start_worker(engine: Engine) -> Callable[..., subprocess.Popen[bytes]]:
    """Start a worker of the product itself, all of whose cron jobs are off but those given."""

    def start(**schedules: str) -> subprocess.Popen[bytes]:
        off = {cron.setting_of(name): "off" for name in cron.crons}
        environ = {**engine.environ, **off, **schedules}
        command = [sys.executable, "-m", "darkroom.cli", "worker", "--lanes", "io"]
        process = subprocess.Popen(command, env=environ, cwd=ROOT)
        engine.workers.append(process)
        return process

    return start


def row(engine: Engine, name: str = MEASURE) -> CronRow | None:
    with engine.database.session() as session:
        return session.get(CronRow, name)


def ran(engine: Engine, name: str = MEASURE) -> bool:
    found = row(engine, name)
    return found is not None and found.last_outcome is not None and found.running_job_id is None


def count(engine: Engine, table: str, where: str = "true") -> int:
    with engine.database.session() as session:
        return session.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one()


def test_every_schedule_in_the_code_can_be_read():
    names = {name for name in cron.crons if name.startswith("upkeep.")}
    assert len(names) >= 6
    for name in names:
        assert schedule.parse(cron.crons[name].schedule) is not None
        assert cron.crons[name].purpose.endswith(".")


def test_previews_and_ages_are_those_of_cron_jobs():
    assert PREVIEWS.keys() <= cron.crons.keys()
    assert PREVIEWS.keys() >= WITH_DAYS


def test_a_worker_runs_a_cron_job_to_its_end_when_it_is_due(engine: Engine, start_worker):
    start_worker(DARKROOM_CRON_UPKEEP_MEASURE_TABLES="every 1s")
    engine.until(lambda: ran(engine))
    found = row(engine)
    assert found is not None and found.last_outcome == "succeeded"
    assert found.last_result is not None
    assert found.last_result["tables"]
    assert found.last_started_at <= found.last_finished_at
    assert count(engine, "procrastinate_jobs", f"task_name = '{MEASURE}'") >= 1


def test_two_workers_run_a_cron_job_once_a_due_time(engine: Engine, start_worker):
    workers = [start_worker(DARKROOM_CRON_UPKEEP_MEASURE_TABLES="every 1s") for _ in range(2)]
    engine.until(lambda: count(engine, "procrastinate_jobs", "status = 'succeeded'") >= 5)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    with engine.database.session() as session:
        overlapping = session.execute(
            text(
                "SELECT count(*) FROM attempts a JOIN attempts b ON b.id > a.id "
                "AND tstzrange(a.started_at, a.finished_at) "
                "&& tstzrange(b.started_at, b.finished_at)"
            )
        ).scalar_one()
    assert overlapping == 0


def test_a_killed_worker_leaves_its_cron_job_to_another(engine: Engine, start_worker):
    with engine.database.session() as session:
        for _ in range(3):
            ids = enqueue(session, [Call("test.old", "cpu")] * 2000, run_id=None)
            session.execute(
                text(
                    "UPDATE steps SET created_at = now() - :age, finished_at = now() - :age "
                    "WHERE job_id = ANY(:ids)"
                ),
                {"ids": ids, "age": timedelta(days=9)},
            )
        session.execute(text("UPDATE procrastinate_jobs SET status = 'succeeded'"))
    schedules = {"DARKROOM_CRON_UPKEEP_DELETE_FINISHED": "every 1s"}
    first = start_worker(**schedules)
    engine.until(lambda: count(engine, "procrastinate_jobs") < 6000)
    first.kill()
    first.wait()
    start_worker(**schedules)
    engine.until(lambda: ran(engine, "upkeep.delete_finished"))
    assert count(engine, "procrastinate_jobs", "task_name = 'test.old'") == 0


def test_a_cron_job_can_be_run_by_hand_with_its_result_shown(engine: Engine, start_worker):
    start_worker()
    engine.until(lambda: row(engine) is not None)
    old = engine.environ["DARKROOM_HOME"] + "/tmp/upload-left"
    os.makedirs(os.path.dirname(old))
    open(old, "w").close()
    os.utime(old, (0, 0))
    done = darkroom(engine, "upkeep", "run", "delete_temp_files")
    assert done.returncode == 0, done.stderr
    assert "1  temp files" in done.stdout
    assert not os.path.exists(old)
    told = json.loads(darkroom(engine, "upkeep", "run", "delete_temp_files", "--json").stdout)
    assert (told["status"], told["result"], told["error"]) == ("succeeded", {"temp_files": 0}, None)


def test_a_cron_job_run_by_hand_is_on_record_with_its_days(engine: Engine):
    with engine.database.session() as session:
        cron.write_rows(session, cron.plan(QueueSettings()))
    darkroom(engine, "upkeep", "run", "delete_finished", "--days", "0")
    with engine.database.session() as session:
        [audited] = session.scalars(select(AuditRow))
        told = (audited.actor, audited.action, audited.subject, audited.filter)
    assert told == ("cli", "cron.run", "upkeep.delete_finished", {"days": 0})


def test_without_a_worker_a_job_run_by_hand_waits_for_one(engine: Engine):
    with engine.database.session() as session:
        cron.write_rows(session, cron.plan(QueueSettings()))
    done = darkroom(engine, "upkeep", "run", "roll_up")
    assert "No worker is there for the lane io" in done.stdout
    waiting = darkroom(engine, "upkeep", "run", "measure_tables", "--json")
    told = json.loads(waiting.stdout)
    assert (told["name"], told["status"]) == ("upkeep.measure_tables", "todo")
    again = darkroom(engine, "upkeep", "run", "roll_up")
    assert again.returncode == 1
    assert "waits or runs already" in again.stderr


def test_a_dry_run_needs_no_worker_and_deletes_nothing(engine: Engine):
    with engine.database.session() as session:
        enqueue(session, [Call("test.old", "cpu")] * 3, run_id=None)
        session.execute(text("UPDATE steps SET finished_at = now() - interval '5 days'"))
        session.execute(text("UPDATE procrastinate_jobs SET status = 'succeeded'"))
    assert "Nothing." in darkroom(engine, "upkeep", "run", "delete_finished", "--dry-run").stdout
    told = darkroom(engine, "upkeep", "run", "delete_finished", "--dias", "4", "--dry-run")
    assert "3  steps" in told.stdout
    command = ("upkeep", "run", "delete_finished", "--days", "4", "--dry-run", "--json")
    told = json.loads(darkroom(engine, *command).stdout)
    assert (told["name"], told["would_delete"]["steps"]) == ("upkeep.delete_finished", 3)
    assert count(engine, "procrastinate_jobs") == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tea"], "There is no cron job 'tea'"),
        (["roll_up", "--days", "3"], "takes no --days"),
        (["roll_up", "--dry-run"], "deletes nothing that could be counted"),
        (["delete_finished", "--days", "-1"], "is not in the range"),
    ],
)
def test_what_cannot_be_run_is_said(engine: Engine, words: list[str], said: str):
    told = darkroom(engine, "upkeep", "run", *words)
    assert told.returncode != 0
    assert said in told.stderr


def test_a_worker_with_a_bad_schedule_says_so_and_does_not_start(engine: Engine):
    engine.environ["DARKROOM_CRON_UPKEEP_ROLL_UP"] = "sometimes"
    told = darkroom(engine, "worker")
    assert told.returncode == 1
    assert "DARKROOM_CRON_UPKEEP_ROLL_UP: 'sometimes' is not a schedule" in told.stderr
