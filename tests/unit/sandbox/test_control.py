"""The sandbox's own interface, and its server."""

import pytest
import requests

from darkroom.providers import checking, gemini
from darkroom.settings import Settings
from tests.sandboxed import Sandboxed

HEADERS = {"x-goog-api-key": "sandbox"}


def ask(sandbox: Sandboxed, method: str, path: str, **more: object) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    return session.request(method, f"{sandbox.url}/_sandbox{path}", timeout=10, **more)


def test_it_says_what_it_is(sandbox: Sandboxed) -> None:
    assert ask(sandbox, "GET", "").json()["name"] == "darkroom sandbox"


def test_every_provider_is_well(chosen: Settings) -> None:
    found = {check.provider: check.level for check in checking.check(chosen)}
    assert set(found) - {"slack"} == {
        "gemini",
        "openai",
        "laozhang",
        "cloudinary",
        "wordpress",
        "gcs",
    }
    assert {level for name, level in found.items() if name != "slack"} == {"ok"}


def test_the_journal_holds_sizes_and_hashes_and_no_words(
    sandbox: Sandboxed, chosen: Settings
) -> None:
    gemini.connect(chosen).tell("gemini-3.5-flash-lite", "the secret of the prompt")
    said = ask(sandbox, "GET", "/journal?route=/gemini/*&limit=5")
    [entry] = said.json()["entries"]
    assert entry["status"] == 200 and entry["size"] > 60 and len(entry["sha256"]) == 64
    assert said.json()["count"] == 1
    assert "secret" not in said.text
    ask(sandbox, "DELETE", "/journal")
    assert sandbox.count() == 0


def test_a_fault_is_ordered_listed_and_cleared(sandbox: Sandboxed) -> None:
    given = {"route": "/gemini/*", "kind": "error", "times": 2, "options": {"status": 502}}
    made = ask(sandbox, "POST", "/faults", json=given)
    assert made.status_code == 201
    model = f"{sandbox.url}/gemini/v1beta/models"
    assert requests.get(model, headers=HEADERS).status_code == 502
    [found] = ask(sandbox, "GET", "/faults").json()["faults"]
    assert (found["done"], found["is_over"]) == (1, False)
    assert ask(sandbox, "DELETE", f"/faults/{found['id']}").json() == {"cleared": 1}
    assert requests.get(model, headers=HEADERS).status_code == 200


def test_a_wrong_order_is_told_what_is_wrong(sandbox: Sandboxed) -> None:
    answer = ask(sandbox, "POST", "/faults", json={"route": "/x", "kind": "dragons"})
    assert answer.status_code == 400 and answer.json()["error"]["field"] == "kind"
    assert ask(sandbox, "POST", "/faults", data="x").status_code == 415


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_page_elsewhere_cannot_drive_it(sandbox: Sandboxed, headers: dict[str, str]) -> None:
    answer = ask(sandbox, "DELETE", "/faults", headers=headers)
    assert answer.status_code == 403
