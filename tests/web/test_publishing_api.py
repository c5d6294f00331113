"""Publishing's API as far as it goes without a worker: requests, sites, who may do what."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from darkroom.publishing.models import Publication, PublicationPicture, WordPressSite
from darkroom.queue.models import Run

from .conftest import Site

Json = dict[str, Any]
ASKED = {"prompt": "Una familia", "wp_post_id": 456, "run_id": "prueba-001", "n": 1}
AT_ONCE = {"Prefer": "wait=0"}
TWINKLE = {
    "name": "Twinkle",
    "base_url": "https://twinkle.example",
    "username": "ana",
    "way": "jwt",
    "secret": "muy secreta",
}


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return site.visitor().client


def create(client: FlaskClient, **changed: Any) -> Any:
    return client.post("/api/images/created_img", json={**ASKED, **changed}, headers=AT_ONCE)


def status(client: FlaskClient) -> Any:
    return client.get("/api/images/upload-status?wp_post_id=456&run_id=prueba-001")


def rows(site: Site, kind: Any) -> list[Any]:
    with site.services.database.session() as session:
        found = list(session.scalars(select(kind)))
        session.expunge_all()
    return found


def test_pictures_that_do_not_exist_yet_are_a_202_with_the_run(client: FlaskClient) -> None:
    answer = create(client)
    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    assert answer.json["run_id"] == "prueba-001"
    assert client.get(answer.headers["Location"]).json["status"] == "processing"


def test_the_status_of_what_is_on_its_way_is_as_in_the_document(client: FlaskClient) -> None:
    create(client)
    assert status(client).json == {
        "wp_post_id": 456,
        "endpoint": "planessemanales",
        "status": "processing",
        "uploaded_fields": [],
        "pending_fields": [{"field": "foto", "status": "pending"}],
        "post_url": None,
    }


def test_the_same_request_makes_one_run(site: Site, client: FlaskClient) -> None:
    create(client)
    create(client)
    assert len(rows(site, Publication)) == len(rows(site, Run)) == 1


@pytest.mark.parametrize(
    "changed",
    [{"prompt": "Un perro"}, {"wp_post_id": 457}, {"run_id": "b"}, {"field": "foto_2"}, {"n": 2}],
)
def test_another_request_makes_another_run(site: Site, client: FlaskClient, changed: Json) -> None:
    create(client)
    create(client, **changed)
    assert len(rows(site, Publication)) == len(rows(site, Run)) == 2


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"prompt": " "}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"wp_post_id": 0}, "wp_post_id"),
        ({"wp_post_id": "abc"}, "wp_post_id"),
        ({"n": 11}, "n"),
        ({"n": True}, "n"),
        ({"field": "foto", "n": 4}, "n"),
        ({"endpoint": "../users"}, "endpoint"),
        ({"run_id": 7}, "run_id"),
        ({"wait_for_upload": "yes"}, "wait_for_upload"),
    ],
)
def test_what_cannot_be_used_is_named(
    site: Site, client: FlaskClient, changed: Json, field: str
) -> None:
    answer = create(client, **changed)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)
    assert rows(site, Publication) == []


def test_a_site_that_is_not_there_is_a_404(client: FlaskClient) -> None:
    answer = create(client, site="Ninguno")
    assert (answer.status_code, answer.json["error"]["field"]) == (404, "site")


def test_nothing_published_is_a_404(client: FlaskClient) -> None:
    assert status(client).status_code == 404


def test_what_has_not_failed_is_not_tried_again(client: FlaskClient) -> None:
    create(client)
    answer = client.post("/api/images/upload-status/retry?wp_post_id=456&run_id=prueba-001")
    assert answer.status_code == 409


def test_a_cancelled_run_fails_its_pictures_and_a_retry_begins_another(
    site: Site, client: FlaskClient
) -> None:
    create(client)
    with site.services.database.session() as session:
        session.execute(text("UPDATE runs SET status = 'cancelled', finished_at = now()"))
    failed = status(client).json
    assert failed["failed_fields"] == [{"field": "foto", "status": "failed", "error": "Cancelled."}]
    assert client.post(failed["retry_url"]).status_code == 202
    assert [each.wp_status for each in rows(site, PublicationPicture)] == ["pending"]
    assert len(rows(site, Run)) == 2


def test_others_do_not_see_what_somebody_publishes(site: Site, client: FlaskClient) -> None:
    create(client)
    assert status(site.signed_in(site.user("Ana")).client).status_code == 404


def test_a_picture_that_is_not_made_cannot_be_edited(client: FlaskClient) -> None:
    create(client)
    asked = {"prompt": "Con sombrero", "wp_post_id": 456, "run_id": "prueba-001"}
    assert client.post("/api/images/created_img/edit", json=asked).status_code == 404


def test_an_activity_needs_its_title(client: FlaskClient) -> None:
    answer = client.post("/api/activities", json={"tipo_de_actividad": "lectura"})
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "tema")


# Sites.


def test_a_site_is_added_and_its_secret_never_shown(site: Site, client: FlaskClient) -> None:
    added = client.post("/api/publishing/sites", json=TWINKLE)
    assert added.status_code == 201 and added.json["is_default"]
    assert "muy secreta" not in added.text + client.get("/api/publishing/sites").text
    [row] = rows(site, WordPressSite)
    assert "muy secreta" not in row.secret


def test_a_site_keeps_its_secret_when_something_else_changes(
    site: Site, client: FlaskClient
) -> None:
    client.post("/api/publishing/sites", json=TWINKLE)
    [before] = rows(site, WordPressSite)
    changed = client.patch(f"/api/publishing/sites/{before.id}", json={"endpoint": "productos"})
    assert changed.json["endpoint"] == "productos"
    assert rows(site, WordPressSite)[0].secret == before.secret


def test_a_removed_site_keeps_no_secret_and_gives_its_name_free(
    site: Site, client: FlaskClient
) -> None:
    site_id = client.post("/api/publishing/sites", json=TWINKLE).json["id"]
    assert client.delete(f"/api/publishing/sites/{site_id}").status_code == 204
    assert rows(site, WordPressSite)[0].secret == ""
    assert client.post("/api/publishing/sites", json=TWINKLE).status_code == 201


def test_one_site_at_a_time_is_the_default(client: FlaskClient) -> None:
    client.post("/api/publishing/sites", json=TWINKLE)
    client.post("/api/publishing/sites", json={**TWINKLE, "name": "Otro", "is_default": True})
    listed = client.get("/api/publishing/sites").json["sites"]
    assert {each["name"]: each["is_default"] for each in listed} == {"Otro": True, "Twinkle": False}


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"base_url": "twinkle.example"}, 400, "base_url"),
        ({"way": "cookie"}, 400, "way"),
        ({"secret": ""}, 400, "secret"),
        ({"name": "default"}, 409, "name"),
    ],
)
def test_what_is_wrong_with_a_site_is_named(
    client: FlaskClient, changed: Json, status: int, field: str
) -> None:
    answer = client.post("/api/publishing/sites", json={**TWINKLE, **changed})
    assert (answer.status_code, answer.json["error"]["field"]) == (status, field)


def test_a_site_that_does_not_answer_says_so_in_words(client: FlaskClient) -> None:
    client.post("/api/publishing/sites", json={**TWINKLE, "base_url": "http://127.0.0.1:9"})
    found = client.get("/api/publishing/sites/Twinkle/types").json
    assert found["is_reached"] is False and "WordPress" in found["message"]


def test_only_administrators_set_sites_up(site: Site) -> None:
    member = site.signed_in(site.user("Ana")).client
    assert member.get("/api/publishing/sites").status_code == 403
