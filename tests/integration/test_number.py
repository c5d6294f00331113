"""The number and what is said beside it, with real models: reasons to look, classes, intervals."""

import io
from collections.abc import Callable

import numpy as np
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.models import Classification, Container, Photo
from darkroom.db.sessions import Database
from scripts.scenes.photo import make_photo
from tests.integration.conftest import Engine
from tests.integration.test_counting import client, done, start_worker, upload

__all__ = ["client", "start_worker"]
SEED = 910_000


def _jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def _photo(gain: float = 1.0) -> bytes:
    drawn = make_photo(SEED, (1200, 900)).image
    return _jpeg(np.clip(drawn * np.float32(gain), 0, 255).astype(np.uint8))


def _rows(session: Session, table: type, task: dict) -> list:
    image = task["photos"][0]["image_id"]
    photo = session.get_one(Photo, image)
    return list(session.scalars(select(table).where(table.session_id == photo.session_id)))


def test_a_good_photo_is_counted_by_class_and_has_no_reason_to_be_looked_at(
    client: FlaskClient, engine: Engine, start_worker: Callable[..., object], database: Database
) -> None:
    start_worker()
    task = done(client, engine, upload(client, (_photo(), "good.jpg")))
    assert (task["needs_review"], task["review_reasons"]) == (False, [])
    assert task["category_counts"] == {"plant": task["total_detected"]}
    low, high = task["interval_80"]
    assert 0 < low < task["total_unbiased"] < high
    with database.session() as session:
        classes = _rows(session, Classification, task)
        faint = [row.faint for row in _rows(session, Container, task)]
    assert sum(row.total_detected for row in classes) == task["total_detected"]
    assert sum(row.total_estimated for row in classes) == task["total_estimated"]
    assert {row.class_name for row in classes} == {"plant"}
    assert all(row.model_version.startswith("plants@") for row in classes)
    assert all(0.3 < row.product_conf < 1 and row.container_type_id for row in classes)
    assert all(len(box) == 5 for boxes in faint for box in boxes)


def test_a_dark_photo_is_counted_and_waits_for_a_person_with_the_reason(
    client: FlaskClient, engine: Engine, start_worker: Callable[..., object]
) -> None:
    start_worker()
    task_id = upload(client, (_photo(), "good.jpg"), (_photo(0.2), "dark.jpg"))
    task = done(client, engine, task_id)
    assert task["needs_review"]
    (dark,) = [reason for reason in task["review_reasons"] if reason["code"] == "dark"]
    assert (dark["photo"], dark["container"]) == (2, None)
    assert dark["values"]["measured"] < dark["values"]["bound"] == 27
    assert str(dark["values"]["measured"]) in dark["message"]
    page = client.get(f"/count/{task['session_id']}").get_data(as_text=True)
    assert "dark.jpg: The photo is too dark" in " ".join(page.split())
