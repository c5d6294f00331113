"""The engine end to end: real worker processes, real Postgres."""

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from darkroom.errors import Conflict
from darkroom.queue import control, rescue, runs
from darkroom.queue.calls import Call
from tests.engine import steps
from tests.integration.conftest import Engine


def outcomes(engine: Engine, run_id):
    return [attempt.outcome for step in engine.steps(run_id) for attempt in step.attempts]


def test_a_run_completes_when_its_steps_have_ended(engine: Engine):
    engine.start_worker()
    run = engine.ended(engine.start_run(steps.relay.call(word="on", left=2)))
    assert (run.status, run.progress, run.open_steps) == ("completed", 1.0, 0)
    assert engine.marks() == ["on", "on", "on"]
    assert run.started_at and run.finished_at


def test_a_run_and_its_first_job_are_created_together_or_not_at_all(engine: Engine):
    with pytest.raises(ZeroDivisionError), engine.database.session() as session:
        owner = session.execute(
            text("INSERT INTO users (name) VALUES ('x') RETURNING id")
        ).scalar_one()
        runs.start(
            session,
            pipeline="test",
            title="t",
            owner_id=owner,
            first=Call("steps.note", "io", {"word": "never"}),
        )
        raise ZeroDivisionError
    with engine.database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0
        assert session.scalar(text("SELECT count(*) FROM runs")) == 0


def test_a_transient_error_is_retried_and_every_attempt_is_kept(engine: Engine):
    engine.start_worker()
    run_id = engine.start_run(steps.stumble.call(times=2))
    assert engine.ended(run_id).status == "completed"
    assert outcomes(engine, run_id) == ["retried", "retried", "succeeded"]
    first = engine.steps(run_id)[0].attempts[0]
    assert (first.number, first.error_class, first.error_message) == (1, "Transient", "stumbled 1")
    assert "stumble" in first.traceback and first.seconds is not None and first.worker


def test_a_step_fails_for_good_after_three_attempts(engine: Engine):
    engine.start_worker()
    run_id = engine.start_run(steps.stumble.call(times=99))
    run = engine.ended(run_id)
    assert (run.status, run.error["message"]) == ("failed", "stumbled 3")
    assert outcomes(engine, run_id) == ["retried", "retried", "failed"]
    assert engine.marks() == []


@pytest.mark.parametrize("kind", ["permanent", "invalid"])
def test_permanent_and_invalid_errors_are_not_retried(engine: Engine, kind: str):
    engine.start_worker()
    run_id = engine.start_run(steps.refuse.call(kind=kind))
    assert engine.ended(run_id).status == "failed"
    assert outcomes(engine, run_id) == ["failed"]


def test_not_now_burns_no_attempt(engine: Engine, tmp_path: Path):
    engine.start_worker()
    gate = tmp_path / "gate"
    run_id = engine.start_run(steps.wait_for_file.call(path=str(gate)))
    engine.until(lambda: outcomes(engine, run_id).count("given_back") >= 4)
    gate.touch()
    assert engine.ended(run_id).status == "completed"
    with engine.database.session() as session:
        burned = session.scalar(text("SELECT attempts FROM procrastinate_jobs"))
    assert burned == 1


def test_higher_priority_runs_first(engine: Engine):
    low = engine.start_run(steps.relay.call(word="low", left=2), priority=1)
    high = engine.start_run(steps.relay.call(word="high", left=2), priority=5)
    engine.start_worker("io", DARKROOM_LANE_IO="1")
    engine.ended(low)
    engine.ended(high)
    assert engine.marks() == ["high"] * 3 + ["low"] * 3


def test_the_callback_gets_all_results_once(engine: Engine):
    engine.start_worker()
    engine.start_worker()
    words = [f"w{n}" for n in range(40)]
    run = engine.ended(engine.start_run(steps.scatter.call(words=words, failing=[])))
    assert run.result == {"words": "+".join(words)}
    assert sum(mark.startswith("gathered") for mark in engine.marks()) == 1
    assert run.progress == pytest.approx(1.0)


def test_the_callback_is_told_which_child_failed_for_good(engine: Engine):
    engine.start_worker()
    run = engine.ended(engine.start_run(steps.scatter.call(words=["a", "b", "c"], failing=["b"])))
    assert (run.status, run.result) == ("completed", {"words": "a+!b+c"})


def test_a_save_that_fails_takes_none_of_its_group_with_it(engine: Engine):
    words = [f"!{n}" if n % 7 == 0 else str(n) for n in range(60)]
    run_id = engine.start_run(steps.scribble.call(words=words))
    engine.start_worker()
    run = engine.ended(run_id)
    assert run.status == "completed"
    written = [word for word in engine.marks() if not word.startswith("gathered")]
    assert sorted(written) == sorted(word for word in words if not word.startswith("!"))
    assert outcomes(engine, run_id).count("failed") == 9


def test_a_run_that_lost_a_step_to_procrastinates_shell_fails_and_says_so(engine: Engine):
    run_id = engine.start_run(steps.note.call(word="never"))
    job_id = engine.steps(run_id)[0].job_id
    with engine.database.session() as session:
        session.execute(
            text("SELECT procrastinate_cancel_job_v1(:id, false, false)"), {"id": job_id}
        )
    assert rescue.reconcile(engine.database) == 1
    run = engine.run(run_id)
    assert (run.status, run.open_steps) == ("failed", 0)
    assert "outside Darkroom" in run.error["message"]


def test_a_job_that_was_put_back_under_a_dead_worker_is_run(engine: Engine, tmp_path: Path):
    worker = engine.start_worker("gpu")
    path = tmp_path / "go"
    run_id = engine.start_run(steps.stubborn.call(path=str(path)))
    engine.until(lambda: (tmp_path / "go.begun").exists())
    os.kill(worker.pid, signal.SIGKILL)
    with engine.database.session() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL"))
    path.touch()
    engine.start_worker("gpu")
    assert engine.ended(run_id).status == "completed"
    assert outcomes(engine, run_id) == ["lost", "succeeded"]


def test_a_run_fails_when_all_children_fail(engine: Engine):
    engine.start_worker()
    run = engine.ended(engine.start_run(steps.scatter.call(words=["a", "b"], failing=["a", "b"])))
    assert run.status == "failed" and "is broken" in run.error["message"]
    assert engine.marks() == []


def test_retrying_a_failed_run_runs_only_what_failed(engine: Engine, tmp_path: Path):
    engine.start_worker()
    run_id = engine.start_run(steps.scatter.call(words=["a", "b"], failing=["a", "b"]))
    engine.ended(run_id)
    (tmp_path / "mended").touch()
    with engine.database.session() as session:
        control.retry(session, run_id)
    run = engine.ended(run_id)
    assert (run.status, run.result, run.error) == ("completed", {"words": "a+b"}, None)
    assert run.progress == pytest.approx(1.0)


def test_retrying_one_failed_child_calls_back_again(engine: Engine, tmp_path: Path):
    engine.start_worker()
    run_id = engine.start_run(steps.scatter.call(words=["a", "b"], failing=["b"]))
    engine.ended(run_id)
    (tmp_path / "mended").touch()
    failed = next(step for step in engine.steps(run_id) if step.state == "failed")
    with engine.database.session() as session:
        control.retry_step(session, failed.job_id)
    run = engine.ended(run_id)
    assert (run.status, run.result) == ("completed", {"words": "a+b"})
    assert engine.marks() == ["a", "gathered a+!b", "b", "gathered a+b"]


def test_a_running_run_cannot_be_retried(engine: Engine):
    run_id = engine.start_run(steps.note.call(word="x"))
    with pytest.raises(Conflict), engine.database.session() as session:
        control.retry(session, run_id)


def test_cancelling_drops_queued_steps(engine: Engine):
    run_id = engine.start_run(steps.note.call(word="x"))
    with engine.database.session() as session:
        assert control.cancel(session, run_id).status == "cancelled"
    engine.start_worker()
    other = engine.start_run(steps.note.call(word="y"))
    engine.ended(other)
    assert engine.marks() == ["y"]
    assert engine.steps(run_id)[0].state == "cancelled"


def test_a_running_step_stops_at_its_next_checkpoint(engine: Engine, tmp_path: Path):
    engine.start_worker()
    begun = tmp_path / "go.begun"
    run_id = engine.start_run(steps.linger.call(path=str(tmp_path / "go")))
    engine.until(begun.exists)
    with engine.database.session() as session:
        control.cancel(session, run_id)
    run = engine.ended(run_id)
    assert run.status == "cancelled"
    assert outcomes(engine, run_id) == ["cancelled"]
    assert engine.marks() == []


def test_cancelling_kills_the_child_processes_of_a_step(engine: Engine, tmp_path: Path):
    engine.start_worker()
    pid_file = tmp_path / "pid"
    run_id = engine.start_run(steps.sleeper.call(path=str(pid_file)))
    engine.until(lambda: pid_file.exists() and pid_file.read_text().strip())
    with engine.database.session() as session:
        control.cancel(session, run_id)
    assert engine.ended(run_id).status == "cancelled"
    engine.until(lambda: not _alive(int(pid_file.read_text())))


def test_a_child_process_dies_with_its_worker(engine: Engine, tmp_path: Path):
    worker = engine.start_worker()
    pid_file = tmp_path / "pid"
    engine.start_run(steps.sleeper.call(path=str(pid_file)))
    engine.until(lambda: pid_file.exists() and pid_file.read_text().strip())
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    engine.until(lambda: not _alive(int(pid_file.read_text())))


def test_a_step_of_a_killed_worker_is_run_by_another(engine: Engine, tmp_path: Path):
    go = tmp_path / "go"
    run_id = engine.start_run(steps.linger.call(path=str(go)))
    doomed = engine.start_worker()
    engine.until(Path(f"{go}.begun").exists)
    engine.start_worker("io,cpu,gpu")
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    engine.until(lambda: len(Path(f"{go}.begun").read_text().split()) == 2)
    go.touch()
    assert engine.ended(run_id).status == "completed"
    assert outcomes(engine, run_id) == ["lost", "succeeded"]
    assert engine.marks() == ["lingered"]


def test_a_frozen_worker_that_was_rescued_cannot_commit(engine: Engine, tmp_path: Path):
    go = tmp_path / "go"
    run_id = engine.start_run(steps.stubborn.call(path=str(go)))
    frozen = engine.start_worker("gpu")
    engine.until(Path(f"{go}.begun").exists)
    frozen.send_signal(signal.SIGSTOP)
    engine.start_worker()
    engine.until(lambda: len(Path(f"{go}.begun").read_text().split()) == 2)
    go.touch()
    assert engine.ended(run_id).status == "completed"
    frozen.send_signal(signal.SIGCONT)
    # It is alive and fetching again only after it has tried to commit.
    other = engine.start_run(steps.stubborn.call(path=str(go)))
    engine.ended(other)
    frozen.send_signal(signal.SIGTERM)
    frozen.wait(timeout=30)
    assert outcomes(engine, run_id) == ["lost", "succeeded"]
    assert engine.marks() == ["stubborn", "stubborn"]


def test_a_step_that_kills_its_worker_fails_after_its_attempts(engine: Engine):
    run_id = engine.start_run(steps.suicide.call())
    engine.start_worker("io")
    for _ in range(3):
        doomed = engine.start_worker("gpu")
        doomed.wait(timeout=30)
    run = engine.ended(run_id)
    assert (run.status, run.error["class"]) == ("failed", "WorkerLost")
    assert outcomes(engine, run_id) == ["lost", "lost", "lost"]


def test_a_stopped_worker_lets_its_steps_finish(engine: Engine, tmp_path: Path):
    go = tmp_path / "go"
    worker = engine.start_worker()
    run_id = engine.start_run(steps.stubborn.call(path=str(go)))
    engine.until(Path(f"{go}.begun").exists)
    worker.send_signal(signal.SIGTERM)
    go.touch()
    assert worker.wait(timeout=30) == 0
    assert engine.run(run_id).status == "completed"


def test_past_the_grace_a_step_is_given_back_without_burning_an_attempt(
    engine: Engine, tmp_path: Path
):
    go = tmp_path / "go"
    worker = engine.start_worker(DARKROOM_GRACE_SECONDS="0.5")
    run_id = engine.start_run(steps.stubborn.call(path=str(go)))
    engine.until(Path(f"{go}.begun").exists)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert outcomes(engine, run_id) == ["given_back"]
    go.touch()
    engine.start_worker()
    assert engine.ended(run_id).status == "completed"
    assert engine.marks() == ["stubborn"]


def test_a_worker_of_some_lanes_leaves_the_others_alone(engine: Engine):
    engine.start_worker("cpu")
    run_id = engine.start_run(steps.note.call(word="io"))
    other = engine.start_worker("io")
    engine.ended(run_id)
    with engine.database.session() as session:
        worker = session.scalar(text("SELECT worker FROM attempts"))
    assert str(other.pid) in worker


def test_a_step_nobody_knows_is_kept_for_a_worker_that_does(engine: Engine):
    engine.start_worker()
    run_id = engine.start_run(Call("steps.of_the_future", "io"))
    engine.until(lambda: outcomes(engine, run_id) == ["given_back"])
    step = engine.steps(run_id)[0]
    assert step.state == "scheduled" and "of_the_future" in step.waiting_for


def test_a_worker_survives_the_loss_of_all_its_connections(engine: Engine):
    engine.start_worker()
    engine.ended(engine.start_run(steps.note.call(word="before")))
    with engine.database.session() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    run = engine.ended(engine.start_run(steps.note.call(word="after")))
    assert run.status == "completed"
    assert engine.marks() == ["before", "after"]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
