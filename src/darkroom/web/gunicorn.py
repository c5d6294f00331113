"""How gunicorn runs the app: `--config python:darkroom.web.gunicorn darkroom.web.wsgi:app`.

One process with threads: the live feed and the cap on streams count per process, and the pages wait
for the database, not for the processor.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType

from gunicorn.workers.base import Worker

from darkroom.settings import Settings
from darkroom.web.live import RunFeed
from darkroom.web.services import KEY

Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

_web = Settings.from_env(os.environ).web

bind = f"[{_web.host}]:{_web.port}" if ":" in _web.host else f"{_web.host}:{_web.port}"
workers = 1
worker_class = "gthread"
threads = _web.threads
# An upload over a slow line may take its time; the heartbeat comes from another thread.
timeout = 60
graceful_timeout = 10
keepalive = 5
loglevel = "warning"
proc_name = "darkroom-web"


def post_worker_init(worker: Worker) -> None:
    """End the live streams as soon as the process is told to leave."""
    feed: RunFeed = worker.wsgi.extensions[KEY].live.feed
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, _after(feed.stop, signal.getsignal(number)))


def _after(first: Callable[[], None], then: Handler) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        first()
        if callable(then):
            then(number, frame)

    return handle
