"""A lane of a worker, in this process: its slots stay its own, whatever its steps do."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.errors import NotNow
from darkroom.queue.execute import Executor
from darkroom.queue.lane import Lane
from darkroom.queue.step import Retry, Save, registry, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.settings import Settings
from tests.engine.floor import Floor

PATIENCE = 120
NEVER = 3600.0
LOG = logging.getLogger("jobs.lane")
DOORS: dict[str, threading.Event] = {}


@pytest.fixture
def floor(database: Database, settings: Settings) -> Floor:
    """Nobody looks for work or for lost steps without being told to."""
    with database.session() as session:
        session.execute(text("CREATE TABLE marks (id int GENERATED ALWAYS AS IDENTITY, word text)"))
    queue = replace(settings.queue, poll_seconds=NEVER)
    return Floor(database, replace(settings, queue=queue))


@pytest.fixture(autouse=True)
def steps() -> Iterator[None]:
    """The steps of these tests, known for as long as one of them runs."""
    known = dict(registry)
    DOORS.clear()

    @step(lane="io", name="lane.write", retry=Retry(attempts=1))
    def write(task: Task, word: str, raises: str = "") -> Save:
        def save(tx: Transaction) -> None:
            tx.session.execute(text("INSERT INTO marks (word) VALUES (:word)"), {"word": word})
            if raises:
                raise {"exit": SystemExit, "bug": ZeroDivisionError}[raises](word)

        return save

    @step(lane="io", name="lane.talk", retry=Retry(attempts=1))
    def talk(task: Task, word: str, raises: str = "") -> None:
        LOG.warning("says %s", word)
        if raises:
            raise {"bug": ZeroDivisionError, "not now": later}[raises](word)

    def later(word: str) -> NotNow:
        return NotNow(word, datetime.now(UTC) + timedelta(days=1))

    @step(lane="io", name="lane.wait", retry=Retry(attempts=1))
    def wait(task: Task, door: str) -> None:
        assert DOORS[door].wait(PATIENCE)

    yield
    registry.clear()
    registry.update(known)


@dataclass
class Running:
    """A lane at work."""

    lane: Lane
    fetches: list[int] = field(default_factory=list)


@contextmanager
def working(floor: Floor, slots: int) -> Iterator[Running]:
    """A lane that works until the block ends."""
    executor = Executor(floor.settings, floor.database)
    running = Running(Lane("io", slots, floor.database.url, executor))
    lease = running.lane.manager.lease

    async def counted(count: int) -> Any:
        running.fetches.append(count)
        return await lease(count)

    running.lane.manager.lease = counted  # type: ignore[method-assign]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=[running.lane.run()])
    thread.start()
    try:
        yield running
    finally:
        for door in DOORS.values():
            door.set()
        loop.call_soon_threadsafe(running.lane.stop)
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the lane did not end"
        loop.close()


def defer(floor: Floor, name: str, lock: str | None = None, **args: str) -> None:
    """A job as procrastinate's own tools enqueue it."""
    floor.do(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args)"
        " SELECT 'io', :name, :lock, coalesce(jsonb_object_agg(k, v), '{}')"
        " FROM unnest(cast(:keys AS text[]), cast(:values AS text[])) a(k, v)",
        name=name,
        lock=lock,
        keys=list(args),
        values=list(args.values()),
    )


def until(floor: Floor, query: str) -> None:
    """Wait until a question is answered with yes."""
    with psycopg.connect(floor.database.url, autocommit=True) as connection:
        for _ in range(PATIENCE * 50):
            row = connection.execute(f"SELECT ({query})").fetchone()
            if row is not None and row[0]:
                return
            connection.execute("SELECT pg_sleep(0.02)")
    raise AssertionError(f"waited too long for {query}")


def marked(word: str) -> str:
    return f"SELECT EXISTS (SELECT FROM marks WHERE word = '{word}')"


def test_a_save_that_calls_exit_ends_its_step_and_not_the_lane(floor: Floor) -> None:
    with working(floor, 2):
        defer(floor, "lane.write", word="bad", raises="exit")
        until(floor, "SELECT outcome = 'retried' FROM attempts")
        defer(floor, "lane.write", word="good")
        until(floor, marked("good"))


def test_a_step_whose_end_cannot_be_written_does_not_keep_its_slot(floor: Floor) -> None:
    floor.do("ALTER TABLE attempts ADD CHECK (outcome <> 'retried')")
    with working(floor, 1) as running:
        defer(floor, "lane.write", word="bad", raises="bug")
        defer(floor, "lane.write", word="good")
        until(floor, marked("good"))
    assert not running.lane.running


def test_jobs_of_one_lock_follow_one_another_at_once(floor: Floor) -> None:
    for word in ("one", "two", "three"):
        defer(floor, "lane.write", lock="bed 7", word=word)
    with working(floor, 8):
        until(floor, marked("three"))
    assert [row.word for row in floor.ask("SELECT word FROM marks ORDER BY id")] == [
        "one",
        "two",
        "three",
    ]


def test_steps_of_a_broken_group_are_committed_though_every_slot_is_taken(floor: Floor) -> None:
    DOORS["shut"] = threading.Event()
    for place in range(16):
        defer(floor, "lane.write", word=str(place), **({"raises": "bug"} if place == 7 else {}))
    for _ in range(24):
        defer(floor, "lane.wait", door="shut")
    with (
        psycopg.connect(floor.database.url) as somebody,
        working(floor, 16) as running,
    ):
        somebody.execute("LOCK TABLE marks")
        until(floor, "SELECT count(*) >= 24 FROM attempts")
        somebody.rollback()
        until(floor, "SELECT count(*) = 15 FROM marks")
        fetched = len(running.fetches)
        until(floor, "SELECT pg_sleep(0.3) IS NOT NULL")
        assert len(running.fetches) < fetched + 5, "it asks for steps without end"
    assert min(running.fetches) > 0


@pytest.mark.parametrize(
    ("raises", "outcome"), [("", "succeeded"), ("bug", "retried"), ("not now", "given_back")]
)
def test_what_a_step_logs_is_kept_with_its_attempt_however_it_ends(
    floor: Floor, raises: str, outcome: str
) -> None:
    for word in ("one", "two"):
        defer(floor, "lane.talk", word=word, **({"raises": raises} if raises else {}))
    with working(floor, 8):
        until(floor, f"SELECT count(*) = 2 FROM attempts WHERE outcome = '{outcome}'")
    with floor.database.session() as session:
        logs = list(session.scalars(text("SELECT log FROM attempts ORDER BY job_id")))
    assert [log.partition(" ")[2] for log in logs] == [
        "WARNING jobs.lane: says one",
        "WARNING jobs.lane: says two",
    ]


def test_a_step_that_logs_nothing_has_no_log(floor: Floor) -> None:
    defer(floor, "lane.write", word="quiet")
    with working(floor, 1):
        until(floor, marked("quiet"))
    with floor.database.session() as session:
        assert list(session.scalars(text("SELECT log FROM attempts"))) == [None]
