"""Why a step waits: exactly one reason, and the right one."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from darkroom.console import dashboards, words
from darkroom.db.sessions import Database
from darkroom.settings import ROOT
from darkroom.web import reasons

Json = dict[str, Any]


@dataclass
class Queue:
    """A lane with a worker of one place, and jobs put into it."""

    database: Database

    def execute(self, statement: str, **values: Any) -> Any:
        """Run a statement; answers its first value, if it has rows."""
        with self.database.session() as session:
            result = session.execute(text(statement), values)
            return result.scalar() if result.returns_rows else None

    def add_worker(self, slots: int = 1, beat: str = "0 s") -> None:
        """A worker of lane io, its last heartbeat so long ago."""
        worker_id = self.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - CAST(:beat AS interval)) RETURNING id",
            beat=beat,
        )
        self.execute(
            "INSERT INTO worker_lanes (worker_id, name, lane, slots) "
            "VALUES (:id, 'w', 'io', :slots)",
            id=worker_id,
            slots=slots,
        )

    def add(
        self,
        *,
        owner: int = 1,
        due: str | None = None,
        lock: str | None = None,
        kind: str | None = None,
        on: str | None = None,
        status: str = "todo",
    ) -> int:
        """A step; `due` is an interval from now."""
        job_id = self.execute(
            "INSERT INTO procrastinate_jobs "
            "(queue_name, task_name, status, owner_id, scheduled_at, lock) VALUES "
            "('io', 't.t', CAST(:status AS procrastinate_job_status), :owner, "
            "now() + CAST(:due AS interval), :lock) RETURNING id",
            status=status,
            owner=owner,
            due=due,
            lock=lock,
        )
        self.execute(
            "INSERT INTO steps (job_id, name, max_attempts, waiting_kind, waiting_on, owner_id) "
            "VALUES (:id, 't.t', 3, :kind, :on, :owner)",
            id=job_id,
            kind=kind,
            on=on,
            owner=owner,
        )
        if status == "doing":
            self.execute(
                "INSERT INTO attempts (job_id, number, worker_id, worker) VALUES (:id, 1, 1, 'w')",
                id=job_id,
            )
        return int(job_id)

    def why(self, job_id: int) -> Json:
        """The one row of a job."""
        [row] = [
            row
            for row in dashboards.run(self.database, "why_waiting").records
            if row["job_id"] == job_id
        ]
        return row


@pytest.fixture
def queue(database: Database) -> Queue:
    """An empty queue of the users 1 and 2, without a worker yet."""
    found = Queue(database)
    found.execute("INSERT INTO users (name, role) VALUES ('Ana', 'admin'), ('Bo', 'member')")
    return found


def test_nobody_mans_the_lane(queue: Queue):
    queue.add_worker(beat="5 min")
    row = queue.why(queue.add())
    assert (row["reason"], row["waits_on"]) == ("no_worker", "io")
    assert row["why"] == "no worker takes lane io"


def test_a_paused_lane_comes_before_everything_else(queue: Queue):
    queue.execute(
        "UPDATE lanes SET paused_at = now(), pause_reason = 'a new card' WHERE name = 'io'"
    )
    row = queue.why(queue.add(due="1 h", kind="breaker", on="gemini edit", lock="x"))
    assert (row["reason"], row["why"]) == ("lane_paused", "lane io is paused: a new card")
    assert row["until"] is None


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("breaker", "breaker gemini edit is open"),
        ("pace", "paced by gemini edit"),
        ("limit", "limit gemini edit is reached"),
        ("concurrency", "all calls gemini edit may have are in flight"),
        ("budget", "budget gemini edit is spent"),
        ("device", "another worker process has its turn at gemini edit"),
        ("picture", "the same picture is being made already"),
        ("cron", "another run of gemini edit goes on"),
        ("order", "what was asked for earlier goes first"),
    ],
)
def test_a_closed_gate_and_when_it_is_asked_again(queue: Queue, kind: str, why: str):
    queue.add_worker()
    row = queue.why(queue.add(due="1 h", kind=kind, on="gemini edit"))
    assert (row["reason"], row["waits_on"], row["why"]) == (kind, "gemini edit", why)
    assert row["until"] is not None


def test_a_breaker_that_somebody_holds_open_has_no_time_when_it_is_asked_again(queue: Queue):
    queue.add_worker()
    queue.execute(
        "INSERT INTO breakers (provider, operation, state, isolated_by, isolated_reason)"
        " VALUES ('gemini', 'edit', 'isolated', 'Ana', 'their key leaked')"
    )
    row = queue.why(queue.add(due="1 h", kind="breaker", on="gemini edit"))
    assert (row["reason"], row["waits_on"], row["until"]) == ("isolated", "gemini edit", None)
    assert row["why"] == "breaker gemini edit is isolated: their key leaked"


def test_somebody_has_to_choose_a_location_and_nobody_knows_when(queue: Queue):
    queue.add_worker()
    row = queue.why(queue.add(due="365 days", kind="location"))
    assert (row["reason"], row["why"]) == ("location", "waits for a location to be chosen")
    assert row["until"] is None


def test_every_reason_has_its_words_on_the_pages():
    file = (ROOT / "sql" / "functions" / "why_waiting_v4.sql").read_text(encoding="utf-8")
    told = set(re.findall(r"WHEN '(\w+)' THEN", file))
    assert len(told) > 20
    assert told <= set(reasons.SENTENCES) and told <= set(words.KINDS)


@pytest.mark.parametrize("kind", ["retry", "unknown_step", "stopped"])
def test_it_went_wrong_and_is_tried_again(queue: Queue, kind: str):
    queue.add_worker()
    row = queue.why(queue.add(due="1 h", kind=kind))
    assert row["reason"] == kind and row["until"] is not None


def test_asked_for_a_later_time(queue: Queue):
    queue.add_worker()
    assert queue.why(queue.add(due="1 h"))["reason"] == "scheduled"


def test_a_gate_that_was_closed_once_is_no_reason_any_more_once_due(queue: Queue):
    queue.add_worker()
    assert queue.why(queue.add(due="-1 s", kind="breaker", on="gemini edit"))["reason"] == "next"


def test_a_lock_that_a_running_step_holds(queue: Queue):
    queue.add_worker(slots=5)
    holder = queue.add(lock="photo 1", status="doing")
    row = queue.why(queue.add(lock="photo 1"))
    assert (row["reason"], row["waits_on"]) == ("lock", "photo 1")
    assert str(holder) in row["why"]


def test_of_those_that_wait_for_a_free_lock_only_the_first_is_next(queue: Queue):
    queue.add_worker(slots=5)
    first, second = queue.add(lock="photo 1"), queue.add(lock="photo 1")
    assert (queue.why(first)["reason"], queue.why(second)["reason"]) == ("next", "lock")


def test_a_full_lane(queue: Queue):
    queue.add_worker(slots=1)
    queue.add(status="doing")
    row = queue.why(queue.add())
    assert (row["reason"], row["why"]) == ("lane_full", "all 1 places of lane io are taken")


def test_the_owners_take_turns_in_a_full_lane(queue: Queue):
    queue.add_worker(slots=1)
    queue.add(owner=1, status="doing")
    busy, other = queue.add(owner=1), queue.add(owner=2)
    assert (queue.why(busy)["reason"], queue.why(other)["reason"]) == ("turn", "lane_full")


def test_a_free_place_is_waiting_for_it(queue: Queue):
    queue.add_worker()
    assert queue.why(queue.add())["reason"] == "next"


def test_a_callback_waits_for_its_children(queue: Queue):
    queue.execute(
        "WITH r AS (INSERT INTO runs (pipeline, title, owner_id, status) "
        "VALUES ('t', 't', 1, 'running') RETURNING id) "
        "INSERT INTO fan_ins (run_id, pending, children, callback, callback_lane, "
        "callback_max_attempts) SELECT id, 2, 5, 't.gather', 'io', 3 FROM r"
    )
    [row] = dashboards.run(queue.database, "why_waiting").records
    assert (row["reason"], row["waits_on"], row["job_id"]) == ("children", "2 of 5", None)


def test_only_steps_that_wait_have_a_reason_and_each_has_one(queue: Queue):
    queue.add_worker()
    for status in ("doing", "succeeded", "failed", "cancelled"):
        queue.add(status=status)
    waiting = {
        queue.add(),
        queue.add(due="1 h"),
        queue.add(lock="a"),
        queue.add(lock="a", due="1 h"),
    }
    found = [row["job_id"] for row in dashboards.run(queue.database, "why_waiting").records]
    assert sorted(found) == sorted(waiting)
