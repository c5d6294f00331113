"""Pictures of variants that lie elsewhere."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from darkroom.db.sessions import Database
from darkroom.errors import Transient
from darkroom.gated.pictures import Wanting
from darkroom.providers.buying import Bought
from darkroom.queue.task import Task
from darkroom.settings import Settings
from darkroom.variants import painting
from tests.engine.floor import Floor
from tests.engine.service import Service, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as started:
        yield started


@pytest.fixture
def task(database: Database, settings: Settings) -> Task:
    floor = Floor(database, settings)
    return floor.new(floor.owner())


def hosted(service: Service) -> Bought:
    """What LaoZhang sends where the picture lies elsewhere."""
    body = json.dumps({"data": [{"url": f"{service.url}/there.png"}]}).encode()
    return Bought(
        body, "application/json", "gpt-image-2", "laozhang", True, None, None, Decimal(0), {}
    )


def test_a_picture_that_is_not_there_any_more_is_to_be_bought_anew(task: Task, service: Service):
    service.will(404)
    with pytest.raises(Wanting):
        painting.picture_of(task, hosted(service))


def test_what_is_no_picture_is_to_be_bought_anew(task: Task, service: Service):
    service.will(200, "<html>")
    with pytest.raises(Wanting):
        painting.picture_of(task, hosted(service))


def test_a_picture_that_cannot_be_had_now_is_fetched_again_until_the_last_attempt(
    task: Task, service: Service
):
    service.will(503).will(503)
    with pytest.raises(Transient) as passing:
        painting.picture_of(task, hosted(service))
    assert not isinstance(passing.value, Wanting)
    last = replace(task, lease=replace(task.lease, burned=task.lease.max_attempts - 1))
    with pytest.raises(Wanting):
        painting.picture_of(last, hosted(service))
