"""Real worker processes over the test steps, and what tests ask of the database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from darkroom.accounts.service import ensure_admin
from darkroom.db.sessions import Database
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.settings import ROOT, Settings

PATIENCE = 120


@dataclass
class Engine:
    """A database with the test steps, and the worker processes a test started on it."""

    database: Database
    environ: dict[str, str]
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self, lanes: str = "io,cpu,gpu", **environ: str) -> subprocess.Popen[bytes]:
        """A worker process of its own; ends with the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.worker", lanes],
            env={**self.environ, **environ},
            cwd=ROOT,
        )
        self.workers.append(process)
        return process

    def start_run(self, call: Call, priority: int = 0) -> UUID:
        """A run whose first step is the call."""
        with self.database.session() as session:
            owner = ensure_admin(session)
            run = runs.start(
                session,
                pipeline="test",
                title=call.name,
                owner_id=owner.id,
                first=call,
                priority=priority,
            )
            return run.id

    def run(self, run_id: UUID) -> Run:
        """The run as it stands."""
        with self.database.session() as session:
            found = runs.get(session, run_id)
            assert found is not None
            return found

    def steps(self, run_id: UUID) -> list[runs.StepView]:
        """The run's steps with their attempts."""
        with self.database.session() as session:
            return runs.with_attempts(session, runs.steps_of(session, run_id))

    def ended(self, run_id: UUID) -> Run:
        """The run once it is over and none of its steps runs."""
        self.until(lambda: self.run(run_id).is_over and self.run(run_id).open_steps == 0)
        return self.run(run_id)

    def marks(self) -> list[str]:
        """The marks that steps left, in order."""
        with self.database.session() as session:
            return list(session.scalars(text("SELECT word FROM marks ORDER BY id")))

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Wait for a condition: nudged by each change of a run, looking anyway now and then."""
        deadline = time.monotonic() + seconds
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute("LISTEN darkroom_runs")
            while not condition():
                assert time.monotonic() < deadline, "waited too long"
                next(connection.notifies(timeout=0.1, stop_after=1), None)


@pytest.fixture
def engine(database: Database, settings: Settings, tmp_path: Path) -> Iterator[Engine]:
    """The engine over a fresh database, without a worker yet."""
    with database.session() as session:
        session.execute(text("CREATE TABLE marks (id int GENERATED ALWAYS AS IDENTITY, word text)"))
    queue = settings.queue
    environ = {
        **os.environ,
        "DATABASE_URL": database.url,
        "DARKROOM_HOME": str(settings.home),
        "DARKROOM_POLL_SECONDS": str(queue.poll_seconds),
        "DARKROOM_HEARTBEAT_SECONDS": str(queue.heartbeat_seconds),
        "DARKROOM_STALE_SECONDS": str(queue.stale_seconds),
        "DARKROOM_RESCUE_SECONDS": str(queue.rescue_seconds),
        "DARKROOM_GRACE_SECONDS": str(queue.grace_seconds),
        "DARKROOM_BACKOFF_SECONDS": str(queue.backoff_seconds),
        "MENDED": str(tmp_path / "mended"),
    }
    started = Engine(database, environ, tmp_path)
    yield started
    for worker in started.workers:
        worker.kill()
        worker.wait()
