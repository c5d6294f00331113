"""What the sandbox knows while it runs."""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, current_app, request

from darkroom.sandbox.faults import Fault, Faults
from darkroom.sandbox.journal import Journal
from darkroom.settings import MODELS, ProvidersSettings

KEY = "darkroom.sandbox"
FAULT = "darkroom.sandbox.fault"
KNOWN = "sandbox"
"""The one key, user and password that it knows."""


class Shelf:
    """Files by their content, in a folder of the sandbox's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep a file; answers the name to `get` it by."""
        name = hashlib.sha256(data).hexdigest()
        (self._folder / name).write_bytes(data)
        return name

    def get(self, name: str) -> bytes:
        """The file of that name."""
        return (self._folder / name).read_bytes()


@dataclass
class Sandbox:
    """All of it; one a server.

    Parameters
    ----------
    folder
        Where it may keep files; somebody else removes it.
    models
        The models it plays, by service.
    clock
        The seconds since 1970.
    """

    folder: Path
    models: Mapping[str, tuple[str, ...]]
    clock: Callable[[], float] = time.time
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held while what the services keep in `kept` is changed."""
    kept: dict[str, object] = field(default_factory=dict)

    @property
    def shelf(self) -> Shelf:
        """Its files."""
        return Shelf(self.folder)


def models(settings: ProvidersSettings) -> dict[str, tuple[str, ...]]:
    """The models that the settings name, and those they would name by themselves."""
    found = {}
    for each in settings.with_models:
        chains = [*each.models.values(), *MODELS.get(each.name, {}).values()]
        found[each.name] = tuple(dict.fromkeys(model for chain in chains for model in chain))
    return found


def register(app: Flask, sandbox: Sandbox) -> None:
    """Make it the app's."""
    app.extensions[KEY] = sandbox


def here() -> Sandbox:
    """The sandbox of the request."""
    found: Sandbox = current_app.extensions[KEY]
    return found


def fault() -> Fault | None:
    """The fault that befalls the request."""
    found: Fault | None = request.environ.get(FAULT)
    return found


def address(path: str) -> str:
    """The address of something here, as the caller reaches it."""
    return request.host_url.rstrip("/") + path
