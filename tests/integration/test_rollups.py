"""Minute rollups: every attempt is counted once, whenever and however often they are rolled up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.queue import rescue, rollups

OUTCOMES = ("succeeded", "failed", "retried", "given_back", "lost", "cancelled")
PAST = datetime.now(UTC) - timedelta(hours=5)

# Minute, task, outcome, running time.
attempts = st.lists(
    st.tuples(
        st.integers(0, 240),
        st.sampled_from(("a.a", "b.b")),
        st.sampled_from(OUTCOMES),
        st.floats(0, 9000),
    ),
    max_size=40,
)


def end_attempts(database: Database, ended: list[tuple[int, str, str, float]]) -> None:
    """Write attempts that ended."""
    with database.session() as session:
        for minute, task, outcome, seconds in ended:
            session.execute(
                text(
                    "WITH j AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status) "
                    "VALUES ('io', :task, 'succeeded') RETURNING id), "
                    "s AS (INSERT INTO steps (job_id, name, max_attempts, created_at) "
                    "SELECT id, :task, 3, CAST(:at AS timestamptz) - interval '3 h' FROM j) "
                    "INSERT INTO attempts (job_id, number, worker_id, worker, started_at, "
                    "finished_at, outcome) SELECT id, 1, 1, 'w', "
                    "CAST(:at AS timestamptz) - make_interval(secs => :seconds), :at, :outcome "
                    "FROM j"
                ),
                {
                    "task": task,
                    "outcome": outcome,
                    "seconds": seconds,
                    "at": PAST + timedelta(minutes=minute),
                },
            )


def roll_up(database: Database, minutes: int) -> int:
    with database.session() as session:
        return int(
            session.execute(
                text("SELECT rolled FROM darkroom_roll_up_v2(:minutes)"), {"minutes": minutes}
            ).scalar_one()
        )


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that was rolled up, to the microsecond."""
    figures = {
        "attempt_minutes": "minute, lane, task, outcome, attempts, round(run_seconds::numeric, 6), "
        "round(slowest_seconds::numeric, 6)",
        "attempt_tens": "minute, lane, task, outcome, attempts, round(run_seconds::numeric, 6), "
        "round(slowest_seconds::numeric, 6)",
        "latency_minutes": "minute, lane, task, kind, bucket, attempts, round(seconds::numeric, 4)",
        "attempt_totals": "lane, task, outcome, attempts, round(run_seconds::numeric, 4)",
        "latency_totals": "lane, task, kind, bucket, attempts, round(seconds::numeric, 4)",
    }
    with database.session() as session:
        return {
            table: sorted(
                tuple(row) for row in session.execute(text(f"SELECT {columns} FROM {table}"))
            )
            for table, columns in figures.items()
        }


def empty(database: Database) -> None:
    with database.session() as session:
        session.execute(
            text(
                "TRUNCATE attempt_minutes, attempt_tens, latency_minutes, attempt_totals, "
                "latency_totals, procrastinate_jobs, steps, attempts CASCADE"
            )
        )
        session.execute(text("UPDATE rollup_progress SET rolled_to = '-infinity'"))


def forget_progress(database: Database) -> None:
    with database.session() as session:
        session.execute(
            text(
                "TRUNCATE attempt_minutes, attempt_tens, latency_minutes, attempt_totals, "
                "latency_totals"
            )
        )
        session.execute(text("UPDATE rollup_progress SET rolled_to = '-infinity'"))


def test_pieces_make_the_whole_and_again_changes_nothing(database: Database):
    @settings(max_examples=25)
    @given(ended=attempts, pieces=st.integers(1, 100))
    def check(ended: list[tuple[int, str, str, float]], pieces: int) -> None:
        empty(database)
        end_attempts(database, ended)
        assert roll_up(database, 100_000) == len(ended)
        whole = everything(database)
        assert roll_up(database, 100_000) == 0
        assert everything(database) == whole

        forget_progress(database)
        while roll_up(database, pieces):
            pass
        assert everything(database) == whole
        counted = sum(row[3] for row in whole["attempt_totals"])
        assert counted == len(ended) == sum(row[4] for row in whole["attempt_minutes"])
        assert counted == sum(row[4] for row in whole["attempt_tens"])
        waits = sum(row[4] for row in whole["latency_totals"] if row[2] == "wait")
        runs = sum(row[4] for row in whole["latency_totals"] if row[2] == "run")
        assert waits == len(ended)
        assert runs == sum(outcome == "succeeded" for _, _, outcome, _ in ended)

    check()


def test_a_pause_is_caught_up_hour_by_hour(database: Database):
    end_attempts(database, [(minute, "a.a", "succeeded", 1.0) for minute in range(0, 240, 30)])
    checkpoints: list[int] = []
    assert rollups.roll_up(database, lambda: checkpoints.append(1)) == 8
    assert len(checkpoints) == 4
    assert rollups.roll_up(database) == 0


def test_a_minute_is_added_to_until_it_is_over(database: Database):
    end_attempts(database, [(0, "a.a", "succeeded", 3.0)])
    assert roll_up(database, 100_000) == 1
    with database.session() as session:
        session.execute(
            text(
                "UPDATE rollup_progress SET rolled_to = CAST(:at AS timestamptz) + interval '1 us'"
            ),
            {"at": PAST},
        )
    end_attempts(database, [(0, "a.a", "succeeded", 5.0), (0, "a.a", "succeeded", 4.0)])
    with database.session() as session:
        session.execute(
            text(
                "UPDATE attempts SET finished_at = finished_at + interval '2 us', "
                "started_at = started_at + interval '2 us' WHERE id > 1"
            )
        )
    assert roll_up(database, 100_000) == 2
    for table in ("attempt_minutes", "attempt_tens"):
        [row] = everything(database)[table]
        assert row[4:] == (3, Decimal(12), Decimal(5))


def test_one_process_in_ten_seconds_rolls_up(database: Database):
    end_attempts(database, [(0, "a.a", "succeeded", 1.0)])
    assert rescue.roll_up_in_turn(database) == 1
    end_attempts(database, [(1, "a.a", "succeeded", 1.0)])
    forget_progress(database)
    assert rescue.roll_up_in_turn(database) == 0
    with database.session() as session:
        session.execute(text("UPDATE chores SET done_at = now() - interval '10 s'"))
    with database.engine.begin() as catching_up:
        catching_up.execute(text("SELECT FROM rollup_progress FOR UPDATE"))
        assert rescue.roll_up_in_turn(database) == 0
    with database.session() as session:
        session.execute(text("UPDATE chores SET done_at = now() - interval '10 s'"))
    assert rescue.roll_up_in_turn(database) == 2


def test_what_ended_just_now_is_left_for_later(database: Database):
    end_attempts(database, [(0, "a.a", "succeeded", 1.0)])
    with database.session() as session:
        session.execute(text("UPDATE attempts SET finished_at = clock_timestamp()"))
    assert rollups.roll_up(database) == 0
    with database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM attempts_unrolled")) == 1


def test_what_an_open_transaction_ends_is_not_missed(database: Database):
    """It bears an earlier time than its commit."""
    end_attempts(database, [(0, "a.a", "succeeded", 1.0)])
    with database.engine.connect() as slow:
        slow.execute(text("UPDATE attempts SET worker = 'slow'"))
        began = slow.scalar(text("SELECT now()"))
        with database.session() as session:
            up_to = session.scalar(text("SELECT up_to FROM darkroom_roll_up_v2()"))
        assert up_to <= began
        slow.rollback()


def test_two_at_once_count_each_attempt_once(
    database: Database, concurrently: Callable[[list[Callable[[], Any]]], list[Any]]
):
    end_attempts(database, [(minute, "a.a", "failed", 1.0) for minute in range(20)])
    rolled = concurrently([lambda: roll_up(database, 100_000)] * 4)
    assert sorted(rolled) == [0, 0, 0, 20]


@pytest.fixture
def concurrently() -> Callable[[list[Callable[[], Any]]], list[Any]]:
    """Runs calls in threads that begin together."""
    from concurrent.futures import ThreadPoolExecutor

    def run(calls: list[Callable[[], Any]]) -> list[Any]:
        with ThreadPoolExecutor(len(calls)) as pool:
            return [future.result() for future in [pool.submit(call) for call in calls]]

    return run


def test_old_minutes_are_forgotten_and_the_totals_stay(database: Database):
    end_attempts(database, [(0, "a.a", "succeeded", 1.0), (240, "a.a", "succeeded", 1.0)])
    rollups.roll_up(database)
    assert rollups.forget(database, timedelta(hours=3)) > 0
    kept = everything(database)
    assert len(kept["attempt_minutes"]) == 1
    assert [row[3] for row in kept["attempt_totals"]] == [2]
