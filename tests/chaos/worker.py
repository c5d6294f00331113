"""A worker process over these steps: `python -m tests.chaos.worker`. Any release can run it."""

import logging
import os

import tests.chaos.pipeline  # noqa: F401  (registers the steps)
from darkroom.db.sessions import Database
from darkroom.queue.worker import WorkerProcess
from darkroom.settings import Settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings.from_env(os.environ)
    assert settings.database_url
    WorkerProcess(settings, Database(settings.database_url), settings.queue.lanes).run()
