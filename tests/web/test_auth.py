"""Who may call what: the local user, sessions, tokens, owners and administrators."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from darkroom.accounts import service as accounts
from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.settings import Settings, WebSettings
from darkroom.web.app import create_app
from darkroom.web.auth import STRANGERS_FORM_BYTES

from .conftest import Site, Submit, Visitor, jpeg

STATUS = f"/api/v1/stock/tasks/{uuid4()}"


def test_local_user_needs_no_sign_in(visitor: Visitor) -> None:
    assert visitor.get("/").status_code == 200
    assert visitor.get(STATUS).status_code == 404


def test_local_user_is_the_first_administrator(site: Site) -> None:
    site.visitor().get("/account")
    with site.database.session() as session:
        assert accounts.ensure_admin(session).name == "local"
        people = select(func.count()).select_from(User).where(~User.is_system)
        assert session.scalar(people) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "192.0.2.7"},
    ],
)
def test_page_elsewhere_cannot_drive_the_local_api(
    visitor: Visitor, headers: dict[str, str]
) -> None:
    answer = visitor.client.post(
        "/api/v1/stock/photo", data={"file": (jpeg(), "a.jpg")}, headers=headers
    )
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "refused"
    assert visitor.get(STATUS, headers=headers).status_code == 403


def test_page_elsewhere_cannot_post_to_pages(visitor: Visitor) -> None:
    token = visitor.csrf_token("/account")
    answer = visitor.client.post(
        "/account/tokens",
        data={"csrf_token": token, "name": "stolen"},
        headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


def test_link_from_elsewhere_opens_a_page(visitor: Visitor) -> None:
    headers = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert visitor.get("/runs", headers=headers).status_code == 200


def test_address_open_to_others_has_no_local_user(settings: Settings, database: Database) -> None:
    open_settings = replace(settings, web=replace(WebSettings(), host="0.0.0.0"))
    visitor = Site(create_app(open_settings, database)).visitor()
    assert visitor.get(STATUS).status_code == 401


def test_without_a_session_pages_lead_to_sign_in(closed_site: Site) -> None:
    answer = closed_site.visitor().get("/runs?status=failed")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/runs?status%3Dfailed"


def test_without_a_token_programs_get_401(closed_site: Site) -> None:
    answer = closed_site.visitor().get(STATUS)
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == "unauthorized"


@pytest.mark.parametrize("path", ["/api/auth/login", "/sign-in"])
def test_what_strangers_send_is_not_read_beyond_a_form(closed_site: Site, path: str) -> None:
    sent = {"email": "ana@example.org", "password": "x" * STRANGERS_FORM_BYTES}
    answer = closed_site.visitor().client.post(path, json=sent)
    assert answer.status_code == 413


def test_token_lets_its_user_in_without_csrf(closed_site: Site) -> None:
    headers = closed_site.token_of(closed_site.user())
    client = closed_site.app.test_client()
    data = {"file": (jpeg(), "a.jpg")}
    assert client.post("/api/v1/stock/photo", data=data, headers=headers).status_code == 202


@pytest.mark.parametrize("token", ["dk_wrong", "", "eyJhbGciOiJIUzI1NiJ9.e30.x"])
def test_wrong_token_is_refused_even_locally(site: Site, token: str) -> None:
    answer = site.visitor().get(STATUS, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_session_cannot_post_to_the_api_without_csrf(closed_site: Site) -> None:
    visitor = closed_site.signed_in(closed_site.user())
    upload = {"file": (jpeg(), "a.jpg")}
    assert visitor.client.post("/api/v1/stock/photo", data=upload).status_code == 400
    headers = {"X-CSRFToken": visitor.csrf_token("/account")}
    upload = {"file": (jpeg(), "a.jpg")}
    answer = visitor.client.post("/api/v1/stock/photo", data=upload, headers=headers)
    assert answer.status_code == 202


def test_things_of_others_are_not_there(closed_site: Site, submit: Submit) -> None:
    ana, eva = closed_site.user("Ana"), closed_site.user("Eva")
    theirs = submit(closed_site, ana)
    visitor = closed_site.signed_in(eva)
    for path in (
        f"/runs/{theirs.run_id}",
        f"/runs/{theirs.run_id}.json",
        f"/runs/{theirs.run_id}/events",
        f"/runs/followed.json?run={theirs.run_id}",
        f"/count/{theirs.session_id}",
        f"/count/{theirs.session_id}.csv",
        f"/count/{theirs.session_id}.json",
    ):
        assert visitor.get(path).status_code == 404, path
    for action in ("cancel", "retry", "steps/1/retry"):
        sent = visitor.send(f"/runs/{theirs.run_id}/{action}", page="/account")
        assert sent.status_code == 404, action
    assert "a.jpg" not in visitor.get("/runs").text


def test_administrators_see_everything(closed_site: Site, submit: Submit) -> None:
    theirs = submit(closed_site, closed_site.user("Ana"))
    visitor = closed_site.signed_in(closed_site.user("Eva", role="admin"))
    assert visitor.get(f"/runs/{theirs.run_id}").status_code == 200
    assert visitor.get(f"/count/{theirs.session_id}").status_code == 200
    assert "a.jpg" in visitor.get("/runs").text


def test_members_cannot_manage_users(closed_site: Site) -> None:
    visitor = closed_site.signed_in(closed_site.user())
    assert visitor.get("/users").status_code == 403
    assert visitor.send("/users", page="/account", name="X", role="admin").status_code == 403
    assert 'href="/users"' not in visitor.get("/").text


def test_deactivated_user_loses_session_and_token_at_once(closed_site: Site) -> None:
    user = closed_site.user()
    visitor, headers = closed_site.signed_in(user), closed_site.token_of(user)
    with closed_site.database.session() as session:
        accounts.deactivate(session, session.merge(user))
    assert visitor.get("/runs").status_code == 302
    assert closed_site.visitor().get(STATUS, headers=headers).status_code == 401


def test_session_cookie_is_guarded(closed_site: Site) -> None:
    page = closed_site.visitor().get("/sign-in")
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    page = closed_site.visitor().get("/sign-in", base_url="https://localhost")
    assert "Secure" in page.headers["Set-Cookie"]


def test_forged_session_cookie_is_worthless(closed_site: Site) -> None:
    visitor = closed_site.visitor()
    visitor.client.set_cookie("darkroom_session", "eyJ1c2VyIjoxfQ.aaaa.bbbb")
    assert visitor.get("/runs").status_code == 302
