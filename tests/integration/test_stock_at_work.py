"""A photo that becomes stock, with a real worker."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask.testing import FlaskClient

from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.stocked import movements, nursery
from tests.integration.test_counting import done, drawn, start_worker  # noqa: F401

UPLOAD = "/api/v1/stock/photo"


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


def test_a_counted_photo_of_a_known_location_is_in_the_stock(
    client: FlaskClient,
    engine: Engine,
    start_worker: Callable[..., object],  # noqa: F811
    database: Database,
):
    place = nursery(database)
    start_worker()
    fields = {"file": [(BytesIO(drawn()[0]), "tray.jpg")], "storage_location_id": "BENCH-1"}
    task = done(client, engine, client.post(UPLOAD, data=fields).json["task_id"])
    assert (task["status"], task["needs_review"]) == ("completed", False)
    total = task["total_detected"] + task["total_estimated"]
    assert movements(database) == [("foto", "ia", total)]
    batch = client.get(f"/api/v1/stock/batches/{task['stock']['batch_id']}").json
    assert batch["batch_code"].startswith(f"LOC{place.bench}-PROD{place.product}-")
    assert (batch["total_detected"], batch["total_estimated"], batch["quantity_current"]) == (
        task["total_detected"],
        task["total_estimated"],
        total,
    )
