"""The transaction that ends a step: its effects, what it enqueues, and its completion."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.queue.calls import Call, enqueue
from darkroom.queue.models import FanIn

Json = dict[str, Any]


@dataclass
class Transaction:
    """Handed to a step's `save`. Everything done through it commits with the step, or not at all.

    `session` is open on the engine's connection; neither commit nor roll it back.
    """

    session: Session
    run_id: UUID | None
    priority: int = 0
    step_result: Json | None = None
    run_result: Json = field(default_factory=dict)
    enqueued: int = 0

    def enqueue(self, *calls: Call) -> None:
        """Enqueue further steps of the same run, at the run's priority."""
        enqueue(self.session, calls, run_id=self.run_id, priority=self.priority)
        self.enqueued += len(calls)

    def fan_out(self, children: Sequence[Call], then: Call) -> list[int]:
        """Enqueue children of which the last to end enqueues `then`, once; answers their job ids.

        A child that fails for good counts as ended; when all fail the run fails instead.
        """
        if self.run_id is None or not children:
            raise ValueError("a fan-out needs a run and at least one child")
        if then.at is not None or then.label:
            raise ValueError("a callback starts when the last child ends; it has no time or label")
        fan_in = FanIn(
            run_id=self.run_id,
            pending=len(children),
            children=len(children),
            callback=then.name,
            callback_lane=then.lane,
            callback_args=then.args,
            callback_share=then.share,
            callback_max_attempts=then.max_attempts,
        )
        self.session.add(fan_in)
        self.session.flush()
        job_ids = enqueue(
            self.session,
            children,
            run_id=self.run_id,
            priority=self.priority,
            fan_in_id=fan_in.id,
        )
        self.enqueued += len(children)
        return job_ids

    def result(self, **values: Any) -> None:
        """What this step hands to the callback of its fan-in (must survive JSON)."""
        self.step_result = {**(self.step_result or {}), **values}

    def result_of_run(self, **values: Any) -> None:
        """Add to the run's result, as its owner sees it (must survive JSON)."""
        self.run_result.update(values)
