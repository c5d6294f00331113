"""Gemini: `generateContent` for pictures, texts and JSON; the list of models.

https://ai.google.dev/api/generate-content
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.sandbox.faults import Fault
from darkroom.sandbox.pictures import answering, working
from darkroom.sandbox.pictures.pixels import Unreadable, saved
from darkroom.sandbox.services import refusals
from darkroom.sandbox.state import KNOWN, Sandbox, fault, here

Json = dict[str, Any]

NAME = "gemini"
PATH = "/v1beta/models"
EXCEEDED = "You exceeded your current quota."
IMAGE_TOKENS, PICTURE_TOKENS = 1290, 258
PIXELS = {"512": 512**2, "1K": 1024**2, "2K": 2048**2, "4K": 4096**2}
RATIOS: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
FIELDS = {
    "contents",
    "generationConfig",
    "systemInstruction",
    "safetySettings",
    "tools",
    "toolConfig",
    "cachedContent",
}
CONFIG = {
    "responseModalities",
    "imageConfig",
    "temperature",
    "seed",
    "responseMimeType",
    "responseSchema",
    "maxOutputTokens",
    "topP",
    "topK",
    "candidateCount",
    "stopSequences",
    "thinkingConfig",
}

service = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")


class Wrong(Exception):
    """The request is not as it has to be; its text is for the caller."""


@dataclass(frozen=True)
class Asked:
    """What a request asks for."""

    prompt: str
    files: list[bytes]
    config: Json = field(default_factory=dict)

    @property
    def seed(self) -> int | None:
        """The seed, if it names one."""
        return self.config.get("seed")

    @property
    def wants_picture(self) -> bool:
        """Whether a picture is asked for."""
        return "IMAGE" in self.config.get("responseModalities", ())


@service.before_request
def guard() -> ResponseReturnValue | None:
    """Let in those with the key, and faults before them."""
    if (befallen := fault()) is not None and refusals.is_refusal(befallen):
        return refusal(befallen, request.path)
    if request.headers.get("x-goog-api-key") != KNOWN:
        reason = {"@type": _kind("ErrorInfo"), "reason": "API_KEY_INVALID"}
        said = "API key not valid. Please pass a valid API key."
        return error(400, "INVALID_ARGUMENT", said, reason)
    return None


@service.get(PATH)
def models() -> ResponseReturnValue:
    """The models, but for those a fault has withdrawn."""
    return jsonify(models=[_model(name) for name in there(here(), NAME)])


@service.get(f"{PATH}/<name>")
def model(name: str) -> ResponseReturnValue:
    """One model."""
    return jsonify(_model(name)) if name in there(here(), NAME) else gone(name)


@service.post(f"{PATH}/<name>:generateContent")
def generate(name: str) -> ResponseReturnValue:
    """Make a picture, or answer in words or JSON."""
    if name not in here().models[NAME]:
        return gone(name)
    return generated(name)


def generated(name: str) -> ResponseReturnValue:
    """The answer of a model to the request."""
    try:
        asked = read(request.get_data())
        parts, spent = _parts(asked)
    except Wrong as wrong:
        return error(400, "INVALID_ARGUMENT", str(wrong))
    except Unreadable:
        return error(400, "INVALID_ARGUMENT", "Unable to process input image.")
    return jsonify(answer(name, asked, parts, spent))


def there(sandbox: Sandbox, provider: str) -> list[str]:
    """The models a service has, but for those that faults have withdrawn."""
    path = f"/{provider}{PATH}/%s:generateContent"
    return [each for each in sandbox.models[provider] if not sandbox.faults.is_gone(path % each)]


# Requests.


def read(body: bytes) -> Asked:
    """What a body asks for; `Wrong` for one that the API would not take."""
    try:
        said = json.loads(body)
    except ValueError:
        raise Wrong("Invalid JSON payload received.") from None
    said = _known(said, FIELDS, "")
    config = _known(said.get("generationConfig") or {}, CONFIG, " at 'generation_config'")
    parts = [part for content in _listed(said, "contents") for part in _listed(content, "parts")]
    if not parts:
        raise Wrong("* GenerateContentRequest.contents: contents is not specified")
    texts = [str(part["text"]) for part in parts if "text" in part]
    files = [_file(part["inlineData"]) for part in parts if "inlineData" in part]
    return Asked("\n".join(texts), files, config)


def _known(said: Any, names: set[str], where: str) -> Json:
    if not isinstance(said, dict):
        raise Wrong(f"Invalid JSON payload received{where}: an object is expected.")
    unknown = sorted(set(said) - names)
    if unknown:
        found = f'Unknown name "{unknown[0]}"{where}: Cannot find field.'
        raise Wrong(f"Invalid JSON payload received. {found}")
    return said


def _listed(said: Any, name: str) -> list[Json]:
    found = said.get(name) if isinstance(said, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Wrong(f"* GenerateContentRequest.{name}: a list of objects is expected")
    return found


def _file(inline: Any) -> bytes:
    if not isinstance(inline, dict) or not str(inline.get("mimeType")).startswith("image/"):
        raise Wrong("Unsupported MIME type: " + str(inline)[:40])
    try:
        return base64.b64decode(str(inline.get("data")), validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("Invalid value at 'contents[0].parts': Base64 decoding failed.") from None


def size_of(asked: Asked) -> working.Size:
    """How large the picture is to be: as asked, or else shaped like what is edited."""
    config = asked.config.get("imageConfig") or {}
    ratio, resolution = config.get("aspectRatio"), config.get("imageSize", "1K")
    if resolution not in PIXELS:
        raise Wrong(f"Invalid value at 'image_config.image_size': {resolution}")
    if ratio is not None and ratio not in RATIOS:
        raise Wrong(f"Invalid value at 'image_config.aspect_ratio': {ratio}")
    if ratio is None and asked.files:
        return working.like(asked.files[0], PIXELS[resolution])
    width, height = RATIOS[ratio or "1:1"]
    scale = (PIXELS[resolution] / PIXELS["1K"]) ** 0.5
    return round(width * scale), round(height * scale)


# Answers.


def _parts(asked: Asked) -> tuple[list[Json], int]:
    """The parts of the answer, and how many tokens they cost."""
    if asked.wants_picture:
        pixels = working.picture(asked.prompt, asked.files, size_of(asked), asked.seed)
        inline = {"mimeType": "image/png", "data": base64.b64encode(saved(pixels)).decode()}
        return [{"inlineData": inline}], IMAGE_TOKENS
    said = _said(asked)
    return [{"text": said}], tokens(said)


def _said(asked: Asked) -> str:
    schema = asked.config.get("responseSchema")
    if schema is None and asked.config.get("responseMimeType") != "application/json":
        return answering.told(asked.prompt, asked.files, asked.seed)
    found = answering.answered(schema or {}, asked.prompt, asked.files, asked.seed)
    return json.dumps(found, ensure_ascii=False)


def answer(name: str, asked: Asked, parts: Sequence[Json], spent: int) -> Json:
    """The body of a success."""
    prompt = tokens(asked.prompt) + PICTURE_TOKENS * len(asked.files)
    content = {"parts": list(parts), "role": "model"}
    usage = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": spent,
        "totalTokenCount": prompt + spent,
    }
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": usage,
        "modelVersion": name,
        "responseId": hashlib.sha256(request.get_data()).hexdigest()[:22],
    }


def tokens(text: str) -> int:
    """About how many tokens a text is."""
    return max(1, len(text) // 4)


def _model(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": f"{name} (sandbox)",
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


# Refusals.


def refusal(befallen: Fault, path: str) -> Response:
    """What Gemini answers when that befalls it."""
    kind = befallen.kind
    if kind == "limit":
        return _limited(befallen)
    if kind == "quota":
        return _quota(
            "GenerateRequestsPerDayPerProjectPerModel", "You exceeded your current quota."
        )
    if kind == "blocked":
        feedback = {"blockReason": "PROHIBITED_CONTENT"}
        return jsonify(promptFeedback=feedback, usageMetadata={"promptTokenCount": 10})
    if kind == "no_picture":
        candidate = {"content": {}, "finishReason": "NO_IMAGE", "index": 0}
        return jsonify(candidates=[candidate], usageMetadata={"promptTokenCount": 10})
    if kind == "gone":
        return gone(path.rpartition("/")[2].partition(":")[0])
    if kind == "expired":
        reason = {"@type": _kind("ErrorInfo"), "reason": "API_KEY_INVALID"}
        return error(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", reason)
    if kind == "forbidden":
        return error(403, "PERMISSION_DENIED", "The caller does not have permission")
    status = "UNAVAILABLE" if befallen.status == 503 else "INTERNAL"
    return error(befallen.status, status, "The model is overloaded. Please try again later.")


def _limited(befallen: Fault) -> Response:
    quota = "GenerateRequestsPerMinutePerProjectPerModel"
    if not befallen.seconds:
        return _quota(quota, EXCEEDED)
    delay = f"{befallen.seconds:g}s"
    said = f"{EXCEEDED} Please retry in {delay}."
    return _quota(quota, said, {"@type": _kind("RetryInfo"), "retryDelay": delay})


def _quota(name: str, said: str, *more: Json) -> Response:
    violation = {"quotaMetric": "generativelanguage.googleapis.com/requests", "quotaId": name}
    failure = {"@type": _kind("QuotaFailure"), "violations": [violation]}
    return error(429, "RESOURCE_EXHAUSTED", said, failure, *more)


def gone(name: str) -> Response:
    """There is no such model."""
    said = f"models/{name} is not found for API version v1beta, or is not supported."
    return error(404, "NOT_FOUND", said)


def error(code: int, status: str, said: str, *details: Json) -> Response:
    """An error as Google's APIs have them."""
    told: Json = {"code": code, "message": said, "status": status}
    answer = jsonify(error={**told, "details": list(details)} if details else told)
    answer.status_code = code
    return answer


def _kind(name: str) -> str:
    return f"type.googleapis.com/google.rpc.{name}"
