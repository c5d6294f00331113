from datetime import UTC, datetime

import pytest

from darkroom.accounts import service as accounts

from .conftest import Site, Visitor

PASSWORD = "a short sentence"


@pytest.fixture
def visitor(closed_site: Site) -> Visitor:
    closed_site.user("Ana", password=PASSWORD)
    return closed_site.visitor()


def link(site: Site) -> str:
    with site.database.session() as session:
        user = accounts.user_by_email(session, "ana@example.org")
        return accounts.make_sign_in_link(session, user, datetime.now(UTC))


def test_password_signs_in_and_leads_back(visitor: Visitor) -> None:
    answer = visitor.send(
        "/sign-in", email="ana@example.org", password=PASSWORD, next="/runs?status=failed"
    )
    assert (answer.status_code, answer.location) == (303, "/runs?status=failed")
    assert visitor.get("/runs").status_code == 200


def test_wrong_password_keeps_the_address_typed(visitor: Visitor) -> None:
    answer = visitor.send("/sign-in", email="ana@example.org", password="wrong")
    assert answer.status_code == 401
    assert 'value="ana@example.org"' in answer.text
    assert "wrong" in answer.text
    assert visitor.get("/runs").status_code == 302


def test_guessing_counts_against_one_limit_by_page_and_by_api(
    closed_site: Site, visitor: Visitor
) -> None:
    quota = closed_site.services.settings.gates.limits["login"]
    token, said = visitor.csrf_token(), []
    for _ in range(quota.calls):
        fields = {"csrf_token": token, "email": "ana@example.org", "password": "wrong"}
        said.append(visitor.client.post("/sign-in", data=fields).status_code)
    assert said == [401] * quota.calls
    fields["password"] = PASSWORD
    refused = visitor.client.post("/sign-in", data=fields)
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
    right = {"email": "ana@example.org", "password": PASSWORD}
    assert visitor.client.post("/api/auth/login", json=right).status_code == 429


def test_unknown_address_reads_as_a_wrong_password(visitor: Visitor) -> None:
    known = visitor.send("/sign-in", email="ana@example.org", password="x")
    unknown = visitor.send("/sign-in", email="bob@example.org", password="x")
    assert unknown.status_code == 401
    assert 'role="alert"' in known.text and 'role="alert"' in unknown.text


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "runs"],
)
def test_signing_in_never_leads_to_another_site(visitor: Visitor, target: str) -> None:
    answer = visitor.send("/sign-in", email="ana@example.org", password=PASSWORD, next=target)
    assert answer.location == "/"


def test_form_without_its_token_is_refused(visitor: Visitor) -> None:
    fields = {"email": "ana@example.org", "password": PASSWORD}
    answer = visitor.client.post("/sign-in", data=fields)
    assert answer.status_code == 400
    assert "Reload it" in answer.text


def test_looking_at_a_link_does_not_use_it_up(closed_site: Site, visitor: Visitor) -> None:
    path = f"/sign-in/{link(closed_site)}"
    assert "Ana" in visitor.get(path).text
    assert "Ana" in closed_site.visitor().get(path).text
    assert visitor.get("/runs").status_code == 302
    assert visitor.send(path, page=path).status_code == 303
    assert visitor.get("/runs").status_code == 200


def test_used_link_says_so(closed_site: Site, visitor: Visitor) -> None:
    path = f"/sign-in/{link(closed_site)}"
    visitor.send(path, page=path)
    late = closed_site.visitor()
    assert late.get(path).status_code == 410
    assert late.send(path).status_code == 410


def test_user_without_password_is_led_to_set_one(closed_site: Site) -> None:
    user = closed_site.user("Eva")
    with closed_site.database.session() as session:
        token = accounts.make_sign_in_link(session, user, datetime.now(UTC))
    answer = closed_site.visitor().send(f"/sign-in/{token}", page=f"/sign-in/{token}")
    assert answer.location == "/account"


def test_signing_out_ends_the_session(closed_site: Site) -> None:
    visitor = closed_site.signed_in(closed_site.user("Eva"))
    assert visitor.send("/sign-out", page="/account").location == "/sign-in"
    assert visitor.get("/runs").status_code == 302


def test_who_is_signed_in_does_not_see_the_form(closed_site: Site) -> None:
    visitor = closed_site.signed_in(closed_site.user("Eva"))
    assert visitor.get("/sign-in?next=/runs").location == "/runs"


def test_session_of_before_is_dropped_on_signing_in(visitor: Visitor) -> None:
    before = visitor.csrf_token()
    fields = {"csrf_token": before, "email": "ana@example.org", "password": PASSWORD}
    visitor.client.post("/sign-in", data=fields)
    answer = visitor.client.post("/account/tokens", data={"csrf_token": before, "name": "x"})
    assert answer.status_code == 400
