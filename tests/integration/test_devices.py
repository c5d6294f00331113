"""Devices that one process at a time may use: turns, giving way, the silent, and what is told."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import NotNow
from darkroom.gated import seats
from darkroom.gated.seats import Keeper
from darkroom.media.status import runtimes
from darkroom.queue.gates import device
from darkroom.queue.gates.device import AGAIN, KEPT_SECONDS, TURN_SECONDS, Seat
from darkroom.queue.task import Task
from darkroom.settings import Settings
from darkroom.vision.cache import Model, ModelCache
from tests.engine.floor import Floor
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401

CARD = "cuda a card"


class Process:
    """A worker process at the card, with one model that it uses."""

    def __init__(self, settings: Settings, database: Database, *, is_shared: bool = False) -> None:
        self.seat = Seat(uuid4(), CARD, is_shared)
        self.cache = ModelCache(10, relieve=lambda: None)
        self.keeper = Keeper(settings, database, self.seat, self.cache)
        self.model = Model("a network", 4, lambda: ["loaded"])

    def use(self, task: Task, during: Callable[[], object] = lambda: None) -> None:
        with seats.turn(task, self.seat, self.cache), self.cache.using(self.model):
            during()


@pytest.fixture
def floor(database: Database, settings: Settings) -> Floor:
    return Floor(database, settings)


@pytest.fixture
def process(database: Database, settings: Settings) -> Callable[..., Process]:
    """Makes processes that have told of themselves."""

    def make(**options: bool) -> Process:
        made = Process(settings, database, **options)
        made.keeper.beat()
        return made

    return make


def holder(floor: Floor) -> object:
    return floor.one("SELECT holder_id FROM devices")


def manned(database: Database) -> set[str]:
    with database.session() as session:
        return set(session.scalars(statement("media/manned_lanes")))


def wanted_for(floor: Floor, seconds: float) -> None:
    floor.do("UPDATE devices SET wanted_since = now() - make_interval(secs => :s)", s=seconds)


def test_another_process_waits_while_one_has_its_turn(floor: Floor, process) -> None:
    one, two, owner = process(), process(), floor.owner()
    mine, other = floor.new(owner), floor.new(owner)
    refused: list[NotNow] = []

    def ask() -> None:
        with pytest.raises(NotNow) as told:
            two.use(other)
        refused.append(told.value)

    one.use(mine, ask)
    assert (refused[0].kind, refused[0].on) == ("device", CARD)
    now = floor.one("SELECT clock_timestamp()")
    assert refused[0].until is not None and now < refused[0].until <= now + AGAIN
    assert two.cache.names == []


def test_steps_of_one_process_share_its_turn(floor: Floor, process) -> None:
    one, owner = process(), floor.owner()
    first, second = floor.new(owner), floor.new(owner)
    device.enter(first, one.seat)
    device.enter(second, one.seat)
    assert len(floor.one("SELECT attempts FROM devices")) == 2


def test_models_stay_loaded_while_nobody_else_wants_the_device(floor: Floor, process) -> None:
    one, owner = process(), floor.owner()
    one.use(floor.new(owner))
    one.keeper.beat()
    assert one.cache.names == ["a network"]
    assert holder(floor) == one.seat.runtime


def test_a_process_without_work_lets_its_models_go_and_gives_way(floor: Floor, process) -> None:
    one, two, owner = process(), process(), floor.owner()
    one.use(floor.new(owner))
    task = floor.new(owner)
    with pytest.raises(NotNow):
        two.use(task)
    one.keeper.beat()
    assert one.cache.names == [] and holder(floor) is None
    two.use(task)
    assert holder(floor) == two.seat.runtime


def test_a_process_at_work_gives_way_when_another_has_waited_for_a_turn(
    floor: Floor, process
) -> None:
    one, two, owner = process(), process(), floor.owner()
    task, other = floor.new(owner), floor.new(owner)

    def ask(seconds: float) -> None:
        with pytest.raises(NotNow):
            two.use(other)
        wanted_for(floor, seconds)

    one.use(task, lambda: ask(TURN_SECONDS - 5))
    assert holder(floor) == one.seat.runtime
    one.use(task, lambda: wanted_for(floor, TURN_SECONDS + 5))
    assert one.cache.names == []
    # It is kept for who waited, and not for ever.
    with pytest.raises(NotNow):
        device.enter(task, one.seat)
    two.use(other)
    assert holder(floor) == two.seat.runtime


def test_what_nobody_comes_for_is_free_again(floor: Floor, process) -> None:
    one, two, owner = process(), process(), floor.owner()
    task = floor.new(owner)
    one.use(task)
    with pytest.raises(NotNow):
        two.use(floor.new(owner))
    one.keeper.beat()
    later = floor.one("SELECT clock_timestamp() + make_interval(secs => :s)", s=KEPT_SECONDS + 1)
    device.enter(task, one.seat, at=later)
    assert holder(floor) == one.seat.runtime


def test_a_device_is_not_given_away_under_a_step(floor: Floor, process) -> None:
    one, two, owner = process(), process(), floor.owner()
    task = floor.new(owner)

    def meanwhile() -> None:
        with pytest.raises(NotNow):
            two.use(floor.new(owner))
        one.keeper.beat()
        device.give_way(floor.database, one.seat)

    one.use(task, meanwhile)
    assert holder(floor) == one.seat.runtime


def test_the_lease_of_a_silent_process_has_expired(floor: Floor, process) -> None:
    one, two, owner = process(), process(), floor.owner()
    one.use(floor.new(owner))
    floor.do(
        "UPDATE runtimes SET beat_at = now() - interval '1 hour' WHERE id = :id",
        id=one.seat.runtime,
    )
    two.use(floor.new(owner))
    assert holder(floor) == two.seat.runtime
    # Awake again, it finds that the device is another's.
    one.keeper.beat()
    assert one.cache.names == []


def test_a_step_that_was_taken_back_does_not_hold_the_device(floor: Floor, process) -> None:
    one, two, owner = process(), process(), floor.owner()
    lost, task = floor.new(owner), floor.new(owner)
    device.enter(lost, one.seat)
    floor.kill(lost)
    with pytest.raises(NotNow):
        two.use(task)
    one.keeper.beat()
    two.use(task)
    assert holder(floor) == two.seat.runtime


def test_a_process_that_ends_leaves_its_device_at_once(floor: Floor, process) -> None:
    one, two, owner = process(), process(), floor.owner()
    one.keeper.start()
    one.use(floor.new(owner))
    one.keeper.stop()
    two.use(floor.new(owner))
    with floor.database.session() as session:
        assert [each.id for each in runtimes.living(session)] == [two.seat.runtime]


def test_processes_on_a_shared_device_do_not_wait_for_one_another(floor: Floor, process) -> None:
    one, two, owner = process(is_shared=True), process(is_shared=True), floor.owner()
    first, second = floor.new(owner), floor.new(owner)
    one.use(first, lambda: two.use(second))
    assert floor.one("SELECT count(*) FROM devices") == 0


def test_a_process_tells_what_it_has_loaded(floor: Floor, process) -> None:
    one, owner = process(), floor.owner()
    one.use(floor.new(owner), one.keeper.beat)
    with floor.database.session() as session:
        [told] = runtimes.living(session)
    assert told.models == [{"name": "a network", "size": 4, "in_use": True}]
    assert (told.loaded, told.has_turn, told.device) == (4, True, CARD)
    assert told.facts["weights"].keys() >= {"whisper", "insightface", "RealESRGAN_x4plus"}
    assert told.memory["total"] > 0


def test_a_silent_process_is_not_shown_and_forgotten_in_the_end(
    floor: Floor, process, settings: Settings
) -> None:
    one = process()
    floor.do("UPDATE runtimes SET beat_at = now() - interval '1 hour'")
    with floor.database.session() as session:
        assert runtimes.living(session) == []
    process()
    assert floor.one("SELECT count(*) FROM runtimes WHERE id = :id", id=one.seat.runtime) == 0


def test_a_worker_tells_of_itself_as_long_as_it_lives(
    engine: Engine,
    start_worker,  # noqa: F811
) -> None:
    def found() -> list[runtimes.Runtime]:
        with engine.database.session() as session:
            return runtimes.living(session)

    worker = start_worker("--lanes", "gpu")
    engine.until(found, seconds=60)
    [told] = found()
    assert told.name.endswith(f":{worker.pid}") and told.facts["budget"] > 0
    worker.terminate()
    engine.until(lambda: not found(), seconds=60)
    assert worker.wait(timeout=60) == 0


def test_a_worker_without_the_lane_of_models_tells_nothing(
    engine: Engine,
    start_worker,  # noqa: F811
) -> None:
    start_worker("--lanes", "io")
    engine.until(lambda: manned(engine.database) == {"io"}, seconds=60)
    with engine.database.session() as session:
        assert runtimes.living(session) == []
