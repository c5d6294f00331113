"""A Postgres server of a scenario's own, to be killed."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.db.embedded import EmbeddedPostgres

# What is told to be committed must be there after kill -9, though not after a power cut.
DURABLE = {"fsync": "off", "shared_buffers": "32MB"}


class Server:
    """The embedded server of a folder, as Darkroom starts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._postgres = EmbeddedPostgres(folder, settings=DURABLE)
        self.url = self._postgres.start()

    def kill(self) -> None:
        """Kill the postmaster and all its children."""
        lines = (self._folder / "data" / "postmaster.pid").read_text().split()
        postmaster = int(lines[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            os.kill(pid, signal.SIGKILL)

    def start(self) -> None:
        """Start it again, at the same address."""
        assert self._postgres.start() == self.url

    def stop(self) -> None:
        """End it."""
        self._postgres.stop()


@contextmanager
def serving() -> Iterator[Server]:
    """A server in a folder that its account may enter."""
    with tempfile.TemporaryDirectory(prefix="darkroom-chaos-") as folder:
        os.chmod(folder, 0o755)
        server = Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()
