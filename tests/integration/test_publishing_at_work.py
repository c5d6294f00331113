"""Publishing with a real worker and the sandbox: pictures at once, WordPress behind."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from darkroom.db.sessions import Database
from darkroom.providers.models import ProviderCall
from darkroom.publishing.models import PublicationPicture
from darkroom.queue import control
from darkroom.queue.models import Run, StepRow
from darkroom.sandbox.services.wordpress.site import site
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.sandboxed import Sandboxed

Json = dict[str, Any]
POST, RUN = 456, "deep-lingual-2025-01-19T10:00:00Z"
PICTURES = "/openai/v1/images/generations"
EDITS = "/openai/v1/images/edits"
MEDIA = "/wordpress/demo/wp-json/wp/v2/media"
POSTS = "/wordpress/demo/wp-json/wp/v2/planessemanales"
ASKED = {
    "prompt": "Ilustración infantil de una familia",
    "wp_post_id": POST,
    "run_id": RUN,
    "n": 1,
}
FAST = {"DARKROOM_BACKOFF_SECONDS": "0.1", "DARKROOM_BACKOFF_CAP_SECONDS": "0.2"}


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    app = create_app(settings, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


@pytest.fixture
def work(
    engine: Engine,
    sandbox: Sandboxed,
    settings: Settings,
    start_worker: Callable[..., object],  # noqa: F811
):
    """Starts a worker whose providers are the sandbox."""

    def start() -> Any:
        secret = {"DARKROOM_SECRET_KEY": settings.secret_key or ""}
        engine.environ.update(sandbox.environ, **FAST, **secret)
        return start_worker("--lanes", "io")

    return start


def create(client: FlaskClient, **changed: Any) -> Any:
    return client.post("/api/images/created_img", json={**ASKED, **changed})


def edit(client: FlaskClient, prompt: str, **more: Any) -> Any:
    sent = {"prompt": prompt, "wp_post_id": POST, "run_id": RUN, **more}
    return client.post("/api/images/created_img/edit", json=sent)


def status(client: FlaskClient, run_id: str = RUN, post: int = POST) -> Json:
    asked = {"wp_post_id": post, "run_id": run_id}
    answer = client.get("/api/images/upload-status", query_string=asked)
    assert answer.status_code == 200, answer.json
    return answer.json


def settled(client: FlaskClient, engine: Engine, **which: Any) -> Json:
    engine.until(lambda: status(client, **which)["status"] != "processing", seconds=180)
    return status(client, **which)


def demo(sandbox: Sandboxed) -> Any:
    """The site that is published on while none is set."""
    return site(sandbox.state, "demo")


def library(sandbox: Sandboxed) -> Json:
    return dict(demo(sandbox).media)


def fields_of(sandbox: Sandboxed, post: int = POST) -> Json:
    return demo(sandbox).post("planessemanales", post).fields


def bought(database: Database) -> int:
    with database.session() as session:
        query = select(func.count()).select_from(ProviderCall)
        return session.scalar(query.where(ProviderCall.answer_key.is_not(None))) or 0


def standings(database: Database) -> list[str]:
    """How far all pictures are."""
    with database.session() as session:
        return list(session.scalars(select(PublicationPicture.wp_status)))


def reasons(database: Database) -> list[str | None]:
    """The kinds of reasons that steps wait for."""
    with database.session() as session:
        return list(session.scalars(select(StepRow.waiting_kind)))


def open_runs(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).where(Run.finished_at.is_(None))) or 0


def test_the_pictures_are_answered_at_once_and_the_field_holds_them_afterwards(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(MEDIA, "slow", seconds=2)
    work()
    answer = create(client)
    assert answer.status_code == 200
    said = answer.json
    [preview] = said.pop("previews")
    assert said == {
        "run_id": RUN,
        "wp_post_id": POST,
        "status": "images_generated",
        "wp_upload_status": "processing_in_background",
        "message": "Imágenes generadas exitosamente. Subida a WordPress en proceso...",
    }
    head, _, data = preview.pop("data_url").partition(",")
    assert head == "data:image/jpeg;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.format == "JPEG" and min(picture.size) >= 256
    assert preview.pop("size_kb") == round(len(base64.b64decode(data)) / 1024)
    assert preview.pop("wp_status") in ("pending", "uploading")
    assert preview == {
        "index": 1,
        "filename": "deep-lingual-2025-01-19-preview-1.jpg",
        "status": "generated",
    }
    done = settled(client, engine)
    [media] = library(sandbox).values()
    assert done == {
        "wp_post_id": POST,
        "endpoint": "planessemanales",
        "status": "completed",
        "uploaded_fields": [{"field": "foto", "media_id": media.id, "status": "completed"}],
        "pending_fields": [],
        "post_url": f"{sandbox.url}/wordpress/demo/planessemanales/actividad-{POST}",
    }
    assert fields_of(sandbox)["foto"] == media.id
    assert (media.post, media.alt_text) == (POST, ASKED["prompt"])


def test_the_bucket_has_a_copy_of_what_the_library_has(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    work()
    create(client)
    settled(client, engine)
    [media] = library(sandbox).values()
    with database.session() as session:
        url = session.scalar(select(PublicationPicture.copy_url))
    key = f"default/planessemanales/{POST}/{media.filename}"
    assert url == f"{sandbox.url}/gcs/sandbox/{key}"
    copied = sandbox.get(f"/gcs/sandbox/{key}")
    assert copied.content == sandbox.state.shelf.get(media.shelf_name)


def test_the_same_request_again_is_the_same_and_buys_nothing(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    work()
    first = create(client).json
    settled(client, engine)
    again = create(client).json
    assert again["previews"][0]["data_url"] == first["previews"][0]["data_url"]
    assert again["wp_upload_status"] == "completed"
    assert bought(database) == sandbox.count(PICTURES) == len(library(sandbox)) == 1


def test_another_prompt_under_the_same_run_id_is_a_new_picture(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    create(client)
    create(client, prompt="Un perro en el parque", wait_for_upload=True)
    done = settled(client, engine)
    assert sandbox.count(PICTURES) == len(library(sandbox)) == 2
    assert len(done["uploaded_fields"]) == 1
    assert fields_of(sandbox)["foto"] == done["uploaded_fields"][0]["media_id"]


def test_several_pictures_go_to_several_fields(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    answer = create(client, n=3, wait_for_upload=True)
    assert [each["index"] for each in answer.json["previews"]] == [1, 2, 3]
    assert answer.json["wp_upload_status"] == "completed"
    held = fields_of(sandbox)
    assert {held["foto"], held["foto_2"], held["foto_3"]} == set(library(sandbox))


def test_an_edit_joins_its_picture_in_a_gallery_or_takes_its_place(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    create(client, n=2, field="galeria", wait_for_upload=True)
    one, two = fields_of(sandbox)["galeria"]
    edit(client, "Con un sombrero", mode="join", wait_for_upload=True)
    joined = fields_of(sandbox)["galeria"]
    assert joined[:2] == [one, two] and len(joined) == 3
    edit(client, "De noche", index=2, wait_for_upload=True)
    first, replaced, third = fields_of(sandbox)["galeria"]
    assert (first, third) == (one, joined[2]) and replaced not in joined
    assert sandbox.count(EDITS) == 2


def test_two_requests_share_a_gallery_with_what_an_editor_put_there(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    create(client, wp_post_id=1, wait_for_upload=True)
    [chosen] = library(sandbox)
    fields_of(sandbox)["galeria"] = [chosen]
    create(client, n=2, field="galeria", wait_for_upload=True)
    create(client, prompt="Un perro", field="galeria", wait_for_upload=True)
    held = fields_of(sandbox)["galeria"]
    assert held[0] == chosen and len(held) == 4 and set(held) == set(library(sandbox))


def test_a_retry_adds_to_a_gallery_what_failed_and_undoes_no_edit(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(MEDIA, "forbidden", times=1)
    work()
    create(client, n=2, field="galeria")
    failed = settled(client, engine)
    [held] = fields_of(sandbox)["galeria"]
    with database.session() as session:
        query = select(PublicationPicture.index).where(PublicationPicture.media_id == held)
        index = session.scalar(query)
    edit(client, "De noche", index=index, wait_for_upload=True)
    [edited] = fields_of(sandbox)["galeria"]
    client.post(failed["retry_url"])
    assert settled(client, engine)["status"] == "completed"
    first, added = fields_of(sandbox)["galeria"]
    assert first == edited and added not in (held, edited)


def test_a_later_picture_still_on_its_way_leaves_the_field_to_the_earlier_one(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(PICTURES, "slow", seconds=60, times=1, containing="Un perro")
    work()
    for prompt in (ASKED["prompt"], "Un perro"):
        sent = {**ASKED, "prompt": prompt}
        client.post("/api/images/created_img", json=sent, headers={"Prefer": "wait=0"})
    engine.until(lambda: "completed" in standings(database), seconds=60)
    assert sorted(standings(database)) == ["completed", "pending"]
    assert fields_of(sandbox)["foto"] == max(library(sandbox))


def test_who_writes_into_a_post_is_alone(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    place = f"darkroom post None planessemanales {POST}"
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [place])
        work()
        create(client)
        engine.until(lambda: "order" in reasons(database), seconds=60)
        assert fields_of(sandbox) == {}
    assert settled(client, engine)["status"] == "completed"


def test_runs_that_were_tried_again_and_are_retried_all_buy_one_picture(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(PICTURES, "blocked", times=2)
    work()
    create(client)
    client.post(settled(client, engine)["retry_url"])
    assert settled(client, engine)["status"] == "failed"
    sandbox.fault(PICTURES, "slow", seconds=2, times=None)
    with database.session() as session:
        for run_id in session.scalars(select(Run.id)).all():
            control.retry(session, run_id)
    engine.until(lambda: open_runs(database) == 0, seconds=60)
    assert status(client)["status"] == "completed"
    assert [each.status for each in sandbox.journal(PICTURES)].count(200) == 1
    assert len(library(sandbox)) == 1


def test_an_edit_that_overtakes_its_picture_is_what_the_field_holds_in_the_end(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(MEDIA, "slow", seconds=3, times=1, after=1)
    work()
    create(client)
    edit(client, "Con un sombrero", wait_for_upload=True)
    done = settled(client, engine)
    [field] = done["uploaded_fields"]
    assert fields_of(sandbox)["foto"] == field["media_id"] == max(library(sandbox))


def test_a_worker_killed_after_the_attachment_exists_leaves_one_attachment(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    # The second request there is the upload; its answer never comes in time.
    sandbox.fault(MEDIA, "slow", seconds=30, times=1, after=1)
    first = work()
    create(client)
    engine.until(lambda: library(sandbox))
    first.kill()
    first.wait()
    work()
    done = settled(client, engine)
    [media] = library(sandbox)
    assert done["uploaded_fields"][0]["media_id"] == media
    assert sandbox.count(PICTURES) == 1


def test_a_5xx_after_the_attachment_exists_leaves_one_attachment_with_its_thumbnails(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(MEDIA, "unfinished", times=1)
    work()
    create(client)
    assert settled(client, engine)["status"] == "completed"
    [media] = library(sandbox).values()
    assert media.missing == []


def test_a_field_that_the_site_ignores_fails_in_words_and_can_be_tried_again(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    create(client, field="fotografia")
    failed = settled(client, engine)
    assert failed["status"] == "failed" and failed["uploaded_fields"] == []
    [field] = failed["failed_fields"]
    assert field["field"] == "fotografia" and "ignored" in field["error"]
    again = client.post(failed["retry_url"])
    assert again.status_code == 202 and again.json["status"] == "processing"
    assert settled(client, engine)["status"] == "failed"
    assert len(library(sandbox)) == sandbox.count(PICTURES) == 1


def test_one_field_that_fails_leaves_the_others_completed(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    types = "/api/publishing/sites/default/types/planessemanales"
    assert client.put(types, json={"fields": ["foto", "fotografia"]}).status_code == 200
    work()
    create(client, n=2)
    done = settled(client, engine)
    assert [each["field"] for each in done["uploaded_fields"]] == ["foto"]
    assert [each["field"] for each in done["failed_fields"]] == ["fotografia"]


def test_a_retry_goes_on_where_it_failed(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(MEDIA, "forbidden", times=1)
    work()
    create(client)
    failed = settled(client, engine)
    assert failed["status"] == "failed" and "rest_cannot_create" in failed["error"]
    client.post(failed["retry_url"])
    assert settled(client, engine)["status"] == "completed"
    assert sandbox.count(PICTURES) == len(library(sandbox)) == 1


def test_a_retry_uploads_again_what_somebody_deleted_meanwhile(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    create(client, field="fotografia")
    failed = settled(client, engine)
    [deleted] = library(sandbox)
    del demo(sandbox).media[deleted]
    client.post(failed["retry_url"])
    settled(client, engine)
    assert deleted not in library(sandbox) and len(library(sandbox)) == 1


def test_a_retry_leaves_alone_the_fields_that_were_written(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    types = "/api/publishing/sites/default/types/planessemanales"
    client.put(types, json={"fields": ["foto", "fotografia"]})
    work()
    create(client, n=2)
    failed = settled(client, engine)
    fields_of(sandbox)["foto"] = None
    client.post(failed["retry_url"])
    assert settled(client, engine)["status"] == "failed"
    assert fields_of(sandbox)["foto"] is None


def test_an_ended_token_is_renewed_on_the_way(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(POSTS + "/*", "expired", times=1)
    work()
    create(client)
    assert settled(client, engine)["status"] == "completed"


def test_a_prompt_that_is_refused_is_the_callers_mistake(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(PICTURES, "blocked", times=None)
    work()
    answer = create(client)
    assert answer.status_code == 422
    assert answer.json["status"] == "failed" and answer.json["message"]
    assert status(client)["status"] == "failed"


def test_an_activity_and_its_picture_in_two_steps(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    asked = {"tema": "La familia", "tipo_de_actividad": "lectura"}
    made = client.post("/api/activities", json=asked, headers={"Idempotency-Key": "one"})
    assert (made.status_code, made.json["status"]) == (201, "created")
    post_id, run_id = made.json["wp_post_id"], made.json["run_id"]
    again = client.post("/api/activities", json=asked, headers={"Idempotency-Key": "one"})
    assert again.json["wp_post_id"] == post_id
    create(client, wp_post_id=post_id, run_id=run_id)
    done = settled(client, engine, run_id=run_id, post=post_id)
    assert done["post_url"] == made.json["post_url"]
    held = fields_of(sandbox, post_id)
    assert (held["tema"], held["tipo_de_actividad"]) == ("La familia", "lectura")
    assert held["foto"] == done["uploaded_fields"][0]["media_id"]


def test_a_worker_killed_after_the_post_exists_leaves_one_post(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(POSTS, "slow", seconds=30, times=1, after=1)
    first = work()
    with_key = {"Idempotency-Key": "one", "Prefer": "wait=0"}
    asked = {"tema": "La familia"}
    assert client.post("/api/activities", json=asked, headers=with_key).status_code == 202
    engine.until(lambda: demo(sandbox).posts)
    first.kill()
    first.wait()
    work()
    made = client.post("/api/activities", json=asked, headers={"Idempotency-Key": "one"})
    assert list(demo(sandbox).posts) == [("planessemanales", made.json["wp_post_id"])]


def test_two_sites_each_with_their_own_login(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    twinkle = {
        "name": "Twinkle",
        "base_url": f"{sandbox.url}/wordpress/twinkle",
        "way": "application",
    }
    login = {"username": "sandbox", "secret": "sandbox", "is_default": False}
    assert client.post("/api/publishing/sites", json={**twinkle, **login}).status_code == 201
    work()
    create(client, site="Twinkle", wait_for_upload=True)
    assert library(sandbox) == {}
    # The sandbox's bucket is not for sites that are real.
    assert sandbox.count("/gcs/*") == 0
    create(client, prompt="Otra", wait_for_upload=True)
    assert len(library(sandbox)) == len(site(sandbox.state, "twinkle").media) == 1
