"""Photos compared with one another, and counted again, by real worker processes."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.settings import ROOT, Settings
from darkroom.storage import sweeping
from darkroom.storage.store import open_store
from darkroom.web.app import create_app
from scripts.scenes.photo import make_photo
from tests.integration.conftest import Engine

UPLOAD = "/api/v1/stock/photo"
TASKS = "/api/v1/stock/tasks"
SEED = 910_000
WEEK = timedelta(days=7)

Start = Callable[..., subprocess.Popen[bytes]]


def jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def bench() -> tuple[bytes, bytes, bytes]:
    """Two photos of one bench that share a third of either, and one of another bench."""
    wide = make_photo(SEED, (2000, 900)).image
    return jpeg(wide[:, :1200]), jpeg(wide[:, 800:]), jpeg(make_photo(SEED + 7, (1200, 900)).image)


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def start_worker(engine: Engine) -> Start:
    """Start a worker of the product itself; it ends with the test."""

    def start(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "darkroom.cli", "worker", *options]
        process = subprocess.Popen(command, env=engine.environ, cwd=ROOT)
        engine.workers.append(process)
        return process

    return start


def upload(client: FlaskClient, *photos: bytes) -> str:
    files = [(io.BytesIO(content), f"{number}.jpg") for number, content in enumerate(photos, 1)]
    return client.post(UPLOAD, data={"file": files}).json["task_id"]


def again(client: FlaskClient, task_id: str, **settings: object) -> str:
    return client.post(f"{TASKS}/{task_id}/again", json=settings).json["task_id"]


def status(client: FlaskClient, task_id: str) -> dict:
    return client.get(f"{TASKS}/{task_id}").json


def done(client: FlaskClient, engine: Engine, task_id: str) -> dict:
    engine.until(lambda: status(client, task_id)["status"] in ("completed", "failed"), seconds=120)
    return status(client, task_id)


def scalar(database: Database, query: str) -> object:
    with database.session() as session:
        return session.scalar(text(query))


def change(database: Database, query: str) -> None:
    with database.session() as session:
        session.execute(text(query))


def test_photos_that_show_the_same_plants_are_found(
    client: FlaskClient, engine: Engine, start_worker: Start
):
    start_worker()
    task = done(client, engine, upload(client, *bench()))
    found = {(one["position"], one["other_position"]): one["share"] for one in task["overlaps"]}
    assert set(found) == {(1, 2), (2, 1)}
    assert all(share == pytest.approx(1 / 3, abs=0.03) for share in found.values())


def test_the_count_stands_before_the_photos_are_compared(
    client: FlaskClient, engine: Engine, start_worker: Start, database: Database
):
    task_id = upload(client, *bench()[:2])
    start_worker("--lanes", "io")
    engine.until(lambda: scalar(database, "SELECT count(*) FROM fan_ins"), seconds=180)
    compare = "WHERE task_name = 'counting.compare'"
    change(database, f"UPDATE procrastinate_jobs SET scheduled_at = now() + '1 day' {compare}")
    start_worker("--lanes", "cpu,gpu")
    engine.until(lambda: scalar(database, "SELECT counted_at FROM photo_processing_sessions"), 120)
    change(database, f"UPDATE procrastinate_jobs SET scheduled_at = now() {compare}")
    assert len(done(client, engine, task_id)["overlaps"]) == 2


def test_a_comparison_that_fails_again_and_again_fails_no_run(
    client: FlaskClient, engine: Engine, start_worker: Start, database: Database
):
    task_id = upload(client, *bench()[:2])
    start_worker("--lanes", "io")
    engine.until(lambda: scalar(database, "SELECT count(*) FROM fan_ins"), seconds=180)
    # As after two tries that took their worker with them.
    change(
        database,
        "UPDATE procrastinate_jobs SET attempts = 2 WHERE task_name = 'counting.compare'",
    )
    start_worker("--lanes", "cpu,gpu")
    task = done(client, engine, task_id)
    assert (task["status"], task["overlaps"]) == ("completed", [])
    assert scalar(database, "SELECT count(*) FROM photo_comparisons") == 0
    page = client.get(f"/count/{task['session_id']}").text
    assert "was not found out" in page


def test_a_photo_that_cannot_be_opened_is_left_out_of_the_comparison(
    client: FlaskClient, engine: Engine, start_worker: Start, database: Database
):
    start_worker("--lanes", "io")
    task_id = upload(client, *bench())
    engine.until(lambda: scalar(database, "SELECT count(*) FROM fan_ins"), seconds=180)
    change(
        database,
        "UPDATE assets SET storage_key = 'uploads/lost', sha256 = repeat('0', 64) "
        "WHERE id = (SELECT original_asset_id FROM s3_images WHERE position = 3)",
    )
    start_worker("--lanes", "cpu,gpu")
    task = done(client, engine, task_id)
    assert task["status"] == "completed" and len(task["overlaps"]) == 2
    assert scalar(database, "SELECT photos FROM photo_comparisons") == 2


def test_photos_counted_again_leave_the_first_count_as_it_is(
    client: FlaskClient, engine: Engine, start_worker: Start, database: Database
):
    start_worker()
    first = done(client, engine, upload(client, bench()[0]))
    drawing = client.get(first["visualization_url"]).data
    second = done(client, engine, again(client, first["task_id"], confidence=0.8))
    assert (second["status"], second["rerun_of"]) == ("completed", first["session_id"])
    assert 0 < second["total_detected"] < first["total_detected"]
    assert min(row["confidence"] for row in second["detections"]) >= 0.8
    after = status(client, first["task_id"])
    assert after["total_detected"] == first["total_detected"]
    assert client.get(after["visualization_url"]).data == drawing
    assert client.get(second["visualization_url"]).data != drawing
    assert scalar(database, "SELECT count(*) FROM assets WHERE derived_from IS NULL") == 1
    assert scalar(database, "SELECT count(*) FROM stock_batches") == 0
    page = client.get(f"/count/{first['session_id']}/compare/{second['session_id']}").text
    assert "Confidence needed" in page


def test_settings_of_the_estimate_are_those_of_the_count_made_again(
    client: FlaskClient, engine: Engine, start_worker: Start, database: Database
):
    start_worker()
    first = done(client, engine, upload(client, bench()[0]))
    changed = {"alpha": 0.5, "stock_figure": "buffered", "confidence": 0.8}
    second = done(client, engine, again(client, first["task_id"], **changed))
    ratio = (
        "SELECT sum(c.total_buffered - c.total_detected) "
        "/ sum(c.total_unbiased - c.total_detected) "
        "FROM containers c JOIN photo_processing_sessions s ON s.id = c.session_id "
        f"WHERE s.session_id = '{second['session_id']}'"
    )
    assert scalar(database, ratio) == pytest.approx(2.0)


def test_files_stay_as_long_as_one_count_of_them_does(
    client: FlaskClient, database: Database, settings: Settings
):
    first = upload(client, bench()[0])
    second = status(client, again(client, first))
    age(database, settings)
    assert sweep(database, settings) == 0
    change(database, f"DELETE FROM runs WHERE id = '{first}'")
    assert sweep(database, settings) == 0
    assert client.get(second["image_url"]).data == bench()[0]
    assert status(client, second["task_id"])["rerun_of"] is None
    change(database, "DELETE FROM runs")
    assert sweep(database, settings) == 2
    assert client.get(second["image_url"]).status_code == 404


def age(database: Database, settings: Settings) -> None:
    """Make every stored file and its row two weeks old."""
    change(database, "UPDATE assets SET created_at = now() - interval '14 days'")
    then = time.time() - 14 * 86_400
    for path in files(settings):
        os.utime(path, (then, then))


def files(settings: Settings) -> list[Path]:
    return [path for path in (settings.files_dir / "uploads").rglob("*") if path.is_file()]


def sweep(database: Database, settings: Settings) -> int:
    """How many rows and files go."""
    gone = sweeping.sweep(database, open_store(settings), WEEK)
    return sum(counts.total() for counts in gone)
