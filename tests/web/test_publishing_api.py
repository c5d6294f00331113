"""Publishing's API as far as it goes without a worker: requests, sites, who may do what."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from darkroom.accounts.models import User
from darkroom.publishing import requesting
from darkroom.publishing.models import Publication, PublicationPicture, WordPressSite
from darkroom.publishing.requesting import Wish
from darkroom.queue.models import Run

from .conftest import Site
from .test_publishing_pages import made

Json = dict[str, Any]
ASKED = {"prompt": "Una familia", "wp_post_id": 456, "run_id": "prueba-001", "n": 1}
AT_ONCE = {"Prefer": "wait=0"}
STATUS = "/api/images/upload-status?wp_post_id=456&run_id=prueba-001"
RETRY = STATUS.replace("upload-status", "upload-status/retry")
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


def edit(client: FlaskClient, prompt: str, headers: dict[str, str] = AT_ONCE, **more: Any) -> Any:
    sent = {"prompt": prompt, "wp_post_id": 456, "run_id": "prueba-001", **more}
    return client.post("/api/images/created_img/edit", json=sent, headers=headers)


def status(client: FlaskClient) -> Any:
    return client.get(STATUS)


def made_all(site: Site) -> None:
    """Have all pictures there, as the worker would."""
    for publication in rows(site, Publication):
        made(site, publication.id)


def picture_of(site: Site, publication: Publication) -> Any:
    """The picture of an edit."""
    [found] = [
        row for row in rows(site, PublicationPicture) if row.publication_id == publication.id
    ]
    return found


def rows(site: Site, kind: Any) -> list[Any]:
    with site.services.database.session() as session:
        found = list(session.scalars(select(kind)))
        session.expunge_all()
    return found


def cancel(site: Site, open_steps: int = 0) -> None:
    """Cancel all runs that are not over."""
    ended = "UPDATE runs SET status = 'cancelled', finished_at = now(), open_steps = :left"
    with site.services.database.session() as session:
        session.execute(text(f"{ended} WHERE finished_at IS NULL"), {"left": open_steps})


def test_pictures_that_do_not_exist_yet_are_a_202_with_the_run(client: FlaskClient) -> None:
    answer = create(client)
    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    assert answer.json["run_id"] == "prueba-001"
    assert client.get(answer.headers["Location"]).json["status"] == "processing"


def test_open_pages_do_not_take_the_wait_away(site: Site, client: FlaskClient) -> None:
    while site.services.live.streams.enter():
        pass
    assert create(client).headers["Preference-Applied"] == "wait=0"
    while site.services.live.answers.enter():
        pass
    assert "Preference-Applied" not in create(client).headers


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
        ({"run_id": "\ud800"}, "run_id"),
        ({"prompt": "Una \udfff"}, "prompt"),
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
    cancel(site)
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


def test_what_is_still_stopping_is_not_begun_again_beside_it(
    site: Site, client: FlaskClient
) -> None:
    create(client)
    cancel(site, open_steps=1)
    answer = client.post(RETRY)
    assert answer.status_code == 409 and "stopping" in answer.json["error"]["message"]
    assert len(rows(site, Run)) == 1


def test_a_picture_follows_the_steps_of_its_own_run_only(site: Site, client: FlaskClient) -> None:
    create(client)
    cancel(site)
    client.post(RETRY)
    [picture] = rows(site, PublicationPicture)
    first = min(rows(site, Run), key=lambda run: run.created_at)
    with site.services.database.session() as session:
        args = "UPDATE procrastinate_jobs SET args = jsonb_build_object('picture_id', :id)"
        session.execute(text(args.replace(":id", ":id ::text")), {"id": str(picture.id)})
        failed = """UPDATE steps SET name = 'publishing.generate', finished_at = now(),
            error = '{"message": "late"}' WHERE run_id = :run_id"""
        session.execute(text(failed), {"run_id": first.id})
    assert rows(site, PublicationPicture)[0].wp_status == "pending"


# Edits.


def test_an_edit_is_of_the_picture_with_that_number_and_keeps_it(
    site: Site, client: FlaskClient
) -> None:
    create(client, n=3)
    made_all(site)
    first, second, _ = sorted(rows(site, PublicationPicture), key=lambda row: row.index)
    assert edit(client, "Con sombrero", index=2).status_code == 202
    made_all(site)
    edit(client, "De noche", index=1)
    edit(client, "Con paraguas", index=2)
    edits = {row.prompt: row for row in rows(site, Publication) if row.source_id}
    assert edits["De noche"].source_id == first.id
    sombrero = picture_of(site, edits["Con sombrero"])
    assert (sombrero.index, sombrero.field) == (2, second.field)
    assert edits["Con paraguas"].source_id == sombrero.id


def test_a_picture_that_joins_others_has_the_next_number(site: Site, client: FlaskClient) -> None:
    create(client, n=2, field="galeria")
    made_all(site)
    edit(client, "Con sombrero", index=1, mode="join")
    made_all(site)
    edit(client, "De noche", index=2, mode="join")
    edits = {row.prompt: row for row in rows(site, Publication) if row.source_id}
    assert picture_of(site, edits["Con sombrero"]).index == 3
    assert picture_of(site, edits["De noche"]).index == 4


# The same again.


def test_a_request_sent_again_with_its_key_is_not_made_again(
    site: Site, client: FlaskClient
) -> None:
    keyed = {**AT_ONCE, "Idempotency-Key": "one"}
    asked = {"prompt": "Una familia", "wp_post_id": 456}
    first = client.post("/api/images/created_img", json=asked, headers=keyed)
    again = client.post("/api/images/created_img", json=asked, headers=keyed)
    assert again.status_code == 202 and again.json["run_id"] == first.json["run_id"]
    assert len(rows(site, Publication)) == 1
    other = client.post("/api/images/created_img", json={**asked, "n": 2}, headers=keyed)
    assert other.status_code == 409


def test_a_known_request_under_a_new_key_keeps_the_run_it_has(
    site: Site, client: FlaskClient
) -> None:
    create(client)
    keyed = {**AT_ONCE, "Idempotency-Key": "one"}
    for replayed in (None, "true"):
        answer = client.post("/api/images/created_img", json=ASKED, headers=keyed)
        assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (202, replayed)
    assert len(rows(site, Run)) == 1


def test_an_edit_sent_again_with_its_key_is_of_the_same_picture(
    site: Site, client: FlaskClient
) -> None:
    create(client)
    made_all(site)
    keyed = {**AT_ONCE, "Idempotency-Key": "one"}
    assert edit(client, "Con sombrero", headers=keyed).status_code == 202
    made_all(site)
    assert edit(client, "Con sombrero", headers=keyed).status_code == 200
    assert len(rows(site, Publication)) == 2


def test_a_retry_sent_again_with_its_key_begins_one_run(site: Site, client: FlaskClient) -> None:
    create(client)
    for _ in range(2):
        cancel(site)
        answer = client.post(RETRY, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 202
    assert len(rows(site, Run)) == 2


# The same name twice.


def test_a_failure_on_one_site_is_not_hidden_by_another(site: Site, client: FlaskClient) -> None:
    client.post("/api/publishing/sites", json={**TWINKLE, "is_default": False})
    create(client, site="Twinkle")
    cancel(site)
    create(client)
    assert status(client).json["status"] == "processing"
    failed = client.get(f"{STATUS}&site=Twinkle").json
    assert failed["status"] == "failed"
    again = client.post(failed["retry_url"])
    assert again.status_code == 202
    twinkle, own = sorted(rows(site, Publication), key=lambda row: row.created_at)
    runs = {row.id: row.created_at for row in rows(site, Run)}
    assert runs[twinkle.run_id] > runs[own.run_id]


def test_types_of_posts_are_told_apart(client: FlaskClient) -> None:
    create(client, endpoint="productos", field="imagen")
    create(client)
    assert status(client).json["endpoint"] == "planessemanales"
    products = client.get(f"{STATUS}&endpoint=productos").json
    assert [each["field"] for each in products["pending_fields"]] == ["imagen"]


def test_what_different_people_ask_for_is_not_mixed_for_administrators(
    site: Site, client: FlaskClient
) -> None:
    create(client)
    cancel(site)
    wish = Wish(ASKED["prompt"], ASKED["wp_post_id"], ASKED["run_id"])
    with site.database.session() as session:
        ana = session.get_one(User, site.user("Ana").id)
        requesting.publish(session, site.services.settings, ana, wish)
    assert status(client).json["status"] == "processing"
    assert client.post(RETRY).status_code == 409


# Odd input.


@pytest.mark.parametrize("sent", ["\0", "\ud800", {"a": ["\0"]}, {"\udc00": 1}, float("nan")])
def test_what_cannot_be_stored_of_an_activity_is_named(client: FlaskClient, sent: Any) -> None:
    answer = client.post("/api/activities", json={"tema": "La familia", "notas": sent})
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "notas")


def test_a_retry_of_a_list_is_the_callers_mistake(client: FlaskClient) -> None:
    answer = client.post("/api/images/upload-status/retry", json=[1])
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "wp_post_id")


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


def test_a_secret_is_not_shown_to_another_server(site: Site, client: FlaskClient) -> None:
    client.post("/api/publishing/sites", json=TWINKLE)
    [before] = rows(site, WordPressSite)
    address = f"/api/publishing/sites/{before.id}"
    evil = {"base_url": "https://evil.example"}
    answer = client.patch(address, json=evil)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "secret")
    assert rows(site, WordPressSite)[0].base_url == before.base_url
    moved = client.patch(address, json={"base_url": f"{before.base_url}/blog"})
    assert moved.json["base_url"] == "https://twinkle.example/blog"
    assert client.patch(address, json={**evil, "secret": "otra"}).status_code == 200


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
        ({"base_url": "https://["}, 400, "base_url"),
        ({"base_url": "https://ana:secreta@twinkle.example"}, 400, "base_url"),
        ({"name": "T" * 101}, 400, "name"),
        ({"username": "\ud800"}, 400, "username"),
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
