import re

import pytest

from darkroom.accounts import service as accounts

from .conftest import Site, Visitor


@pytest.fixture
def visitor(closed_site: Site) -> Visitor:
    return closed_site.signed_in(closed_site.user("Root", role="admin"))


def test_added_user_gets_a_link_that_lets_them_in(closed_site: Site, visitor: Visitor) -> None:
    made = visitor.send("/users", page="/users", name="Eva", email="eva@example.org", role="member")
    [path] = set(re.findall(r"http://localhost(/sign-in/[\w-]{40,})", made.text))
    assert made.headers["Cache-Control"] == "no-store"
    newcomer = closed_site.visitor()
    assert newcomer.send(path, page=path).location == "/account"
    assert "Eva" in newcomer.get("/account").text


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "role": "member"},
        {"name": "Eva", "role": "owner"},
        {"name": "Eva", "role": "member", "email": "nonsense"},
        {"name": "Eva", "role": "member", "email": "root@example.org"},
    ],
)
def test_bad_user_is_refused_in_words(visitor: Visitor, fields: dict[str, str]) -> None:
    answer = visitor.send("/users", page="/users", **fields)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text or 'role="alert"' in answer.text


def test_user_is_shut_out_and_let_in_again(closed_site: Site, visitor: Visitor) -> None:
    user = closed_site.user("Eva")
    theirs = closed_site.signed_in(user)
    visitor.send(f"/users/{user.uuid}/deactivate", page="/users")
    assert theirs.get("/account").status_code == 302
    visitor.send(f"/users/{user.uuid}/reactivate", page="/users")
    assert closed_site.signed_in(user).get("/account").status_code == 200


def test_last_administrator_cannot_shut_themselves_out(closed_site: Site, visitor: Visitor) -> None:
    with closed_site.database.session() as session:
        admin = accounts.user_by_email(session, "root@example.org")
    answer = visitor.send(f"/users/{admin.uuid}/deactivate", page="/users")
    assert answer.status_code == 409
    assert visitor.get("/users").status_code == 200


def test_administrator_makes_a_new_link(closed_site: Site, visitor: Visitor) -> None:
    user = closed_site.user("Eva")
    page = visitor.send(f"/users/{user.uuid}/link", page="/users").text
    [path] = set(re.findall(r"http://localhost(/sign-in/[\w-]{40,})", page))
    assert closed_site.visitor().send(path, page=path).status_code == 303


def test_names_are_shown_as_text(closed_site: Site, visitor: Visitor) -> None:
    closed_site.user("<script>alert(1)</script>")
    assert "<script>alert(1)" not in visitor.get("/users").text
