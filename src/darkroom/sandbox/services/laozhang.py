"""LaoZhang: OpenAI's images, conversations that end in a picture, and Gemini's own format.

A conversation with a Gemini model answers with a data URL, with any other by a hosted one.

https://docs.laozhang.ai
"""

import base64
import binascii
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.sandbox.faults import Fault
from darkroom.sandbox.pictures import working
from darkroom.sandbox.pictures.pixels import Unreadable, saved
from darkroom.sandbox.services import gemini, openai, refusals
from darkroom.sandbox.state import address, fault, here

Json = dict[str, Any]

NAME = "laozhang"

service = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")


class Wrong(Exception):
    """The conversation is not as it has to be."""


@service.before_request
def guard() -> ResponseReturnValue | None:
    """Let in those with the key, and faults before them; hosted pictures are open to all."""
    if (befallen := fault()) is not None and refusals.is_refusal(befallen):
        return refusal(befallen, request.path)
    if request.endpoint == f"{NAME}.hosted" or openai.has_key():
        return None
    return openai.error(401, "无效的令牌 (invalid token)", "new_api_error")


@service.get("/v1/models")
def models() -> ResponseReturnValue:
    """The models."""
    return openai.listed(here().models[NAME])


@service.post("/v1/images/generations")
def generations() -> ResponseReturnValue:
    """Make pictures of a prompt."""
    return openai.generated(here().models[NAME], gone)


@service.post("/v1/images/edits")
def edits() -> ResponseReturnValue:
    """Make pictures of a prompt and other pictures."""
    return openai.edited(here().models[NAME], gone)


@service.post("/v1beta/models/<name>:generateContent")
def generate(name: str) -> ResponseReturnValue:
    """The same as Gemini's."""
    return gemini.generated(name) if name in here().models[NAME] else gone(name)


@service.post("/v1/chat/completions")
def chat() -> ResponseReturnValue:
    """Answer the last message of a conversation with a picture in Markdown."""
    given = request.get_json(silent=True)
    said: Json = given if isinstance(given, dict) else {}
    name = str(said.get("model"))
    if name not in here().models[NAME]:
        return gone(name)
    try:
        prompt, files = _read(said)
        size = working.like(files[0], 1024**2) if files else (1024, 1024)
        pixels = working.picture(prompt, files, size, said.get("seed"))
    except Wrong as wrong:
        return openai.error(400, str(wrong), "invalid_request_error")
    except Unreadable:
        return openai.error(400, "Invalid image.", "invalid_request_error")
    return _completion(name, prompt, f"![image]({_where(name, saved(pixels))})")


@service.get("/hosted/<name>.png")
def hosted(name: str) -> ResponseReturnValue:
    """A picture that an answer named."""
    try:
        return Response(here().shelf.get(name), mimetype="image/png")
    except FileNotFoundError:
        return openai.error(404, "Not found.", "not_found")


def _read(said: Json) -> tuple[str, list[bytes]]:
    messages = said.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Wrong("messages: field required")
    content = messages[-1].get("content") if isinstance(messages[-1], dict) else None
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise Wrong("messages: content must be a text or a list of parts")
    texts = [str(part.get("text")) for part in content if part.get("type") == "text"]
    return "\n".join(texts), [_file(part) for part in content if part.get("type") == "image_url"]


def _file(part: Json) -> bytes:
    found = part.get("image_url")
    url = str(found.get("url")) if isinstance(found, dict) else ""
    try:
        return base64.b64decode(url.partition(";base64,")[2], validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("image_url: only data URLs are taken here") from None


def _where(name: str, data: bytes) -> str:
    if name.startswith("gemini"):
        return "data:image/png;base64," + base64.b64encode(data).decode()
    return address(f"/{NAME}/hosted/{here().shelf.put(data)}.png")


def _completion(name: str, prompt: str, content: str) -> Response:
    message = {"role": "assistant", "content": content}
    spent, given = gemini.tokens(prompt), gemini.IMAGE_TOKENS
    return jsonify(
        id="chatcmpl-sandbox",
        object="chat.completion",
        created=int(here().clock()),
        model=name,
        choices=[{"index": 0, "message": message, "finish_reason": "stop"}],
        usage={"prompt_tokens": spent, "completion_tokens": given, "total_tokens": spent + given},
    )


def gone(name: str) -> Response:
    """No channel serves the model: a 503, here."""
    said = f"当前分组 default 下对于模型 {name} 无可用渠道"
    return openai.error(503, said, "new_api_error", "model_not_found")


def refusal(befallen: Fault, path: str) -> Response:
    """What LaoZhang answers when that befalls it."""
    if befallen.kind == "gone":
        return gone("of that name")
    if "/v1beta/" in path and befallen.kind in {"blocked", "no_picture"}:
        return gemini.refusal(befallen, path)
    if path.endswith("/chat/completions") and befallen.kind == "no_picture":
        return _completion("any", "", "I cannot show that.")
    return openai.refusal(befallen)
