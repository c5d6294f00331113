"""OpenAI's images: generations and edits; the list of models.

https://platform.openai.com/docs/api-reference/images
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.sandbox.faults import Fault
from darkroom.sandbox.pictures import working
from darkroom.sandbox.pictures.pixels import Mask, Pixels, Unreadable, opened, saved, transparency
from darkroom.sandbox.services import refusals
from darkroom.sandbox.state import KNOWN, fault, here

Json = dict[str, Any]

NAME = "openai"
SIZES = {"auto", "1024x1024", "1536x1024", "1024x1536"}
LARGEST_SIDE, STEP = 3840, 16
QUALITIES = {"low", "medium", "high", "auto"}
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
MOST, MOST_SOURCES = 10, 16
LARGEST_SOURCE, LARGEST_MASK = 50 * 1024 * 1024, 4 * 1024 * 1024
FIELDS = {
    "model",
    "prompt",
    "n",
    "size",
    "quality",
    "background",
    "output_format",
    "output_compression",
    "moderation",
    "user",
    "input_fidelity",
}
IMAGE_TOKENS, SOURCE_TOKENS = 1056, 194

service = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")


class Wrong(Exception):
    """The request is not as it has to be."""

    def __init__(self, said: str, param: str, code: str = "invalid_value") -> None:
        super().__init__(said)
        self.param = param
        self.code = code


@dataclass(frozen=True)
class Wanted:
    """What a request asks for; `size` None: what suits."""

    prompt: str
    n: int
    size: working.Size | None
    kind: str
    compression: int
    quality: str


@service.before_request
def guard() -> ResponseReturnValue | None:
    """Let in those with the key, and faults before them."""
    if (befallen := fault()) is not None and refusals.is_refusal(befallen):
        return refusal(befallen)
    return keyless() if not has_key() else None


@service.get("/v1/models")
def models() -> ResponseReturnValue:
    """The models."""
    return listed(here().models[NAME])


@service.post("/v1/images/generations")
def generations() -> ResponseReturnValue:
    """Make pictures of a prompt."""
    return generated(here().models[NAME], gone)


@service.post("/v1/images/edits")
def edits() -> ResponseReturnValue:
    """Make pictures of a prompt and other pictures."""
    return edited(here().models[NAME], gone)


def listed(names: tuple[str, ...]) -> Response:
    """A list of models."""
    created = int(here().clock())
    found = [
        {"id": name, "object": "model", "created": created, "owned_by": "sandbox"} for name in names
    ]
    return jsonify(object="list", data=found)


def generated(names: tuple[str, ...], missing: Any) -> ResponseReturnValue:
    """The answer to a request for pictures; `missing` answers for a model that is none."""
    said = request.get_json(silent=True)
    if not isinstance(said, dict):
        return error(
            400, "We could not parse the JSON body of your request.", "invalid_request_error"
        )
    if said.get("model") not in names:
        return missing(str(said.get("model")))  # type: ignore[no-any-return]
    try:
        return _answer(read(said), [])
    except Wrong as wrong:
        return _wrong(wrong)


def edited(names: tuple[str, ...], missing: Any) -> ResponseReturnValue:
    """The answer to a form that asks for an edit."""
    said = request.form.to_dict()
    if said.get("model") not in names:
        return missing(str(said.get("model")))  # type: ignore[no-any-return]
    try:
        sources, mask = _sources()
        return _answer(read(said), sources, mask)
    except Wrong as wrong:
        return _wrong(wrong)
    except Unreadable:
        return _wrong(Wrong("Invalid image file or mode.", "image", "invalid_image_file"))


# Requests.


def read(said: Mapping[str, Any]) -> Wanted:
    """What a request asks for; `Wrong` for one the API would not take."""
    unknown = sorted(set(said) - FIELDS)
    if unknown:
        text = f"Unknown parameter: '{unknown[0]}'."
        raise Wrong(text, unknown[0], "unknown_parameter")
    prompt = said.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise Wrong("Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter")
    kind = _one_of(said, "output_format", set(FORMATS), "png")
    if said.get("background") == "transparent" and kind == "jpeg":
        raise Wrong("Transparent background is not supported for jpeg.", "background")
    return Wanted(
        prompt,
        _number(said, "n", 1, 1, MOST),
        _size(str(said.get("size", "auto"))),
        FORMATS[kind],
        _number(said, "output_compression", 100, 0, 100),
        _one_of(said, "quality", QUALITIES, "auto"),
    )


def _one_of(said: Mapping[str, Any], name: str, known: set[str], usual: str) -> str:
    value = str(said.get(name, usual))
    if value not in known:
        raise Wrong(f"Invalid value: '{value}'. Supported values are: {sorted(known)}.", name)
    return value


def _number(said: Mapping[str, Any], name: str, usual: int, low: int, high: int) -> int:
    try:
        value = int(said.get(name, usual))
    except (TypeError, ValueError):
        value = low - 1
    if not low <= value <= high:
        raise Wrong(f"Invalid '{name}': expected an integer from {low} to {high}.", name)
    return value


def _size(said: str) -> working.Size | None:
    if said == "auto":
        return None
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", said)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if said not in SIZES and not all(
        STEP <= side <= LARGEST_SIDE and side % STEP == 0 for side in size
    ):
        raise Wrong(f"Invalid value: '{said}'. Supported values are: {sorted(SIZES)}.", "size")
    return size


def _sources() -> tuple[list[bytes], Mask | None]:
    files = request.files.getlist("image[]") or request.files.getlist("image")
    sources = [each.read() for each in files]
    if not 1 <= len(sources) <= MOST_SOURCES:
        raise Wrong(f"Expected 1 to {MOST_SOURCES} images.", "image", "missing_required_parameter")
    if any(len(each) >= LARGEST_SOURCE for each in sources):
        raise Wrong("The image must be smaller than 50 MB.", "image", "image_too_large")
    if "mask" not in request.files:
        return sources, None
    return sources, _mask(request.files["mask"].read(), sources[0])


def _mask(data: bytes, source: bytes) -> Mask:
    if not data.startswith(b"\x89PNG") or len(data) >= LARGEST_MASK:
        raise Wrong("Mask must be a PNG smaller than 4 MB.", "mask", "invalid_image_file")
    opaque = transparency(data)
    if opaque.shape != opened(source).shape[:2]:
        raise Wrong("Mask must have the same size as the image.", "mask", "invalid_image_file")
    # What is transparent is what may change.
    return 1 - opaque


# Answers.


def _answer(wanted: Wanted, sources: list[bytes], mask: Mask | None = None) -> Response:
    size = wanted.size or (working.like(sources[0], 1024**2) if sources else (1024, 1024))
    pictures = [
        working.picture(wanted.prompt, sources, size, at if at else None, mask)
        for at in range(wanted.n)
    ]
    data = [{"b64_json": base64.b64encode(_file(wanted, each)).decode()} for each in pictures]
    text, images = max(1, len(wanted.prompt) // 4), SOURCE_TOKENS * len(sources)
    usage = {
        "input_tokens": text + images,
        "input_tokens_details": {"text_tokens": text, "image_tokens": images},
        "output_tokens": IMAGE_TOKENS * wanted.n,
        "total_tokens": text + images + IMAGE_TOKENS * wanted.n,
    }
    width, height = size
    return jsonify(
        created=int(here().clock()),
        background="opaque",
        data=data,
        output_format=wanted.kind.lower(),
        quality=wanted.quality,
        size=f"{width}x{height}",
        usage=usage,
    )


def _file(wanted: Wanted, pixels: Pixels) -> bytes:
    return saved(pixels, wanted.kind, max(wanted.compression, 1))


# Refusals.


def has_key() -> bool:
    """Whether the request bears the key."""
    return request.headers.get("Authorization") == f"Bearer {KNOWN}"


def keyless() -> Response:
    """The key is wrong."""
    return error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")


def gone(name: str) -> Response:
    """There is no such model."""
    said = f"The model `{name}` does not exist or you do not have access to it."
    return error(404, said, "invalid_request_error", "model_not_found")


def refusal(befallen: Fault) -> Response:
    """What OpenAI answers when that befalls it."""
    kind = befallen.kind
    if kind == "limit":
        limited = error(429, "Rate limit reached.", "requests", "rate_limit_exceeded")
        return refusals.told_to_wait(limited, befallen)
    if kind == "quota":
        said = "You exceeded your current quota, please check your plan and billing details."
        return error(429, said, "insufficient_quota", "insufficient_quota")
    if kind == "blocked":
        said = "Your request was rejected by the safety system."
        return error(400, said, "image_generation_user_error", "moderation_blocked")
    if kind == "no_picture":
        return jsonify(created=int(here().clock()), data=[])
    if kind == "gone":
        return gone("of that name")
    if kind == "expired":
        return keyless()
    if kind == "forbidden":
        said = "Your organization must be verified to use this model."
        return error(403, said, "invalid_request_error")
    return error(befallen.status, "The server had an error.", "server_error")


def error(
    status: int, said: str, type: str, code: str | None = None, param: str | None = None
) -> Response:
    """An error as OpenAI has them."""
    answer = jsonify(error={"message": said, "type": type, "param": param, "code": code})
    answer.status_code = status
    return answer


def _wrong(wrong: Wrong) -> Response:
    return error(400, str(wrong), "invalid_request_error", wrong.code, wrong.param)
