"""Live streams through the real server: they come, they end, and they leave room for pages."""

import json
import time
from collections.abc import Iterator

import pytest
import requests

from darkroom.accounts import service as accounts
from darkroom.queue.models import Run

from .conftest import Served, Submit

PATIENCE = 120


@pytest.fixture
def run(served: Served, submit: Submit) -> Run:
    with served.site.database.session() as session:
        owner = accounts.ensure_admin(session)
    run_id = submit(served.site, owner).run_id
    with served.site.database.session() as session:
        return session.get_one(Run, run_id)


def open_stream(served: Served, run: Run, **headers: str) -> requests.Response:
    url = f"{served.url}/runs/{run.id}/events"
    return requests.get(url, stream=True, headers=headers, timeout=PATIENCE)


def states(stream: requests.Response) -> Iterator[dict]:
    for line in stream.iter_lines():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def test_progress_arrives_while_the_stream_is_open(served: Served, run: Run) -> None:
    with open_stream(served, run) as stream:
        coming = states(stream)
        assert next(coming)["progress"] == 0
        with served.site.database.session() as session:
            session.get_one(Run, run.id).progress = 0.5
        assert next(coming)["progress"] == 0.5


def test_pages_find_a_thread_while_streams_are_over_the_cap(served: Served, run: Run) -> None:
    streams = [open_stream(served, run) for _ in range(9)]
    try:
        answers = [stream.status_code for stream in streams]
        assert sorted(answers) == [200] * 4 + [503] * 5
        refused = streams[answers.index(503)]
        assert int(refused.headers["Retry-After"]) > 0
        for path in ("/", "/runs", f"/runs/{run.id}.json"):
            assert requests.get(served.url + path, timeout=PATIENCE).status_code == 200
    finally:
        for stream in streams:
            stream.close()


def test_place_of_a_reader_who_left_is_free_again(served: Served, run: Run) -> None:
    for _ in range(4):
        open_stream(served, run).close()
    for progress in range(1, 5):
        # A stream notices that its reader is gone when it next has something to say.
        with served.site.database.session() as session:
            session.get_one(Run, run.id).progress = progress / 10
    deadline = time.monotonic() + PATIENCE
    while (answer := open_stream(served, run)).status_code != 200:
        assert time.monotonic() < deadline
        answer.close()
    answer.close()


def test_server_that_is_told_to_leave_ends_its_streams(served: Served, run: Run) -> None:
    with open_stream(served, run) as stream:
        next(states(stream))
        served.process.terminate()
        began = time.monotonic()
        list(stream.iter_lines())
        served.process.wait(timeout=PATIENCE)
        assert time.monotonic() - began < 5
