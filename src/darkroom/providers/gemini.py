"""Gemini: pictures edited and made, questions about pictures answered.

https://ai.google.dev/api/generate-content
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from darkroom.errors import DarkroomError, ModelGone, Permanent, Refused, Transient
from darkroom.providers import failures
from darkroom.providers.failures import NoPicture
from darkroom.providers.http import Answer, Http, Timeouts
from darkroom.providers.pictures import Picture, Reply, decoded
from darkroom.settings import ProviderSettings, Settings

Json = dict[str, Any]

SETTING = "GEMINI_API_KEY"
TERMINAL = timedelta(minutes=5)
"""A wait longer than this is no matter of moments, but of a quota that is used up."""
A_MINUTE = timedelta(seconds=60)

UNSAFE = {
    "SAFETY",
    "PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
    "RECITATION",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
}


@dataclass(frozen=True)
class Options:
    """How a picture is to be. None: as the model likes it.

    Parameters
    ----------
    aspect_ratio
        Such as "1:1" or "16:9".
    size
        "1K", "2K" or "4K".
    """

    aspect_ratio: str | None = None
    size: str | None = None
    temperature: float | None = None
    seed: int | None = None


class Gemini:
    """The service. Safe to share between threads."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def edit(
        self,
        model: str,
        prompt: str,
        pictures: Sequence[Picture] = (),
        options: Options = Options(),
    ) -> Reply:
        """Have a picture made of a prompt and pictures; read it with `picture`.

        Raises
        ------
        Refused
            When the prompt or the picture is against its rules.
        NoPicture
            When it gave none, and may do so if asked once more.
        ModelGone
            When there is no such model.
        Transient, Permanent, Invalid
            As `darkroom.errors` says; a quota that is used up for the day is `Permanent`.
        """
        answer = self._generate(model, picture_request(prompt, pictures, options))
        return picture_reply(answer)

    def tell(
        self,
        model: str,
        prompt: str,
        pictures: Sequence[Picture] = (),
        *,
        system: str | None = None,
        schema: Json | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> Reply:
        """Ask something; read the answer with `text`, or with `data` when a schema was given.

        `system` says what to do with the prompt, and is told apart from it.

        Raises what `edit` raises.
        """
        request = text_request(prompt, pictures, schema=schema, temperature=temperature, seed=seed)
        if system is not None:
            request["systemInstruction"] = {"parts": [{"text": system}]}
        answer = self._generate(model, request)
        found = answer.json()
        _texted(answer, found, schema)
        return _reply(answer, found)

    def models(self) -> set[str]:
        """The names of the models there are."""
        names: set[str] = set()
        page = ""
        while True:
            params = {"pageSize": 1000, **({"pageToken": page} if page else {})}
            answer = self._http.send("GET", "/v1beta/models", params=params)
            if not answer.ok:
                raise refusal(answer)
            found = answer.json()
            names |= {_bare(each["name"]) for each in _dicts(found, "models") if "name" in each}
            page = str(_dict(found).get("nextPageToken") or "")
            if not page:
                return names

    def _generate(self, model: str, request: Json) -> Answer:
        answer = self._http.send("POST", f"/v1beta/models/{model}:generateContent", json=request)
        if not answer.ok:
            raise refusal(answer, model)
        return answer


def connect(settings: Settings) -> Gemini:
    """The service that the settings name."""
    chosen = settings.providers.gemini
    timeouts = Timeouts.of(settings.providers)
    return Gemini(http("Gemini", chosen, timeouts))


def http(name: str, chosen: ProviderSettings, timeouts: Timeouts) -> Http:
    """A client that bears the key as Gemini wants it."""
    headers = {"x-goog-api-key": chosen.key}
    return Http(name, chosen.base_url, headers=headers, secrets=secrets(chosen), timeouts=timeouts)


def secrets(chosen: ProviderSettings) -> tuple[str, ...]:
    """What no text may show: the key, if it is a real one."""
    return () if chosen.is_sandbox else (chosen.key,)


# Requests.


def picture_request(prompt: str, pictures: Sequence[Picture], options: Options) -> Json:
    """The body that asks for a picture."""
    wanted = {"aspectRatio": options.aspect_ratio, "imageSize": options.size}
    shape = {key: value for key, value in wanted.items() if value is not None}
    config: Json = {"responseModalities": ["IMAGE"]}
    if shape:
        config["imageConfig"] = shape
    return _request(prompt, pictures, config, options.temperature, options.seed)


def text_request(
    prompt: str,
    pictures: Sequence[Picture],
    *,
    schema: Json | None = None,
    temperature: float | None = None,
    seed: int | None = None,
) -> Json:
    """The body that asks for text, or for JSON after a schema."""
    config: Json = {}
    if schema is not None:
        config = {"responseMimeType": "application/json", "responseSchema": schema}
    return _request(prompt, pictures, config, temperature, seed)


def _request(
    prompt: str,
    pictures: Sequence[Picture],
    config: Json,
    temperature: float | None,
    seed: int | None,
) -> Json:
    shown = [{"inlineData": {"mimeType": each.mime, "data": each.base64}} for each in pictures]
    chosen = {"temperature": temperature, "seed": seed}
    config = {**config, **{key: value for key, value in chosen.items() if value is not None}}
    request: Json = {"contents": [{"role": "user", "parts": [{"text": prompt}, *shown]}]}
    return {**request, "generationConfig": config} if config else request


# Answers.


def picture(body: bytes) -> Picture:
    """The picture in an answer: the last one that is no thought.

    Raises
    ------
    Transient
        When there is none; `edit` lets no such answer pass.
    """
    found = picture_in(json.loads(body))
    if found is None:
        raise Transient("The answer holds no picture.")
    return found


def text(body: bytes) -> str:
    """The text in an answer, thoughts left out."""
    return text_in(json.loads(body))


def data(body: bytes) -> Any:
    """The JSON in an answer, as the schema described it."""
    return json.loads(text_in(json.loads(body)))


def _reply(answer: Answer, found: Json, images: int = 0) -> Reply:
    usage = _dict(found.get("usageMetadata"))
    spent = (usage.get("candidatesTokenCount"), usage.get("thoughtsTokenCount"))
    counted = [count for count in spent if isinstance(count, int)]
    prompt = usage.get("promptTokenCount")
    facts = {
        "finish_reason": _reason(found)[0],
        "model_version": found.get("modelVersion"),
        "response_id": found.get("responseId"),
    }
    return Reply(
        answer.body,
        images=images,
        tokens_in=prompt if isinstance(prompt, int) else None,
        tokens_out=sum(counted) if counted else None,
        facts={key: value for key, value in facts.items() if value},
    )


def picture_reply(answer: Answer) -> Reply:
    """An answer that holds a picture; raises what `Gemini.edit` raises for one with status 200."""
    found = answer.json()
    if not isinstance(found, dict):
        raise answer.unreadable()
    if picture_in(found) is None:
        raise failures.of(answer, _withheld(answer.name, found))
    return _reply(answer, found, images=1)


def _texted(answer: Answer, found: Any, schema: Json | None) -> None:
    """Raise unless there is text, and JSON where JSON was asked for."""
    if not isinstance(found, dict):
        raise answer.unreadable()
    said = text_in(found)
    if not said:
        raise failures.of(answer, _withheld(answer.name, found))
    if schema is not None:
        try:
            json.loads(said)
        except ValueError:
            raise answer.unreadable() from None


def _withheld(name: str, found: Json) -> DarkroomError:
    """Why there is nothing in an answer with status 200."""
    reason, message = _reason(found)
    words = f"{name} gave nothing: {reason or 'it did not say why'}"
    words = f"{words} ({message})." if message else f"{words}."
    blocked = bool(_dict(found.get("promptFeedback")).get("blockReason"))
    if blocked or reason in UNSAFE:
        return Refused(words, "prompt")
    # NO_IMAGE, IMAGE_OTHER, and what else its moods are called.
    return NoPicture(words, "prompt")


def _reason(found: Json) -> tuple[str, str]:
    """Why the answer ended, and what is said about it."""
    feedback = _dict(found.get("promptFeedback"))
    if feedback.get("blockReason"):
        return str(feedback["blockReason"]), str(feedback.get("blockReasonMessage") or "")
    first = next(iter(_dicts(found, "candidates")), {})
    return str(first.get("finishReason") or ""), str(first.get("finishMessage") or "")


def picture_in(found: Any) -> Picture | None:
    """The picture in an answer that was parsed, if there is one."""
    last = None
    for part in _parts(found):
        inline = _dict(part.get("inlineData") or part.get("inline_data"))
        bytes_ = decoded(str(inline.get("data") or ""))
        if bytes_ is not None:
            mime = inline.get("mimeType") or inline.get("mime_type") or "image/png"
            last = Picture(bytes_, str(mime))
    return last


def text_in(found: Any) -> str:
    """The text in an answer that was parsed."""
    said = (part.get("text") for part in _parts(found))
    return "".join(each for each in said if isinstance(each, str))


def _parts(found: Any) -> Iterator[Json]:
    """The parts of the first candidate that are no thoughts."""
    for candidate in _dicts(found, "candidates")[:1]:
        for part in _dicts(candidate.get("content"), "parts"):
            if part.get("thought") is not True:
                yield part


# Refusals.


def refusal(answer: Answer, model: str = "") -> DarkroomError:
    """What to raise for an answer that is no success."""
    error = _dict(answer.told().get("error"))
    said = str(error.get("message") or "")
    if answer.status == 429:
        return failures.of(answer, quota(answer, error, said))
    if answer.status == 404 and model and error.get("status") == "NOT_FOUND":
        words = f"{answer.name} has no model {model} (any more): {said}"
        return failures.of(answer, ModelGone(words))
    if _reasons(error) & {"API_KEY_INVALID", "API_KEY_EXPIRED"}:
        words = f"{answer.name} does not know our key: {said} Check {SETTING}."
        return failures.of(answer, Permanent(words))
    return failures.usual(answer, said, setting=SETTING)


def quota(answer: Answer, error: Json, said: str) -> DarkroomError:
    """A quota is used up: for a moment, for this minute, or for so long that waiting is no use."""
    quotas = [
        str(violation.get("quotaId") or "")
        for detail in _details(error, "QuotaFailure")
        for violation in _dicts(detail, "violations")
    ]
    wait = _wait(error, said) or answer.retry_after
    if any("PerDay" in quota for quota in quotas):
        return Permanent(f"{answer.name}: our quota for today is used up ({quotas[0]}). {said}")
    if wait is not None and wait > TERMINAL:
        asked = f"{wait.total_seconds():g} s"
        return Permanent(f"{answer.name}: our quota is used up; it asks to wait {asked}. {said}")
    if wait is None and any("PerMinute" in quota for quota in quotas):
        wait = A_MINUTE
    return Transient(f"{answer.name} answered 429: {said or 'too many requests'}", wait)


def _wait(error: Json, said: str) -> timedelta | None:
    delays = [str(detail.get("retryDelay") or "") for detail in _details(error, "RetryInfo")]
    for delay in delays:
        if (found := _duration(delay)) is not None:
            return found
    asked = re.search(r"Please retry in ([0-9.]+(?:ms|s))", said)
    return _duration(asked[1]) if asked else None


def _duration(text: str) -> timedelta | None:
    """A protobuf duration ("34.07s", and "900ms")."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text.strip())
    if found is None or len(found[1]) > 12:
        return None
    return timedelta(seconds=float(found[1]) / (1000 if found[2] == "ms" else 1))


def _details(error: Json, kind: str) -> list[Json]:
    return [
        detail
        for detail in _dicts(error, "details")
        if str(detail.get("@type") or "").endswith(f"google.rpc.{kind}")
    ]


def _reasons(error: Json) -> set[str]:
    return {str(detail.get("reason") or "") for detail in _details(error, "ErrorInfo")}


def _bare(name: str) -> str:
    return name.removeprefix("models/")


def _dict(found: Any) -> Json:
    return dict(found) if isinstance(found, Mapping) else {}


def _dicts(found: Any, key: str) -> list[Json]:
    """The objects in a list of an object; what is something else is left out."""
    listed = _dict(found).get(key)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
