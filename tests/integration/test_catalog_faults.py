"""What goes wrong outside, one kind after the other: a real worker, the sandbox, its journal."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from darkroom.catalog import removing
from darkroom.catalog.models import Article, Edit, Version
from darkroom.db.sessions import Database
from darkroom.providers.models import ProviderAnswer, ProviderCall
from darkroom.queue import cron
from darkroom.sandbox.state import KNOWN
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_catalog_at_work import FAST, add, edits, queue, settled
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.sandboxed import Sandboxed

EDITS = "/gemini/*:generateContent"
UPLOAD, DESTROY = "/cloudinary/*/image/upload", "/cloudinary/*/image/destroy"
PRICE = Decimal("0.04")
# Many faults in a row must not close the gates for the other articles.
PATIENT = {"DARKROOM_BREAKER_FAILURES": "1000", "DARKROOM_BREAKER_WINDOW_CALLS": "1000"}
TOLD = 2.0


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def work(engine: Engine, sandbox: Sandboxed, start_worker: Callable[..., object]):  # noqa: F811
    """Starts a worker whose providers are the sandbox, with these settings besides."""

    def start(**environ: str) -> object:
        engine.environ.update(sandbox.environ, **FAST, **environ)
        return start_worker("--lanes", "io")

    return start


@pytest.fixture
def hosted(sandbox: Sandboxed) -> dict[str, str]:
    """Settings with an account at Cloudinary."""
    return {
        "CLOUDINARY_URL": f"cloudinary://{KNOWN}:{KNOWN}@demo",
        "DARKROOM_CLOUDINARY_URL": f"{sandbox.url}/cloudinary",
    }


def by_name(database: Database) -> dict[str, Edit]:
    return {edit.articulo_nombre: edit for edit in edits(database)}


def told(database: Database) -> list[str]:
    """The alerts that went to Slack, oldest first."""
    sent = "SELECT label FROM steps WHERE name = 'notifying.slack' AND result IS NOT NULL"
    query = text(f"{sent} ORDER BY job_id")
    with database.session() as session:
        return list(session.scalars(query))


def seconds_between_calls(database: Database, edit: Edit) -> float:
    """From the end of the first call for an edit to the end of its second one."""
    ended = select(ProviderCall.at).where(
        ProviderCall.answer_key.startswith(f"catalog-edit-{edit.id}-")
    )
    with database.session() as session:
        first, second = session.scalars(ended.order_by(ProviderCall.at))
    return float((second - first).total_seconds())


def test_faults_that_pass_are_waited_out_and_the_edits_complete(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "limit", seconds=TOLD, containing="Limitado")
    sandbox.fault(EDITS, "error", status=500, containing="Averiado")
    sandbox.fault(EDITS, "cut", portion=0.5, containing="Cortado")
    sandbox.fault(EDITS, "slow", seconds=4, containing="Lento")
    sandbox.fault(EDITS, "drip", seconds=30, containing="Goteante")
    sandbox.fault(EDITS, "no_picture", containing="Vacio")
    names = ["Limitado", "Averiado", "Cortado", "Lento", "Goteante", "Vacio"]
    queue(client, *(add(client, name) for name in names))
    work(DARKROOM_PROVIDER_TIMEOUT_SECONDS="3", **PATIENT)
    assert settled(client, engine)["completados"] == len(names)
    found = by_name(database)
    tries = {name: edit.intentos for name, edit in found.items()}
    # An answer without a picture is asked for once more at once.
    assert tries == {**dict.fromkeys(names, 2), "Vacio": 1}
    assert sandbox.count(EDITS) == 2 * len(names)
    assert seconds_between_calls(database, found["Limitado"]) >= TOLD
    assert all(edit.distance is not None and edit.distance < 0.5 for edit in found.values())
    assert {edit.cost for edit in found.values()} == {PRICE}


def test_faults_that_stay_fail_the_edit_at_once_in_words(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "quota", times=None, containing="Agotado")
    sandbox.fault(EDITS, "expired", times=None, containing="Caducado")
    sandbox.fault(EDITS, "forbidden", times=None, containing="Vedado")
    sandbox.fault(EDITS, "no_picture", times=None, containing="Vacio")
    names = ["Agotado", "Caducado", "Vedado", "Vacio"]
    queue(client, *(add(client, name) for name in names))
    work(**PATIENT)
    assert settled(client, engine)["fallidos"] == len(names)
    found = by_name(database)
    assert {name: edit.intentos for name, edit in found.items()} == dict.fromkeys(names, 1)
    assert "quota" in (found["Agotado"].error_message or "")
    assert "GEMINI_API_KEY" in (found["Caducado"].error_message or "")
    assert "GEMINI_API_KEY" in (found["Vedado"].error_message or "")
    assert "NO_IMAGE" in (found["Vacio"].error_message or "")
    assert {edit.cost for edit in found.values()} == {0}


def test_models_that_are_all_gone_fail_the_edit_and_each_raises_an_alert(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "gone", times=None)
    queue(client, add(client))
    work(DARKROOM_SLACK_WEBHOOK_URL=f"{sandbox.url}/slack/T/B/x")
    assert settled(client, engine)["fallidos"] == 1
    models = sandbox.providers().gemini.models["image"]
    assert sandbox.count(EDITS) == len(models)
    engine.until(lambda: len(told(database)) == len(models))
    assert all(model in " ".join(told(database)) for model in models)
    assert sandbox.count("/slack/*") == len(models)


def test_breaker_that_opens_is_told_to_slack_and_the_edit_completes_once_it_closes(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(EDITS, "error", times=2, status=503)
    queue(client, add(client))
    work(
        DARKROOM_SLACK_WEBHOOK_URL=f"{sandbox.url}/slack/T/B/x",
        DARKROOM_BREAKER_FAILURES="2",
        DARKROOM_BREAKER_OPEN_SECONDS="1",
    )
    assert settled(client, engine)["completados"] == 1
    assert sandbox.count(EDITS) == 3
    engine.until(lambda: len(told(database)) == 2)
    assert all("gemini edit" in said for said in told(database))
    assert sandbox.count("/slack/*") == 2


def test_answer_that_shows_something_else_is_rejected_and_each_is_paid_for(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    queue(client, add(client))
    work(DARKROOM_CATALOG_MOST_DISTANCE="0")
    assert settled(client, engine)["fallidos"] == 1
    [edit] = edits(database)
    assert "does not seem to show the same article" in (edit.error_message or "")
    assert (edit.rejected, edit.cost) == (3, 3 * PRICE)
    assert sandbox.count(EDITS) == 3


def test_new_picture_is_hosted_and_saved_before_the_old_one_is_removed(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database, hosted
):
    article = add(client)
    work(DARKROOM_CRON_UPKEEP_REMOVE_VERSIONS="off", **hosted)
    for done in (1, 2):
        queue(client, article)
        assert settled(client, engine)["completados"] == done
    assert (sandbox.count(UPLOAD), sandbox.count(DESTROY)) == (2, 0)
    with database.session() as session:
        _, old, new = session.scalars(select(Version).order_by(Version.id))
        assert session.get_one(Article, article).imagen_url == new.url
        assert sandbox.get(old.url.removeprefix(sandbox.url)).status_code == 200
        old.veredicto = new.veredicto = "approved"
    remove_old(engine)
    assert sandbox.count(DESTROY) == 1
    assert sandbox.get(old.url.removeprefix(sandbox.url)).status_code == 404
    assert sandbox.get(new.url.removeprefix(sandbox.url)).status_code == 200
    assert removing.marked(database, hosted=True) == []


def test_pictures_of_a_deleted_article_are_removed_at_cloudinary(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database, hosted
):
    article = add(client)
    work(**hosted)
    queue(client, article)
    assert settled(client, engine)["completados"] == 1
    [edit] = edits(database)
    assert client.delete(f"/api/articulos/{article}").status_code == 200
    engine.until(lambda: sandbox.count(DESTROY) == 1, seconds=60)
    assert sandbox.get(edit.imagen_url_procesada.removeprefix(sandbox.url)).status_code == 404


def test_upload_that_fails_leaves_the_old_picture_and_buys_no_second_one(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database, hosted
):
    article = add(client)
    sandbox.fault(UPLOAD, "error", times=3, status=500)
    queue(client, article)
    work(**hosted)
    assert settled(client, engine)["fallidos"] == 1
    assert (sandbox.count(EDITS), sandbox.count(UPLOAD)) == (1, 3)
    assert [edit.intentos for edit in edits(database)] == [3]
    with database.session() as session:
        [imported] = session.scalars(select(Version))
        assert session.get_one(Article, article).imagen_version_id == imported.id


def test_worker_killed_while_cloudinary_takes_the_picture_does_not_buy_twice(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database, hosted
):
    sandbox.fault(UPLOAD, "slow", seconds=3)
    queue(client, add(client))
    doomed = work(**hosted)
    engine.until(lambda: sandbox.count(UPLOAD) == 1)
    doomed.kill()
    doomed.wait()
    work()
    assert settled(client, engine)["completados"] == 1
    assert sandbox.count(EDITS) == 1
    with database.session() as session:
        assert len(session.scalars(select(ProviderAnswer)).all()) == 1
        # The same name both times: nothing is left behind there.
        made = session.scalars(select(Version.public_id).where(Version.origen == "edited")).all()
    assert len(made) == 1 and sandbox.count(UPLOAD) == 2


def remove_old(engine: Engine) -> None:
    """Have the worker remove at once what no article shows."""
    with engine.database.session() as session:
        job = cron.run_now(session, "upkeep.remove_versions", {"days": 0})
    ended = text("SELECT finished_at FROM steps WHERE job_id = :job")

    def is_over() -> bool:
        with engine.database.session() as session:
            return session.scalar(ended, {"job": job}) is not None

    engine.until(is_over)
