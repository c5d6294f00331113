"""The walk through the catalog that the seed document describes, in its own bash, at work."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from darkroom.accounts import service as accounts
from darkroom.db.sessions import Database
from tests.integration.conftest import Engine
from tests.integration.test_catalog_at_work import EDITS, add, client, work
from tests.integration.test_counting import start_worker
from tests.sandboxed import Sandboxed
from tests.web.conftest import Served, served

__all__ = ["client", "served", "start_worker", "work"]

WALK = Path(__file__).with_name("seed_catalog.sh")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_seeds_own_walk_runs_as_it_is_written(
    served: Served,
    client: FlaskClient,
    engine: Engine,
    work,
    sandbox: Sandboxed,
    database: Database,
):
    category = client.post("/api/categorias", json={"nombre": "Tornillos"}).json["data"]
    for number in range(1, 6):
        made = add(client, f"Tornillo {number}")
        client.patch(f"/api/articulos/{made}", json={"categoria_id": category["categoria"]["id"]})
    with database.session() as session:
        accounts.create_user(
            session, name="Admin", email="admin@3g.com", role="admin", password="admin123 horse"
        )
    sandbox.fault(EDITS, "blocked", times=1)
    work()
    environ = {**os.environ, "BASE": served.url, "no_proxy": "127.0.0.1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", WALK], env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    ids, *answers = done.stdout.splitlines()
    batch, first, history, retry, category_batch, last, clean = map(json.loads, answers)
    assert ids == "1,2,3,4,5"
    assert (batch["data"]["agregados"], category_batch["data"]["agregados"]) == (5, 5)
    assert first["data"]["stats"]["completados"] == 4 and first["data"]["stats"]["fallidos"] == 1
    [failed] = [each for each in history["data"]["historial"] if each["estado"] == "failed"]
    assert "PROHIBITED_CONTENT" in failed["error_message"]
    assert retry["success"] is True and clean["success"] is True
    assert last["data"]["stats"]["completados"] == 10 and last["data"]["stats"]["fallidos"] == 0
