"""The supervisor with real processes: starting, relaying, stopping, dying."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from darkroom.errors import Invalid
from darkroom.settings import Settings, WebSettings
from darkroom.supervisor import check_address, run

SUPERVISE = """
import sys
from pathlib import Path
from darkroom import supervisor
from darkroom.settings import QueueSettings, Settings, WebSettings
supervisor.MARGIN_SECONDS = float(sys.argv[3])
settings = Settings(
    home=Path(sys.argv[1]).parent / "home",
    queue=QueueSettings(grace_seconds=float(sys.argv[2])),
    web=WebSettings(port=0),
)
sys.exit(supervisor.run(settings, Path(sys.argv[1]), database_url="postgresql://here"))
"""
POLITE = """
import signal, sys, time
def leave(*_):
    print(sys.argv[1], "finishes", flush=True)
    time.sleep(0.3)
    print(sys.argv[1], "leaves", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print(sys.argv[1], "is up", flush=True)
while True:
    signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn is up", flush=True)
while True:
    signal.pause()
"""
HOLDER = """
import fcntl, signal
file = open("held", "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("holder is up", flush=True)
while True:
    signal.pause()
"""


class Supervisor:
    """A supervisor in a process of its own, over a Procfile in a folder with an odd name."""

    def __init__(self, folder: Path, *lines: str, grace: float = 20, margin: float = 5) -> None:
        self.folder = folder / "mi carpeta ñandú's"
        self.folder.mkdir()
        for name, code in (("polite", POLITE), ("stubborn", STUBBORN), ("holder", HOLDER)):
            (self.folder / f"{name}.py").write_text(code)
        procfile = self.folder / "Procfile"
        procfile.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(procfile), str(grace), str(margin)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.stdout = self.process.stdout
        self.lines: list[str] = []

    def until(self, *texts: str) -> None:
        """Read the output until every one of the texts has come."""
        missing = set(texts)
        while missing:
            line = self.stdout.readline()
            assert line, f"ended before {missing}: {self.lines}"
            self.lines.append(line)
            missing -= {text for text in missing if text in line}

    def ends(self) -> int:
        rest, _ = self.process.communicate(timeout=60)
        self.lines += rest.splitlines(keepends=True)
        return self.process.returncode

    def holder_is_gone(self) -> bool:
        """Whether the lock that only the holder's end gives up is free within half a minute."""
        tried = subprocess.run(["flock", "--wait", "30", str(self.folder / "held"), "true"])
        return tried.returncode == 0

    @property
    def output(self) -> str:
        return "".join(self.lines)


Supervise = Callable[..., Supervisor]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    started: list[Supervisor] = []

    def start(*lines: str, **options: float) -> Supervisor:
        started.append(Supervisor(tmp_path, *lines, **options))
        return started[-1]

    yield start
    for supervisor in started:
        supervisor.process.terminate()
        supervisor.process.wait(60)
        supervisor.stdout.close()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_waits_for_all_and_leaves_with_0(
    supervise: Supervise, sent: signal.Signals
) -> None:
    supervisor = supervise("web: python polite.py web", "worker: python polite.py worker")
    supervisor.until("web is up", "worker is up")
    supervisor.process.send_signal(sent)
    assert supervisor.ends() == 0
    assert "web leaves" in supervisor.output and "worker leaves" in supervisor.output
    assert "all processes have stopped" in supervisor.lines[-1]


def test_lines_are_prefixed_with_the_name_of_their_process(supervise: Supervise) -> None:
    supervisor = supervise("web: python polite.py a", "worker: python polite.py b")
    supervisor.until("web      | a is up", "worker   | b is up")


def test_children_know_the_database_the_address_and_our_python(supervise: Supervise) -> None:
    supervisor = supervise(
        'env: echo "$DATABASE_URL $DARKROOM_PORT $DARKROOM_HOME"; command -v python; sleep 9'
    )
    home = supervisor.folder / "home"
    supervisor.until(f"postgresql://here 0 {home}", str(Path(sys.executable).parent))


def test_process_that_ends_by_itself_ends_all_and_is_named(supervise: Supervise) -> None:
    supervisor = supervise(
        "web: python polite.py web", "worker: until [ -e go ]; do sleep 0.05; done; exit 3"
    )
    supervisor.until("web is up")
    (supervisor.folder / "go").touch()
    assert supervisor.ends() == 1
    assert "worker ended by itself (exit code 3)" in supervisor.output
    assert "web leaves" in supervisor.output


def test_process_that_is_killed_is_named_with_its_signal(supervise: Supervise) -> None:
    supervisor = supervise("web: python polite.py web", "worker: kill -9 $$")
    assert supervisor.ends() == 1
    assert "worker ended by itself (killed by SIGKILL)" in supervisor.output


def test_end_with_code_0_is_a_failure_too(supervise: Supervise) -> None:
    assert supervise("web: true", "worker: python polite.py worker").ends() == 1


def test_process_behind_a_shell_gets_its_grace_time(supervise: Supervise) -> None:
    supervisor = supervise("web: true && python polite.py web; true")
    supervisor.until("web is up")
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.ends() == 0
    assert "web leaves" in supervisor.output and "does not stop" not in supervisor.output


def test_process_that_does_not_stop_is_killed_after_the_grace_time(supervise: Supervise) -> None:
    supervisor = supervise("worker: python stubborn.py", grace=0.2, margin=0.3)
    supervisor.until("stubborn is up")
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.ends() == 0
    assert "worker does not stop: killing it" in supervisor.output


def test_second_interrupt_skips_the_grace_time(supervise: Supervise) -> None:
    supervisor = supervise("worker: python stubborn.py", grace=600)
    supervisor.until("stubborn is up")
    supervisor.process.send_signal(signal.SIGINT)
    supervisor.until("SIGINT: stopping")
    supervisor.process.send_signal(signal.SIGINT)
    assert supervisor.ends() == 0


def test_children_do_not_outlive_a_killed_supervisor(supervise: Supervise) -> None:
    lines = ["web: python polite.py web", "worker: python holder.py; true"]
    supervisor = supervise(*lines, grace=0, margin=1)
    supervisor.until("web is up", "holder is up")
    supervisor.process.kill()
    assert supervisor.holder_is_gone()


def test_closed_output_ends_all(supervise: Supervise) -> None:
    supervisor = supervise("web: python holder.py", "noise: while sleep 0.05; do echo x; done")
    supervisor.until("holder is up")
    supervisor.stdout.close()
    assert supervisor.holder_is_gone()
    assert supervisor.process.wait(60) != 0


def test_taken_port_is_refused_by_the_name_of_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Invalid, match=f"127.0.0.1:{port}.*DARKROOM_PORT={port + 1}") as caught:
            check_address(WebSettings(port=port))
    assert caught.value.field == "DARKROOM_PORT"


def test_address_that_is_none_names_the_host_setting() -> None:
    with pytest.raises(Invalid, match="DARKROOM_HOST"):
        check_address(WebSettings(host="no such host.invalid"))


def test_free_address_passes() -> None:
    check_address(WebSettings(port=0))


def test_empty_procfile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("# nothing\n")
    settings = Settings(home=tmp_path, web=WebSettings(port=0))
    with pytest.raises(Invalid, match="names no process"):
        run(settings, tmp_path / "Procfile", database_url="postgresql://here")
