"""Steps taken and settled one by one, without a worker and at a time of choice."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.errors import NotNow
from darkroom.queue import runs, settle
from darkroom.queue.backoff import Backoff
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.gates import permit
from darkroom.queue.gates.permit import Wanted
from darkroom.queue.task import Lease, Resources, Task
from darkroom.settings import GateSettings, Settings

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)
BACKOFF = Backoff(base=60, cap=600)


def after(seconds: float) -> datetime:
    """So many seconds after the beginning of the test."""
    return NOON + timedelta(seconds=seconds)


def wanted(
    provider: str = "gemini",
    operation: str = "edit",
    *,
    pace: str | None = None,
    estimate: str = "0",
) -> Wanted:
    """A call somebody wants to make."""
    return Wanted(uuid4(), provider, operation, pace, Decimal(estimate))


@dataclass
class Floor:
    """Steps of runs in a database, and what can happen to them."""

    database: Database
    settings: Settings

    def with_gates(self, **gates: Any) -> "Floor":
        """The same with other gate settings."""
        chosen = replace(self.settings.gates, **gates)
        return Floor(self.database, replace(self.settings, gates=chosen))

    @property
    def gates(self) -> GateSettings:
        """The gate settings."""
        return self.settings.gates

    def owner(self, name: str = "Ana") -> int:
        """A user."""
        with self.database.session() as session:
            user = User(name=name, role="member")
            session.add(user)
            session.flush()
            return user.id

    def steps(self, owner: int, count: int = 1, priority: int = 0) -> list[int]:
        """The jobs of a new run with so many steps side by side."""
        with self.database.session() as session:
            run = runs.create(
                session, pipeline="test", title="any", owner_id=owner, priority=priority
            )
            calls = [Call("test.step", "io")] * count
            jobs = enqueue(session, calls, run_id=run.id, priority=priority)
            run.open_steps = count
            return jobs

    def take(self, job: int) -> Task:
        """Lease a job, whenever it is due."""
        self.do(
            "UPDATE procrastinate_jobs SET status = 'doing', scheduled_at = NULL WHERE id = :job",
            job=job,
        )
        row = self.ask(
            """WITH opened AS (
                INSERT INTO attempts (job_id, number, worker_id, worker)
                SELECT :job, 1 + count(*), 1, 'test' FROM attempts WHERE job_id = :job
                RETURNING id, number)
            SELECT o.id, o.number, s.run_id, s.owner_id, j.priority, j.attempts
            FROM opened o, steps s JOIN procrastinate_jobs j ON j.id = s.job_id
            WHERE s.job_id = :job""",
            job=job,
        )[0]
        lease = Lease(
            attempt_id=row.id,
            attempt_number=row.number,
            job_id=job,
            task_name="test.step",
            lane="io",
            args={},
            priority=row.priority,
            burned=row.attempts,
            max_attempts=3,
            run_id=row.run_id,
            owner_id=row.owner_id,
            worker_id=1,
        )
        return Task(lease, self.settings, self.database, Resources(self.settings))

    def new(self, owner: int) -> Task:
        """A leased step of a new run."""
        return self.take(self.steps(owner)[0])

    def enter(self, task: Task, call: Wanted, at: datetime | None = None) -> NotNow | None:
        """Enter, or be put back as the engine does; the refusal, if any."""
        try:
            permit.enter(task, call, at=at)
        except NotNow as refusal:
            settle.settle_error(self.database, task.lease, refusal, BACKOFF)
            return refusal
        return None

    def kill(self, task: Task, at: datetime | None = None) -> None:
        """Its worker dies and is found out."""
        settle.lose(self.database, task.lease)
        if at is not None:
            attempt = task.lease.attempt_id
            self.do("UPDATE attempts SET finished_at = :at WHERE id = :id", at=at, id=attempt)

    def due(self, job: int) -> datetime | None:
        """When the job is scheduled for; None: now."""
        found: datetime | None = self.one(
            "SELECT scheduled_at FROM procrastinate_jobs WHERE id = :job", job=job
        )
        return found

    def alerts(self) -> list[str]:
        """The subjects of the alerts that were enqueued, in order."""
        rows = self.ask("SELECT label FROM steps WHERE name = 'notifying.alert' ORDER BY job_id")
        return [row.label for row in rows]

    def ask(self, query: str, **values: Any) -> list[Any]:
        """The rows of a query."""
        with self.database.session() as session:
            return list(session.execute(text(query), values))

    def one(self, query: str, **values: Any) -> Any:
        """The first value of a query."""
        return self.ask(query, **values)[0][0]

    def do(self, command: str, **values: Any) -> None:
        """Change something behind everybody's back."""
        with self.database.session() as session:
            session.execute(text(command), values)
