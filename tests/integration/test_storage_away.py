"""The storage goes away while photos are sent and counted, with real worker processes."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.datastructures import FileStorage

from darkroom.accounts.service import ensure_admin
from darkroom.counting.service import CountingService
from darkroom.db.sessions import Database
from darkroom.errors import Transient
from darkroom.settings import Settings
from darkroom.storage.local import LocalStore
from darkroom.web.app import create_app
from tests.engine.storage import Storage
from tests.integration.conftest import Engine
from tests.integration.test_counting import done, drawn, start_worker, status, upload

__all__ = ["start_worker"]
QUICK = {"DARKROOM_BREAKER_FAILURES": "1", "DARKROOM_BREAKER_OPEN_SECONDS_OF": "storage=2"}


@pytest.fixture
def storage() -> Iterator[Storage]:
    made = Storage()
    yield made
    made.stop()


@pytest.fixture
def client(settings: Settings, database: Database, storage: Storage) -> FlaskClient:
    return create_app(replace(settings, s3=storage.settings), database).test_client()


def rows(database: Database, table: str) -> int:
    with database.session() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def send(client: FlaskClient, count: int = 2, **headers: str):
    files = [(io.BytesIO(drawn()[0]), f"{number}.jpg") for number in range(count)]
    return client.post("/api/v1/stock/photo", data={"file": files}, headers=headers)


def test_an_upload_without_storage_is_answered_503_with_words_and_leaves_nothing(
    client: FlaskClient, storage: Storage, database: Database, settings: Settings
) -> None:
    storage.stop()
    answer = send(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert answer.json["error"]["message"] == (
        "The file storage does not answer, and nothing of this upload was kept. "
        "Send it again in 15 seconds."
    )
    assert [rows(database, table) for table in ("runs", "assets", "photo_processing_sessions")] == [
        0,
        0,
        0,
    ]
    assert not list(settings.temp_dir.iterdir())
    storage.start()
    assert storage.keys() == []
    assert send(client).status_code == 202


def test_after_five_uploads_in_vain_the_web_asks_no_more_for_a_minute(
    client: FlaskClient, storage: Storage
) -> None:
    storage.stop()
    for _ in range(5):
        assert send(client, 1).headers["Retry-After"] == "15"
    storage.start()
    answer = send(client, 1)
    assert answer.status_code == 503 and 50 <= int(answer.headers["Retry-After"]) <= 60


def test_people_read_it_in_their_language(client: FlaskClient, storage: Storage) -> None:
    token = client.get("/count").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    storage.stop()
    data = {"file": (io.BytesIO(drawn()[0]), "a.jpg"), "csrf_token": token}
    answer = client.post("/count", data=data, headers={"Accept-Language": "es"})
    assert answer.status_code == 503
    assert "no se ha guardado nada de este envío" in answer.text
    storage.start()


class FullStore(LocalStore):
    """A store whose disk is full after the first file."""

    room = 1

    def put(self, key: str, source: Path | BinaryIO, mime: str) -> None:
        if self.room == 0:
            raise Transient("The disk is full.")
        self.room -= 1
        super().put(key, source, mime)


def test_the_photos_stored_before_the_storage_went_away_go_again(
    settings: Settings, database: Database
) -> None:
    service = CountingService(settings, database, FullStore(settings.files_dir, "secret"))
    photos = [FileStorage(io.BytesIO(drawn()[0]), filename=name) for name in ("a.jpg", "b.jpg")]
    with database.session() as session:
        user = ensure_admin(session).id
    with pytest.raises(Transient, match="nothing of this upload was kept"):
        service.receive(photos, user)
    assert not [path for path in settings.files_dir.rglob("original*") if path.is_file()]


def test_steps_wait_behind_the_breaker_without_burning_attempts_and_then_go_on(
    client: FlaskClient, engine: Engine, start_worker, settings: Settings, storage: Storage
) -> None:
    engine.environ.update(storage.environ, **QUICK)
    start_worker("--lanes", "io")
    task_id = upload(client, (drawn()[0], "tray.jpg"))
    engine.until(lambda: status(client, task_id)["photos"][0]["thumbnail_url"])
    storage.stop()
    for copy in settings.originals_dir.iterdir():
        copy.unlink()
    start_worker("--lanes", "cpu,gpu")
    attempts = (
        "SELECT outcome FROM attempts a JOIN steps s USING (job_id)"
        " WHERE s.name = 'counting.detect' AND outcome IS NOT NULL ORDER BY a.id"
    )

    def outcomes() -> list[str]:
        with engine.database.session() as session:
            return list(session.scalars(text(attempts)))

    engine.until(lambda: "given_back" in outcomes(), seconds=120)
    storage.start()
    assert done(client, engine, task_id)["status"] == "completed"
    assert outcomes().count("retried") <= 2 and outcomes()[-1] == "succeeded"
