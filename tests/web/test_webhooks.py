import html
import re

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from darkroom.accounts.models import User
from darkroom.queue import runs
from darkroom.signals.models import EVENTS

from .conftest import Site, Visitor

URL = "https://93.184.216.34/hook"
EVENT = ["run.succeeded"]


@pytest.fixture
def ana(closed_site: Site) -> User:
    return closed_site.user("Ana")


@pytest.fixture
def visitor(closed_site: Site, ana: User) -> Visitor:
    return closed_site.signed_in(ana)


def make(visitor: Visitor, **fields):
    """Sends the form; answers the page's answer and the new webhook's address, if there is one."""
    answer = visitor.send("/webhooks", page="/webhooks", **{"url": URL, "events": EVENT, **fields})
    return answer, (re.findall(r'href="(/webhooks/[0-9a-f-]{36})"', answer.text) or [""])[-1]


def deliver(site: Site, owner: User) -> None:
    """A run that was told of, and answered."""
    with site.database.session() as db:
        runs.create(db, pipeline="counting", title="tray.jpg", owner_id=owner.id)
        db.execute(text("UPDATE runs SET status = 'completed'"))
        db.execute(text("UPDATE procrastinate_jobs SET status = 'succeeded'"))
        db.execute(
            text(
                "UPDATE webhook_deliveries SET outcome = 'delivered', tries = 1, seconds = 0.2,"
                " response_status = 200, response_body = '<b>thanks</b>'"
            )
        )


def test_secret_is_shown_once_and_signs(visitor: Visitor) -> None:
    made, page = make(visitor)
    assert made.status_code == 200 and made.headers["Cache-Control"] == "no-store"
    [secret] = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", html.unescape(made.text)))
    assert Verifier(secret)
    for path in ("/webhooks", page):
        shown = visitor.get(path).text
        assert URL in shown and "whsec_" not in shown


def test_page_without_webhooks_says_what_to_do(visitor: Visitor) -> None:
    assert "No webhooks yet." in visitor.get("/webhooks").text
    assert "/webhooks" in visitor.get("/account").text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "nonsense"}, "must begin with https://"),
        ({"url": "http://127.0.0.1:5000/api/v1/stock/photo"}, "not a public one"),
        ({"events": []}, "Choose at least one"),
        ({"events": ["run.exploded"]}, "Choose at least one"),
        ({"all_runs": "1"}, "Only administrators"),
    ],
)
def test_wrong_field_is_named_and_what_was_typed_stays(
    visitor: Visitor, fields: dict, words: str
) -> None:
    answer, _ = make(visitor, **fields)
    assert answer.status_code in (400, 403)
    assert words in answer.text
    assert f'value="{fields.get("url", URL)}"' in answer.text


def test_deliveries_are_listed_with_their_answers_and_sent_again(
    closed_site: Site, ana: User, visitor: Visitor
) -> None:
    _, page = make(visitor)
    deliver(closed_site, ana)
    shown = visitor.get(page).text
    for words in ("run.succeeded", "tray.jpg", "answered 200", "&lt;b&gt;thanks&lt;/b&gt;"):
        assert words in shown, words
    [again] = re.findall(r'action="(/webhooks/[^"]+/resend)"', shown)
    assert visitor.send(again, page=page).status_code == 303
    assert 'data-state="waiting"' in visitor.get(page).text


def test_pausing_resuming_and_deleting(visitor: Visitor) -> None:
    _, page = make(visitor)
    assert visitor.send(f"{page}/pause", page=page).status_code == 303
    assert 'data-state="paused"' in visitor.get(page).text
    visitor.send(f"{page}/resume", page=page)
    assert 'data-state="active"' in visitor.get(page).text
    visitor.send(f"{page}/delete", page=page)
    assert visitor.get(page).status_code == 404


def test_pages_are_in_spanish_too(visitor: Visitor) -> None:
    _, page = make(visitor)
    visitor.send("/preferences", page="/account", locale="es", next="/webhooks")
    assert "Agregar un webhook" in visitor.get("/webhooks").text
    assert "Envíos" in visitor.get(page).text


def test_webhooks_of_others_are_not_there_but_for_administrators(
    closed_site: Site, visitor: Visitor
) -> None:
    _, page = make(visitor)
    eva = closed_site.signed_in(closed_site.user("Eva"))
    for path in (page, f"/api{page}", f"/api{page}/deliveries"):
        assert eva.get(path).status_code == 404
    assert URL not in eva.get("/webhooks").text
    boss = closed_site.signed_in(closed_site.user("Boss", role="admin"))
    assert URL in boss.get("/webhooks").text


def test_who_may_only_look_makes_none(closed_site: Site) -> None:
    viewer = closed_site.signed_in(closed_site.user("Vera", role="viewer"))
    assert 'action="/webhooks"' not in viewer.get("/webhooks").text
    assert make(viewer)[0].status_code == 403


# The JSON API


def test_api_makes_shows_changes_and_deletes(closed_site: Site, ana: User) -> None:
    client, headers = closed_site.app.test_client(), closed_site.token_of(ana)
    made = client.post("/api/webhooks", json={"url": URL}, headers=headers)
    assert made.status_code == 201 and made.json["secret"].startswith("whsec_")
    assert made.json["events"] == list(EVENTS)
    path = made.headers["Location"]
    assert client.get(path, headers=headers).json == {
        name: value for name, value in made.json.items() if name != "secret"
    }
    body = {"events": EVENT, "active": False}
    changed = client.patch(path, json=body, headers=headers).json
    assert (changed["events"], changed["state"]) == (EVENT, "paused")
    assert client.patch(path, json={"active": True}, headers=headers).json["state"] == "active"
    [listed] = client.get("/api/webhooks", headers=headers).json["webhooks"]
    assert listed["id"] == made.json["id"]
    assert client.delete(path, headers=headers).status_code == 204
    assert client.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 7}, "url"),
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": URL, "events": "run.failed"}, "events"),
        ({"url": URL, "events": [1]}, "events"),
        ({"url": URL, "all_runs": "yes"}, "all_runs"),
        ([], None),
    ],
)
def test_api_names_the_wrong_field(closed_site: Site, ana: User, body, field) -> None:
    client, headers = closed_site.app.test_client(), closed_site.token_of(ana)
    answer = client.post("/api/webhooks", json=body, headers=headers)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)


def test_api_lists_deliveries_page_by_page_and_sends_again(
    closed_site: Site, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.web.webhooks.PAGE", 1)
    client, headers = closed_site.app.test_client(), closed_site.token_of(ana)
    made = client.post("/api/webhooks", json={"url": URL, "events": EVENT}, headers=headers)
    path = f"{made.headers['Location']}/deliveries"
    for _ in range(2):
        deliver(closed_site, ana)
    first = client.get(path, headers=headers).json
    query = {"before": first["next"]}
    second = client.get(path, query_string=query, headers=headers).json
    [newer], [older] = first["deliveries"], second["deliveries"]
    assert second["next"] is None and newer["created_at"] > older["created_at"]
    assert (older["state"], older["response_status"]) == ("delivered", 200)
    assert older["message_id"] == f"msg_{older['id'].replace('-', '')}"
    sent = client.post(f"{path}/{older['id']}/resend", headers=headers)
    assert sent.status_code == 202
    again = client.get(path, query_string=query, headers=headers).json["deliveries"][0]
    assert again["state"] == "waiting"


def test_api_refuses_a_page_that_does_not_exist(closed_site: Site, ana: User) -> None:
    client, headers = closed_site.app.test_client(), closed_site.token_of(ana)
    made = client.post("/api/webhooks", json={"url": URL}, headers=headers)
    path = f"{made.headers['Location']}/deliveries?before=x"
    assert client.get(path, headers=headers).json["error"]["field"] == "before"
