"""WordPress and its custom fields, through our own clients."""

import hashlib
import io
from dataclasses import replace

import pytest
from PIL import Image

from darkroom.errors import DarkroomError, Invalid, NotFound, Permanent, Transient
from darkroom.providers import acf, wordpress
from darkroom.providers.http import Timeouts
from darkroom.providers.pictures import Picture
from darkroom.providers.wordpress import WordPress
from darkroom.settings import Settings
from tests.sandboxed import Sandboxed

from .pictures import photo, product, size_of

DAY = 86_400.0
MEDIA = "/wordpress/demo/wp-json/wp/v2/media"
TOKEN = "/wordpress/demo/wp-json/jwt-auth/v1/token"


@pytest.fixture
def site(sandbox: Sandboxed, chosen: Settings) -> WordPress:
    """The site, by token; client and site have one clock."""
    settings = chosen.providers.wordpress
    made = wordpress.site(settings, Timeouts(total=20))
    made._now = sandbox.clock
    return made


def as_user(chosen: Settings, **who: str | None) -> WordPress:
    return wordpress.site(replace(chosen.providers.wordpress, **who), Timeouts(total=20))


def upload(site: WordPress, picture: Picture | None = None, **fields: str) -> wordpress.Media:
    chosen = picture or photo()
    return site.upload(chosen, wordpress.file_name("Una rosa", chosen), fields)


def test_a_file_is_uploaded_once_and_served(sandbox: Sandboxed, site: WordPress) -> None:
    picture = photo()
    media = upload(site, picture, alt_text="a rose", post="456")
    assert upload(site, picture) == media
    assert sandbox.get(media.url.removeprefix(sandbox.url)).content == picture.data
    assert [entry.method for entry in sandbox.journal(MEDIA)] == ["GET", "POST", "GET"]


def test_a_file_for_a_post_that_is_not_there_is_refused(site: WordPress) -> None:
    with pytest.raises(Permanent, match="See that the post is there"):
        upload(site, post="12345")


def test_thumbnails_are_made(sandbox: Sandboxed, site: WordPress) -> None:
    media = upload(site, photo(product(side=480)[0]))
    found = site.call("GET", f"/wp-json/wp/v2/media/{media.id}").json()
    sizes = found["media_details"]["sizes"]
    assert set(sizes) == {"thumbnail", "medium"}
    small = sandbox.get(sizes["thumbnail"]["source_url"].removeprefix(sandbox.url))
    assert size_of(Picture(small.content, "image/jpeg")) == (150, 150)


def test_a_very_large_picture_is_renamed_and_found_again(site: WordPress) -> None:
    file = io.BytesIO()
    Image.new("RGB", (2600, 40), "green").save(file, "JPEG")
    picture = Picture(file.getvalue(), "image/jpeg")
    media = upload(site, picture)
    assert media.url.endswith("-scaled.jpg")
    assert upload(site, picture) == media


def test_a_raw_body_is_taken_too(site: WordPress) -> None:
    picture = photo()
    headers = {
        "Content-Type": picture.mime,
        "Content-Disposition": 'attachment; filename="raw.jpg"',
        "Content-MD5": hashlib.md5(picture.data).hexdigest(),
    }
    answer = site.call("POST", "/wp-json/wp/v2/media", data=picture.data, headers=headers)
    assert answer.status == 201
    assert answer.headers["Location"].endswith(f"/media/{answer.json()['id']}")
    assert answer.headers["X-WP-Upload-Attachment-ID"] == str(answer.json()["id"])


def test_a_taken_name_gets_a_number(site: WordPress) -> None:
    headers = {"Content-Type": "image/jpeg", "Content-Disposition": 'attachment; filename="a.jpg"'}
    for name in ("a.jpg", "a-1.jpg"):
        answer = site.call("POST", "/wp-json/wp/v2/media", data=photo().data, headers=headers)
        assert answer.json()["source_url"].endswith("/" + name)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-MD5": "0" * 32}, "rest_upload_hash_mismatch"),
        ({"Content-MD5": hashlib.md5(photo().data).hexdigest().upper()}, "rest_upload_hash_mism"),
        ({"Content-Disposition": ""}, "rest_upload_no_content_disposition"),
        ({"Content-Disposition": "inline"}, "rest_upload_invalid_disposition"),
        ({"Content-Disposition": 'attachment; filename="a.exe"'}, "rest_upload_unknown_error"),
    ],
)
def test_a_wrong_upload_is_not_taken(site: WordPress, headers: dict[str, str], code: str) -> None:
    usual = {"Content-Type": "image/jpeg", "Content-Disposition": 'attachment; filename="a.jpg"'}
    with pytest.raises(DarkroomError, match=code):
        site.call("POST", "/wp-json/wp/v2/media", data=photo().data, headers={**usual, **headers})


def test_a_caption_is_made_of_the_metadata(site: WordPress) -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "shot by a phone"
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)
    media = upload(site, Picture(file.getvalue(), "image/jpeg"))
    found = site.call("GET", f"/wp-json/wp/v2/media/{media.id}").json()
    assert found["caption"]["rendered"] == "shot by a phone"


def test_an_upload_that_ends_in_5xx_is_finished_and_not_repeated(
    sandbox: Sandboxed, site: WordPress
) -> None:
    sandbox.fault(MEDIA, "unfinished", after=1, status=504)
    media = upload(site, photo(product()[0]))
    assert sandbox.count(f"{MEDIA}/{media.id}/post-process") == 1
    assert [entry.method for entry in sandbox.journal(MEDIA)] == ["GET", "POST"]
    shown = site.call("GET", f"/wp-json/wp/v2/media/{media.id}", params={"context": "edit"}).json()
    assert shown["missing_image_sizes"] == []


def test_an_upload_whose_answer_was_cut_is_found_again(sandbox: Sandboxed, site: WordPress) -> None:
    sandbox.fault(MEDIA, "cut", after=1)
    with pytest.raises(Transient):
        upload(site)
    media = upload(site)
    assert [entry.method for entry in sandbox.journal(MEDIA)] == ["GET", "POST", "GET"]
    assert media.id


# Who is let in.


def test_one_token_lasts_for_days(sandbox: Sandboxed, site: WordPress) -> None:
    site.types()
    sandbox.advance(6 * DAY)
    site.types()
    assert sandbox.count(TOKEN) == 1
    sandbox.advance(0.995 * DAY)
    site.types()
    assert sandbox.count(TOKEN) == 2


def test_a_token_that_the_site_refuses_is_renewed(sandbox: Sandboxed, site: WordPress) -> None:
    site.types()
    site._now = lambda: sandbox.clock.now - 8 * DAY
    sandbox.advance(8 * DAY)
    site.types()
    assert sandbox.count(TOKEN) == 2


def test_a_token_may_be_refused_for_no_reason(sandbox: Sandboxed, site: WordPress) -> None:
    site.types()
    sandbox.fault("/wordpress/*/types", "expired")
    site.types()
    assert sandbox.count(TOKEN) == 2


def test_a_wrong_password_is_permanent(chosen: Settings) -> None:
    for wrong in ({"password": "guess"}, {"user": "nobody"}):
        with pytest.raises(Permanent, match="jwt_auth"):
            as_user(chosen, **wrong).types()


def test_an_application_password_needs_no_token(sandbox: Sandboxed, chosen: Settings) -> None:
    assert upload(as_user(chosen, app_password="sand box")).id
    assert sandbox.count(TOKEN) == 0
    with pytest.raises(Permanent, match="took us for nobody"):
        as_user(chosen, app_password="guess").types()


def test_who_may_not_upload_is_told_so(chosen: Settings) -> None:
    reader = as_user(chosen, user="reader", password="reader")
    headers = {"Content-Disposition": 'attachment; filename="a.jpg"', "Content-Type": "image/jpeg"}
    with pytest.raises(Permanent, match="rest_cannot_create"):
        reader.call("POST", "/wp-json/wp/v2/media", data=photo().data, headers=headers)
    assert reader.call("GET", "/wp-json/wp/v2/users/me").json()["slug"] == "reader"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("limit", Transient),
        ("error", Transient),
        ("malformed", Transient),
        ("cut", Transient),
        ("forbidden", Permanent),
    ],
)
def test_each_fault_is_its_documented_error(
    sandbox: Sandboxed, site: WordPress, kind: str, error: type[DarkroomError]
) -> None:
    sandbox.fault(MEDIA, kind, after=1)
    with pytest.raises(error):
        upload(site)


# Posts and their fields.


def test_the_types_name_their_places(site: WordPress) -> None:
    assert site.types()["post"].rest_base == "posts"
    assert site.types()["planessemanales"].rest_base == "planessemanales"


def test_a_post_is_changed(site: WordPress) -> None:
    assert site.post("posts", 12)["link"].endswith("/posts/actividad-12")
    site.update("posts", 12, {"title": "Otra cosa", "status": "draft"})
    assert site.post("posts", 12)["title"]["rendered"] == "Otra cosa"


def test_a_post_is_written_found_and_deleted(site: WordPress) -> None:
    made = site.call("POST", "/wp-json/wp/v2/productos", json={"title": "Maceta"}).json()
    path = "/wp-json/wp/v2/productos"
    [found] = site.call("GET", path, params={"search": "maceta"}).json()
    assert found["id"] == made["id"]
    site.call("DELETE", f"{path}/{made['id']}")
    with pytest.raises(NotFound):
        site.post("productos", made["id"])


def test_what_is_not_there_is_not_found(site: WordPress) -> None:
    with pytest.raises(NotFound):
        site.post("posts", 99_999)
    with pytest.raises(Permanent):
        site.post("nothing", 1)


def test_a_field_is_written_and_read_back(site: WordPress) -> None:
    media = upload(site)
    link = acf.write(site, "planessemanales", 456, {"foto": media.id})
    assert link.endswith("/planessemanales/actividad-456")
    assert site.post("planessemanales", 456)["acf"]["foto"] == media.id


@pytest.mark.parametrize("field", ["fotografia", "interno"])
def test_a_field_that_is_ignored_silently_is_noticed(site: WordPress, field: str) -> None:
    media = upload(site)
    with pytest.raises(Permanent, match=field):
        acf.write(site, "planessemanales", 456, {field: media.id})


def test_a_field_takes_no_file_that_is_not_there(site: WordPress) -> None:
    with pytest.raises(Invalid):
        acf.write(site, "planessemanales", 456, {"foto": 77})


def test_sites_are_apart(sandbox: Sandboxed, chosen: Settings, site: WordPress) -> None:
    upload(site)
    other = as_user(chosen, base_url=f"{sandbox.url}/wordpress/other")
    assert other.find(wordpress.file_name("Una rosa", photo())) is None
