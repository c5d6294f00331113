import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.settings import WebSettings
from darkroom.web.live import CHANNEL, Live, RunFeed, follow

RUN, OTHER = uuid4(), uuid4()
SECONDS = 10.0


@pytest.fixture
def feed(database: Database) -> Iterator[RunFeed]:
    """A feed whose listener is connected (its first nudge says so)."""
    made = RunFeed(database, size=4)
    assert made.wait([RUN], 0, SECONDS)
    yield made
    made.stop()


@pytest.fixture
def live(database: Database) -> Iterator[Live]:
    made = Live(database, replace(WebSettings(), stream_seconds=SECONDS, max_streams=2))
    yield made
    made.feed.stop()


def nudge(database: Database, run: UUID, times: int = 1) -> None:
    # A transaction each: Postgres sends equal notices of one transaction only once.
    for _ in range(times):
        with database.session() as session:
            session.execute(
                text("SELECT pg_notify(:channel, :payload)"),
                {"channel": CHANNEL, "payload": json.dumps({"run": str(run)})},
            )


def test_change_of_the_run_ends_the_wait(database: Database, feed: RunFeed) -> None:
    position = feed.position
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.wait, [RUN], position, SECONDS)
        nudge(database, RUN)
        assert waiting.result() is True


def test_change_before_the_wait_is_not_missed(database: Database, feed: RunFeed) -> None:
    position = feed.position
    nudge(database, OTHER)
    nudge(database, RUN)
    assert feed.wait([OTHER], position, SECONDS)
    assert feed.wait([RUN], position, SECONDS)


def test_change_of_another_run_does_not_end_the_wait(database: Database, feed: RunFeed) -> None:
    position = feed.position
    nudge(database, OTHER)
    assert feed.wait([OTHER], position, SECONDS)
    assert not feed.wait([RUN], position, 0)


def test_who_has_fallen_behind_is_nudged(database: Database, feed: RunFeed) -> None:
    position = feed.position
    nudge(database, OTHER, times=5)
    nudge(database, RUN)
    assert feed.wait([RUN], position, SECONDS)
    assert feed.wait([uuid4()], position, SECONDS)


def test_everybody_is_nudged_after_the_connection_was_lost(
    database: Database, feed: RunFeed
) -> None:
    position = feed.position
    with database.session() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        )
    assert feed.wait([RUN], position, SECONDS)
    position = feed.position
    nudge(database, RUN)
    assert feed.wait([RUN], position, SECONDS)


def test_unreadable_notice_does_no_harm(database: Database, feed: RunFeed) -> None:
    position = feed.position
    with database.session() as session:
        session.execute(text(f"NOTIFY {CHANNEL}, 'not json'"))
    nudge(database, RUN)
    assert feed.wait([RUN], position, SECONDS)


def test_stopping_ends_all_waits(feed: RunFeed) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.wait, [RUN], feed.position, SECONDS)
        feed.stop()
        assert waiting.result() is True


def test_one_connection_listens_for_all(database: Database, feed: RunFeed) -> None:
    with ThreadPoolExecutor(4) as pool:
        waits = [pool.submit(feed.wait, [RUN], feed.position, SECONDS) for _ in range(4)]
        nudge(database, RUN)
        assert all(wait.result() for wait in waits)
    with database.session() as session:
        listening = session.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query = ANY(:queries)"
            ),
            {"queries": [f"LISTEN {CHANNEL}", "SELECT 1"]},
        )
    assert listening == 1


def test_stream_sends_the_state_and_ends_with_the_run(live: Live) -> None:
    state = {"progress": 1, "finished": True}
    retry, event = follow(live, [RUN], lambda: state, None)
    assert retry == "retry: 1000\n\n"
    assert json.loads(event.split("data: ")[1]) == state


def test_stream_sends_each_change_once(database: Database, live: Live) -> None:
    states = iter([{"n": 1, "finished": False}, {"n": 1, "finished": False}])
    done = {"n": 2, "finished": True}
    stream = follow(live, [RUN], lambda: next(states, done), None)
    next(stream)
    assert '"n":1' in next(stream)
    nudging = threading.Timer(0, nudge, [database, RUN])
    nudging.start()
    assert next(stream).startswith(":")
    nudging.join()
    nudge(database, RUN)
    assert '"n":2' in next(stream)
    assert next(stream, None) is None


def test_reader_who_has_the_state_already_gets_no_second_copy(live: Live) -> None:
    state = {"n": 1, "finished": True}
    _, event = follow(live, [RUN], lambda: state, None)
    event_id = event.split("\n")[0].removeprefix("id: ")
    _, again = follow(live, [RUN], lambda: state, event_id)
    assert again == ": still here\n\n"


def test_stream_ends_after_its_time(database: Database) -> None:
    brief = Live(database, replace(WebSettings(), stream_seconds=0))
    assert len(list(follow(brief, [RUN], lambda: {"finished": False}, None))) == 2


def test_streams_are_capped_at_half_of_the_threads(database: Database) -> None:
    small = Live(database, replace(WebSettings(), threads=4, max_streams=100))
    assert [small.streams.enter() for _ in range(3)] == [True, True, False]
    small.streams.leave()
    assert small.streams.enter()


@pytest.mark.parametrize(("threads", "answers"), [(64, 36), (8, 2), (4, 1), (2, 1), (1, 1)])
def test_calls_that_are_promised_to_wait_leave_a_quarter_of_the_threads(
    database: Database, threads: int, answers: int
) -> None:
    slots = Live(database, replace(WebSettings(), threads=threads)).answers
    assert [slots.enter() for _ in range(answers + 1)] == [True] * answers + [False]
