"""The seed document's own two tests, in its own curl, against the real server and worker."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from darkroom.accounts import service as accounts
from darkroom.db.sessions import Database
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.integration.test_publishing_at_work import work  # noqa: F401
from tests.sandboxed import Sandboxed
from tests.web.conftest import Served, served  # noqa: F401

WALK = Path(__file__).with_name("seed_publishing.sh")


def is_completed(database: Database) -> bool:
    with database.session() as session:
        found = session.scalars(text("SELECT wp_status FROM publication_pictures")).all()
    return found == ["completed"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_seeds_own_two_tests_run_as_they_are_written(
    served: Served,  # noqa: F811
    engine: Engine,
    work,  # noqa: F811
    sandbox: Sandboxed,
    database: Database,
):
    with database.session() as session:
        user = accounts.ensure_admin(session)
        token = accounts.create_token(session, user, "seed")[1]
    environ = {"BASE": served.url, "API_TOKEN": token, "no_proxy": "127.0.0.1", "LC_ALL": "C.UTF-8"}
    work()
    walk = subprocess.Popen(
        ["bash", WALK],
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    engine.until(lambda: is_completed(database), seconds=90)
    printed, complaints = walk.communicate("\n", timeout=60)
    assert walk.returncode == 0, complaints
    made, uploaded = map(json.loads, printed.splitlines())
    assert made["status"] == "images_generated"
    assert made["wp_upload_status"] in ("processing_in_background", "completed")
    [preview] = made["previews"]
    assert preview["data_url"].startswith("data:image/jpeg;base64,")
    assert preview["wp_status"] in ("pending", "uploading", "completed")
    assert uploaded["status"] == "completed"
    [field] = uploaded["uploaded_fields"]
    assert (field["field"], field["status"]) == ("foto", "completed") and field["media_id"] > 0
