"""What a worker takes of the machine's memory for the largest photo allowed."""

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from darkroom.settings import Settings
from scripts.scenes.photo import make_photo
from tests.integration.conftest import Engine
from tests.integration.test_counting import client, done, picture, start_worker, upload

__all__ = ["client", "start_worker"]

LIMIT = 1.5e9
LARGEST = (11_600, 8_600)
"""99.8 megapixels."""


def largest_photo() -> bytes:
    photo = Image.fromarray(make_photo(910_100, (4000, 3000), places=900).image)
    file = io.BytesIO()
    photo.resize(LARGEST, Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


def peak(pid: int) -> int:
    """The most resident memory that a process ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines)
    return int(said["VmHWM"].split()[0]) * 1024


@pytest.mark.slow
def test_a_photo_of_100_megapixels_is_counted_and_drawn_within_one_and_a_half_gigabytes(
    client: FlaskClient, engine: Engine, start_worker, settings: Settings
):
    worker = start_worker()
    task_id = upload(client, (largest_photo(), "large.jpg"))
    task = done(client, engine, task_id, seconds=600)
    taken = peak(worker.pid)
    print(f"peak resident memory: {taken / 1e6:.0f} MB")
    assert (task["status"], task["error"]) == ("completed", None)
    assert taken < LIMIT
    assert picture(client, task["visualization_url"]).shape == (*LARGEST[::-1], 3)
    assert not [path for path in settings.temp_dir.rglob("*") if path.is_file()]
