"""The catalog with a real worker and the sandbox: pictures edited, and what goes wrong."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from sqlalchemy import select

from darkroom.catalog.models import Edit, Version
from darkroom.db.sessions import Database
from darkroom.providers.models import ProviderAnswer
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.sandboxed import Sandboxed

EDITS = "/gemini/*:generateContent"
FAST = {
    "DARKROOM_PACES": "catalog=0.05",
    "DARKROOM_BACKOFF_SECONDS": "0.1",
    "DARKROOM_BACKOFF_CAP_SECONDS": "0.2",
}


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def work(engine: Engine, sandbox: Sandboxed, start_worker: Callable[..., object]):  # noqa: F811
    """Starts a worker whose providers are the sandbox."""
    engine.environ.update(sandbox.environ, **FAST)
    return start_worker


def bolt(seed: int = 1) -> bytes:
    """A photo of a bolt on a grey bench."""
    image = Image.new("RGB", (640, 480), (150, 146, 140))
    draw = ImageDraw.Draw(image)
    draw.rectangle((200, 210, 470, 260), fill=(70, 74, 84))
    draw.regular_polygon((190, 235, 60), 6, fill=(52, 56, 66), rotation=seed)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def add(client: FlaskClient, name: str = "Tornillo hexagonal 3/8") -> int:
    made = client.post("/api/articulos", json={"nombre": name}).json["data"]["articulo"]["id"]
    data = {"imagen": (io.BytesIO(bolt()), "tornillo.jpg")}
    assert client.post(f"/api/articulos/{made}/imagen", data=data).status_code == 201
    return made


def queue(client: FlaskClient, *ids: int) -> list[int]:
    body = {"articuloIds": list(ids)}
    data = client.post("/api/articulos/batch-process-images", json=body).json["data"]
    return [each["queueId"] for each in data["detalles"]["agregados"]]


def stats(client: FlaskClient) -> dict[str, int]:
    return client.get("/api/articulos/processing-queue/status").json["data"]["stats"]


def settled(client: FlaskClient, engine: Engine) -> dict[str, int]:
    def is_over() -> bool:
        found = stats(client)
        return not found["pendientes"] + found["procesando"]

    engine.until(is_over, seconds=180)
    return stats(client)


def edits(database: Database) -> list[Edit]:
    with database.session() as session:
        return list(session.scalars(select(Edit).order_by(Edit.id)))


def test_articles_get_new_pictures_and_keep_the_old_ones(
    client: FlaskClient, engine: Engine, work, database: Database
):
    first, second = add(client), add(client, "Tuerca")
    before = client.get(f"/api/articulos/{first}").json["data"]["articulo"]["imagen_url"]
    work()
    queue(client, first, second)
    assert settled(client, engine)["completados"] == 2
    article = client.get(f"/api/articulos/{first}").json["data"]["articulo"]
    assert article["imagen_url"] != before
    assert [each["origen"] for each in article["versiones"]] == ["edited", "imported"]
    new = client.get(article["imagen_url"], follow_redirects=True)
    pixels = np.asarray(Image.open(io.BytesIO(new.data)).convert("RGB"))
    assert pixels[5:40, 5:40].min() > 240
    assert client.get(before, follow_redirects=True).status_code == 200
    row = edits(database)[0]
    assert (row.intentos, row.is_sandbox) == (1, True)
    assert "Tornillo hexagonal 3/8" in (row.prompt or "")
    assert row.cost > 0 and row.completed_at > row.started_at


def test_picture_that_somebody_gives_meanwhile_is_not_replaced(
    client: FlaskClient, engine: Engine, work, database: Database
):
    article = add(client)
    [edit] = queue(client, article)
    data = {"imagen": (io.BytesIO(bolt(20)), "nueva.jpg")}
    given = client.post(f"/api/articulos/{article}/imagen", data=data).json["data"]["version"]
    work()
    assert settled(client, engine)["completados"] == 1
    shown = client.get(f"/api/articulos/{article}").json["data"]["articulo"]
    assert shown["imagen_url"] == given["url"]
    for verb in ("approve", "reject"):
        said = client.post(f"/api/articulos/processing-queue/{verb}", json={"ids": [edit]})
        assert said.json["data"]["cambiados"] == 1
        shown = client.get(f"/api/articulos/{article}").json["data"]["articulo"]
        assert shown["imagen_url"] == given["url"]


def test_failed_edit_tried_again_edits_what_the_article_shows_now(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    article = add(client)
    sandbox.fault(EDITS, "blocked", times=1)
    [edit] = queue(client, article)
    work()
    assert settled(client, engine)["fallidos"] == 1
    data = {"imagen": (io.BytesIO(bolt(20)), "nueva.jpg")}
    given = client.post(f"/api/articulos/{article}/imagen", data=data).json["data"]["version"]
    client.post(f"/api/articulos/processing-queue/{edit}/retry")
    assert settled(client, engine)["completados"] == 1
    [row] = edits(database)
    assert (row.version_original_id, row.imagen_url_original) == (given["id"], given["url"])
    shown = client.get(f"/api/articulos/{article}").json["data"]["articulo"]
    assert shown["imagen_url"] == row.imagen_url_procesada


def test_busy_provider_is_asked_again_and_the_edit_completes(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(EDITS, "error", times=1, status=503)
    queue(client, add(client))
    work()
    assert settled(client, engine)["completados"] == 1
    history = client.get("/api/articulos/processing-queue/history").json["data"]["historial"]
    assert history[0]["intentos"] == 2
    assert sandbox.count(EDITS) == 2


def test_answer_that_cannot_be_used_is_not_used_and_another_one_bought(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "malformed", times=1)
    queue(client, add(client))
    work()
    assert settled(client, engine)["completados"] == 1


def test_edit_refused_for_safety_fails_at_once_in_words_and_keeps_the_picture(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    article = add(client)
    before = client.get(f"/api/articulos/{article}").json["data"]["articulo"]["imagen_url"]
    sandbox.fault(EDITS, "blocked", times=None)
    queue(client, article)
    work()
    assert settled(client, engine)["fallidos"] == 1
    [row] = edits(database)
    assert row.error_message and row.intentos == 1
    assert sandbox.count(EDITS) == 1
    after = client.get(f"/api/articulos/{article}").json["data"]["articulo"]["imagen_url"]
    assert after == before


def test_failed_edit_is_retried_with_all_its_attempts(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(EDITS, "error", times=3, status=500)
    [edit] = queue(client, add(client))
    work()
    assert settled(client, engine)["fallidos"] == 1
    assert client.post(f"/api/articulos/processing-queue/{edit}/retry").status_code == 200
    assert settled(client, engine)["completados"] == 1
    history = client.get("/api/articulos/processing-queue/history").json["data"]["historial"]
    assert (history[0]["id"], history[0]["intentos"], history[0]["error_message"]) == (
        edit,
        1,
        None,
    )


def test_withdrawn_model_is_replaced_by_the_next_of_the_chain(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "gone", times=1)
    queue(client, add(client))
    work()
    assert settled(client, engine)["completados"] == 1
    models = sandbox.providers().gemini.models["image"]
    assert edits(database)[0].model == models[1]


def test_worker_killed_while_it_stores_does_not_buy_twice(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "slow", times=1, seconds=1.0)
    queue(client, add(client))
    worker = work()
    engine.until(lambda: sandbox.count(EDITS) == 1, seconds=30)
    engine.until(lambda: _answered(database), seconds=30)
    worker.kill()
    worker.wait()
    work()
    assert settled(client, engine)["completados"] == 1
    assert sandbox.count(EDITS) == 1
    with database.session() as session:
        assert len(session.scalars(select(Version).where(Version.origen == "edited")).all()) == 1


def _answered(database: Database) -> bool:
    with database.session() as session:
        return session.scalars(select(ProviderAnswer)).first() is not None
