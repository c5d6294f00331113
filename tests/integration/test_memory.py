"""What a worker takes of the machine's memory for the largest photo allowed."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.web.app import create_app
from scripts.scenes.photo import make_photo
from tests.integration.conftest import Engine
from tests.integration.test_counting import done, picture, start_worker, upload

__all__ = ["start_worker"]

LIMIT = 1.5e9
LARGEST = (11_600, 8_600)
"""99.8 megapixels."""


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    larger = replace(settings, max_upload_bytes=100 * 1024**2)
    return create_app(larger, database).test_client()


def few_large_plants() -> Image.Image:
    photo = Image.fromarray(make_photo(910_100, (4000, 3000), places=900).image)
    return photo.resize(LARGEST, Image.Resampling.BICUBIC)


def many_small_plants() -> Image.Image:
    photo = Image.fromarray(make_photo(910_100, (4000, 3000), places=900).image)
    one = np.asarray(photo.resize((LARGEST[0] // 8, LARGEST[1] // 8), Image.Resampling.LANCZOS))
    return Image.fromarray(np.tile(one, (8, 8, 1)))


def as_jpeg(photo: Image.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=75)
    return file.getvalue()


def peak(pid: int) -> int:
    """The most resident memory that a process ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines)
    return int(said["VmHWM"].split()[0]) * 1024


@pytest.mark.slow
@pytest.mark.parametrize("make", [few_large_plants, many_small_plants])
def test_a_photo_of_100_megapixels_is_counted_and_drawn_within_one_and_a_half_gigabytes(
    client: FlaskClient, engine: Engine, start_worker, settings: Settings, make
):
    photo = make()
    worker = start_worker()
    task_id = upload(client, (as_jpeg(photo), "large.jpg"))
    task = done(client, engine, task_id, seconds=600)
    taken = peak(worker.pid)
    print(f"peak resident memory: {taken / 1e6:.0f} MB")
    assert (task["status"], task["error"]) == ("completed", None)
    assert taken < LIMIT
    assert picture(client, task["visualization_url"]).shape == (*photo.size[::-1], 3)
    assert not [path for path in settings.temp_dir.rglob("*") if path.is_file()]
