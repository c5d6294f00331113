"""The pages of publishing without scripts: ask, follow, change, retry, history, posts, sites."""

import io
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import func, select, text

from darkroom.accounts.models import User
from darkroom.publishing.models import (
    Activity,
    PostTypeRow,
    Publication,
    PublicationPicture,
    WordPressSite,
)
from darkroom.queue.models import Run
from darkroom.storage import assets
from darkroom.storage.assets import StoredFile
from tests.sandboxed import Sandboxed

from .conftest import Site, Visitor

Json = dict[str, Any]
ASKED = {"prompt": "Una familia en el parque", "wp_post_id": "456", "n": "1"}
IGNORED = (
    "WordPress took the fields foto of planessemanales 456 and ignored them. Check their names, "
    "and that their field group is shown in the REST API."
)


def asked(visitor: Visitor, **changed: str) -> UUID:
    """A request that was sent by the form: its publication's id."""
    sent = {**ASKED, **changed}
    answer = visitor.send("/publish", page="/publish", **sent)
    assert answer.status_code == 303, answer.text
    return UUID(answer.location.rpartition("/")[2].partition("#")[0])


def rows(site: Site, kind: Any) -> list[Any]:
    with site.database.session() as db:
        found = list(db.scalars(select(kind).order_by(kind.id)))
        db.expunge_all()
    return found


def made(site: Site, publication_id: UUID, **fields: Any) -> None:
    """Write what the worker would: the pictures are generated; `fields` says how far they got."""
    with site.database.session() as db:
        query = select(PublicationPicture).filter_by(publication_id=publication_id)
        for row in db.scalars(query):
            row.asset_id = _stored(site, db, row)
            row.model, row.is_sandbox = "gpt-image-2", True
            for name, value in fields.items():
                setattr(row, name, value)


def _stored(site: Site, db: Any, row: PublicationPicture) -> UUID:
    file, key = io.BytesIO(), f"publishing/{row.publication_id}/{row.id}.jpg"
    Image.new("RGB", (640, 640), "green").save(file, "JPEG")
    file.seek(0)
    site.services.store.put(key, file, "image/jpeg")
    stored = StoredFile("0" * 64, 10, "image/jpeg", 640, 640, key, site.services.store.bucket)
    owner_id = db.get_one(Publication, row.publication_id).owner_id
    return assets.record(db, owner_id, stored).id


def ended(site: Site, status: str = "completed") -> None:
    """End all runs."""
    with site.database.session() as db:
        for run in db.scalars(select(Run)):
            run.status, run.finished_at, run.open_steps = status, func.now(), 0


def failed(site: Site, visitor: Visitor) -> UUID:
    """A request whose picture did not get into its field."""
    publication_id = asked(visitor)
    made(site, publication_id, wp_status="failed", error=IGNORED, media_id=1, copy_url="http://x/")
    ended(site, "failed")
    return publication_id


def standings(page: str) -> list[str]:
    """How the stages stand that a page shows."""
    return [part.partition('"')[0] for part in page.split('data-standing="')[1:]]


# Ask.


def test_a_request_leads_to_its_page_which_follows_it(site: Site, visitor: Visitor) -> None:
    page = visitor.get(f"/publish/{asked(visitor)}").text
    assert "Post 456" in page and ASKED["prompt"] in page
    [run] = rows(site, Run)
    assert f"/runs/{run.id}/events" in page
    assert standings(page) == ["waiting", "later", "later", "later"]


def test_the_form_sent_twice_is_one_request(site: Site, visitor: Visitor) -> None:
    assert asked(visitor, run_id="a") == asked(visitor, run_id="a")
    assert len(rows(site, Run)) == 1


def test_every_form_makes_a_request_of_its_own(site: Site, visitor: Visitor) -> None:
    pages = [visitor.get("/publish").text for _ in range(2)]
    ids = {page.split('name="run_id" value="')[1].partition('"')[0] for page in pages}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"prompt": " "}, "prompt must say what is to be seen."),
        ({"wp_post_id": "abc"}, "wp_post_id must be a whole number"),
        ({"n": "4"}, "4 pictures do not fit"),
    ],
)
def test_what_cannot_be_used_is_said_in_the_form_which_keeps_the_rest(
    site: Site, visitor: Visitor, changed: dict[str, str], said: str
) -> None:
    field = {"field": "foto_3"} if "n" in changed else {}
    answer = visitor.send(
        "/publish", page="/publish", run_id="mine", **{**ASKED, **field, **changed}
    )
    assert answer.status_code == 400
    assert said in answer.text and 'value="mine"' in answer.text
    assert rows(site, Publication) == []


def test_who_may_only_look_is_offered_no_form(site: Site) -> None:
    viewer = site.signed_in(site.user("Eva", "viewer"))
    assert "Make and publish" not in viewer.get("/publish").text


def test_pictures_go_to_the_type_that_was_chosen(site: Site, visitor: Visitor) -> None:
    with site.database.session() as db:
        db.add(PostTypeRow(endpoint="productos", fields=["imagen"]))
    assert "imagen" in visitor.get("/publish?to=0-productos").text
    asked(visitor, to="0-productos")
    [publication] = rows(site, Publication)
    assert (publication.endpoint, publication.field) == ("productos", "imagen")


def test_where_there_is_no_bucket_a_copy_is_no_stage(site: Site, visitor: Visitor) -> None:
    with site.database.session() as db:
        row = WordPressSite(name="Twinkle", base_url="https://twinkle.example", username="ana")
        row.way, row.secret, row.endpoint = "jwt", "", "planessemanales"
        db.add(row)
        db.flush()
        to = f"{row.id}-planessemanales"
    page = visitor.get(f"/publish/{asked(visitor, to=to)}").text
    assert standings(page) == ["waiting", "later", "later"]


def test_where_nothing_is_published_any_more_nothing_goes_elsewhere(
    site: Site, visitor: Visitor
) -> None:
    for path, sent in (("/publish", ASKED), ("/publish/posts", {"field-tema": "La familia"})):
        assert visitor.send(path, page="/publish", to="9-productos", **sent).status_code == 404
    assert rows(site, Publication) == rows(site, Activity) == []


# Follow.


def test_each_picture_shows_how_far_it_is_with_its_links(site: Site, visitor: Visitor) -> None:
    publication_id = asked(visitor, n="2")
    url = "https://example.org/familia.jpg"
    made(site, publication_id, wp_status="uploading", media_id=77, media_url=url)
    page = visitor.get(f"/publish/{publication_id}").text
    assert standings(page) == ["done", "done", "waiting", "later"] * 2
    assert f'<a href="{url}" target="_blank" rel="noopener noreferrer">file 77</a>' in page
    assert "SANDBOX" in page


def test_an_address_that_is_none_of_the_web_is_no_link(site: Site, visitor: Visitor) -> None:
    publication_id = asked(visitor)
    made(site, publication_id, media_id=77, media_url="javascript:alert(1)")
    assert "javascript:" not in visitor.get(f"/publish/{publication_id}").text


def test_a_failure_says_why_and_a_retry_goes_on(site: Site, visitor: Visitor) -> None:
    publication_id = failed(site, visitor)
    page = visitor.get(f"/publish/{publication_id}").text
    assert standings(page) == ["done", "done", "done", "failed"]
    assert "1 picture did not get to its post." in page and "ignored them" in page
    answer = visitor.send(f"/publish/{publication_id}/retry", page="/publish")
    assert answer.status_code == 303
    assert [row.wp_status for row in rows(site, PublicationPicture)] == ["pending"]
    assert len(rows(site, Run)) == 2


def test_a_picture_is_changed_by_a_new_prompt_on_the_same_page(
    site: Site, visitor: Visitor
) -> None:
    publication_id = asked(visitor)
    made(site, publication_id, wp_status="completed", media_id=1)
    [source] = rows(site, PublicationPicture)
    path = f"/publish/pictures/{source.id}/edit"
    answer = visitor.send(path, page="/publish", prompt="Con un perro")
    there = visitor.get(answer.location, follow_redirects=True)
    assert there.request.path == f"/publish/{publication_id}"
    assert "Con un perro" in there.text and ASKED["prompt"] in there.text
    assert "A later picture has taken its place in the field." in there.text


def test_only_a_picture_of_a_gallery_may_be_joined(site: Site, visitor: Visitor) -> None:
    single, gallery = asked(visitor), asked(visitor, field="galeria")
    made(site, single), made(site, gallery)
    assert 'value="join"' not in visitor.get(f"/publish/{single}").text
    assert 'value="join"' in visitor.get(f"/publish/{gallery}").text


def test_others_see_nothing_of_it(site: Site, visitor: Visitor) -> None:
    publication_id = failed(site, visitor)
    [picture] = rows(site, PublicationPicture)
    other = site.signed_in(site.user("Ana"))
    assert other.get(f"/publish/{publication_id}").status_code == 404
    assert other.get(f"/publish/pictures/{picture.id}/small").status_code == 404
    for path in (f"/publish/{publication_id}/retry", f"/publish/pictures/{picture.id}/edit"):
        assert other.send(path, page="/publish", prompt="x").status_code == 404
    assert "Una familia" not in other.get("/publish/history").text


def test_runs_lead_to_their_post_with_a_reduced_picture(site: Site, visitor: Visitor) -> None:
    publication_id = asked(visitor)
    made(site, publication_id)
    page = visitor.get("/runs").text
    assert f'href="/publish/{publication_id}"' in page and "Post 456" in page
    [picture] = rows(site, PublicationPicture)
    assert f"/publish/pictures/{picture.id}/small" in page
    small = visitor.get(f"/publish/pictures/{picture.id}/small")
    assert max(Image.open(io.BytesIO(small.data)).size) == 480


# History.


def test_the_history_is_filtered_by_what_was_said_where_and_how_it_stands(
    site: Site, visitor: Visitor
) -> None:
    made(site, asked(visitor), wp_status="completed", media_id=1)
    asked(visitor, prompt="Un perro al 100 %", wp_post_id="789")

    def listed(query: str) -> list[str]:
        page = visitor.get(f"/publish/history?{query}").text
        return [said for said in ("familia", "perro") if f"n {said}" in page or f"a {said}" in page]

    assert listed("") == ["familia", "perro"]
    assert listed("q=FAMILIA") == listed("q=456") == listed("state=completed") == ["familia"]
    assert listed("q=100 %25") == listed("q=789") == listed("state=processing") == ["perro"]
    assert listed("state=failed") == listed("q=_") == []
    assert listed("site=0") == ["familia", "perro"] and listed("site=7") == []


def test_a_state_that_there_is_not_is_said(visitor: Visitor) -> None:
    answer = visitor.get("/publish/history?state=lost")
    assert answer.status_code == 400 and "There is no such state." in answer.text


def test_the_history_goes_on_page_by_page(site: Site, visitor: Visitor) -> None:
    for number in range(1, 26):
        asked(visitor, wp_post_id=str(number))
    first = visitor.get("/publish/history").text
    assert "Post 25 " in first and "Post 1 " not in first
    older = first.split('rel="next" href="')[1].partition('"')[0].replace("&amp;", "&")
    second = visitor.get(older).text
    assert "Post 1 " in second and "Post 25 " not in second


# New posts.


def test_a_new_post_leads_to_its_pictures(site: Site, visitor: Visitor) -> None:
    sent = {"field-tema": "La familia", "more": "tipo_de_actividad = lectura\n"}
    answer = visitor.send("/publish/posts", page="/publish/posts", **sent)
    [activity] = rows(site, Activity)
    assert activity.fields == {"tema": "La familia", "tipo_de_actividad": "lectura"}
    with site.database.session() as db:
        db.get_one(Activity, activity.id).wp_post_id = 12
    ended(site)
    page = visitor.get(answer.location).text
    target = page.split('class="btn btn-primary" href="')[1].partition('"')[0]
    form = visitor.get(target.replace("&amp;", "&")).text
    assert 'name="wp_post_id" type="text" inputmode="numeric" pattern="[0-9]+" value="12"' in form
    assert f'name="run_id" value="{activity.client_run_id}"' in form


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"field-tema": ""}, "tema must say what the post is about."),
        ({"field-tema": "x", "more": "lectura"}, "Write one field a line"),
    ],
)
def test_a_post_without_what_it_needs_is_not_written(
    site: Site, visitor: Visitor, sent: dict[str, str], said: str
) -> None:
    answer = visitor.send("/publish/posts", page="/publish/posts", **sent)
    assert answer.status_code == 400 and said in answer.text
    assert rows(site, Activity) == []


def test_a_post_that_was_not_written_says_why(site: Site, visitor: Visitor) -> None:
    visitor.send("/publish/posts", page="/publish/posts", **{"field-tema": "La familia"})
    error = '{"message": "WordPress cannot be reached: no route."}'
    with site.database.session() as db:
        ends = "UPDATE runs SET status = 'failed', finished_at = now(), error = cast(:e AS jsonb)"
        db.execute(text(ends), {"e": error})
    [activity] = rows(site, Activity)
    page = visitor.get(f"/publish/posts/{activity.id}").text
    assert "The post was not written." in page and "no route" in page and "Try again" in page


# Sites.


@pytest.fixture
def twinkle(sandbox: Sandboxed) -> Json:
    """What the form says of a site of the sandbox."""
    return {
        "name": "Twinkle",
        "base_url": f"{sandbox.url}/wordpress/twinkle",
        "username": "sandbox",
        "way": "application",
        "secret": "sandbox",
        "endpoint": "productos",
    }


def added(visitor: Visitor, twinkle: Json) -> str:
    """The page of the site that was added by the form."""
    answer = visitor.send("/publish/sites", page="/publish/sites", **twinkle)
    assert answer.status_code == 303, answer.text
    return urljoin("/", answer.location)


def test_a_site_is_added_and_its_password_shown_nowhere(
    site: Site, visitor: Visitor, twinkle: Json
) -> None:
    path = added(visitor, {**twinkle, "secret": "muy secreta"})
    assert "muy secreta" not in visitor.get(path).text + visitor.get("/publish/sites").text
    refused = visitor.send(
        "/publish/sites", page="/publish/sites", **{**twinkle, "secret": "otra mas"}
    )
    assert refused.status_code == 409 and "otra mas" not in refused.text


def test_a_site_changes_and_keeps_the_password_that_is_not_given(
    site: Site, visitor: Visitor, twinkle: Json
) -> None:
    path = added(visitor, twinkle)
    [before] = rows(site, WordPressSite)
    visitor.send(path, page=path, **{**twinkle, "name": "Otro", "secret": ""})
    [after] = rows(site, WordPressSite)
    assert (after.name, after.secret) == ("Otro", before.secret)


def test_a_removed_site_is_offered_no_more(site: Site, visitor: Visitor, twinkle: Json) -> None:
    path = added(visitor, twinkle)
    assert "Twinkle" in visitor.get("/publish").text
    visitor.send(f"{path}/remove", page=path)
    assert "Twinkle" not in visitor.get("/publish").text
    assert visitor.get(path).status_code == 404


def test_a_connection_that_works_shows_the_types_to_be_set_up(
    visitor: Visitor, twinkle: Json
) -> None:
    path = added(visitor, twinkle)
    page = visitor.send(f"{path}/test", page=path).text
    assert "It works." in page and "lets sandbox in" in page
    assert f'href="{path}/types/new?type=planessemanales&amp;read=1"' in page
    assert "type=media" not in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"secret": "wrong"}, "WordPress answered 401"),
        ({"base_url": "http://127.0.0.1:9"}, "reached"),
    ],
)
def test_a_connection_that_does_not_work_says_why(
    visitor: Visitor, twinkle: Json, changed: Json, said: str
) -> None:
    path = added(visitor, {**twinkle, **changed})
    page = visitor.send(f"{path}/test", page=path).text
    assert "It does not work." in page and said in page


def test_the_fields_of_a_type_are_set_up_changed_and_removed(site: Site, visitor: Visitor) -> None:
    path, new = "/publish/sites/0/types/productos", "/publish/sites/0/types/new"
    sent = {"fields": "foto, foto_2", "gallery": "", "title_from": "tema", "status": "draft"}
    visitor.send(new, page=new, endpoint="productos", texts="precio = price", **sent)
    [_, row] = rows(site, PostTypeRow)
    assert (row.fields, row.gallery, row.texts) == (["foto", "foto_2"], None, {"precio": "price"})
    assert "precio = price" in visitor.get(path).text
    visitor.send(path, page=path, **{**sent, "gallery": "galeria"})
    assert rows(site, PostTypeRow)[1].gallery == "galeria"
    visitor.send(f"{path}/remove", page=path)
    assert len(rows(site, PostTypeRow)) == 1


def test_a_type_is_filled_in_with_the_fields_that_its_site_shows(
    visitor: Visitor, twinkle: Json
) -> None:
    path = added(visitor, twinkle)
    page = visitor.get(f"{path}/types/new?type=planessemanales&read=1").text
    assert 'value="foto, foto_2, foto_3"' in page and 'value="galeria"' in page
    assert "descripcion, tema, tipo_de_actividad" in page


def test_fields_of_a_type_that_is_set_up_are_shown_beside_what_was_chosen(
    visitor: Visitor, twinkle: Json
) -> None:
    path = added(visitor, twinkle)
    sent = {"endpoint": "productos", "fields": "imagen", "title_from": "sku", "status": "draft"}
    visitor.send(f"{path}/types/new", page=f"{path}/types/new", **sent)
    assert "Read the fields from the site" in visitor.get(f"{path}/types/productos").text
    page = visitor.get(f"{path}/types/productos?read=1").text
    assert 'value="imagen"' in page and "sku, precio" in page


@pytest.mark.parametrize(
    ("type", "changed", "said"),
    [
        ("pages", {}, "shows no custom fields of this type"),
        ("nada", {}, "rest_no_route"),
        ("../users", {}, "endpoint must be a post type"),
        ("productos", {"base_url": "http://127.0.0.1:9"}, "reached"),
    ],
)
def test_fields_that_cannot_be_read_say_why(
    visitor: Visitor, twinkle: Json, type: str, changed: Json, said: str
) -> None:
    path = added(visitor, {**twinkle, **changed})
    page = visitor.get(f"{path}/types/new", query_string={"type": type, "read": "1"})
    assert page.status_code == 200 and said in page.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"endpoint": ""}, "Name the type of post"),
        ({"fields": " "}, "fields must list"),
        ({"texts": "precio"}, "Write one field a line"),
    ],
)
def test_what_is_wrong_with_a_type_is_said_in_its_form(
    site: Site, visitor: Visitor, changed: Json, said: str
) -> None:
    new = "/publish/sites/0/types/new"
    sent = {"endpoint": "productos", "fields": "foto", "title_from": "tema", "status": "publish"}
    answer = visitor.send(new, page=new, **{**sent, **changed})
    assert answer.status_code == 400 and said in answer.text
    assert len(rows(site, PostTypeRow)) == 1


def test_sites_are_for_administrators(site: Site) -> None:
    member: User = site.user("Ana")
    visitor = site.signed_in(member)
    assert visitor.get("/publish/sites").status_code == 403
    assert "/publish/sites" not in visitor.get("/publish").text
