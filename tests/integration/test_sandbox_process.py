"""`darkroom sandbox` as a process, and the supervisor that starts it when it is needed."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from darkroom.sandbox import serving
from darkroom.settings import ROOT, ProvidersSettings
from tests.sandboxed import sandboxing

SUPERVISE = """
import sys
from pathlib import Path
from darkroom import supervisor
from darkroom.settings import Settings, WebSettings
settings = Settings(home=Path(sys.argv[1]).parent, web=WebSettings(port=0))
where = {"database_url": "postgresql://here", "without": sys.argv[2:]}
sys.exit(supervisor.run(settings, Path(sys.argv[1]), **where))
"""


@contextmanager
def running(port: int) -> Iterator[subprocess.Popen[str]]:
    environ = {**os.environ, "DARKROOM_SANDBOX_PORT": str(port), "DARKROOM_LOG_LEVEL": "INFO"}
    command = [sys.executable, "-m", "darkroom.cli", "sandbox"]
    process = subprocess.Popen(command, env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def said(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    assert any(words in line for line in process.stderr), words


def answers(port: int) -> bool:
    session = requests.Session()
    session.trust_env = False
    found = session.get(f"http://127.0.0.1:{port}/_sandbox", timeout=10).json()
    return bool(found["name"] == "darkroom sandbox")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_it_is_told_to_stop(sent: signal.Signals) -> None:
    port = free_port()
    with running(port) as process:
        said(process, "the sandbox answers")
        assert answers(port)
        process.send_signal(sent)
        assert process.wait(20) == 0


def test_the_second_one_waits_for_the_port_and_takes_it_over() -> None:
    port = free_port()
    with running(port) as first:
        said(first, "the sandbox answers")
        with running(port) as second:
            said(second, "that one is used")
            first.terminate()
            said(second, "the sandbox answers")
            assert answers(port)


def test_a_port_that_something_else_has_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, running(taken.getsockname()[1]) as found:
        said(found, "DARKROOM_SANDBOX_PORT")
        assert found.wait(20) == 1


def test_one_that_waits_for_the_port_ends_when_told_to() -> None:
    stop = threading.Event()
    with sandboxing() as there:
        settings = ProvidersSettings(sandbox_port=there.port)
        waiting = threading.Thread(target=serving.run, args=(settings, stop))
        waiting.start()
        stop.set()
        waiting.join(20)
        assert not waiting.is_alive()


def supervised(folder: Path, web: str, *without: str) -> str:
    """What the processes of a Procfile say, until the first of them ends."""
    procfile = folder / "Procfile"
    procfile.write_text(f"web: {web}\nsandbox: echo the sandbox was here\n")
    command = [sys.executable, "-c", SUPERVISE, str(procfile), *without]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def test_the_supervisor_starts_it_beside_the_others(tmp_path: Path) -> None:
    assert "the sandbox was here" in supervised(tmp_path, "sleep 600")


def test_the_supervisor_leaves_it_out_when_nobody_needs_it(tmp_path: Path) -> None:
    output = supervised(tmp_path, "echo the web was here", "sandbox")
    assert "the web was here" in output and "the sandbox was here" not in output
