"""A worker process over the test steps: `python -m tests.engine.worker [lanes]`."""

import logging
import os
import sys

import tests.engine.steps  # noqa: F401  (registers the steps)
from darkroom.db.sessions import Database
from darkroom.queue.worker import WorkerProcess
from darkroom.settings import Settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    settings = Settings.from_env(os.environ)
    lanes = sys.argv[1].split(",") if len(sys.argv) > 1 else list(settings.queue.lanes)
    assert settings.database_url
    WorkerProcess(
        settings,
        Database(settings.database_url),
        {lane: settings.queue.lanes[lane] for lane in lanes},
    ).run()
