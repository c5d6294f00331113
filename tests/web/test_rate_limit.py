"""`@rate_limit` in front of a view of the real app and the real database."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from darkroom.db.sessions import Database
from darkroom.errors import Invalid
from darkroom.settings import Quota, Settings, WebSettings
from darkroom.web.app import create_app
from darkroom.web.rate_limit import rate_limit
from tests.web.conftest import Site

FORWARDED = "X-Forwarded-For"

Opened = Callable[..., Site]


@pytest.fixture
def opened(settings: Settings, database: Database) -> Opened:
    """An app with limited endpoints beside its own."""

    def open_site(**web: object) -> Site:
        chosen = replace(
            settings,
            web=replace(WebSettings(), **web),  # type: ignore[arg-type]
            gates=replace(settings.gates, limits={**settings.gates.limits, "brief": Quota(1, 0.2)}),
        )
        app = create_app(chosen, database)

        @app.post("/api/limited/generate-image")
        @rate_limit("generate-image")
        def generate() -> ResponseReturnValue:
            return jsonify(success=True)

        @app.post("/api/limited/face-swap")
        @rate_limit("face-swap")
        def swap() -> ResponseReturnValue:
            raise Invalid("There is no face.", "image")

        @app.post("/brief")
        @rate_limit("brief")
        def brief() -> ResponseReturnValue:
            return jsonify(success=True)

        return Site(app)

    return open_site


def post(site: Site, path: str = "/api/limited/generate-image", **options: object) -> Response:
    headers = {"Accept": "application/json", **options.pop("headers", {})}  # type: ignore[dict-item]
    with site.app.test_client() as client:
        page = client.get("/sign-in", follow_redirects=True).text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        headers.setdefault("X-CSRFToken", token)
        found: Response = client.post(path, headers=headers, **options)
        return found


def statuses(responses: list[Response]) -> list[int]:
    return [response.status_code for response in responses]


def test_the_eleventh_call_of_a_token_within_a_minute_is_refused(opened: Opened) -> None:
    site = opened()
    token = site.token_of(site.user())
    said = [post(site, headers=token) for _ in range(11)]
    assert statuses(said) == [200] * 10 + [429]


def test_every_answer_says_what_is_left(opened: Opened) -> None:
    site = opened()
    token = site.token_of(site.user())
    first, second = post(site, headers=token), post(site, headers=token)
    assert first.headers["X-RateLimit-Limit"] == "10"
    assert [said.headers["X-RateLimit-Remaining"] for said in (first, second)] == ["9", "8"]
    assert 55 <= int(second.headers["X-RateLimit-Reset"]) - time.time() <= 61
    assert "Retry-After" not in second.headers


def test_a_refusal_is_json_and_says_when_to_come_back(opened: Opened) -> None:
    site = opened()
    token = site.token_of(site.user())
    for _ in range(10):
        post(site, headers=token)
    said = post(site, headers={**token, "Accept": "text/html"})
    assert said.status_code == 429
    body = said.get_json()
    assert (body["success"], body["status"]) == (False, "error")
    assert body["error"]["code"] == "too_many_requests"
    assert body["message"].startswith("Demasiadas solicitudes")
    assert 50 <= int(said.headers["Retry-After"]) <= 60
    assert body["retry_after"] == int(said.headers["Retry-After"])
    assert said.headers["X-RateLimit-Remaining"] == "0"


def test_a_call_that_fails_counts_and_says_what_is_left_too(opened: Opened) -> None:
    site = opened()
    token = site.token_of(site.user())
    said = [post(site, "/api/limited/face-swap", headers=token) for _ in range(6)]
    assert statuses(said) == [400] * 5 + [429]
    assert said[0].headers["X-RateLimit-Remaining"] == "4"


def test_after_its_time_a_client_may_call_again(opened: Opened) -> None:
    site = opened()
    token = site.token_of(site.user())
    assert post(site, "/brief", headers=token).status_code == 200
    while (said := post(site, "/brief", headers=token)).status_code == 429:
        assert said.headers["Retry-After"] == "1"
    assert said.status_code == 200


def test_all_tokens_of_a_user_count_together_and_users_apart(opened: Opened) -> None:
    site = opened()
    ana, ben = site.user("Ana"), site.user("Ben")
    tokens = [site.token_of(ana), site.token_of(ana)]
    said = [post(site, headers=tokens[n % 2]) for n in range(11)]
    assert statuses(said)[-1] == 429
    assert post(site, headers=site.token_of(ben)).status_code == 200


def test_a_forwarded_address_that_anybody_can_make_up_does_not_count(opened: Opened) -> None:
    site = opened()
    said = [post(site, headers={FORWARDED: f"203.0.113.{n}"}) for n in range(11)]
    assert statuses(said)[-1] == 429


def test_behind_a_trusted_proxy_each_client_counts_for_itself(opened: Opened) -> None:
    site = opened(trusted_proxies=("127.0.0.1",))
    said = [post(site, headers={FORWARDED: f"203.0.113.{n}"}) for n in range(11)]
    assert statuses(said) == [200] * 11
    spoofed = [post(site, headers={FORWARDED: f"10.9.8.{n}, 198.51.100.1"}) for n in range(11)]
    assert statuses(spoofed) == [200] * 10 + [429]


def test_of_many_calls_at_once_exactly_the_quota_goes_through(opened: Opened) -> None:
    site = opened()
    token = site.token_of(site.user())
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: post(site, headers=token).status_code, range(30)))
    assert sorted(said) == [200] * 10 + [429] * 20
