"""The console's page of the sandbox."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from darkroom.console import sandbox as console_sandbox
from darkroom.db.sessions import Database
from darkroom.providers import gemini
from darkroom.sandbox.faults import KINDS
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.sandboxed import Sandboxed

from .conftest import Site, Visitor

PAGE = "/console/sandbox"
ORDER = {"route": "/gemini/*", "kind": "limit", "times": "2", "after": "0", "seconds": "3"}


@pytest.fixture
def admin(sandbox: Sandboxed, settings: Settings, database: Database) -> Visitor:
    """The local administrator, beside a sandbox that runs."""
    return Site(create_app(sandbox.settings(settings), database)).visitor()


def test_the_page_shows_requests_without_what_they_held(
    sandbox: Sandboxed, settings: Settings, admin: Visitor
) -> None:
    gemini.connect(sandbox.settings(settings)).tell("gemini-3.5-flash-lite", "a secret of mine")
    page = admin.get(PAGE).text
    assert "gemini-3.5-flash-lite:generateContent" in page
    assert "1 request so far" in page and "secret" not in page


def test_a_fault_is_set_shown_and_cleared(sandbox: Sandboxed, admin: Visitor) -> None:
    assert admin.send(f"{PAGE}/faults", page=PAGE, **ORDER).status_code == 303
    [standing] = sandbox.state.faults.listing()
    assert (standing.fault.kind, standing.fault.times, standing.fault.seconds) == ("limit", 2, 3.0)
    assert "0 of 2 requests" in admin.get(PAGE).text
    admin.send(f"{PAGE}/faults/clear", page=PAGE, id=standing.id)
    assert sandbox.state.faults.listing() == []


def test_an_empty_number_of_times_is_for_ever(sandbox: Sandboxed, admin: Visitor) -> None:
    admin.send(f"{PAGE}/faults", page=PAGE, **{**ORDER, "times": ""})
    [standing] = sandbox.state.faults.listing()
    assert standing.fault.times is None
    admin.send(f"{PAGE}/faults/clear", page=PAGE)
    assert sandbox.state.faults.listing() == []


def test_what_is_done_to_it_is_written_down(admin: Visitor, database: Database) -> None:
    admin.send(f"{PAGE}/faults", page=PAGE, **ORDER)
    admin.send(f"{PAGE}/faults/clear", page=PAGE)
    with database.session() as session:
        rows = session.execute(text("SELECT action, subject FROM audit ORDER BY id")).all()
    assert [tuple(row) for row in rows][-2:] == [
        ("sandbox.fault", "limit /gemini/*"),
        ("sandbox.clear", "all"),
    ]


@pytest.mark.parametrize("wrong", [{"kind": "dragons"}, {"route": "gemini"}, {"times": "0"}])
def test_a_wrong_fault_is_said_to_be(admin: Visitor, wrong: dict[str, str]) -> None:
    answer = admin.send(f"{PAGE}/faults", page=PAGE, **{**ORDER, **wrong})
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.text


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_says_when_it_is_not_running(
    settings: Settings, database: Database, language: str, unused_port: Callable[[], int]
) -> None:
    providers = replace(settings.providers, sandbox_port=unused_port())
    visitor = Site(create_app(replace(settings, providers=providers), database)).visitor()
    page = visitor.get(PAGE, headers={"Accept-Language": language})
    assert page.status_code == 200
    assert {"en": "It is not running", "es": "No está en marcha"}[language] in page.text


def test_others_see_no_page_and_viewers_no_buttons(
    sandbox: Sandboxed, settings: Settings, database: Database
) -> None:
    web = replace(settings.web, require_login=True)
    closed = Site(create_app(replace(sandbox.settings(settings), web=web), database))
    assert closed.signed_in(closed.user("Ana")).get(PAGE).status_code == 403
    viewer = closed.signed_in(closed.user("Vera", role="viewer"))
    assert viewer.get(PAGE).status_code == 200
    assert f"{PAGE}/faults" not in viewer.get(PAGE).text
    assert viewer.send(f"{PAGE}/faults", page=PAGE, **ORDER).status_code == 403
    assert sandbox.state.faults.listing() == []


def test_every_kind_of_fault_has_a_word() -> None:
    assert set(console_sandbox.KINDS) == set(KINDS)


@pytest.fixture
def unused_port() -> Callable[[], int]:
    """Finds a port where nobody listens."""
    import socket

    def find() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            return int(listening.getsockname()[1])

    return find
