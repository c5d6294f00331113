"""The sandbox of the outside services, in a thread on a free port.

    def test_something(sandbox: Sandboxed, settings: Settings) -> None:
        settings = sandbox.settings(settings)          # all providers lead to it
        sandbox.fault("/gemini/*", "error", times=2)   # the next two requests fail
        ...
        assert sandbox.count("/gemini/*:generateContent") == 3

`sandbox` is a fixture of `tests/conftest.py`, fresh for each test. For worker processes of their
own, put `sandbox.environ` into their environment. Kinds of faults and their options are those of
`darkroom.sandbox.faults` (`seconds`, `status`, `portion`, `containing`); `times=None` is for ever.
Its clock (tokens, stale signatures) stands still until `advance`; faults that wait really do.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from darkroom.sandbox import serving
from darkroom.sandbox.faults import Fault
from darkroom.sandbox.journal import Entry
from darkroom.sandbox.state import KNOWN, Sandbox
from darkroom.settings import ProvidersSettings, Settings


@dataclass
class Clock:
    """Seconds since 1970, which pass when told to."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Sandboxed:
    """A running sandbox."""

    port: int
    state: Sandbox
    clock: Clock

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What leads the processes of Darkroom to it."""
        return {"DARKROOM_SANDBOX_PORT": str(self.port)}

    def providers(self, *, cloudinary: bool = False, **more: Any) -> ProvidersSettings:
        """Settings whose providers are all here; `more` replaces some of their fields."""
        account = {
            "CLOUDINARY_URL": f"cloudinary://{KNOWN}:{KNOWN}@demo",
            "DARKROOM_CLOUDINARY_URL": f"{self.url}/cloudinary",
        }
        environ = {**self.environ, **(account if cloudinary else {})}
        return replace(Settings.from_env(environ).providers, **more)

    def settings(self, settings: Settings, *, cloudinary: bool = False, **more: Any) -> Settings:
        """The settings with all providers here."""
        return replace(settings, providers=self.providers(cloudinary=cloudinary, **more))

    def fault(
        self, route: str, kind: str, times: int | None = 1, after: int = 0, **options: Any
    ) -> None:
        """Order a fault."""
        given = {"route": route, "kind": kind, "times": times, "after": after, "options": options}
        self.state.faults.add(Fault.from_json(given))

    def journal(self, route: str = "*") -> list[Entry]:
        """The requests of a route, oldest first."""
        return self.state.journal.find(route)[::-1]

    def count(self, route: str = "*") -> int:
        """How many requests of a route came."""
        return len(self.journal(route))

    def clear(self) -> None:
        """Forget all faults and requests."""
        self.state.faults.clear()
        self.state.journal.clear()

    def advance(self, seconds: float) -> None:
        """Let time pass there."""
        self.clock.now += seconds

    def get(self, path: str) -> requests.Response:
        """Ask it something directly."""
        session = requests.Session()
        session.trust_env = False
        return session.get(self.url + path, timeout=30)


@contextmanager
def sandboxing() -> Iterator[Sandboxed]:
    """A sandbox that is gone afterwards."""
    clock = Clock()
    with serving.serving(ProvidersSettings(), 0, clock=clock) as (state, port):
        yield Sandboxed(port, state, clock)
