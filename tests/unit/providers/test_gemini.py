import base64
import json
from datetime import timedelta

import pytest

from darkroom.errors import DarkroomError, ModelGone, Permanent, Refused, Transient
from darkroom.providers import gemini
from darkroom.providers.failures import NoPicture
from darkroom.providers.gemini import Gemini, Options
from darkroom.providers.http import Timeouts
from darkroom.providers.pictures import Picture
from darkroom.settings import ProviderSettings
from tests.engine.service import Service

KEY = "AIza-very-secret"
PHOTO = Picture(b"\xff\xd8\xffphoto", "image/jpeg")
MODEL = "gemini-2.5-flash-image"


@pytest.fixture
def service_of_gemini(service: Service) -> Gemini:
    chosen = ProviderSettings("gemini", service.url, KEY)
    return Gemini(gemini.http("Gemini", chosen, Timeouts(total=10)))


def inline(data: bytes = b"\x89PNG\r\n\x1a\nx", **more):
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(data).decode()}} | more


def said(*parts, reason: str = "STOP", **more):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason}
    usage = {"promptTokenCount": 270, "candidatesTokenCount": 1290, "thoughtsTokenCount": 10}
    return {
        "candidates": [candidate | more],
        "usageMetadata": usage,
        "modelVersion": "gemini-2.5-flash-image-001",
        "responseId": "abc",
    }


def error(code: int, status: str, message: str, *details):
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def retry_info(delay: str):
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def quota(name: str):
    kind = "type.googleapis.com/google.rpc.QuotaFailure"
    return {"@type": kind, "violations": [{"quotaMetric": "x", "quotaId": name}]}


def raised(client: Gemini, kind: type[DarkroomError] = DarkroomError) -> DarkroomError:
    with pytest.raises(kind) as caught:
        client.edit(MODEL, "white background", [PHOTO])
    assert KEY not in str(caught.value)
    return caught.value


# Requests.


def test_an_edit_is_asked_for_as_the_api_wants_it(
    service: Service, service_of_gemini: Gemini
) -> None:
    service.will(200, said(inline()))
    options = Options(aspect_ratio="1:1", size="1K", temperature=0.1, seed=42)
    service_of_gemini.edit(MODEL, "white background", [PHOTO], options)
    heard = service.last
    assert (heard.method, heard.path) == ("POST", f"/v1beta/models/{MODEL}:generateContent")
    assert heard.headers["x-goog-api-key"] == KEY
    data = base64.b64encode(PHOTO.data).decode()
    assert heard.json == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "white background"},
                    {"inlineData": {"mimeType": "image/jpeg", "data": data}},
                ],
            }
        ],
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
            "temperature": 0.1,
            "seed": 42,
        },
    }


def test_a_question_asks_for_no_picture(service: Service, service_of_gemini: Gemini) -> None:
    service.will(200, said({"text": "a fern"}))
    service_of_gemini.tell(MODEL, "what is it?", [PHOTO])
    assert "generationConfig" not in service.last.json


def test_a_question_with_a_schema_asks_for_json(
    service: Service, service_of_gemini: Gemini
) -> None:
    schema = {"type": "OBJECT", "properties": {"plants": {"type": "INTEGER"}}}
    service.will(200, said({"text": '{"plants":'}, {"text": " 3}"}))
    reply = service_of_gemini.tell(MODEL, "how many?", [PHOTO], schema=schema)
    config = service.last.json["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseSchema": schema}
    assert gemini.data(reply.body) == {"plants": 3}


def test_models_are_listed_page_by_page(service: Service, service_of_gemini: Gemini) -> None:
    service.will(200, {"models": [{"name": "models/a"}], "nextPageToken": "next"})
    service.will(200, {"models": [{"name": "models/b"}]})
    assert service_of_gemini.models() == {"a", "b"}
    assert "pageToken=next" in service.last.path


# Answers.


def test_the_picture_is_the_last_one_that_is_no_thought(
    service: Service, service_of_gemini: Gemini
) -> None:
    parts = ({"text": "Here"}, inline(b"draft", thought=True), inline(b"a"), inline(b"b"))
    service.will(200, said(*parts, inline(b"last thought", thought=True)))
    reply = service_of_gemini.edit(MODEL, "x")
    assert gemini.picture(reply.body) == Picture(b"b", "image/png")
    assert (reply.images, reply.tokens_in, reply.tokens_out) == (1, 270, 1300)
    assert reply.facts == {
        "finish_reason": "STOP",
        "model_version": "gemini-2.5-flash-image-001",
        "response_id": "abc",
    }


def test_thoughts_are_no_answer(service: Service, service_of_gemini: Gemini) -> None:
    service.will(200, said({"text": "hmm", "thought": True}, {"text": "a fern"}))
    assert gemini.text(service_of_gemini.tell(MODEL, "?").body) == "a fern"


@pytest.mark.parametrize(
    "reason",
    [
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "PROHIBITED_CONTENT",
        "SAFETY",
    ],
)
def test_what_is_withheld_for_safety_is_refused(
    service: Service, service_of_gemini: Gemini, reason: str
) -> None:
    service.will(200, said(reason=reason, finishMessage="Unable to show it."))
    refused = raised(service_of_gemini, Refused)
    assert not isinstance(refused, NoPicture)
    assert reason in refused.message and "Unable to show it." in refused.message
    assert refused.http_status == 200


def test_a_prompt_that_is_blocked_is_refused(service: Service, service_of_gemini: Gemini) -> None:
    service.will(200, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    refused = raised(service_of_gemini, Refused)
    assert "PROHIBITED_CONTENT" in refused.message and not isinstance(refused, NoPicture)


@pytest.mark.parametrize("reason", ["NO_IMAGE", "IMAGE_OTHER", "OTHER", "STOP"])
def test_an_answer_without_a_picture_may_be_asked_for_once_more(
    service: Service, service_of_gemini: Gemini, reason: str
) -> None:
    service.will(200, said({"text": "I would rather not."}, reason=reason))
    assert reason in raised(service_of_gemini, NoPicture).message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"<html>"],
)
def test_an_answer_that_makes_no_sense_is_tried_again(
    service: Service, service_of_gemini: Gemini, body: bytes
) -> None:
    service.will(200, body)
    raised(service_of_gemini, Transient)


@pytest.mark.parametrize(
    "body",
    [
        {"candidates": None},
        {"candidates": [None]},
        {"candidates": [{"content": {"parts": [{"inlineData": {"data": "no base64!"}}]}}]},
        {"candidates": [{"content": {"parts": "text"}}]},
        {},
    ],
)
def test_an_answer_of_another_shape_holds_no_picture(
    service: Service, service_of_gemini: Gemini, body
) -> None:
    service.will(200, body)
    raised(service_of_gemini, NoPicture)


def test_json_that_was_asked_for_and_is_none_is_tried_again(
    service: Service, service_of_gemini: Gemini
) -> None:
    service.will(200, said({"text": "three"}))
    with pytest.raises(Transient):
        service_of_gemini.tell(MODEL, "?", schema={"type": "INTEGER"})


# Refusals.


@pytest.mark.parametrize(
    ("details", "message", "seconds"),
    [
        ([retry_info("34.07s")], "", 34.07),
        ([retry_info("900ms")], "", 0.9),
        ([retry_info("34s"), quota("GenerateRequestsPerMinutePerProject")], "", 34),
        ([quota("GenerateRequestsPerMinutePerProject-FreeTier")], "", 60),
        ([], "You exceeded your quota. Please retry in 12.5s.", 12.5),
        ([], "Please retry in 387.5ms.", 0.3875),
        ([retry_info("300s")], "", 300),
    ],
)
def test_too_many_requests_wait_as_long_as_they_are_told(
    service: Service, service_of_gemini: Gemini, details, message: str, seconds: float
) -> None:
    service.will(429, error(429, "RESOURCE_EXHAUSTED", message, *details))
    busy = raised(service_of_gemini, Transient)
    assert isinstance(busy, Transient)
    assert busy.retry_after == timedelta(seconds=seconds)
    assert busy.http_status == 429


def test_too_many_requests_without_a_word_are_the_queue_s_to_time(
    service: Service, service_of_gemini: Gemini
) -> None:
    service.will(429, b"slow down")
    busy = raised(service_of_gemini, Transient)
    assert isinstance(busy, Transient) and busy.retry_after is None


def test_a_header_tells_the_wait_where_the_body_does_not(
    service: Service, service_of_gemini: Gemini
) -> None:
    service.will(429, error(429, "RESOURCE_EXHAUSTED", ""), Retry_After="7")
    busy = raised(service_of_gemini, Transient)
    assert isinstance(busy, Transient) and busy.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    "details",
    [
        [quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), retry_info("20s")],
        [retry_info("300.1s")],
        [retry_info("86400s")],
    ],
)
def test_a_quota_that_is_used_up_for_long_is_a_failure_in_words(
    service: Service, service_of_gemini: Gemini, details
) -> None:
    service.will(429, error(429, "RESOURCE_EXHAUSTED", "You exceeded your quota.", *details))
    spent = raised(service_of_gemini, Permanent)
    assert "quota" in spent.message and "You exceeded your quota." in spent.message


def test_a_model_that_is_gone_is_told_from_a_path_that_is_not_there(
    service: Service, service_of_gemini: Gemini
) -> None:
    words = f"models/{MODEL} is not found for API version v1beta"
    service.will(404, error(404, "NOT_FOUND", words)).will(404, b"<html>nginx</html>")
    assert words in raised(service_of_gemini, ModelGone).message
    assert not isinstance(raised(service_of_gemini, Permanent), ModelGone)


def test_a_bad_key_is_named_by_its_setting(service: Service, service_of_gemini: Gemini) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    service.will(400, error(400, "INVALID_ARGUMENT", "API key not valid.", info))
    service.will(403, error(403, "PERMISSION_DENIED", "Forbidden."))
    for _ in range(2):
        assert "GEMINI_API_KEY" in raised(service_of_gemini, Permanent).message


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_service_may_be_mended(
    service: Service, service_of_gemini: Gemini, status: int
) -> None:
    service.will(status, error(status, "UNAVAILABLE", "The model is overloaded."))
    assert "overloaded" in raised(service_of_gemini, Transient).message


def test_an_error_that_repeats_our_key_does_not_pass_it_on(
    service: Service, service_of_gemini: Gemini
) -> None:
    service.will(400, error(400, "INVALID_ARGUMENT", f"bad key {KEY}"))
    assert "bad key •••" in raised(service_of_gemini).message


def test_bodies_are_kept_as_they_came(service: Service, service_of_gemini: Gemini) -> None:
    body = json.dumps(said(inline()), indent=3).encode()
    service.will(200, body)
    assert service_of_gemini.edit(MODEL, "x").body == body
