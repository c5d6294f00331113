import base64
import json

import pytest

from darkroom.errors import ModelGone, Permanent, Transient
from darkroom.providers import laozhang, openai
from darkroom.providers.failures import NoPicture
from darkroom.providers.http import Timeouts
from darkroom.providers.laozhang import LaoZhang
from darkroom.providers.pictures import Picture
from darkroom.settings import ProviderSettings
from tests.engine.service import Service

PNG = b"\x89PNG\r\n\x1a\nx"
B64 = base64.b64encode(PNG).decode()
PHOTO = Picture(PNG, "image/png")
HOSTED = "https://cdn.example/a.png"


@pytest.fixture
def client(service: Service) -> LaoZhang:
    chosen = ProviderSettings("laozhang", service.url, "sk-secret")
    return LaoZhang(openai.http("LaoZhang", chosen, Timeouts(total=10)))


def chat(content):
    return {
        "choices": [{"message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7},
    }


def native(part):
    return {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}


def no_fetch(url: str) -> Picture:
    raise AssertionError(f"{url} was fetched")


@pytest.mark.parametrize(
    "answer",
    [
        native({"inlineData": {"mimeType": "image/png", "data": B64}}),
        native({"text": f"![image](data:image/png;base64,{B64})"}),
        chat(f"Here: ![image](data:image/png;base64,{B64}) Enjoy."),
        {"data": [{"b64_json": B64}]},
        {"data": [{"b64_json": f"data:image/png;base64,{B64}"}]},
    ],
    ids=["inline", "data URL, native", "data URL", "b64_json", "b64_json as a data URL"],
)
def test_a_picture_in_the_answer_is_found_in_every_shape(answer) -> None:
    assert laozhang.picture(json.dumps(answer).encode(), no_fetch) == PHOTO


@pytest.mark.parametrize(
    "answer",
    [
        chat(f"![image]({HOSTED})"),
        chat(f"It is at {HOSTED}."),
        chat([{"type": "image_url", "image_url": {"url": HOSTED}}]),
        {"data": [{"url": HOSTED}]},
        native({"text": f"![a]({HOSTED})"}),
    ],
    ids=["Markdown", "plain", "parts", "data", "native"],
)
def test_a_hosted_picture_is_fetched(answer) -> None:
    asked: list[str] = []

    def fetch(url: str) -> Picture:
        asked.append(url)
        return PHOTO

    assert laozhang.picture(json.dumps(answer).encode(), fetch) == PHOTO
    assert asked == [HOSTED]


def test_gemini_s_models_are_asked_in_its_own_format(service: Service, client: LaoZhang) -> None:
    service.will(200, native({"inlineData": {"mimeType": "image/png", "data": B64}}))
    reply = client.edit("gemini-3.1-flash-image", "white", [PHOTO])
    assert service.last.path == "/v1beta/models/gemini-3.1-flash-image:generateContent"
    assert service.last.headers["Authorization"] == "Bearer sk-secret"
    assert reply.images == 1


@pytest.mark.parametrize(("pictures", "what"), [([PHOTO], "edits"), ([], "generations")])
def test_other_models_are_asked_in_openai_s_format(
    service: Service, client: LaoZhang, pictures: list[Picture], what: str
) -> None:
    service.will(200, {"data": [{"b64_json": B64}]})
    client.edit("gpt-image-2", "white", pictures)
    assert service.last.path == f"/v1/images/{what}"


def test_a_conversation_shows_the_picture(service: Service, client: LaoZhang) -> None:
    service.will(200, chat(f"![image]({HOSTED})"))
    reply = client.chat("gpt-image-2", "white", [PHOTO])
    assert service.last.path == "/v1/chat/completions"
    (message,) = service.last.json["messages"]
    assert message["content"][1]["image_url"]["url"] == f"data:image/png;base64,{B64}"
    assert (reply.tokens_in, reply.tokens_out) == (5, 7)


def test_words_instead_of_a_picture_may_be_asked_for_once_more(
    service: Service, client: LaoZhang
) -> None:
    service.will(200, chat("I cannot draw that."))
    with pytest.raises(NoPicture, match="I cannot draw that"):
        client.chat("gpt-image-2", "white")


@pytest.mark.parametrize(
    "message",
    ["当前分组 default 下对于模型 dall-e-2 无可用渠道", "No available channel for model dall-e-2"],
)
def test_a_model_that_is_gone_is_a_503(service: Service, client: LaoZhang, message: str) -> None:
    service.will(503, {"error": {"message": message, "type": "new_api_error", "code": ""}})
    with pytest.raises(ModelGone, match="dall-e-2"):
        client.edit("dall-e-2", "white")


def test_another_503_may_be_mended(service: Service, client: LaoZhang) -> None:
    service.will(503, {"error": {"message": "upstream timed out", "code": "upstream"}})
    with pytest.raises(Transient, match="upstream timed out"):
        client.edit("gpt-image-2", "white")


def test_a_bad_key_is_named_by_its_setting(service: Service, client: LaoZhang) -> None:
    service.will(401, {"error": {"message": "无效的令牌"}})
    with pytest.raises(Permanent, match="LAOZHANG_API_KEY"):
        client.edit("gpt-image-2", "white")
