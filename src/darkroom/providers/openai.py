"""OpenAI's pictures, and the services that speak its format.

https://platform.openai.com/docs/api-reference/images
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from darkroom.errors import DarkroomError, Invalid, ModelGone, Permanent, Refused, Transient
from darkroom.providers import failures
from darkroom.providers.http import Answer, Http, Timeouts
from darkroom.providers.pictures import Picture, Reply, decoded, mime_of
from darkroom.settings import ProviderSettings, Settings

Json = dict[str, Any]

SETTING = "OPENAI_API_KEY"
MOST_PICTURES = 10
MOST_SOURCES = 16
LARGEST_SOURCE = 50 * 1024 * 1024
LARGEST_MASK = 4 * 1024 * 1024

MODERATED = {"moderation_blocked", "content_policy_violation"}
BROKE = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}


@dataclass(frozen=True)
class Options:
    """How pictures are to be; None: as the model likes it.

    Parameters
    ----------
    size
        Such as "1024x1024".
    quality
        "low", "medium", "high" or "auto".
    background
        "transparent", "opaque" or "auto".
    output_format
        "png", "jpeg" or "webp".
    output_compression
        0 to 100, for jpeg and webp.
    moderation
        "low" or "auto".
    user
        What tells our users apart to them.
    """

    size: str | None = None
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None
    output_compression: int | None = None
    moderation: str | None = None
    user: str | None = None

    def chosen(self) -> Json:
        """Those that are set."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class OpenAI:
    """The service. Safe to share between threads."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def generate(
        self, model: str, prompt: str, *, n: int = 1, options: Options = Options()
    ) -> Reply:
        """Have pictures made of a prompt; read them with `pictures`.

        Raises
        ------
        Refused
            When the prompt is against its rules.
        ModelGone
            When there is no such model.
        Transient, Permanent, Invalid
            As `darkroom.errors` says.
        """
        body = generation_request(model, prompt, n, options)
        return picture_reply(self._http.send("POST", "/v1/images/generations", json=body), model)

    def edit(
        self,
        model: str,
        prompt: str,
        sources: Sequence[Picture],
        *,
        mask: Picture | None = None,
        n: int = 1,
        options: Options = Options(),
    ) -> Reply:
        """Have pictures made of a prompt and other pictures. Raises what `generate` raises."""
        fields = {key: str(value) for key, value in _fields(model, prompt, n, options).items()}
        answer = self._http.send(
            "POST", "/v1/images/edits", data=fields, files=edit_files(sources, mask)
        )
        return picture_reply(answer, model)

    def models(self) -> set[str]:
        """The names of the models there are."""
        answer = self._http.send("GET", "/v1/models")
        if not answer.ok:
            raise refusal(answer)
        return {str(each.get("id")) for each in _objects(answer.json(), "data")}


def connect(settings: Settings) -> OpenAI:
    """The service that the settings name."""
    return OpenAI(http("OpenAI", settings.providers.openai, Timeouts.of(settings.providers)))


def http(name: str, chosen: ProviderSettings, timeouts: Timeouts) -> Http:
    """A client that bears the key as OpenAI wants it."""
    headers = {"Authorization": f"Bearer {chosen.key}"}
    secrets = () if chosen.is_sandbox else (chosen.key,)
    return Http(name, chosen.base_url, headers=headers, secrets=secrets, timeouts=timeouts)


# Requests. GPT-image models answer base64 by themselves, and reject `response_format`.


def generation_request(model: str, prompt: str, n: int, options: Options) -> Json:
    """The body that asks for pictures."""
    return _fields(model, prompt, n, options)


def edit_files(sources: Sequence[Picture], mask: Picture | None) -> list[tuple[str, Any]]:
    """The files of a form that asks for an edit; `Invalid` for what would be refused."""
    if not 1 <= len(sources) <= MOST_SOURCES:
        raise Invalid(f"An edit takes 1 to {MOST_SOURCES} pictures, not {len(sources)}.", "image")
    if any(len(each.data) >= LARGEST_SOURCE for each in sources):
        raise Invalid("A picture to edit must be smaller than 50 MB.", "image")
    if mask is not None and (mask.mime != "image/png" or len(mask.data) >= LARGEST_MASK):
        raise Invalid("A mask must be a PNG smaller than 4 MB.", "mask")
    files = [("image[]", _file("image", at, each)) for at, each in enumerate(sources)]
    return files if mask is None else [*files, ("mask", _file("mask", 0, mask))]


def _fields(model: str, prompt: str, n: int, options: Options) -> Json:
    if not 1 <= n <= MOST_PICTURES:
        raise Invalid(f"1 to {MOST_PICTURES} pictures can be asked for, not {n}.", "n")
    return {"model": model, "prompt": prompt, "n": n, **options.chosen()}


def _file(name: str, at: int, picture: Picture) -> tuple[str, bytes, str]:
    return f"{name}-{at}.{picture.mime.rpartition('/')[2]}", picture.data, picture.mime


# Answers.


def picture_reply(answer: Answer, model: str = "") -> Reply:
    """An answer that holds pictures; raises what `OpenAI.generate` raises for any other."""
    if not answer.ok:
        raise refusal(answer, model)
    count = len(encoded(answer.json()))
    if count == 0:
        raise answer.unreadable()
    return reply(answer, images=count)


def reply(answer: Answer, images: int) -> Reply:
    """An answer with what it says of its use."""
    found = answer.json()
    used = found.get("usage") if isinstance(found, dict) else None
    usage = used if isinstance(used, dict) else {}
    return Reply(
        answer.body,
        images=images,
        tokens_in=_count(usage, "input_tokens", "prompt_tokens"),
        tokens_out=_count(usage, "output_tokens", "completion_tokens"),
    )


def pictures(body: bytes) -> list[Picture]:
    """The pictures in an answer, in order."""
    found = [data for text in encoded(json.loads(body)) if (data := decoded(text))]
    return [Picture(data, mime_of(data)) for data in found]


def encoded(found: Any) -> list[str]:
    """The pictures of an answer as base64."""
    return [str(each["b64_json"]) for each in _objects(found, "data") if each.get("b64_json")]


def _count(usage: Json, *names: str) -> int | None:
    return next((usage[name] for name in names if isinstance(usage.get(name), int)), None)


def _objects(found: Any, key: str) -> list[Json]:
    listed = found.get(key) if isinstance(found, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


# Refusals.


def refusal(answer: Answer, model: str = "", setting: str = SETTING) -> DarkroomError:
    """What to raise for an answer that is no success."""
    told = answer.told().get("error")
    error = told if isinstance(told, dict) else {}
    said, code = str(error.get("message") or ""), str(error.get("code") or "")
    words = f"{answer.name} answered {answer.status}: {said or code or answer.text}"
    if code in MODERATED:
        return failures.of(answer, Refused(words, "prompt"))
    if error.get("type") == "image_generation_user_error":
        return failures.of(answer, Invalid(words, str(error.get("param") or "") or None))
    if model and code == "model_not_found":
        gone = f"{answer.name} has no model {model} (any more): {said}"
        return failures.of(answer, ModelGone(gone))
    if code in BROKE or error.get("type") in BROKE:
        return failures.of(answer, Permanent(f"{words} Look at the account's billing."))
    return _as_wished(answer, words, failures.usual(answer, said, setting=setting))


def _as_wished(answer: Answer, words: str, usual: DarkroomError) -> DarkroomError:
    """The usual error, unless the service says whether to try again."""
    wish = answer.headers.get("x-should-retry", "")
    if wish == "true" and not isinstance(usual, Transient):
        return failures.of(answer, Transient(words, answer.retry_after))
    if wish == "false" and isinstance(usual, Transient):
        return failures.of(answer, Permanent(words))
    return usual
