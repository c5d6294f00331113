import re

import pytest

from darkroom.accounts import service as accounts

from .conftest import Site, Visitor

PASSWORD = "a short sentence"


@pytest.fixture
def visitor(closed_site: Site) -> Visitor:
    return closed_site.signed_in(closed_site.user("Ana"))


def test_profile_is_saved(visitor: Visitor) -> None:
    fields = {"name": "Ana María", "email": "ANA.M@example.org", "locale": "es"}
    assert visitor.send("/account/profile", page="/account", **fields).status_code == 303
    page = visitor.get("/account").text
    assert 'value="Ana María"' in page and 'value="ana.m@example.org"' in page
    assert '<html lang="es"' in page


def test_wrong_field_is_named_and_what_was_typed_stays(visitor: Visitor) -> None:
    answer = visitor.send("/account/profile", page="/account", name="Ana", email="nonsense")
    assert answer.status_code == 400
    assert 'value="nonsense"' in answer.text
    assert 'aria-describedby="email-wrong"' in answer.text


def test_address_of_another_user_is_refused(closed_site: Site, visitor: Visitor) -> None:
    closed_site.user("Eva")
    answer = visitor.send("/account/profile", page="/account", name="A", email="eva@example.org")
    assert "belongs to another user" in answer.text


def test_local_administrator_can_set_email_and_password(site: Site) -> None:
    visitor = site.visitor()
    visitor.send("/account/profile", page="/account", name="Ana", email="ana@example.org")
    fields = {"password": PASSWORD, "again": PASSWORD}
    assert visitor.send("/account/password", page="/account", **fields).status_code == 303
    with site.database.session() as session:
        user = accounts.authenticate(session, "ana@example.org", PASSWORD)
        assert user is not None and user.is_admin


def test_new_password_ends_other_sessions_and_keeps_this_one(closed_site: Site) -> None:
    user = closed_site.user("Eva")
    here, elsewhere = closed_site.signed_in(user), closed_site.signed_in(user)
    fields = {"password": PASSWORD, "again": PASSWORD}
    here.send("/account/password", page="/account", **fields)
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"password": "short", "again": "short"}, "password"),
        ({"password": PASSWORD, "again": "another sentence"}, "again"),
    ],
)
def test_bad_password_is_refused_by_field(
    visitor: Visitor, fields: dict[str, str], field: str
) -> None:
    answer = visitor.send("/account/password", page="/account", **fields)
    assert answer.status_code == 400
    assert f'id="{field}-wrong"' in answer.text


def test_present_password_is_asked_for_after_signing_in_with_it(closed_site: Site) -> None:
    closed_site.user("Eva", password=PASSWORD)
    visitor = closed_site.visitor()
    visitor.send("/sign-in", email="eva@example.org", password=PASSWORD)
    fields = {"password": "another sentence", "again": "another sentence"}
    refused = visitor.send("/account/password", page="/account", present="wrong", **fields)
    assert 'id="present-wrong"' in refused.text
    taken = visitor.send("/account/password", page="/account", present=PASSWORD, **fields)
    assert taken.status_code == 303


@pytest.mark.parametrize("password", [PASSWORD, None])
def test_token_alone_never_sets_a_password(closed_site: Site, password: str | None) -> None:
    eva = closed_site.user("Eva", password=password)
    headers, client = closed_site.token_of(eva), closed_site.visitor().client
    fields = {"password": "another sentence", "again": "another sentence"}
    answer = client.post("/account/password", data=fields, headers=headers)
    assert answer.status_code == 400 and 'id="present-wrong"' in answer.text
    with closed_site.database.session() as session:
        assert accounts.authenticate(session, "eva@example.org", "another sentence") is None


def test_token_of_who_was_let_in_by_link_does_not_stand_for_the_link(closed_site: Site) -> None:
    """The browser's cookie and a token in one call: the token is who calls."""
    eva = closed_site.user("Eva", password=PASSWORD)
    visitor, headers = closed_site.signed_in(eva), closed_site.token_of(eva)
    fields = {"password": "another sentence", "again": "another sentence"}
    answer = visitor.client.post("/account/password", data=fields, headers=headers)
    assert answer.status_code == 400


def test_token_is_shown_once_and_works(closed_site: Site, visitor: Visitor) -> None:
    made = visitor.send("/account/tokens", page="/account", name="camera")
    [token] = set(re.findall(r"dk_[\w-]{40,}", made.text))
    assert made.headers["Cache-Control"] == "no-store"
    assert token not in visitor.get("/account").text
    headers = {"Authorization": f"Bearer {token}"}
    assert closed_site.visitor().get("/runs", headers=headers).status_code == 200


def test_token_can_be_revoked(visitor: Visitor) -> None:
    visitor.send("/account/tokens", page="/account", name="camera")
    [number] = re.findall(r"/account/tokens/(\d+)/revoke", visitor.get("/account").text)
    revoke = f"/account/tokens/{number}/revoke"
    assert visitor.send(revoke, page="/account").status_code == 303
    assert "camera" not in visitor.get("/account").text
    assert visitor.send(revoke, page="/account").status_code == 404


def test_signing_out_everywhere_ends_this_session_too(visitor: Visitor) -> None:
    visitor.send("/account/sessions/end", page="/account")
    assert visitor.get("/account").status_code == 302


def test_theme_is_kept_in_a_cookie(visitor: Visitor) -> None:
    answer = visitor.send("/preferences", page="/account", theme="dark", next="/runs")
    assert answer.location == "/runs"
    assert 'data-theme="dark"' in visitor.get("/runs").text


def test_unknown_theme_is_ignored(visitor: Visitor) -> None:
    visitor.send("/preferences", page="/account", theme="<b>", next="/runs")
    assert "data-theme" not in visitor.get("/runs").text


def test_language_of_a_stranger_is_kept_in_their_session(closed_site: Site) -> None:
    stranger = closed_site.visitor()
    stranger.send("/preferences", locale="es", next="/sign-in")
    assert "Iniciar sesión" in stranger.get("/sign-in").text


def test_language_follows_the_browser_until_chosen(closed_site: Site) -> None:
    headers = {"Accept-Language": "es-CL,es;q=0.9,en;q=0.5"}
    assert '<html lang="es"' in closed_site.visitor().get("/sign-in", headers=headers).text
