"""`darkroom sandbox`: the stand-in for the outside services without a key."""

import signal
import threading

import click

from darkroom.settings import Settings


@click.command()
@click.pass_obj
def sandbox(settings: Settings) -> None:
    """Run the stand-in for the outside services on loopback, until SIGTERM or Ctrl-C.

    `darkroom up` starts it while any of them lacks a key. Its port is DARKROOM_SANDBOX_PORT.
    """
    from darkroom.sandbox import serving

    stop = threading.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        # Not at once: the signal may have come while this very thread holds the event's lock.
        signal.signal(asked, lambda *_: threading.Thread(target=stop.set).start())
    serving.run(settings.providers, stop)
