"""An older release that goes on working while the schema is migrated and newer workers come."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from darkroom.db import migrate
from darkroom.settings import ROOT
from tests.chaos.conftest import SIZE, MakeTrial
from tests.chaos.desk import Desk
from tests.chaos.fleet import checkout

OLDER = "867c875b258d5d4740745655edb367190ae2a925"
"""The last release before the fetch in batches and the gates."""
RUNS_A_MIGRATION = 40
"""There is only one migration in a scenario: a longer one has more scenarios instead."""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """That release's files, with the steps and workers of these tests."""
    root = tmp_path / "older"
    root.mkdir()
    packed = subprocess.run(["git", "archive", OLDER], cwd=ROOT, capture_output=True)
    if packed.returncode != 0:
        pytest.skip(f"no older release to run: git archive: {packed.stderr.decode().strip()}")
    subprocess.run(["tar", "-x"], cwd=root, input=packed.stdout, check=True)
    copytree(ROOT / "tests" / "chaos", root / "tests" / "chaos", dirs_exist_ok=True)
    return root


class OlderDesk(Desk):
    """A process of the older release that starts and cancels runs, as its web process would."""

    def __init__(self, root: Path, url: str) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.desk"],
            env={**os.environ, **checkout(root), "DATABASE_URL": url},
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, title: str, plan: dict[str, Any]) -> str:
        return self._ask("start", title, plan)

    def cancel(self, run_id: str) -> str:
        return self._ask("cancel", run_id)

    def _ask(self, *said: Any) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            print(json.dumps(said), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline().strip()
        assert answer, f"the older release does not {said[0]} runs any more"
        return answer

    def leave(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)


@contextmanager
def older_desk(root: Path, url: str) -> Iterator[OlderDesk]:
    """A desk of the checkout at `root`."""
    desk = OlderDesk(root, url)
    yield desk
    desk.leave()


@pytest.mark.parametrize("_time", range(1 + SIZE // RUNS_A_MIGRATION))
def test_an_older_release_works_through_a_migration(
    make_trial: MakeTrial, empty_url: str, older: Path, _time: int
) -> None:
    _migrate(older, empty_url)
    with older_desk(older, empty_url) as desk:
        trial = make_trial(empty_url, desk=desk, size=min(SIZE, RUNS_A_MIGRATION), gated=False)
        for _ in range(2):
            trial.fleet.start(root=older)
        trial.begin(0)
        trial.until(lambda: len(trial.plans) > trial.size / 3, "a third of the runs")
        trial.note()
        migrate.migrate(empty_url)
        # Some machines get the new release sooner than others, and one is set back.
        roots = [ROOT, older]
        while trial.go_on(0.5, 1.0):
            leaver = trial.victim()
            trial.note(leaver)
            trial.fleet.leave(leaver)
            trial.fleet.start(root=trial.random.choice(roots))
        trial.finish()


def _migrate(root: Path, url: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "darkroom.cli", "db", "migrate"],
        env={**os.environ, **checkout(root), "DATABASE_URL": url},
        cwd=root,
        check=True,
        capture_output=True,
    )
