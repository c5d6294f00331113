"""Publishing on a real WordPress with a real worker."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from darkroom.publishing import connection
from darkroom.publishing.connection import Shown
from darkroom.settings import WordPressSettings
from tests.sandboxed import Sandboxed

from .conftest import MEDIA, POSTS, Publishing, RealSite

PICTURES = "/openai/v1/images/generations"


@pytest.mark.parametrize("way", ["application", "jwt"])
def test_the_field_holds_the_picture(publishing: Publishing, real_site: RealSite, work, way: str):
    work()
    publisher = publishing(way)
    assert publisher.create().status_code == 200
    done = publisher.settled()
    assert done["status"] == "completed", done
    [media] = real_site.media_of(publisher.post_id)
    said = "Una familia “feliz” & su perro"
    assert (media["alt_text"], media["title"]["raw"], media["post"]) == (
        said,
        said,
        publisher.post_id,
    )
    assert media["caption"]["raw"] == "" and media["missing_image_sizes"] == []
    assert real_site.fields_of(publisher.post_id)["foto"] == media["id"]
    [field] = done["uploaded_fields"]
    assert field == {"field": "foto", "media_id": media["id"], "status": "completed"}
    assert done["post_url"].startswith(real_site.login["url"])


def test_several_pictures_fill_a_gallery_and_an_edit_takes_a_place_in_it(
    publishing: Publishing, real_site: RealSite, work
):
    types = "/api/publishing/sites/Real/types/planessemanales"
    work()
    publisher = publishing()
    publisher.client.put(types, json={"fields": ["foto"], "gallery": "galeria"})
    publisher.create(n=3, wait_for_upload=True)
    one, two, three = real_site.fields_of(publisher.post_id)["galeria"]
    edit = {"prompt": "De noche", "index": 2, "wait_for_upload": True, **publisher.place}
    assert publisher.client.post("/api/images/created_img/edit", json=edit).status_code == 200
    first, edited, third = real_site.fields_of(publisher.post_id)["galeria"]
    assert (first, third) == (one, three) and edited not in (one, two, three)


def test_an_activity_is_written_with_its_fields_and_then_has_its_picture(
    publishing: Publishing, real_site: RealSite, client: FlaskClient, work
):
    work()
    publishing()
    asked = {"tema": 'La "familia" \\ y más', "tipo_de_actividad": "lectura"}
    made = client.post("/api/activities", json=asked)
    assert made.status_code == 201, made.json
    place = {name: made.json[name] for name in ("wp_post_id", "run_id")}
    waited = {"prompt": "Una familia", "wait_for_upload": True, **place}
    assert client.post("/api/images/created_img", json=waited).status_code == 200
    post = real_site.door.post("planessemanales", place["wp_post_id"])
    [media] = real_site.media_of(place["wp_post_id"])
    assert post["acf"]["foto"] == media["id"]
    assert {name: post["acf"][name] for name in asked} == asked
    assert post["status"] == "publish" and made.json["post_url"] == post["link"]


def test_a_worker_killed_while_thumbnails_are_made_leaves_one_attachment(
    publishing: Publishing, real_site: RealSite, sandbox: Sandboxed, work
):
    real_site.order("slow-thumbnails", "20")
    first, publisher = work(), publishing()
    publisher.create()
    publisher.engine.until(lambda: real_site.media_of(publisher.post_id), seconds=60)
    first.kill()
    first.wait()
    work()
    assert publisher.settled()["status"] == "completed"
    [media] = real_site.media_of(publisher.post_id)
    assert real_site.fields_of(publisher.post_id)["foto"] == media["id"]
    assert media["missing_image_sizes"] == [] and sandbox.count(PICTURES) == 1


def test_a_500_after_the_attachment_exists_leaves_one_attachment_with_its_thumbnails(
    publishing: Publishing, real_site: RealSite, work
):
    real_site.order("broken-thumbnails")
    work()
    publisher = publishing()
    publisher.create()
    assert publisher.settled()["status"] == "completed"
    [media] = real_site.media_of(publisher.post_id)
    assert media["missing_image_sizes"] == []
    assert "thumbnail" in media["media_details"]["sizes"]


def test_a_field_that_is_not_there_fails_in_words_and_the_same_upload_serves_a_retry(
    publishing: Publishing, real_site: RealSite, work
):
    work()
    publisher = publishing()
    publisher.create(field="fotografia")
    failed = publisher.settled()
    assert failed["status"] == "failed" and "ignored" in failed["error"]
    assert publisher.retry()["status"] == "failed"
    assert len(real_site.media_of(publisher.post_id)) == 1


def test_a_retry_uploads_again_what_somebody_deleted_meanwhile(
    publishing: Publishing, real_site: RealSite, work
):
    work()
    publisher = publishing()
    publisher.create(field="fotografia")
    publisher.settled()
    [deleted] = real_site.media_of(publisher.post_id)
    real_site.door.call("DELETE", f"{MEDIA}/{deleted['id']}", params={"force": "true"})
    publisher.retry()
    [media] = real_site.media_of(publisher.post_id)
    assert media["id"] > deleted["id"]


def test_a_retry_leaves_alone_the_fields_that_were_written(
    publishing: Publishing, real_site: RealSite, work
):
    types = "/api/publishing/sites/Real/types/planessemanales"
    work()
    publisher = publishing()
    publisher.client.put(types, json={"fields": ["foto", "fotografia"]})
    publisher.create(n=2)
    publisher.settled()
    emptied = {"acf": {"foto": None}}
    real_site.door.update("planessemanales", publisher.post_id, emptied)
    [field] = publisher.retry()["failed_fields"]
    assert field["field"] == "fotografia"
    assert real_site.fields_of(publisher.post_id)["foto"] is None


def test_tokens_that_the_site_no_longer_takes_are_renewed(
    publishing: Publishing, real_site: RealSite, work
):
    work()
    publisher = publishing("jwt")
    publisher.create(wait_for_upload=True)
    real_site.order("jwt-secret", uuid4().hex)
    publisher.create(prompt="Otra", wait_for_upload=True)
    assert publisher.settled()["status"] == "completed"


def test_a_post_that_is_not_there_fails_in_words(publishing: Publishing, real_site: RealSite, work):
    work()
    publisher = publishing()
    real_site.door.call("DELETE", f"{POSTS}/{publisher.post_id}", params={"force": "true"})
    publisher.create()
    failed = publisher.settled()
    assert failed["status"] == "failed" and "See that the post is there" in failed["error"]


def test_who_may_only_read_is_told_what_is_missing(
    publishing: Publishing, real_site: RealSite, work
):
    login = real_site.login
    work()
    publisher = publishing(username=login["reader"], secret=login["reader_app_password"])
    publisher.create()
    assert "Give the user the right" in publisher.settled()["error"]


@pytest.mark.parametrize("way", ["application", "jwt"])
def test_a_wrong_password_is_told_in_words(publishing: Publishing, way: str):
    publisher = publishing(way, secret="guessed")
    found = publisher.client.get("/api/publishing/sites/Real/types").json
    assert found["is_reached"] is False
    assert "user and password of the site" in found["message"]


def test_the_types_of_posts_are_read_from_the_site(publishing: Publishing):
    publisher = publishing()
    found = publisher.client.get("/api/publishing/sites/Real/types").json
    assert found["is_reached"] is True
    assert {"planessemanales", "productos", "posts"} <= set(found["there"])


def test_the_fields_of_a_type_are_read_from_the_site(real_site: RealSite):
    login = real_site.login
    entered = WordPressSettings(login["url"], login["user"], login["password"], None)
    found = connection.shown(entered, "planessemanales")
    assert found.pictures == ["foto", "foto_2", "foto_3"] and found.lists == ["galeria"]
    assert connection.shown(entered, "posts") == Shown([], [], [])
