"""Gemini's wire format and faults, through our own client."""

import time
from datetime import timedelta

import pytest
import requests

from darkroom.errors import DarkroomError, Invalid, ModelGone, Permanent, Refused, Transient
from darkroom.providers import gemini
from darkroom.providers.failures import NoPicture
from darkroom.providers.gemini import Gemini, Options
from darkroom.providers.http import Timeouts
from darkroom.providers.pictures import Picture
from darkroom.settings import ProviderSettings, Settings
from tests.sandboxed import Sandboxed

from .pictures import photo, product, read, size_of

MODEL = "gemini-2.5-flash-image"
TEXT_MODEL = "gemini-3.5-flash-lite"
ROUTE = "/gemini/*:generateContent"
WHITE = "Clean white background, professional lighting"


@pytest.fixture
def client(chosen: Settings) -> Gemini:
    return gemini.connect(chosen)


def hasty(sandbox: Sandboxed, **seconds: float) -> Gemini:
    settings = sandbox.providers().gemini
    return Gemini(gemini.http("Gemini", settings, Timeouts(**seconds)))


def raised(client: Gemini, kind: type[DarkroomError]) -> DarkroomError:
    with pytest.raises(DarkroomError) as caught:
        client.edit(MODEL, WHITE, [photo()])
    assert type(caught.value) is kind
    return caught.value


def test_an_edit_answers_with_an_edited_picture(client: Gemini) -> None:
    before, _ = product("wood")
    reply = client.edit(MODEL, WHITE, [photo(before)], Options(seed=42))
    after = gemini.picture(reply.body)
    assert after.mime == "image/png" and size_of(after) == (1024, 1024)
    assert (read(after)[:40, :40] == 255).all()
    assert reply.tokens_in and reply.tokens_out == 1290
    assert reply.facts["model_version"] == MODEL and reply.facts["response_id"]


def test_an_edit_keeps_the_pictures_shape(client: Gemini) -> None:
    reply = client.edit(MODEL, "brighter", [photo(product()[0][:240])])
    width, height = size_of(gemini.picture(reply.body))
    assert width == pytest.approx(2 * height, rel=0.03)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (Options(aspect_ratio="16:9"), (1344, 768)),
        (Options(aspect_ratio="1:1", size="1K"), (1024, 1024)),
        (Options(), (1024, 1024)),
    ],
)
def test_a_picture_has_the_shape_that_was_asked_for(
    client: Gemini, options: Options, size: tuple[int, int]
) -> None:
    made = gemini.picture(client.edit(MODEL, "a plant", (), options).body)
    assert size_of(made) == size


def test_the_same_request_has_the_same_answer(client: Gemini) -> None:
    once, again, other = (
        client.edit(MODEL, "a plant", (), Options(seed=seed)).body for seed in (1, 1, 2)
    )
    assert once == again
    assert gemini.picture(once).data != gemini.picture(other).data


def test_a_question_is_answered_in_words(client: Gemini) -> None:
    reply = client.tell(TEXT_MODEL, "What is it?", [photo(product("studio")[0])])
    assert "green" in gemini.text(reply.body)


def test_a_question_with_a_schema_is_answered_in_json(client: Gemini) -> None:
    schema = {"type": "OBJECT", "properties": {"brightness": {"type": "NUMBER"}}}
    reply = client.tell(TEXT_MODEL, "How bright?", [photo()], schema=schema, seed=1)
    assert 0 < gemini.data(reply.body)["brightness"] < 1


def test_the_models_are_those_of_the_settings(client: Gemini, chosen: Settings) -> None:
    chains = chosen.providers.gemini.models.values()
    assert client.models() == {model for chain in chains for model in chain}


def test_a_foreign_key_is_not_let_in(sandbox: Sandboxed) -> None:
    url = sandbox.providers().gemini.base_url
    stranger = ProviderSettings("gemini", url, "AIza-a-real-key")
    client = Gemini(gemini.http("Gemini", stranger, Timeouts()))
    assert "GEMINI_API_KEY" in raised(client, Permanent).message


@pytest.mark.parametrize(
    "body",
    [
        {"contents": []},
        {"contents": [{"parts": [{"text": "x"}]}], "generation": {}},
        {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"sed": 1}},
        {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "%"}}]}]},
        {"contents": [{"parts": [{"inlineData": {"mimeType": "text/html", "data": ""}}]}]},
        {
            "contents": [{"parts": [{"text": "x"}]}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "7:1"},
            },
        },
    ],
)
def test_what_the_api_would_not_take_is_not_taken(
    sandbox: Sandboxed, body: dict[str, object]
) -> None:
    url = f"{sandbox.url}/gemini/v1beta/models/{MODEL}:generateContent"
    answer = requests.post(url, json=body, headers={"x-goog-api-key": "sandbox"})
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_what_is_no_picture_is_the_callers_mistake(client: Gemini) -> None:
    with pytest.raises(Invalid):
        client.edit(MODEL, WHITE, [Picture(b"\xff\xd8\xffnonsense", "image/jpeg")])


# Faults.


def test_too_many_requests_tell_how_long_to_wait(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "limit", seconds=34.07)
    error = raised(client, Transient)
    assert error.retry_after == timedelta(seconds=34.07)
    assert error.http_status == 429
    client.edit(MODEL, WHITE, [photo()])


def test_too_many_requests_of_a_minute_wait_a_minute(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "limit", seconds=0)
    assert raised(client, Transient).retry_after == timedelta(minutes=1)


def test_a_wait_that_is_too_long_is_permanent(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "limit", seconds=900)
    raised(client, Permanent)


def test_the_quota_of_a_day_is_used_up_after_so_many(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "quota", after=1, times=None)
    client.edit(MODEL, WHITE, [photo()])
    assert "today" in raised(client, Permanent).message
    raised(client, Permanent)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_breakdown_passes(sandbox: Sandboxed, client: Gemini, status: int) -> None:
    sandbox.fault(ROUTE, "error", status=status)
    assert raised(client, Transient).http_status == status


def test_a_safety_block_is_refused(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "blocked")
    raised(client, Refused)


def test_a_success_without_a_picture_may_be_asked_once_more(
    sandbox: Sandboxed, client: Gemini
) -> None:
    sandbox.fault(ROUTE, "no_picture")
    raised(client, NoPicture)


def test_a_model_that_is_gone_is_not_listed(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(f"*{MODEL}:*", "gone", times=None)
    assert MODEL not in client.models()
    assert MODEL in raised(client, ModelGone).message
    client.edit("gemini-3.1-flash-image", "a plant")


def test_a_model_that_never_was_is_gone(client: Gemini) -> None:
    with pytest.raises(ModelGone):
        client.edit("gemini-9", "a plant")


def test_a_key_that_has_ended_is_named(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "expired")
    assert "GEMINI_API_KEY" in raised(client, Permanent).message


def test_broken_json_passes(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "malformed")
    assert "unreadable" in raised(client, Transient).message


@pytest.mark.parametrize("portion", [0, 0.5])
def test_a_cut_connection_passes(sandbox: Sandboxed, client: Gemini, portion: float) -> None:
    sandbox.fault(ROUTE, "cut", portion=portion)
    began = time.monotonic()
    raised(client, Transient)
    assert time.monotonic() - began < 15
    [entry] = sandbox.journal(ROUTE)
    assert (entry.status, entry.fault) == (0, "cut")
    assert entry.answer_size > 1000


def test_a_slow_answer_is_not_waited_for(sandbox: Sandboxed) -> None:
    sandbox.fault(ROUTE, "slow", seconds=60)
    began = time.monotonic()
    assert "said nothing" in raised(hasty(sandbox, read=3, total=30), Transient).message
    assert time.monotonic() - began < 20


def test_an_answer_in_drops_is_not_waited_for(sandbox: Sandboxed) -> None:
    sandbox.fault(ROUTE, "drip", seconds=60)
    began = time.monotonic()
    assert "not done within" in raised(hasty(sandbox, read=20, total=4), Transient).message
    assert time.monotonic() - began < 20


def test_an_answer_in_few_drops_arrives(sandbox: Sandboxed, client: Gemini) -> None:
    sandbox.fault(ROUTE, "drip", seconds=0.2)
    assert gemini.picture(client.edit(MODEL, "a plant").body).data
