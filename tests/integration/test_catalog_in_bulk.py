"""The catalog with a real worker and the sandbox: paused, on a budget, from the web, tried out."""

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from darkroom.catalog.models import Article, Edit, Version
from darkroom.db.sessions import Database
from darkroom.queue.models import Attempt, StepRow
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_catalog_at_work import (
    EDITS,
    FAST,
    add,
    bolt,
    edits,
    queue,
    settled,
    stats,
)
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.sandboxed import Sandboxed

QUEUE = "/api/articulos/processing-queue"


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def work(engine: Engine, sandbox: Sandboxed, start_worker: Callable[..., object]):  # noqa: F811
    """Starts a worker whose providers are the sandbox."""
    engine.environ.update(sandbox.environ, **FAST, DARKROOM_FETCH_PRIVATE="1")
    return start_worker


@pytest.fixture
def site_of_pictures() -> Iterator[str]:
    """A web site on this machine that has one picture, `bolt.jpg`; answers its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/bolt.jpg"
            content = bolt() if found else b"nothing here"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def waiting(database: Database) -> list[StepRow]:
    with database.session() as session:
        query = select(StepRow).where(
            StepRow.waiting_kind.is_not(None), StepRow.finished_at.is_(None)
        )
        return list(session.scalars(query))


def attempts_burned(database: Database) -> int:
    with database.session() as session:
        query = text("SELECT coalesce(sum(attempts), 0) FROM procrastinate_jobs")
        return int(session.scalar(query) or 0)


def test_paused_edits_wait_in_words_lose_no_attempt_and_go_on_when_resumed(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    assert client.post(f"{QUEUE}/pause").status_code == 200
    queue(client, add(client), add(client, "Tuerca"))
    work()
    engine.until(lambda: len(waiting(database)) == 2)
    assert {step.waiting_kind for step in waiting(database)} == {"paused"}
    with database.session() as session:
        rows = session.execute(
            text(
                "SELECT reason, until FROM darkroom_why_waiting_v4("
                "ARRAY(SELECT id FROM procrastinate_jobs WHERE task_name = 'catalog.edit'))"
            )
        ).all()
    assert rows == [("paused", None)] * 2
    assert (sandbox.count(EDITS), attempts_burned(database)) == (0, 0)
    assert client.post(f"{QUEUE}/resume").json["data"]["reanudados"] == 2
    assert settled(client, engine)["completados"] == 2
    assert {row.intentos for row in edits(database)} == {1}


def test_step_that_puts_itself_off_after_the_catalog_goes_on_is_due_at_once(
    client: FlaskClient, database: Database
):
    queue(client, add(client))
    with database.session() as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '30 days'")
        )
        session.execute(text("UPDATE steps SET waiting_kind = 'paused'"))
        assert session.scalars(text("SELECT scheduled_at FROM procrastinate_jobs")).all() == [None]


def test_edits_beyond_the_budget_of_the_day_wait_for_midnight_unbought(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    client.put(f"{QUEUE}/budget", json={"budget_per_day": "0.10"})
    queue(client, *(add(client, f"Tornillo {place}") for place in range(4)))
    work()
    engine.until(lambda: stats(client)["completados"] == 2, seconds=180)
    engine.until(lambda: [step.waiting_kind for step in waiting(database)] == ["budget"] * 2)
    assert sandbox.count(EDITS) == 2
    with database.session() as session:
        due = session.scalars(
            text(
                "SELECT scheduled_at >= date_trunc('day', now(), 'UTC') + interval '1 day' "
                "FROM procrastinate_jobs WHERE task_name = 'catalog.edit' AND status = 'todo'"
            )
        ).all()
    assert due == [True, True]
    client.put(f"{QUEUE}/budget", json={"budget_per_day": None})
    assert settled(client, engine)["completados"] == 4


def test_pictures_of_the_web_arrive_and_are_edited_in_the_same_run(
    client: FlaskClient, engine: Engine, work, database: Database, site_of_pictures: str
):
    table = (
        f"nombre,imagen\nTornillo,{site_of_pictures}/bolt.jpg\nTuerca,{site_of_pictures}/x.jpg\n"
    )
    data = {"csv": (io.BytesIO(table.encode()), "a.csv"), "procesar": "true"}
    run = client.post("/api/articulos/import", data=data).json["data"]["run_id"]
    work()
    ended = engine.ended(UUID(run))
    assert (ended.status, ended.result) == ("completed", {"completados": 1, "fallidos": 0})
    with database.session() as session:
        found, lost = session.scalars(select(Article).order_by(Article.id)).all()
        assert (found.imagen_version_id is not None, lost.imagen_version_id) == (True, None)
        assert [str(edit.run_id) for edit in session.scalars(select(Edit))] == [run]
        failed = session.scalars(select(Attempt).where(Attempt.outcome == "failed")).one()
        assert "404" in (failed.error_message or "")


def test_edit_that_fails_does_not_stop_the_others_of_its_run(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "blocked", times=1)
    queue(client, *(add(client, f"Tornillo {place}") for place in range(3)))
    work()
    found = settled(client, engine)
    assert (found["completados"], found["fallidos"]) == (2, 1)
    run = edits(database)[0].run_id
    assert run is not None
    ended = engine.ended(run)
    assert (ended.status, ended.result) == ("completed", {"completados": 2, "fallidos": 1})


def test_template_that_is_tried_out_leaves_the_articles_picture_alone(
    client: FlaskClient, engine: Engine, work, database: Database
):
    article = add(client)
    before = client.get(f"/api/articulos/{article}").json["data"]["articulo"]["imagen_url"]
    body = {
        "articulo_id": article,
        "prompt_template": "White background: {nombre}",
        "generar": True,
    }
    assert client.post("/api/categorias/preview", json=body).status_code == 200
    work()

    def is_done() -> bool:
        return edits(database)[0].estado == "completed"

    engine.until(is_done, seconds=180)
    [edit] = edits(database)
    assert edit.prompt == "White background: Tornillo hexagonal 3/8"
    shown = client.get(f"/api/articulos/{article}").json["data"]["articulo"]
    assert shown["imagen_url"] == before
    with database.session() as session:
        made = session.get_one(Version, edit.version_procesada_id)
        assert (made.is_preview, made.url) == (True, f"/api/articulos/imagenes/{made.id}")
    assert client.get(made.url, follow_redirects=True).status_code == 200
