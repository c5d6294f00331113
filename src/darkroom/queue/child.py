"""Child processes of steps (ffmpeg and the like): they die with their step, and with the worker."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from darkroom.errors import Permanent
from darkroom.queue.task import Task

CHECK_SECONDS = 0.5
TAIL = 2000


def run(task: Task, argv: Sequence[str]) -> bytes:
    """Run a program to its end and return what it wrote to standard output.

    Its whole process group is killed when the run is cancelled or the step's lease is lost; the
    program itself is killed by the kernel when the worker dies.

    Raises
    ------
    Cancelled
        At the step's next checkpoint after a cancel; the program is dead by then.
    Permanent
        When the program ends with an error; the message holds the end of what it said.
    """
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = _wait(task, process)
    finally:
        _kill_group(process)
    if process.returncode != 0:
        said = err.decode(errors="replace").strip()[-TAIL:]
        raise Permanent(f"{argv[0]} ended with code {process.returncode}: {said}")
    return out


def _wait(task: Task, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    while True:
        task.checkpoint()
        try:
            return process.communicate(timeout=CHECK_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
