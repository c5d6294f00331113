"""Corrections from the page to the rows, with real workers: drafts, recount, stock, redrawing."""

import subprocess
import sys
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from darkroom.counting.models import Container, Photo, PhotoSession
from darkroom.counting.review.models import ConfidenceScale
from darkroom.counting.stock.models import StockBatch, StockMovement
from darkroom.db.sessions import Database
from darkroom.settings import ROOT, Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.stocked import nursery
from tests.integration.test_counting import done, drawn, upload

Worker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def start_worker(engine: Engine) -> Worker:
    def start(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "darkroom.cli", "worker", *options]
        process = subprocess.Popen(command, env=engine.environ, cwd=ROOT)
        engine.workers.append(process)
        return process

    return start


class Reviewer:
    """Somebody who corrects the only photo of a count."""

    def __init__(self, client: FlaskClient, session_id: str, image_id: str) -> None:
        self.client = client
        self.page = f"/count/{session_id}/review"
        self.photo = f"/count/{session_id}/photos/{image_id}"
        self.token = client.get(self.page).text.split('data-token="')[1].split('"')[0]

    @property
    def state(self) -> dict:
        return self.client.get(f"{self.photo}/review.json").json

    def post(self, address: str, body: dict) -> object:
        headers = {"X-CSRFToken": self.token}
        return self.client.post(f"{self.photo}/{address}.json", json=body, headers=headers)

    def correct(self, action: str, **told: object) -> str:
        answer = self.post("corrections", {"key": str(uuid4()), "action": action, **told})
        assert answer.status_code == 201, answer.json
        return answer.json["key"]

    def save(self, do: str = "save", **totals: object) -> None:
        form = {"csrf_token": self.token, "do": do, **totals}
        answer = self.client.post(self.page, data=form)
        assert answer.status_code == 303

    def applied(self, engine: Engine) -> None:
        engine.until(lambda: not self.state["busy"], seconds=180)


@pytest.fixture
def reviewer(client: FlaskClient, engine: Engine, start_worker: Worker) -> Reviewer:
    """Of a counted photo, with a worker at hand."""
    start_worker()
    task = done(client, engine, upload(client, (drawn()[0], "tray.jpg")))
    return Reviewer(client, task["session_id"], task["photos"][0]["image_id"])


def one(database: Database, table: type) -> object:
    with database.session() as db:
        return db.scalars(select(table)).one()


def test_corrections_become_the_count_and_its_drawing(
    reviewer: Reviewer, engine: Engine, database: Database
):
    before = reviewer.state
    [x, y, width, height] = before["plants"][0][1:5]
    drawing = one(database, Photo).processed_asset_id
    reviewer.correct("remove", plant=before["plants"][0][0])
    key = reviewer.correct("add", x=x, y=y, width=width, height=height)
    reviewer.correct("move", plant=key, x=x + 2, y=y + 1, width=width, height=height)
    reviewer.correct("remove", plant=before["plants"][1][0])
    reviewer.save("accept")
    reviewer.applied(engine)
    after = reviewer.state
    assert len(after["plants"]) == len(before["plants"]) - 1
    [added] = [plant for plant in after["plants"] if plant[5] == "person"]
    assert added[1:3] == pytest.approx([x + 2, y + 1])
    photos, photo = one(database, PhotoSession), one(database, Photo)
    assert photos.total_detected == len(after["plants"])
    assert photos.total_reviewed == photos.total_detected + photos.total_estimated
    assert (photos.needs_review, photo.status) == (False, "drawn")
    assert photo.reviewed_at is not None and photo.processed_asset_id == drawing
    assert after["corrections"] == after["undone"] == []
    with database.session() as db:
        assert db.scalar(text("SELECT count(*) FROM corrections WHERE applied_at IS NULL")) == 0
        summed = db.scalar(text("SELECT sum(estimated_count) FROM estimations"))
        assert summed == photos.total_estimated
        assert db.scalars(select(ConfidenceScale)).first() is not None


def test_what_is_taken_away_is_not_estimated_back(
    reviewer: Reviewer, engine: Engine, database: Database
):
    container = reviewer.state["containers"][0]
    before = one(database, PhotoSession).total_estimated
    for plant in reviewer.state["plants"][:5]:
        reviewer.correct("remove", plant=plant[0])
    reviewer.save()
    reviewer.applied(engine)
    assert container["detected"] == reviewer.state["containers"][0]["detected"] + 5
    assert one(database, PhotoSession).total_estimated <= before + 1


def test_a_worker_killed_while_it_applies_loses_and_doubles_nothing(
    client: FlaskClient, engine: Engine, start_worker: Worker, database: Database
):
    start_worker()
    task = done(client, engine, upload(client, (drawn(size=(3200, 2400))[0], "large.jpg")))
    reviewer = Reviewer(client, task["session_id"], task["photos"][0]["image_id"])
    before = reviewer.state["plants"]
    for plant in before[::7]:
        reviewer.correct("remove", plant=plant[0])
    reviewer.correct("add", x=before[0][1], y=before[0][2], width=30, height=30)
    doomed = engine.workers[-1]
    reviewer.save("accept")
    engine.until(lambda: reviewer.state["busy"] and running(database), seconds=180)
    doomed.kill()
    doomed.wait()
    assert len(reviewer.state["corrections"]) == len(before[::7]) + 2
    start_worker()
    reviewer.applied(engine)
    after = reviewer.state
    assert len(after["plants"]) == len(before) - len(before[::7]) + 1
    assert after["corrections"] == []
    with database.session() as db:
        assert db.scalar(text("SELECT count(*) FROM detections WHERE source = 'person'")) == 1
        assert (
            db.scalar(
                text(
                    "SELECT count(*) FROM corrections WHERE applied_at IS NULL OR undone_at NOTNULL"
                )
            )
            == 0
        )


def running(database: Database) -> bool:
    with database.session() as db:
        found = db.scalar(
            text(
                "SELECT count(*) FROM attempts a JOIN steps s USING (job_id) "
                "WHERE s.name = 'counting.recount' AND a.finished_at IS NULL"
            )
        )
    return bool(found)


def test_a_count_that_needs_review_enters_the_stock_once_it_is_accepted(
    reviewer: Reviewer, engine: Engine, database: Database
):
    place = nursery(database)
    with database.session() as db:
        photos = db.scalars(select(PhotoSession)).one()
        for name, value in place.expected().items():
            setattr(photos, name, value)
        photos.needs_review = True
        counted = photos.total
        first = db.scalars(select(Container).order_by(Container.id.desc())).first()
        first.needs_review = True
    container = next(one for one in reviewer.state["containers"] if one["id"] == first.id)
    computed = container["detected"] + container["estimated"]
    reviewer.correct("remove", plant=reviewer.state["plants"][0][0])
    reviewer.save()
    reviewer.applied(engine)
    assert one(database, PhotoSession).needs_review
    with database.session() as db:
        assert db.scalars(select(StockBatch)).all() == []
    reviewer.correct("total", container=first.id, total=computed + 10)
    reviewer.save()
    reviewer.applied(engine)
    photos, batch = one(database, PhotoSession), one(database, StockBatch)
    assert not photos.needs_review
    assert batch.quantity_initial == photos.total_detected + photos.total_estimated
    assert batch.quantity_current == photos.total_reviewed
    assert abs(batch.quantity_current - counted - 10) <= 3
    with database.session() as db:
        kinds = db.scalars(select(StockMovement.movement_type).order_by(StockMovement.id)).all()
    assert kinds == ["foto", "adjustment"]
