"""A worker process at its device: the turns of its steps, and what it tells of itself meanwhile.

Models that run on a CUDA device take nearly all of its memory: the processes of a machine have it
in turns, and a process lets go of its models before it gives way. A CPU's memory and time are
shared by the system, so there every process works when it likes, within a budget of its own.
"""

import json
import logging
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.queue.gates import device
from darkroom.queue.gates.device import Seat
from darkroom.queue.gates.question import AWAY
from darkroom.queue.task import Resources, Task
from darkroom.settings import Settings
from darkroom.vision import machine
from darkroom.vision.cache import ModelCache, model_cache
from darkroom.vision.machine import Places

Json = dict[str, Any]

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How often it is looked which weights are there."""


def seat(settings: Settings) -> Seat:
    """This process at its device (`task.resource(seat)`)."""
    found = machine.device()
    return Seat(uuid4(), found.name, is_shared=found.kind == "cpu")


@contextmanager
def turn(task: Task, taken: Seat, cache: ModelCache) -> Iterator[None]:
    """For the block in which a step runs models on the device.

    Raises
    ------
    NotNow
        When another process has its turn.
    """
    if taken.is_shared:
        yield
        return
    device.enter(task, taken)
    try:
        yield
    finally:
        _leave(task, taken, cache)


def _leave(task: Task, taken: Seat, cache: ModelCache) -> None:
    try:
        if device.leave(task, taken):
            cache.clear()
            device.give_way(task.database, taken)
    except AWAY:
        # A closed attempt is at no device, and the keeper gives way later.
        log.exception("the device %s was not left", taken.device)


class Keeper:
    """A thread of a worker process that tells of it, and gives way while there is no work.

    Parameters
    ----------
    taken, cache : the process's seat and its models
    """

    def __init__(
        self, settings: Settings, database: Database, taken: Seat, cache: ModelCache
    ) -> None:
        self._settings = settings
        self._database = database
        self._seat = taken
        self._cache = cache
        self._device = machine.device()
        self._name = f"{platform.node()}:{os.getpid()}"
        self._weights: Json = {}
        self._looked_at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin; the process is known when this returns, unless the database is away."""
        self._round()
        self._thread.start()

    def stop(self) -> None:
        """End, and leave the device."""
        self._stop.set()
        self._thread.join(timeout=5)
        try:
            self._ask("forget_runtime", {"runtime": self._seat.runtime})
        except AWAY:
            log.warning("the device %s is free once this process is silent", self._seat.device)

    def beat(self) -> None:
        """Tell what there is, and give way to who waits if there is nothing to do."""
        self._ask(
            "tell_runtime",
            {
                "runtime": self._seat.runtime,
                "name": self._name,
                "device": self._seat.device,
                "facts": json.dumps(self._facts()),
                "models": json.dumps([asdict(model) for model in self._cache.loaded]),
                "stale_seconds": self._settings.queue.stale_seconds,
            },
        )
        if not self._seat.is_shared:
            self._share()

    def _share(self) -> None:
        look = device.look(self._database, self._seat)
        if look.is_mine and not look.gives_way:
            return
        # A process that was frozen may have models on a device that is another's by now.
        self._cache.clear()
        if look.is_mine:
            device.give_way(self._database, self._seat)

    def _facts(self) -> Json:
        if self._looked_at is None or time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._weights = machine.weights(_places(self._settings))
        return {
            "kind": self._device.kind,
            "title": self._device.title,
            "memory": machine.device_memory(self._device),
            "budget": self._cache.budget,
            "packages": machine.packages(),
            "weights": self._weights,
        }

    def _loop(self) -> None:
        while not self._stop.wait(self._settings.queue.heartbeat_seconds):
            self._round()

    def _round(self) -> None:
        try:
            self.beat()
        except Exception:
            # Its silence would cost the process its turn.
            log.warning("what this process knows of its device was not told", exc_info=True)

    def _ask(self, query: str, values: Json) -> None:
        with self._database.session() as session:
            session.execute(statement(f"gates/{query}"), values)


def _places(settings: Settings) -> Places:
    return Places(settings.weights_dir, settings.insightface_dir, settings.media.liveportrait_dir)


@contextmanager
def kept(settings: Settings, database: Database, resources: Resources) -> Iterator[None]:
    """Tell of a process that runs models as long as the block lasts."""
    keeper = Keeper(settings, database, resources.get(seat), resources.get(model_cache))
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()
