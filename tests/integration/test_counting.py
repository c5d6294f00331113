"""A photo through HTTP, queue, models and database, with real worker processes."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.settings import ROOT, Settings
from darkroom.web.app import create_app
from scripts.scenes.photo import make_photo
from tests.integration.conftest import Engine

UPLOAD = "/api/v1/stock/photo"
TRAY = ROOT.parent / "shared" / "photos" / "tray" / "arabidopsis_tray_A.jpg"
SEED = 910_000


def drawn(seed: int = SEED, size: tuple[int, int] = (1200, 900)) -> tuple[bytes, int]:
    """A generated photo as JPEG, and how many plants are on it."""
    photo = make_photo(seed, size)
    file = io.BytesIO()
    Image.fromarray(photo.image).save(file, "JPEG", quality=92)
    return file.getvalue(), len(photo.plants)


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def start_worker(engine: Engine) -> Callable[..., subprocess.Popen[bytes]]:
    """Start a worker of the product itself; it ends with the test."""

    def start(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "darkroom.cli", "worker", *options]
        process = subprocess.Popen(command, env=engine.environ, cwd=ROOT)
        engine.workers.append(process)
        return process

    return start


def upload(client: FlaskClient, *files: tuple[bytes, str]) -> str:
    data = {"file": [(io.BytesIO(content), name) for content, name in files]}
    return client.post(UPLOAD, data=data).json["task_id"]


def status(client: FlaskClient, task_id: str) -> dict:
    return client.get(f"/api/v1/stock/tasks/{task_id}").json


def done(client: FlaskClient, engine: Engine, task_id: str, seconds: float = 120) -> dict:
    over = ("completed", "failed")
    engine.until(lambda: status(client, task_id)["status"] in over, seconds=seconds)
    return status(client, task_id)


def picture(client: FlaskClient, url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(client.get(url).data)).convert("RGB"))


def test_a_photo_comes_back_counted_and_drawn(
    client: FlaskClient, engine: Engine, start_worker, database: Database
):
    start_worker()
    photo, true = drawn()
    task = done(client, engine, upload(client, (photo, "tray.jpg")))
    assert (task["status"], task["error"], task["progress"]) == ("completed", None, 1)
    counted = task["total_detected"] + task["total_estimated"]
    assert counted == pytest.approx(true, rel=0.25)
    assert task["total_detected"] == len(task["detections"])
    assert task["total_estimated"] == sum(row["estimated_count"] for row in task["estimations"])
    assert task["category_counts"] == {"plant": task["total_detected"]}
    assert 0.3 <= task["avg_confidence"] <= 1
    assert picture(client, task["visualization_url"]).shape == (900, 1200, 3)
    assert max(picture(client, task["thumbnail_url"]).shape) == 300
    assert client.get(task["image_url"]).data == photo


def test_a_photo_that_cannot_be_counted_does_not_take_the_others_along(
    client: FlaskClient, engine: Engine, start_worker, settings: Settings
):
    start_worker("--lanes", "io")
    task_id = upload(client, (drawn()[0], "good.jpg"), (drawn(SEED + 1)[0], "lost.jpg"))
    engine.until(lambda: all(row["thumbnail_url"] for row in status(client, task_id)["photos"]))
    next(settings.files_dir.rglob("2/original.jpg")).unlink()
    for copy in settings.originals_dir.iterdir():
        copy.unlink()
    start_worker("--lanes", "cpu,gpu")
    task = done(client, engine, task_id)
    assert (task["status"], task["needs_review"]) == ("completed", True)
    good, lost = task["photos"]
    assert (good["status"], lost["status"]) == ("drawn", "failed")
    assert lost["error_message"] and task["total_detected"] == good["total_detected"] > 0


def test_a_worker_killed_in_the_middle_of_detect_loses_and_doubles_nothing(
    client: FlaskClient, engine: Engine, start_worker, database: Database, settings: Settings
):
    doomed = start_worker()
    task_id = upload(client, (drawn(size=(3200, 2400))[0], "large.jpg"))
    engine.until(lambda: "detecting" in status(client, task_id)["message"], seconds=120)
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    start_worker()
    task = done(client, engine, task_id)
    assert task["status"] == "completed"
    with database.session() as session:
        rows = session.execute(
            text("SELECT count(*), count(DISTINCT (center_x, center_y)) FROM detections")
        ).one()
        outcomes = session.scalars(
            text(
                "SELECT outcome FROM attempts a JOIN steps s USING (job_id) "
                "WHERE s.name = 'counting.detect' ORDER BY a.id"
            )
        ).all()
    assert rows[0] == rows[1] == task["total_detected"] == len(task["detections"])
    assert outcomes == ["lost", "succeeded"]
    assert not [path for path in settings.temp_dir.rglob("*") if path.is_file()]


@pytest.mark.skipif(not TRAY.exists(), reason=f"the real tray is not here: {TRAY}")
def test_the_real_tray_of_19_plants_is_counted_within_one(
    client: FlaskClient, engine: Engine, start_worker
):
    start_worker()
    task = done(client, engine, upload(client, (TRAY.read_bytes(), TRAY.name)))
    assert abs(task["total_detected"] + task["total_estimated"] - 19) <= 1


def test_the_web_process_does_not_load_the_models():
    code = (
        "import sys, darkroom.web.app;"
        "print([name for name in ('torch', 'ultralytics', 'openvino', 'sahi', 'cv2')"
        " if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_temporary_files_are_gone_after_a_run(
    client: FlaskClient, engine: Engine, start_worker, settings: Settings
):
    start_worker()
    done(client, engine, upload(client, (drawn()[0], "tray.jpg")))
    assert not [path for path in Path(settings.temp_dir).rglob("*") if path.is_file()]
