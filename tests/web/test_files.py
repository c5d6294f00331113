import io
from datetime import timedelta

import pytest

from darkroom.storage import assets

from .conftest import Site, jpeg

KEY = "uploads/1/original.jpg"
HOUR = timedelta(hours=1)


@pytest.fixture
def stored(site: Site, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg().getvalue())
    kept = assets.put(site.services.store, path, mime="image/jpeg", key=KEY, pixels=(64, 48))
    owner = site.user()
    with site.database.session() as session:
        assets.record(session, owner.id, kept)
    return path.read_bytes()


def url(site: Site, key: str = KEY, expires: timedelta = HOUR, name: str | None = None) -> str:
    return site.services.store.url(key, expires, name)


def test_signed_address_gives_the_file_to_anyone(closed_site: Site, stored: bytes) -> None:
    answer = closed_site.visitor().get(url(closed_site))
    assert answer.data == stored
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Disposition"].startswith("inline")


def test_address_changed_or_late_is_refused(site: Site, stored: bytes) -> None:
    good = url(site)
    for bad in (
        good.replace("original", "other"),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.replace("expires=", "expires=9"),
        good.split("?")[0],
        url(site, expires=timedelta(seconds=-1)),
        good + "&filename=x.html",
    ):
        assert site.visitor().get(bad).status_code == 403, bad


def test_keys_that_climb_are_refused(site: Site) -> None:
    for path in ("/files/../../etc/passwd", "/files/%2e%2e/secret?expires=1&signature=a"):
        assert site.visitor().get(path).status_code in (400, 404)


def test_missing_file_is_404(site: Site) -> None:
    assert site.visitor().get(url(site, "uploads/2/none.jpg")).status_code == 404


def test_range_and_condition_are_honoured(site: Site, stored: bytes) -> None:
    visitor = site.visitor()
    part = visitor.get(url(site), headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, stored[2:6])
    etag = visitor.get(url(site)).headers["ETag"]
    assert visitor.get(url(site), headers={"If-None-Match": etag}).status_code == 304


def test_named_address_is_saved_under_that_name(site: Site, stored: bytes) -> None:
    answer = site.visitor().get(url(site, name="mesa 7 ñ.jpg"))
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert "mesa%207%20%C3%B1.jpg" in disposition


def test_unknown_type_is_never_shown_in_the_page(site: Site) -> None:
    site.services.store.put("assets/x", io.BytesIO(b"<script>alert(1)</script>"), "text/html")
    answer = site.visitor().get(url(site, "assets/x"))
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
