"""Runs what the Procfile names, side by side, until it is told to stop or one of them ends.

Every process leads a session and process group of its own, so that a terminal's Ctrl-C reaches
only us, and we end the others in order: SIGTERM to the groups, a little more than the worker's
grace time to finish, then SIGKILL. A second Ctrl-C skips the wait.

Should we ourselves be killed with SIGKILL, a small shell script that waits for the end of a pipe
from us does the same in our place; so no process of ours outlives the supervisor. (An embedded
Postgres then goes on until the next start takes it over.)
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import BinaryIO, cast

from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from darkroom.errors import Invalid
from darkroom.settings import Settings, WebSettings

MARGIN_SECONDS = 5.0
"""How much longer than the worker's grace time the processes get to end."""

_ASKING_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OURSELVES = "darkroom"

# Reads the groups to end, one a line; the end of its input is the end of the supervisor.
_LIFELINE = """
while read -r group; do groups="$groups -$group"; done
kill -s TERM -- $groups
sleep "$1"
kill -s KILL -- $groups
"""


@dataclass
class _Child:
    """A running process. `ended` is its own end; `closed` also that of all who share its output."""

    name: str
    process: subprocess.Popen[bytes]
    ended: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        return self.ended.is_set() and self.closed.is_set()

    def send(self, sent: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, sent)

    def how_it_ended(self) -> str:
        code = self.process.returncode
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


_Event = signal.Signals | _Child | OSError
"""A signal to us, a change of a child, or the loss of our own output."""


def run(
    settings: Settings, procfile: Path, *, database_url: str, without: Collection[str] = ()
) -> int:
    """Run the processes of a Procfile in its folder until a signal or the first end of one.

    They get our environment, with `DATABASE_URL` and the address and home of the settings, and
    find the programs of our Python's environment first. Call it from the main thread.

    Parameters
    ----------
    without
        Processes that are not needed, by their names in the Procfile.

    Returns
    -------
    int
        The exit code to leave with: 0 when asked to stop (SIGINT, SIGTERM, SIGHUP), 1 when a
        process ended by itself or the output was closed.

    Raises
    ------
    Invalid
        When the Procfile names nothing, or the address of the settings cannot be listened on.
    """
    check_address(settings.web)
    named = parse_procfile(procfile.read_text(encoding="utf-8")).processes
    commands = {name: command for name, command in named.items() if name not in without}
    if not commands:
        raise Invalid(f"{procfile} names no process.")
    patience = settings.queue.grace_seconds + MARGIN_SECONDS
    events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
    screen = _Screen([*commands, _OURSELVES], events)
    environment = _environment(settings, database_url)
    children: list[_Child] = []
    with _signals_to(events), _lifeline(patience) as lifeline:
        try:
            for name, command in commands.items():
                child = _start(name, command, procfile.parent, environment)
                children.append(child)
                lifeline.write(b"%d\n" % child.process.pid)
                _observe(child, screen, events)
            return _first_end(events, screen)
        finally:
            _stop(children, patience, events, screen)


def check_address(web: WebSettings) -> None:
    """Raise `Invalid`, naming the setting to change, when the web process could not listen."""
    try:
        family = socket.getaddrinfo(web.host, web.port, type=socket.SOCK_STREAM)[0][0]
        with socket.create_server((web.host, web.port), family=family):
            return
    except PermissionError as error:
        raise Invalid(
            f"Port {web.port} is reserved for root. Set DARKROOM_PORT to one above 1023.",
            "DARKROOM_PORT",
        ) from error
    except (socket.gaierror, OverflowError) as error:
        raise Invalid(
            f"Cannot listen on {web.host}:{web.port}: no such address. "
            "Set DARKROOM_HOST and DARKROOM_PORT.",
            "DARKROOM_HOST",
        ) from error
    except OSError as error:
        # The text of the error itself names the address once more.
        why = os.strerror(error.errno or 0)
        raise Invalid(
            f"Cannot listen on {web.host}:{web.port}: {why}. Is another Darkroom "
            "running? Stop it, or set DARKROOM_PORT to a free port, like "
            f"DARKROOM_PORT={web.port + 1} make run.",
            "DARKROOM_PORT",
        ) from error


def _environment(settings: Settings, database_url: str) -> Mapping[str, str]:
    programs = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": database_url,
        "DARKROOM_HOME": str(settings.home),
        "DARKROOM_HOST": settings.web.host,
        "DARKROOM_PORT": str(settings.web.port),
    }


def _start(name: str, command: str, folder: Path, environment: Mapping[str, str]) -> _Child:
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return _Child(name, process)


# Watching


class _Screen:
    """Prints lines under the name of their process. Losing the output is an event, not an error."""

    def __init__(self, names: list[str], events: queue.SimpleQueue[_Event]) -> None:
        self._printer = Printer(sys.stdout, width=max(map(len, names)))
        self._colours = dict(zip(names, get_colours(), strict=False))
        self._events = events
        self._lock = threading.Lock()
        self._lost = False

    def line(self, name: str, text: bytes | str) -> None:
        with self._lock:
            if self._lost:
                return
            try:
                self._printer.write(
                    Message("line", text, datetime.now(), name, self._colours[name])
                )
            except OSError as error:
                self._lost = True
                self._events.put(error)


def _observe(child: _Child, screen: _Screen, events: queue.SimpleQueue[_Event]) -> None:
    def relay() -> None:
        output = cast(BinaryIO, child.process.stdout)
        while line := output.readline(64 * 1024):
            screen.line(child.name, line)
        child.closed.set()
        events.put(child)

    def await_end() -> None:
        child.process.wait()
        child.ended.set()
        events.put(child)

    for watch in (relay, await_end):
        threading.Thread(target=watch, daemon=True).start()


def _first_end(events: queue.SimpleQueue[_Event], screen: _Screen) -> int:
    """Wait for what ends the whole; return our exit code."""
    while True:
        event = events.get()
        if isinstance(event, signal.Signals):
            screen.line(_OURSELVES, f"{event.name}: stopping")
            return 0
        if isinstance(event, OSError):
            return 1
        if event.ended.is_set():
            why = event.how_it_ended()
            screen.line(_OURSELVES, f"{event.name} ended by itself ({why}): stopping the others")
            return 1


# Stopping


def _stop(
    children: list[_Child], patience: float, events: queue.SimpleQueue[_Event], screen: _Screen
) -> None:
    for child in children:
        child.send(signal.SIGTERM)
    _await_all(children, time.monotonic() + patience, events)
    for child in children:
        if not child.is_over:
            screen.line(_OURSELVES, f"{child.name} does not stop: killing it")
        # Its group may still hold one that has closed its output.
        child.send(signal.SIGKILL)
    _await_all(children, time.monotonic() + MARGIN_SECONDS, events)
    screen.line(_OURSELVES, "all processes have stopped")


def _await_all(children: list[_Child], deadline: float, events: queue.SimpleQueue[_Event]) -> None:
    """Wait until all are over, the time is up, or somebody asks once more to stop."""
    while not all(child.is_over for child in children):
        try:
            event = events.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            return
        if isinstance(event, signal.Signals):
            return


@contextmanager
def _signals_to(events: queue.SimpleQueue[_Event]) -> Iterator[None]:
    def caught(number: int, _frame: FrameType | None) -> None:
        events.put(signal.Signals(number))

    before = {number: signal.signal(number, caught) for number in _ASKING_TO_STOP}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _lifeline(patience: float) -> Iterator[BinaryIO]:
    """A pipe to the script that ends the groups written into it when the supervisor is killed."""
    watcher = subprocess.Popen(
        ["/bin/sh", "-c", _LIFELINE, "sh", str(patience)],
        bufsize=0,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    pipe = cast(BinaryIO, watcher.stdin)
    try:
        yield pipe
    finally:
        # Killed before its pipe ends: all is done already.
        watcher.kill()
        watcher.wait()
        pipe.close()
