import io
import re
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from darkroom.db.sessions import Database
from darkroom.errors import NotNow, Permanent, Transient
from darkroom.settings import Settings
from darkroom.web.app import create_app

from .conftest import Site, Visitor

INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\sstyle=|\son\w+=")


def test_unknown_page_says_what_to_do(visitor: Visitor) -> None:
    answer = visitor.get("/nothing-here")
    assert answer.status_code == 404
    assert "list of runs" in answer.text and 'href="/runs"' in answer.text


def test_errors_of_the_api_have_one_shape(visitor: Visitor) -> None:
    for path in ("/api/nothing", "/api/v1/stock/tasks/status?task_id=x"):
        error = visitor.get(path).json["error"]
        assert set(error) == {"code", "message", "field"}


def test_wrong_method_names_the_right_ones(visitor: Visitor) -> None:
    answer = visitor.get("/api/v1/stock/photo")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.json["error"]["code"] == "method_not_allowed"


def test_body_that_is_too_large_is_413(settings: Settings, database: Database) -> None:
    small = replace(settings, max_photos=1, max_upload_bytes=1000)
    client = create_app(small, database).test_client()
    data = {"file": (io.BytesIO(b"x" * 2_000_000), "a.jpg")}
    answer = client.post("/api/v1/stock/photo", data=data)
    assert answer.status_code == 413
    assert answer.json["error"]["code"] == "too_large"


def test_surprise_is_a_500_with_a_reference_and_no_details(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    @site.app.get("/api/broken")
    def broken() -> str:
        raise RuntimeError("secret detail")

    answer = site.visitor().get("/api/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json["error"]["reference"] in caplog.text
    assert "secret detail" in caplog.text


def test_surprise_in_a_page_is_a_styled_page(site: Site) -> None:
    @site.app.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret detail")

    answer = site.visitor().get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text and "darkroom.css" in answer.text
    assert re.search(r"<code>[0-9a-f]{8}</code>", answer.text)


@pytest.mark.parametrize("error", [Transient("The bucket is busy."), NotNow("Later.")])
def test_passing_trouble_is_503_with_retry_after(site: Site, error: Exception) -> None:
    @site.app.get("/api/busy")
    def busy() -> str:
        raise error

    answer = site.visitor().get("/api/busy")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_lasting_trouble_is_500(site: Site) -> None:
    @site.app.get("/api/lost")
    def lost() -> str:
        raise Permanent("The bucket is gone.")

    assert site.visitor().get("/api/lost").status_code == 500


def test_silent_database_is_503_without_asking_it_again(site: Site) -> None:
    @site.app.get("/down")
    def down() -> str:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    answer = site.visitor().get("/down")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert answer.headers["Retry-After"]


def test_database_that_is_gone_gives_a_page_too(settings: Settings) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/nothing")
    client = create_app(settings, gone).test_client()
    assert client.get("/runs").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_errors_are_in_the_readers_language(visitor: Visitor) -> None:
    answer = visitor.get("/nothing-here", headers={"Accept-Language": "es"})
    assert "No encontrado" in answer.text


def test_every_answer_carries_the_security_headers(visitor: Visitor) -> None:
    for path in ("/", "/nothing-here", "/api/nothing", "/static/darkroom.css"):
        headers = visitor.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"


def test_pages_hold_no_inline_scripts_or_styles(site: Site) -> None:
    visitor = site.visitor()
    for path in ("/", "/count", "/runs", "/account", "/users", "/sign-in"):
        text = visitor.get(path).text
        assert INLINE.findall(text) == [], path


def test_no_page_refers_to_another_host(site: Site) -> None:
    visitor = site.visitor()
    for path in ("/", "/count", "/runs", "/account", "/sign-in"):
        found = re.findall(r'(?:src|href)="(https?:)?//', visitor.get(path).text)
        assert found == [], path
