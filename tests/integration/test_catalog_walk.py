"""The walk through the catalog that the seed document describes, in its own bash."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from darkroom.accounts import service as accounts
from darkroom.catalog.models import Article
from darkroom.db.sessions import Database
from tests.web.conftest import Served

WALK = Path(__file__).with_name("seed_walk.sh")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_seeds_own_walk_runs_as_it_is_written(served: Served, database: Database):
    with database.session() as session:
        accounts.create_user(
            session, name="Admin", email="admin@3g.com", role="admin", password="admin123 horse"
        )
        session.add_all(Article(nombre=f"Tornillo {n}", imagen_url=f"/x/{n}") for n in range(5))
    environ = {**os.environ, "BASE": served.url, "no_proxy": "127.0.0.1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", WALK], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    ids, *answers = done.stdout.splitlines()
    batch, status, history, retry, clean = map(json.loads, answers)
    assert ids == "1,2,3,4,5"
    assert batch["data"]["agregados"] == 5
    assert status["data"]["stats"]["pendientes"] == 5
    assert len(history["data"]["historial"]) == 5
    assert retry["success"] is False
    assert clean["success"] is True
