"""A whole Darkroom in processes of its own: gunicorn and a worker over one test database."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from darkroom.settings import ROOT, Settings

WEB = ["gunicorn", "--config", "python:darkroom.web.gunicorn", "darkroom.web.wsgi:app"]
WORKER = ["darkroom.cli", "worker"]
PATIENCE = 60


@dataclass(frozen=True)
class Installation:
    """Where it answers, and its processes."""

    url: str
    web: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]


@contextmanager
def running(settings: Settings, **environ: str) -> Iterator[Installation]:
    """Web and worker over the settings' database and home, answering when the block begins."""
    port = _free_port()
    given = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
        "DARKROOM_SECRET_KEY": settings.secret_key or "",
        "DARKROOM_PORT": str(port),
        **environ,
    }
    web, worker = (
        subprocess.Popen([sys.executable, "-m", *module], env=given, cwd=ROOT)
        for module in (WEB, WORKER)
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, web)
        yield Installation(url, web, worker)
    finally:
        for process in (web, worker):
            process.terminate()
        for process in (web, worker):
            process.wait(PATIENCE)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _await(url: str, web: subprocess.Popen[bytes]) -> None:
    retries = requests.adapters.Retry(connect=12, backoff_factor=0.1)
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
    assert web.poll() is None, "the web process ended at once"
    session.get(f"{url}/healthz", timeout=PATIENCE).raise_for_status()
