"""A worker process over these steps: `python -m tests.chaos.worker`. Any release can run it."""

import logging
import os

import tests.chaos.pipeline  # noqa: F401  (registers the steps)
from darkroom.db.sessions import Database
from darkroom.queue.step import step
from darkroom.queue.task import Task
from darkroom.queue.worker import WorkerProcess
from darkroom.settings import Settings


@step(lane="io", name="notifying.alert")
def alert(task: Task, subject: str, text: str) -> None:
    """What opened breakers have sent: here nobody is told."""


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings.from_env(os.environ)
    assert settings.database_url
    WorkerProcess(settings, Database(settings.database_url), settings.queue.lanes).run()
