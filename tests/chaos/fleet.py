"""Worker processes that come and go."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.settings import ROOT

LEAVE_SECONDS = 60


@dataclass(eq=False)
class Worker:
    """One worker process."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id, which is part of the worker's name in the database."""
        return self.process.pid

    @property
    def works(self) -> bool:
        """Whether it has begun to work."""
        return b"queue.worker working: " in self.log.read_bytes()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


@dataclass
class Fleet:
    """The workers of a scenario. What they log lies in `folder`."""

    folder: Path
    environ: Mapping[str, str]
    workers: list[Worker] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    started: int = 0

    def start(self, root: Path = ROOT, **environ: str) -> Worker:
        """Start a worker of the checkout at `root`."""
        self.started += 1
        log = self.folder / f"worker-{self.started}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.worker"],
                env={**os.environ, **checkout(root), **self.environ, **environ},
                cwd=root,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    def working(self) -> list[Worker]:
        """Those that have begun to work, the oldest first."""
        return [worker for worker in self.workers if worker.works]

    def kill(self, worker: Worker) -> None:
        """Kill it, and wait until it is gone."""
        worker.signal(signal.SIGKILL)
        worker.process.wait()
        self.workers.remove(worker)

    def leave(self, *workers: Worker) -> None:
        """Ask them to leave, and wait until they are gone; one that crashes is remembered."""
        for worker in workers:
            worker.signal(signal.SIGTERM)
        for worker in workers:
            self.workers.remove(worker)
            code = worker.process.wait(LEAVE_SECONDS)
            # The signal itself ends a process that has not begun to work.
            if code not in (0, -signal.SIGTERM):
                self.failed.append(f"{worker.log} ended with {code}")

    def stop(self) -> None:
        """Ask all to leave."""
        self.leave(*self.workers)

    def end(self) -> None:
        """Kill what is left, frozen or not."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()


def checkout(root: Path) -> dict[str, str]:
    """The environment in which Python takes Darkroom from that checkout."""
    return {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
