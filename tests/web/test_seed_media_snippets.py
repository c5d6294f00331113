"""The seed document's own four snippets (`seed_media.txt`), but for the base URL and its `…`."""

import ast
import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import Engine, engine  # noqa: F401
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.sandboxed import Sandboxed

from .conftest import Served, jpeg

SEED = Path(__file__).with_name("seed_media.txt")
ADDRESS = "http://localhost:5000"
PLACEHOLDER = "data:image/png;base64,..."
PATIENCE = 300

Snippet = Callable[[str], str]


def snippets() -> dict[str, str]:
    """The code by its title."""
    text = SEED.read_text(encoding="utf-8")
    return dict(re.findall(r"### Test de (.+?)\n\n```python\n(.+?)```", text, re.DOTALL))


@pytest.fixture(autouse=True)
def long_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten calls, but not a minute: how long eleven take is the machine's business."""
    monkeypatch.setenv("DARKROOM_LIMITS", "generate-image=10/3600")


@pytest.fixture
def run(
    served: Served,
    engine: Engine,  # noqa: F811
    start_worker: Callable[..., object],  # noqa: F811
    sandbox: Sandboxed,
) -> Snippet:
    """Runs a snippet against the real server, worker and sandbox; what it printed."""
    engine.environ.update(sandbox.environ, PIP_NO_INDEX="1")
    start_worker()
    picture = f"data:image/jpeg;base64,{base64.b64encode(jpeg().read()).decode()}"

    def run(title: str) -> str:
        # Only the first one imports what all of them use.
        code = "import requests\n" + snippets()[title]
        code = code.replace(ADDRESS, served.url).replace(PLACEHOLDER, picture)
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_picture_comes_from_the_cache_the_second_time(run: Snippet) -> None:
    assert run("Caché").split() == ["False", "True"]


def test_a_picture_is_enlarged(run: Snippet) -> None:
    assert run("Upscaling").split() == ["success"]


def test_the_eleventh_picture_is_refused(run: Snippet) -> None:
    told = run("Rate Limiting").splitlines()
    assert told == [*(f"Request {n}: 200" for n in range(1, 11)), "Request 11: 429"]


def test_the_system_tells_how_it_is(run: Snippet) -> None:
    services, system, cache = map(ast.literal_eval, run("Monitoreo").splitlines())
    assert [each["status"] for each in (services, system, cache)] == ["success"] * 3
    assert {"real_esrgan", "whisper", "liveportrait"} <= services["services"].keys()
    assert system["gpu"] is not None and "models_loaded" in system and "jobs" in system
