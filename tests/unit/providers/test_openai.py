import base64
import json
from datetime import timedelta

import pytest

from darkroom.errors import DarkroomError, Invalid, ModelGone, Permanent, Refused, Transient
from darkroom.providers import openai
from darkroom.providers.http import Timeouts
from darkroom.providers.openai import OpenAI, Options
from darkroom.providers.pictures import Picture
from darkroom.settings import ProviderSettings
from tests.engine.service import Service

PNG = b"\x89PNG\r\n\x1a\nx"
MODEL = "gpt-image-2"


@pytest.fixture
def client(service: Service) -> OpenAI:
    chosen = ProviderSettings("openai", service.url, "sk-secret")
    return OpenAI(openai.http("OpenAI", chosen, Timeouts(total=10)))


def images(*data: bytes):
    listed = [{"b64_json": base64.b64encode(each).decode()} for each in data]
    usage = {"total_tokens": 100, "input_tokens": 50, "output_tokens": 50}
    return {"created": 1713833628, "data": listed, "usage": usage}


def error(code: str | None, message: str = "No.", kind: str = "invalid_request_error", param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def raised(client: OpenAI, kind: type[DarkroomError]) -> DarkroomError:
    with pytest.raises(kind) as caught:
        client.generate(MODEL, "a fern")
    return caught.value


def test_a_generation_is_asked_for_as_the_api_wants_it(service: Service, client: OpenAI) -> None:
    service.will(200, images(PNG, b"\xff\xd8\xffjpeg"))
    options = Options(
        size="1024x1024", quality="high", background="opaque", output_format="jpeg",
        output_compression=90, moderation="low", user="7",
    )  # fmt: skip
    reply = client.generate(MODEL, "a fern", n=2, options=options)
    heard = service.last
    assert (heard.method, heard.path) == ("POST", "/v1/images/generations")
    assert heard.headers["Authorization"] == "Bearer sk-secret"
    assert heard.json == {
        "model": MODEL,
        "prompt": "a fern",
        "n": 2,
        "size": "1024x1024",
        "quality": "high",
        "background": "opaque",
        "output_format": "jpeg",
        "output_compression": 90,
        "moderation": "low",
        "user": "7",
    }
    assert (reply.images, reply.tokens_in, reply.tokens_out) == (2, 50, 50)
    assert openai.pictures(reply.body) == [
        Picture(PNG, "image/png"),
        Picture(b"\xff\xd8\xffjpeg", "image/jpeg"),
    ]


def test_what_is_not_set_is_not_sent(service: Service, client: OpenAI) -> None:
    service.will(200, images(PNG))
    client.generate(MODEL, "a fern")
    assert service.last.json == {"model": MODEL, "prompt": "a fern", "n": 1}


def test_an_edit_is_a_form_with_files(service: Service, client: OpenAI) -> None:
    service.will(200, images(PNG))
    sources = [Picture(PNG, "image/png"), Picture(b"two", "image/webp")]
    client.edit(MODEL, "white", sources, mask=Picture(PNG, "image/png"))
    heard = service.last
    assert heard.path == "/v1/images/edits"
    assert heard.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert heard.body.count(b'name="image[]"; filename="image-') == 2
    assert b'name="mask"; filename="mask-0.png"\r\nContent-Type: image/png' in heard.body
    assert b'name="model"\r\n\r\ngpt-image-2' in heard.body


@pytest.mark.parametrize(
    ("sources", "mask", "field"),
    [
        ([], None, "image"),
        ([Picture(PNG, "image/png")] * 17, None, "image"),
        ([Picture(bytes(50 * 1024 * 1024), "image/png")], None, "image"),
        ([Picture(PNG, "image/png")], Picture(PNG, "image/jpeg"), "mask"),
        ([Picture(PNG, "image/png")], Picture(bytes(4 * 1024 * 1024), "image/png"), "mask"),
    ],
)
def test_what_would_be_refused_is_not_sent(service: Service, client, sources, mask, field) -> None:
    with pytest.raises(Invalid) as caught:
        client.edit(MODEL, "white", sources, mask=mask)
    assert caught.value.field == field and not service.heard


@pytest.mark.parametrize("n", [0, 11])
def test_one_to_ten_pictures_can_be_asked_for(client: OpenAI, n: int) -> None:
    with pytest.raises(Invalid, match="1 to 10"):
        client.generate(MODEL, "x", n=n)


def test_what_is_blocked_by_moderation_is_refused(service: Service, client: OpenAI) -> None:
    service.will(400, error("moderation_blocked", "Rejected.", "image_generation_user_error"))
    assert "Rejected." in raised(client, Refused).message


def test_the_user_s_mistakes_are_the_user_s(service: Service, client: OpenAI) -> None:
    service.will(400, error("bad", "Bad mask.", "image_generation_user_error", "mask"))
    mistake = raised(client, Invalid)
    assert isinstance(mistake, Invalid) and mistake.field == "mask"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_model_that_is_gone_is_told_by_its_code(
    service: Service, client: OpenAI, status: int
) -> None:
    service.will(status, error("model_not_found", "The model does not exist."))
    assert MODEL in raised(client, ModelGone).message


def test_an_empty_account_is_no_matter_of_waiting(service: Service, client: OpenAI) -> None:
    service.will(429, error("insufficient_quota", "You exceeded your current quota."))
    assert "billing" in raised(client, Permanent).message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry_after_ms": "1500"}, 1.5), ({"retry_after": "20"}, 20), ({}, None)],
)
def test_too_many_requests_wait_as_told(
    service: Service, client: OpenAI, headers, seconds: float | None
) -> None:
    service.will(429, error("rate_limit_exceeded"), **headers)
    busy = raised(client, Transient)
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert isinstance(busy, Transient) and busy.retry_after == expected


@pytest.mark.parametrize(
    ("status", "wish", "kind"),
    [(500, "false", Permanent), (409, "true", Transient), (500, "true", Transient)],
)
def test_the_service_s_own_word_on_retries_counts(
    service: Service, client: OpenAI, status: int, wish: str, kind: type[DarkroomError]
) -> None:
    service.will(status, error(None), x_should_retry=wish)
    raised(client, kind)


def test_a_bad_key_is_named_by_its_setting(service: Service, client: OpenAI) -> None:
    service.will(401, error("invalid_api_key", "Incorrect API key provided: sk-secret"))
    refused = raised(client, Permanent)
    assert "OPENAI_API_KEY" in refused.message and "sk-secret" not in refused.message


@pytest.mark.parametrize("body", [{"data": []}, {"data": [{"url": "x"}]}, {}, [], None])
def test_an_answer_without_pictures_is_tried_again(service: Service, client: OpenAI, body) -> None:
    service.will(200, json.dumps(body))
    raised(client, Transient)


def test_models_are_listed(service: Service, client: OpenAI) -> None:
    service.will(200, {"object": "list", "data": [{"id": "a"}, {"id": "b"}]})
    assert client.models() == {"a", "b"}
