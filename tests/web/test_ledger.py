"""Tokens as people and programs see them: balance, charges, grants."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from darkroom.accounts import ledger
from darkroom.accounts.models import User
from darkroom.cli import main
from darkroom.db.sessions import Database
from darkroom.errors import NotEnough
from darkroom.settings import Settings, TokenSettings
from darkroom.web.app import create_app

from .conftest import Site, Visitor

PHOTO = UUID(int=1)


@pytest.fixture
def root(closed_site: Site) -> User:
    return closed_site.user("Root", role="admin")


@pytest.fixture
def ana(closed_site: Site) -> User:
    return closed_site.user("Ana")


def unlock(site: Site, user: User, subject: UUID = PHOTO, *, pay: bool = True) -> UUID:
    with site.database.session() as db:
        held = ledger.reserve(
            db, user.id, 5, subject=subject, purpose="unlock", run_id=None, start=20
        )
        if pay:
            ledger.capture(db, held.id)
    return held.id


def ask(site: Site, user: User, path: str) -> Any:
    return site.visitor().get(path, headers=site.token_of(user))


def send_grant(site: Site, by: User, to: UUID, **body: Any) -> Any:
    path = f"/api/v41/users/{to}/grant"
    return site.visitor().client.post(path, json=body, headers=site.token_of(by))


# For programs


def test_balance_tells_what_is_there_what_things_take_and_what_happened(
    closed_site: Site, ana: User
) -> None:
    held = unlock(closed_site, ana)
    told = ask(closed_site, ana, "/api/v41/balance").json
    assert told["balance"] == 15
    assert told["prices"] == {"unlock": 5, "upscale": 3, "preview": 0}
    assert [row["entry"] for row in told["entries"]] == ["capture", "reserve", "grant"]
    assert told["entries"][0]["reservation"] == str(held)
    assert told["entries"][0]["subject"] == str(PHOTO)


def test_prices_and_the_starting_grant_are_settings(settings: Settings, database: Database) -> None:
    given = replace(settings, tokens=TokenSettings(3, {"unlock": 1, "upscale": 2, "preview": 1}))
    told = create_app(given, database).test_client().get("/api/v41/balance").json
    assert (told["balance"], told["prices"]["upscale"]) == (3, 2)


def test_ledger_is_read_in_pages(closed_site: Site, ana: User) -> None:
    for number in range(3):
        unlock(closed_site, ana, UUID(int=number), pay=False)
    first = ask(closed_site, ana, "/api/v41/ledger?limit=3").json
    rest = ask(closed_site, ana, f"/api/v41/ledger?limit=3&before={first['next']}").json
    assert [row["balance"] for row in first["entries"] + rest["entries"]] == [5, 10, 15, 20]
    assert rest["next"] is None


def test_nobody_sees_the_entries_of_others(closed_site: Site, ana: User, root: User) -> None:
    unlock(closed_site, ana)
    for path in ("/api/v41/balance", "/api/v41/ledger"):
        assert [row["purpose"] for row in ask(closed_site, root, path).json["entries"]] == ["start"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("before=x", "before"),
        ("before=-1", "before"),
        ("before=9223372036854775808", "before"),
        ("before=" + "9" * 5000, "before"),
    ],
)
def test_a_bad_page_is_refused_by_field(site: Site, asked: str, field: str) -> None:
    answer = site.visitor().get(f"/api/v41/ledger?{asked}")
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)


def test_strangers_see_no_ledger(closed_site: Site) -> None:
    for path in ("/api/v41/balance", "/api/v41/ledger"):
        assert closed_site.visitor().get(path).status_code == 401


def test_administrators_grant_tokens(closed_site: Site, root: User, ana: User) -> None:
    answer = send_grant(closed_site, root, ana.uuid, tokens=30, note="spring")
    assert answer.status_code == 201
    assert (answer.json["user"], answer.json["balance"]) == (str(ana.uuid), 50)
    entry = answer.json["entry"]
    assert (entry["amount"], entry["note"], entry["actor"]) == (30, "spring", "Root")
    assert ask(closed_site, ana, "/api/v41/balance").json["balance"] == 50


def test_members_and_viewers_grant_nothing(closed_site: Site, ana: User) -> None:
    for caller in (ana, closed_site.user("Vera", role="viewer")):
        assert send_grant(closed_site, caller, ana.uuid, tokens=30).status_code == 403
    assert ask(closed_site, ana, "/api/v41/balance").json["balance"] == 20


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "tokens"),
        ({"tokens": 0}, "tokens"),
        ({"tokens": 2.5}, "tokens"),
        ({"tokens": True}, "tokens"),
        ({"tokens": 10**30}, "tokens"),
        ({"tokens": -21}, "tokens"),
        ({"tokens": 1, "note": 7}, "note"),
        ({"tokens": 1, "note": "x" * 201}, "note"),
        ({"tokens": 1, "note": "a\x00b"}, "note"),
    ],
)
def test_a_bad_grant_is_refused_by_field(
    closed_site: Site, root: User, ana: User, body: dict[str, Any], field: str
) -> None:
    answer = send_grant(closed_site, root, ana.uuid, **body)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)


def test_a_grant_to_nobody_is_404(closed_site: Site, root: User) -> None:
    assert send_grant(closed_site, root, uuid4(), tokens=5).status_code == 404


def test_too_few_tokens_are_402_with_both_figures(site: Site) -> None:
    @site.app.get("/api/dear")
    def dear() -> str:
        raise NotEnough(needed=5, have=2)

    answer = site.visitor().get("/api/dear")
    assert answer.status_code == 402
    assert answer.json["error"] == {
        "code": "not_enough_tokens",
        "message": "This takes 5 tokens; the balance holds 2.",
        "field": None,
        "needed": 5,
        "have": 2,
    }


# For people


def test_account_page_lists_the_charges(closed_site: Site, ana: User) -> None:
    unlock(closed_site, ana)
    page = closed_site.signed_in(ana).get("/account").text
    assert "15 tokens" in page and "Unlocking a variant" in page
    assert "Paid" in page and "Set aside" in page and "To begin with" in page
    assert "/account/charges" not in page


def test_all_charges_are_a_page_away(closed_site: Site, root: User, ana: User) -> None:
    for number in range(1, 61):
        send_grant(closed_site, root, ana.uuid, tokens=number, note=f"No. {number}.")
    visitor = closed_site.signed_in(ana)
    assert 'href="/account/charges"' in visitor.get("/account").text
    first = visitor.get("/account/charges").text
    assert "No. 60." in first and "No. 11." in first and "No. 10." not in first
    [older] = {part.split('"')[0] for part in first.split('href="') if "before=" in part[:40]}
    second = visitor.get(older).text
    assert "No. 10." in second and "To begin with" in second and "No. 11." not in second


def test_notes_are_shown_as_text(closed_site: Site, root: User, ana: User) -> None:
    send_grant(closed_site, root, ana.uuid, tokens=5, note="<script>alert(1)</script>")
    assert "<script>alert(1)" not in closed_site.signed_in(ana).get("/account").text


def test_administrators_grant_on_the_page_of_users(
    closed_site: Site, root: User, ana: User
) -> None:
    visitor = closed_site.signed_in(root)
    path = f"/users/{ana.uuid}/grant"
    assert visitor.get("/users").text.count("20 tokens") == 2
    assert visitor.send(path, page="/users", tokens="-7", note="too many").status_code == 303
    page = visitor.get("/users").text
    assert "Ana has 13 tokens now." in page and page.count("13 tokens") == 2


def test_a_bad_grant_on_the_page_is_said(closed_site: Site, root: User, ana: User) -> None:
    visitor = closed_site.signed_in(root)
    answer = visitor.send(f"/users/{ana.uuid}/grant", page="/users", tokens="-21")
    assert answer.status_code == 400
    assert "Only 20 tokens are there to be taken." in answer.text


def test_members_cannot_grant_on_the_page(closed_site: Site, ana: User) -> None:
    visitor: Visitor = closed_site.signed_in(ana)
    answer = visitor.send(f"/users/{ana.uuid}/grant", page="/account", tokens="5")
    assert answer.status_code == 403


# On the command line


@pytest.fixture
def darkroom(settings: Settings) -> Callable[..., Result]:
    environ = {"DATABASE_URL": settings.database_url or "", "DARKROOM_HOME": str(settings.home)}
    return lambda *words: CliRunner().invoke(main, ["users", "grant", *words], env=environ)


def test_tokens_are_granted_on_the_command_line(
    closed_site: Site, ana: User, darkroom: Callable[..., Result]
) -> None:
    assert darkroom("ana@example.org", "30").output == "Ana has 50 tokens now.\n"
    assert darkroom("ana@example.org", "-12", "--note", "back").output == "Ana has 38 tokens now.\n"
    [newest, *_] = ask(closed_site, ana, "/api/v41/ledger").json["entries"]
    assert (newest["amount"], newest["note"], newest["actor"]) == (-12, "back", "cli")


def test_the_local_administrator_is_granted_tokens_by_that_name(
    site: Site, darkroom: Callable[..., Result]
) -> None:
    assert darkroom("local", "5").output == "local has 25 tokens now.\n"


def test_a_bad_grant_on_the_command_line_is_a_sentence(
    closed_site: Site, ana: User, darkroom: Callable[..., Result]
) -> None:
    for words, told in (
        (("ana@example.org", "-21"), "Only 20 tokens are there to be taken."),
        (("eva@example.org", "5"), "No user has this e-mail address."),
    ):
        answer = darkroom(*words)
        assert answer.exit_code == 1 and answer.output == f"Error: {told}\n"
