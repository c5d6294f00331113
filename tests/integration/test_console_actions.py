"""Bulk actions on jobs: real Postgres, real workers, and the engine's books afterwards."""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from darkroom.accounts.audit import CLI, Actor, AuditRow
from darkroom.accounts.service import ensure_admin
from darkroom.console import actions
from darkroom.console.actions import Order, Progress
from darkroom.console.filters import JobFilter
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.queue import control
from darkroom.queue.calls import Call, enqueue
from tests.engine import steps
from tests.integration.conftest import Engine


def order(action: str, query: str = "", priority: int | None = None) -> Order:
    return Order(action, JobFilter.parse([("text", query)]), priority)


def do(engine: Engine, action: str, query: str = "", priority: int | None = None) -> Progress:
    return actions.carry_out(engine.database, order(action, query, priority), CLI)


def take_back(engine: Engine, done: Progress) -> int:
    with engine.database.session() as session:
        return actions.undo(session, done.audit_id, CLI)


def rows(engine: Engine, query: str) -> list[Any]:
    with engine.database.session() as session:
        return list(session.execute(text(query)).all())


def statuses(engine: Engine) -> list[str]:
    return [row.status for row in rows(engine, "SELECT status FROM procrastinate_jobs ORDER BY id")]


def audit(engine: Engine) -> list[AuditRow]:
    with engine.database.session() as session:
        return list(session.scalars(select(AuditRow).order_by(AuditRow.id)))


def check_books(engine: Engine) -> None:
    """What runs and fan-ins count is what the rows say."""
    assert (
        rows(
            engine,
            """
            SELECT r.id FROM runs r
            WHERE r.open_steps <> (
                SELECT count(*) FROM steps s JOIN procrastinate_jobs j ON j.id = s.job_id
                WHERE s.run_id = r.id AND j.status IN ('todo', 'doing')
            ) OR (r.status IN ('completed', 'failed', 'cancelled')) <> (r.finished_at IS NOT NULL)
            """,
        )
        == []
    )
    assert (
        rows(
            engine,
            """
            SELECT f.id FROM fan_ins f
            WHERE f.children - f.pending <> (
                SELECT count(*) FROM steps s JOIN procrastinate_jobs j ON j.id = s.job_id
                WHERE s.fan_in_id = f.id AND (j.status = 'succeeded' OR s.error IS NOT NULL)
            ) OR f.failed <> (
                SELECT count(*) FROM steps s WHERE s.fan_in_id = f.id AND s.error IS NOT NULL
            )
            """,
        )
        == []
    )


def scattered(engine: Engine, words: list[str], failing: list[str]) -> Any:
    """A run whose children wait: its first step has run, on a lane of its own."""
    run_id = engine.start_run(steps.scatter.call(words=words, failing=failing))
    with engine.database.session() as session:
        # The children are to wait for the test, so that they come to a lane nobody works in yet.
        session.execute(text("UPDATE procrastinate_jobs SET queue_name = 'cpu'"))
    worker = engine.start_worker("cpu")
    engine.until(lambda: len(engine.steps(run_id)) == len(words) + 1)
    worker.terminate()
    worker.wait(timeout=30)
    return run_id


def test_what_failed_runs_again_to_its_end(engine: Engine, tmp_path: Path):
    engine.start_worker()
    runs = [
        engine.start_run(steps.scatter.call(words=["a", "b"], failing=["a", "b"])) for _ in range(3)
    ]
    for run_id in runs:
        assert engine.ended(run_id).status == "failed"
    (tmp_path / "mended").touch()
    done = do(engine, "retry", "state:failed")
    assert (done.count, done.done, done.undoable) == (6, True, False)
    for run_id in runs:
        run = engine.ended(run_id)
        assert (run.status, run.result) == ("completed", {"words": "a+b"})
        assert run.progress == pytest.approx(1.0)
    check_books(engine)


def test_a_retried_child_of_a_completed_run_calls_back_again(engine: Engine, tmp_path: Path):
    engine.start_worker()
    run_id = engine.start_run(steps.scatter.call(words=["a", "b"], failing=["b"]))
    engine.ended(run_id)
    (tmp_path / "mended").touch()
    assert do(engine, "retry", "error:Permanent").count == 1
    assert engine.ended(run_id).result == {"words": "a+b"}
    check_books(engine)


def test_a_retry_takes_along_what_was_dropped_when_the_run_ended(engine: Engine):
    run_id = engine.start_run(steps.note.call(word="x"))
    with engine.database.session() as session:
        enqueue(session, [steps.note.call(word="y")], run_id=run_id)
        session.execute(text("UPDATE runs SET open_steps = 2"))
    do(engine, "cancel", "args.word:x")
    assert engine.run(run_id).status == "cancelled" and statuses(engine) == ["cancelled"] * 2
    check_books(engine)
    assert do(engine, "retry", "args.word:x").count == 1
    check_books(engine)
    engine.start_worker("io")
    assert engine.ended(run_id).status == "completed"
    assert sorted(engine.marks()) == ["x", "y"]


def test_a_job_without_a_run_is_retried(engine: Engine):
    with engine.database.session() as session:
        enqueue(session, [steps.note.call(word="alone")], run_id=None)
    assert do(engine, "cancel").count == 1
    assert do(engine, "retry", "state:cancelled").count == 1
    engine.start_worker("io")
    engine.until(lambda: engine.marks() == ["alone"])


def test_a_retry_leaves_runs_that_are_still_stopping_alone(engine: Engine, tmp_path: Path):
    engine.start_worker("gpu")
    run_id = engine.start_run(steps.stubborn.call(path=str(tmp_path / "go")))
    engine.until(Path(f"{tmp_path / 'go'}.begun").exists)
    with engine.database.session() as session:
        enqueue(session, [steps.note.call(word="x")], run_id=run_id)
        session.execute(text("UPDATE runs SET open_steps = open_steps + 1"))
    with engine.database.session() as session:
        control.cancel(session, run_id)
    assert do(engine, "retry", "state:cancelled").count == 0
    assert statuses(engine) == ["doing", "cancelled"]


def test_a_retry_of_two_jobs_with_one_queueing_lock_queues_one(engine: Engine):
    with engine.database.session() as session:
        enqueue(session, [steps.note.call(word=word) for word in "ab"], run_id=None)
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed', queueing_lock = 'one'")
        )
    assert do(engine, "retry", "state:failed").count == 1
    assert statuses(engine) == ["failed", "todo"]


def test_a_run_of_nothing_but_a_cancelled_step_is_cancelled(engine: Engine):
    run_id = engine.start_run(steps.note.call(word="x"))
    done = do(engine, "cancel", "task:steps.note")
    run = engine.run(run_id)
    assert (done.count, run.status, run.open_steps) == (1, "cancelled", 0)
    assert run.error["message"] == "An operator cancelled this step."
    check_books(engine)


def test_the_others_of_a_fan_out_go_on_without_a_cancelled_child(engine: Engine):
    run_id = scattered(engine, ["a", "b", "c"], [])
    assert do(engine, "cancel", "args.word:b").count == 1
    check_books(engine)
    engine.start_worker("io")
    run = engine.ended(run_id)
    assert (run.status, run.result) == ("completed", {"words": "a+!b+c"})
    check_books(engine)


def test_the_last_child_to_be_cancelled_calls_back(engine: Engine):
    run_id = scattered(engine, ["a", "b"], [])
    with engine.database.session() as session:
        session.execute(
            text(
                "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour' "
                "WHERE args ->> 'word' = 'b'"
            )
        )
    engine.start_worker("io")
    engine.until(lambda: engine.marks() == ["a"])
    assert do(engine, "cancel", "state:scheduled").count == 1
    assert engine.ended(run_id).result == {"words": "a+!b"}
    check_books(engine)


def test_a_run_is_cancelled_when_all_its_children_are(engine: Engine):
    run_id = scattered(engine, ["a", "b"], [])
    assert do(engine, "cancel", "task:steps.piece").count == 2
    assert engine.run(run_id).status == "cancelled"
    check_books(engine)


def test_a_running_step_is_asked_to_stop(engine: Engine, tmp_path: Path):
    engine.start_worker("gpu")
    run_id = engine.start_run(steps.linger.call(path=str(tmp_path / "go")))
    engine.until((tmp_path / "go.begun").exists)
    assert do(engine, "cancel", "state:running").count == 1
    assert engine.ended(run_id).status == "cancelled"
    assert statuses(engine) == ["aborted"] and engine.marks() == []
    check_books(engine)


def test_what_was_cancelled_can_be_taken_back(engine: Engine):
    run_id = scattered(engine, ["a", "b"], [])
    done = do(engine, "cancel", "task:steps.piece")
    assert done.undoable and take_back(engine, done) == 2
    check_books(engine)
    engine.start_worker("io")
    run = engine.ended(run_id)
    assert (run.status, run.result) == ("completed", {"words": "a+b"})
    check_books(engine)


def test_discarded_failures_are_no_dead_letters_but_keep_their_history(engine: Engine):
    engine.start_worker("io")
    run_id = engine.start_run(steps.refuse.call(kind="permanent"))
    engine.ended(run_id)
    done = do(engine, "discard", "state:failed")
    assert statuses(engine) == ["cancelled"]
    step = engine.steps(run_id)[0]
    assert step.error["message"] == "no way" and step.attempts[0].outcome == "failed"
    assert engine.run(run_id).status == "failed"
    check_books(engine)
    assert take_back(engine, done) == 1
    assert statuses(engine) == ["failed"]


def test_a_retry_of_a_sibling_leaves_a_discarded_child_where_it_is(engine: Engine, tmp_path: Path):
    engine.start_worker("io")
    run_id = engine.start_run(steps.scatter.call(words=["a", "b"], failing=["a", "b"]))
    engine.ended(run_id)
    do(engine, "discard", "args.word:a")
    (tmp_path / "mended").touch()
    assert do(engine, "retry", "state:failed").count == 1
    assert engine.ended(run_id).result == {"words": "!a+b"}
    check_books(engine)


def test_discarding_what_waits_cancels_it(engine: Engine):
    run_id = engine.start_run(steps.note.call(word="x"))
    done = do(engine, "discard")
    assert statuses(engine) == ["cancelled"] and engine.run(run_id).status == "cancelled"
    assert take_back(engine, done) == 1
    assert statuses(engine) == ["todo"] and engine.run(run_id).status == "running"
    check_books(engine)


def test_higher_priority_is_given_and_taken_back(engine: Engine):
    low = engine.start_run(steps.note.call(word="low"))
    engine.start_run(steps.note.call(word="other"), priority=1)
    done = do(engine, "reprioritise", "args.word:low", priority=5)
    assert take_back(engine, done) == 1
    assert [row.priority for row in rows(engine, PRIORITIES)] == [0, 1]
    assert do(engine, "reprioritise", "args.word:low", priority=5).count == 1
    engine.start_worker("io", DARKROOM_LANE_IO="1")
    engine.ended(low)
    engine.until(lambda: len(engine.marks()) == 2)
    assert engine.marks() == ["low", "other"]


PRIORITIES = "SELECT priority FROM procrastinate_jobs ORDER BY id"


def test_a_scheduled_step_runs_now_and_wakes_its_lane(engine: Engine):
    engine.start_worker("io", DARKROOM_POLL_SECONDS="3600")
    engine.ended(engine.start_run(steps.note.call(word="first")))
    run_id = engine.start_run(later(engine, "later"))
    assert do(engine, "run-now", "state:scheduled").count == 1
    assert engine.ended(run_id).status == "completed"


def test_run_now_is_taken_back_for_what_still_waits(engine: Engine):
    engine.start_run(later(engine, "later"))
    before = rows(engine, TIMES)
    done = do(engine, "run-now")
    assert rows(engine, TIMES) == [(None,)]
    assert take_back(engine, done) == 1
    assert rows(engine, TIMES) == before


TIMES = "SELECT scheduled_at FROM procrastinate_jobs ORDER BY id"


def later(engine: Engine, word: str) -> Call:
    [(moment,)] = rows(engine, "SELECT now() + interval '1 hour'")
    return steps.note.call(word=word, at=moment)


def test_every_action_leaves_an_audit_row(engine: Engine):
    engine.start_run(steps.note.call(word="x"))
    with engine.database.session() as session:
        actor = Actor.of(ensure_admin(session))
    asked = order("reprioritise", "args.word:x lane:io", priority=7)
    done = actions.carry_out(engine.database, asked, actor)
    [row] = audit(engine)
    assert (row.id, row.action, row.subject) == (done.audit_id, "jobs.reprioritise", "priority 7")
    assert (row.user_id, row.actor, row.count) == (actor.user_id, "local", 1)
    assert row.filter == {"lane": "io", "args": {"word": "x"}}
    take_back(engine, done)
    row, second = audit(engine)
    assert row.undone_at and (second.action, second.subject) == ("jobs.undo", str(row.id))


def test_an_action_is_taken_back_once(engine: Engine):
    engine.start_run(steps.note.call(word="x"))
    done = do(engine, "cancel")
    take_back(engine, done)
    with pytest.raises(Conflict):
        take_back(engine, done)
    with pytest.raises(Conflict):
        take_back(engine, do(engine, "retry"))
    with pytest.raises(NotFound), engine.database.session() as session:
        actions.undo(session, 10**9, CLI)


def many(engine: Engine, number: int) -> None:
    with engine.database.session() as session:
        enqueue(session, [steps.note.call(word=str(n)) for n in range(number)], run_id=None)


def test_an_action_goes_through_many_batches(engine: Engine):
    many(engine, 2 * actions.BATCH + 7)
    done = do(engine, "cancel")
    assert done.count == 2 * actions.BATCH + 7
    assert set(statuses(engine)) == {"cancelled"}
    assert [row.count for row in audit(engine)] == [done.count]


def test_an_action_cut_short_tells_how_far_it_came_and_goes_on(engine: Engine):
    many(engine, 2 * actions.BATCH)
    asked = order("cancel", "task:steps.note")
    first = actions.carry_out(engine.database, asked, CLI, seconds=0)
    assert (first.count, first.done) == (actions.BATCH, False)
    assert [row.count for row in audit(engine)] == [actions.BATCH]
    rest = actions.carry_out(engine.database, asked, CLI, token=first.token)
    assert (rest.count, rest.done, rest.token) == (2 * actions.BATCH, True, None)
    assert len(audit(engine)) == 1
    assert take_back(engine, rest) == 2 * actions.BATCH


@pytest.mark.parametrize("token", ["x", "1.2", "999999.1.2", "1.-2.3"])
def test_a_wrong_continuation_is_refused(engine: Engine, token: str):
    many(engine, 1)
    with pytest.raises(Invalid, match=r"earlier|action of yours"):
        actions.carry_out(engine.database, order("cancel"), CLI, token=token)
    assert statuses(engine) == ["todo"]


def test_one_action_cannot_go_on_as_another(engine: Engine):
    many(engine, actions.BATCH + 1)
    first = actions.carry_out(engine.database, order("cancel"), CLI, seconds=0)
    with pytest.raises(Invalid):
        actions.carry_out(engine.database, order("discard"), CLI, token=first.token)


def test_a_preview_counts_what_can_be_touched_and_changes_nothing(engine: Engine):
    many(engine, 3)
    with engine.database.session() as session:
        found = actions.preview(session, order("cancel"), seconds=5)
        assert (found.number, found.exact, found.by_task) == (3, True, {"steps.note": 3})
        assert actions.preview(session, order("retry"), seconds=5).number == 0
    assert statuses(engine) == ["todo"] * 3 and audit(engine) == []


@pytest.mark.parametrize(
    ("action", "priority", "field"),
    [
        ("explode", None, "action"),
        ("reprioritise", None, "priority"),
        ("retry", 3, "priority"),
        ("reprioritise", 10**6, "priority"),
    ],
)
def test_a_wrong_order_names_its_field(action: str, priority: int | None, field: str):
    with pytest.raises(Invalid) as caught:
        order(action, "", priority)
    assert caught.value.field == field


def test_retries_from_two_sides_at_once_queue_each_step_once(engine: Engine):
    engine.start_worker("io")
    runs = [
        engine.start_run(steps.scatter.call(words=["a", "b"], failing=["a", "b"]))
        for _ in range(12)
    ]
    for run_id in runs:
        engine.ended(run_id)
    engine.workers[0].terminate()
    engine.workers[0].wait(timeout=30)
    counts: list[int] = []

    def bulk() -> None:
        counts.append(do(engine, "retry", "state:failed").count)

    def one_by_one() -> None:
        for run_id in runs:
            try:
                with engine.database.session() as session:
                    control.retry(session, run_id)
            except Conflict:
                pass

    threads = [threading.Thread(target=work) for work in (bulk, one_by_one, bulk)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses(engine).count("todo") == 24 and statuses(engine).count("failed") == 0
    assert len(counts) == 2
    check_books(engine)


def test_cancelling_while_workers_run_keeps_the_books(engine: Engine):
    for _ in range(2):
        engine.start_worker("io", DARKROOM_LANE_IO="4")
    words = [f"w{n}" for n in range(30)]
    runs = [engine.start_run(steps.scatter.call(words=words, failing=[])) for _ in range(6)]
    total = 0
    while not all(engine.run(run_id).is_over for run_id in runs):
        total += do(engine, "cancel", "task:steps.piece").count
        total += do(engine, "discard", "state:waiting args.word:w7").count
    for run_id in runs:
        engine.ended(run_id)
    check_books(engine)
    assert {engine.run(run_id).status for run_id in runs} <= {"completed", "cancelled"}
    assert total > 0
