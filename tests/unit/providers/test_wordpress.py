import base64
import hashlib
import json
import threading

import pytest

from darkroom.errors import DarkroomError, Invalid, NotFound, Permanent, Transient
from darkroom.providers import acf, wordpress
from darkroom.providers.http import Timeouts
from darkroom.providers.pictures import Picture
from darkroom.providers.wordpress import Media, WordPress
from darkroom.settings import WordPressSettings
from tests.engine.service import Service

NOW = 1_000_000.0
WEEK = 7 * 86400
PHOTO = Picture(b"\xff\xd8\xffphoto", "image/jpeg")
NAME = wordpress.file_name("Ficus Lyráta", PHOTO)
URL = f"https://site.example/wp-content/uploads/2026/11/{NAME}"
CREATED = {"id": 1234, "source_url": URL}


def token(ends_at: float, name: str = "a") -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends_at, "n": name}).encode()).decode()
    return f"head.{claims.rstrip('=')}.tail"


def login(ends_at: float = NOW + WEEK, name: str = "a"):
    who = {"user_email": "a@b.c", "user_nicename": "ana", "user_display_name": "Ana"}
    return {"token": token(ends_at, name)} | who


def error(code: str, status: int, message: str = "Sorry."):
    return {"code": code, "message": message, "data": {"status": status}}


@pytest.fixture
def by_password(service: Service) -> WordPress:
    chosen = WordPressSettings(service.url, "ana", app_password="abcd efgh")
    return wordpress.site(chosen, Timeouts(total=10))


@pytest.fixture
def by_token(service: Service) -> WordPress:
    chosen = WordPressSettings(service.url, "ana", "secret-word")
    site = wordpress.site(chosen, Timeouts(total=10))
    site._now = lambda: NOW
    return site


def paths(service: Service) -> list[str]:
    return [f"{heard.method} {heard.path.partition('?')[0]}" for heard in service.heard]


JWT = "POST /wp-json/jwt-auth/v1/token"
TYPES = "GET /wp-json/wp/v2/types"
MEDIA = "/wp-json/wp/v2/media"


# Ways in.


def test_an_application_password_is_basic_auth(service: Service, by_password: WordPress) -> None:
    by_password.types()
    expected = "Basic " + base64.b64encode(b"ana:abcd efgh").decode()
    assert service.last.headers["Authorization"] == expected


def test_a_token_is_asked_for_once(service: Service, by_token: WordPress) -> None:
    service.will(200, login())
    by_token.types()
    by_token.types()
    assert paths(service) == [JWT, TYPES, TYPES]
    assert service.heard[0].json == {"username": "ana", "password": "secret-word"}
    assert service.last.headers["Authorization"] == f"Bearer {token(NOW + WEEK)}"


def test_a_token_is_renewed_before_it_ends(service: Service, by_token: WordPress) -> None:
    service.will(200, login(NOW + wordpress.MARGIN_SECONDS - 1)).will(200, {}).will(200, login())
    by_token.types()
    by_token.types()
    assert paths(service) == [JWT, TYPES, JWT, TYPES]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "jwt_auth_invalid_token"),
        (403, "jwt_auth_bad_iss"),
        (403, "jwt_auth_no_auth_header"),
        (401, "rest_not_logged_in"),
    ],
)
def test_a_token_that_is_refused_is_renewed_and_the_call_made_again(
    service: Service, by_token: WordPress, status: int, code: str
) -> None:
    service.will(200, login()).will(status, error(code, status)).will(200, login(name="b"))
    by_token.types()
    assert paths(service) == [JWT, TYPES, JWT, TYPES]
    assert service.last.headers["Authorization"] == f"Bearer {token(NOW + WEEK, 'b')}"


def test_a_token_that_is_refused_twice_is_given_up(service: Service, by_token: WordPress) -> None:
    refused = error("jwt_auth_invalid_token", 403)
    service.will(200, login()).will(403, refused).will(200, login(name="b")).will(403, refused)
    with pytest.raises(Permanent, match="DARKROOM_WORDPRESS_USER"):
        by_token.types()
    assert len(service.heard) == 4


def test_a_wrong_password_is_a_403_in_words(service: Service, by_token: WordPress) -> None:
    said = "<strong>Error:</strong> The password is <a href='x'>incorrect</a>."
    service.will(403, error("[jwt_auth] incorrect_password", 403, said))
    with pytest.raises(Permanent, match=r"Error: The password is incorrect") as caught:
        by_token.types()
    assert "secret-word" not in caught.value.message


def test_many_calls_at_once_ask_for_one_token(service: Service, by_token: WordPress) -> None:
    service.will(200, login())
    threads = [threading.Thread(target=by_token.types) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths(service).count(JWT) == 1


# Media.


def test_a_file_s_name_is_plain_and_holds_its_content_s_hash() -> None:
    digest = hashlib.sha256(PHOTO.data).hexdigest()[:16]
    assert f"ficus-lyrata-{digest}.jpg" == NAME
    assert wordpress.file_name("!?", Picture(b"x", "image/png")).startswith("picture-")
    assert wordpress.file_name("Ficus Lyráta", Picture(b"x", "image/jpeg")) != NAME


def test_a_file_goes_up_whole_with_what_belongs_to_it(
    service: Service, by_password: WordPress
) -> None:
    service.will(200, []).will(201, CREATED, Location=f"{service.url}{MEDIA}/1234")
    found = by_password.upload(PHOTO, NAME, {"alt_text": "A fern", "post": "456"})
    assert found == Media(1234, URL)
    heard = service.last
    assert heard.headers["Content-MD5"] == hashlib.md5(PHOTO.data).hexdigest()
    assert f'name="file"; filename="{NAME}"'.encode() in heard.body
    assert b'name="alt_text"\r\n\r\nA fern' in heard.body
    assert b'name="post"\r\n\r\n456' in heard.body


@pytest.mark.parametrize("url", [URL, URL.replace(".jpg", "-scaled.jpg")])
def test_a_file_that_is_there_is_not_sent_again(
    service: Service, by_password: WordPress, url: str
) -> None:
    other = {"id": 1, "source_url": "https://site.example/other.jpg"}
    service.will(200, [other, {"id": 9, "source_url": url}])
    assert by_password.upload(PHOTO, NAME) == Media(9, url)
    assert paths(service) == [f"GET {MEDIA}"]
    assert f"search={NAME.rpartition('.')[0]}" in service.last.path


def test_what_is_there_without_its_thumbnails_gets_them(
    service: Service, by_password: WordPress
) -> None:
    service.will(200, [CREATED | {"missing_image_sizes": ["large"]}]).will(200, CREATED)
    assert by_password.upload(PHOTO, NAME) == Media(1234, URL)
    assert paths(service) == [f"GET {MEDIA}", f"POST {MEDIA}/1234/post-process"]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_upload_that_broke_at_the_thumbnails_is_not_sent_again(
    service: Service, by_password: WordPress, status: int
) -> None:
    service.will(200, []).will(status, b"", X_WP_Upload_Attachment_ID="1234").will(200, CREATED)
    assert by_password.upload(PHOTO, NAME) == Media(1234, URL)
    assert paths(service)[1:] == [f"POST {MEDIA}", f"POST {MEDIA}/1234/post-process"]
    assert service.last.json == {"action": "create-image-subsizes"}


def test_an_upload_that_broke_before_is_tried_again(
    service: Service, by_password: WordPress
) -> None:
    service.will(200, []).will(502, b"<html>Bad gateway</html>")
    with pytest.raises(Transient):
        by_password.upload(PHOTO, NAME)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (412, "rest_upload_hash_mismatch", Transient),
        (400, "rest_cannot_create", Permanent),
        (401, "rest_cannot_create", Permanent),
        (401, "rest_not_logged_in", Permanent),
        (404, "rest_no_route", Permanent),
        (404, "rest_post_invalid_id", NotFound),
        (400, "rest_upload_sideload_error", Invalid),
        (413, "", Invalid),
        (429, "", Transient),
        (503, "", Transient),
    ],
)
def test_refusals_are_read(
    service: Service, by_password: WordPress, status: int, code: str, kind: type[DarkroomError]
) -> None:
    service.will(200, []).will(status, error(code, status))
    with pytest.raises(DarkroomError) as caught:
        by_password.upload(PHOTO, NAME)
    assert type(caught.value) is kind
    assert caught.value.http_status == status


def test_to_be_taken_for_nobody_is_not_taken_for_an_old_token(
    service: Service, by_token: WordPress
) -> None:
    service.will(200, login()).will(200, []).will(401, error("rest_cannot_create", 401))
    with pytest.raises(Permanent, match="took us for nobody"):
        by_token.upload(PHOTO, NAME)
    assert paths(service).count(JWT) == 1


# Types and fields.


def test_types_say_where_their_posts_are(service: Service, by_password: WordPress) -> None:
    service.will(200, {"plan": {"slug": "plan", "rest_base": "planessemanales"}})
    assert by_password.types()["plan"].rest_base == "planessemanales"


def test_fields_are_written_and_read_back(service: Service, by_password: WordPress) -> None:
    service.will(200, {"id": 456}).will(200, {"link": "https://x/", "acf": {"foto": 1234, "b": ""}})
    assert acf.write(by_password, "planessemanales", 456, {"foto": 1234}) == "https://x/"
    first, second = service.heard
    assert (first.path, first.json) == (
        "/wp-json/wp/v2/planessemanales/456",
        {"acf": {"foto": 1234}},
    )
    assert second.method == "GET"


@pytest.mark.parametrize("held", [{}, {"foto": 1}, {"foto": None}, {"foto": False}, [], None])
def test_fields_that_were_ignored_are_named(
    service: Service, by_password: WordPress, held: object
) -> None:
    service.will(200, {"id": 456}).will(200, {"acf": held})
    with pytest.raises(Permanent, match=r"the fields foto of pages 456 and ignored"):
        acf.write(by_password, "pages", 456, {"foto": 1234})


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (1234, "1234"),
        (1234, {"ID": 1234, "url": "x"}),
        (1234, {"id": 1234}),
        ([1, 2], ["1", {"ID": 2}]),
        ("", None),
        (None, False),
        ({"a": 1}, {"a": "1", "b": 2}),
    ],
)
def test_a_field_may_be_shown_otherwise_than_it_was_sent(sent: object, held: object) -> None:
    assert acf.unlike({"f": sent}, {"f": held}) == []


@pytest.mark.parametrize(("sent", "held"), [([1, 2], [1]), ({"a": 1}, {}), (1, {"ID": 2}), (0, "")])
def test_what_is_not_the_same_is_not(sent: object, held: object) -> None:
    assert acf.unlike({"f": sent}, {"f": held}) == ["f"]
