"""A TCP proxy between a worker and its database whose connections can fall silent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Pipe:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._ends = (client, server)
        self.flows = threading.Event()
        self.flows.set()
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.flows.wait()
                sink.sendall(data)
            # A silent network does not tell that an end is gone either.
            self.flows.wait()
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it."""
        self.flows.set()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Forwards to one port of this machine, until told to stop; new connections always work."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._pipes: list[Pipe] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._pipes.append(Pipe(client, server))

    def stall(self) -> list[Pipe]:
        """Forward nothing more on the connections there are, and close none of them."""
        stalled = list(self._pipes)
        for pipe in stalled:
            pipe.flows.clear()
        return stalled

    def close(self) -> None:
        """End all of it."""
        self._listener.close()
        for pipe in self._pipes:
            pipe.close()


@contextmanager
def proxying(port: int) -> Iterator[Proxy]:
    """A proxy before a port of this machine."""
    proxy = Proxy(port)
    yield proxy
    proxy.close()
