"""The `@step` decorator: a function that does one unit of a run's work.

A step does its work outside any transaction and returns what is to be written, as a function of
the transaction that ends it::

    @step(lane="gpu")
    def detect(task: Task, image_id: str) -> Save:
        found = detector.detect(load(image_id))

        def save(tx: Transaction) -> None:
            write(tx.session, found)
            tx.enqueue(draw.call(image_id=image_id))

        return save

The engine opens that transaction, checks the lease, calls `save`, and commits both together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from darkroom.queue.calls import Call
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction

Save = Callable[[Transaction], None]
Body = Callable[..., Save | None]

LANES = ("io", "cpu", "gpu")


@dataclass(frozen=True)
class Retry:
    """How often a step is tried in all."""

    attempts: int = 3


@dataclass(frozen=True)
class Step:
    """A registered step. Call it like the function it wraps; enqueue it by `call(…)`."""

    name: str
    lane: str
    retry: Retry
    body: Body

    def call(
        self, *, label: str = "", share: float = 0.0, at: datetime | None = None, **args: Any
    ) -> Call:
        """What to enqueue to have this step run with `args` (which must survive JSON)."""
        call = Call(self.name, self.lane, args, label, share, self.retry.attempts)
        return replace(call, at=at)

    def __call__(self, task: Task, **args: Any) -> Save | None:
        return self.body(task, **args)


registry: dict[str, Step] = {}
"""Every step of this process by name; filled as the modules of `jobs/` are imported."""


def step(*, lane: str, retry: Retry = Retry(), name: str | None = None) -> Callable[[Body], Step]:
    """Register a function as the step `<module>.<function>`.

    Raises
    ------
    ValueError
        When the lane is unknown, or two steps bear one name.
    """
    if lane not in LANES:
        raise ValueError(f"unknown lane {lane!r}: choose one of {', '.join(LANES)}")

    def register(body: Body) -> Step:
        pipeline = body.__module__.rpartition(".")[2]
        made = Step(name or f"{pipeline}.{body.__name__}", lane, retry, body)
        if made.name in registry:
            raise ValueError(f"two steps are named {made.name!r}")
        registry[made.name] = made
        return made

    return register
