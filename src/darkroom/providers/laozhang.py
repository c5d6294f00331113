"""LaoZhang: one key for the models of others, in OpenAI's format and in Gemini's own.

https://docs.laozhang.ai
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from darkroom.errors import DarkroomError, ModelGone, Transient
from darkroom.providers import failures, gemini, openai
from darkroom.providers.failures import NoPicture
from darkroom.providers.http import Answer, Http, Timeouts
from darkroom.providers.pictures import Picture, Reply, decoded, mime_of
from darkroom.settings import Settings

Json = dict[str, Any]
Fetch = Callable[[str], Picture]
"""Fetches a hosted picture: the guarded fetcher."""

SETTING = "LAOZHANG_API_KEY"
USUAL = gemini.Options()

_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]+);base64,([A-Za-z0-9+/=]+)")
_MARKDOWN = re.compile(r"!\[[^\]]*\]\((https?://[^)\s]+)\)")
_ANY_URL = re.compile(r"https?://[^\s)\]\"'<>]+")
# No channel serves it: "当前分组 default 下对于模型 dall-e-2 无可用渠道".
_NO_CHANNEL = re.compile("无可用渠道|no available channel|model_not_found", re.IGNORECASE)


class LaoZhang:
    """The service. Safe to share between threads."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def edit(
        self,
        model: str,
        prompt: str,
        pictures: Sequence[Picture] = (),
        options: gemini.Options = USUAL,
    ) -> Reply:
        """Have a picture made, in the format that suits the model; read it with `picture`.

        Raises
        ------
        Refused, NoPicture, ModelGone, Transient, Permanent, Invalid
            As `Gemini.edit`.
        """
        if model.startswith("gemini"):
            return self._native(model, gemini.picture_request(prompt, pictures, options))
        if pictures:
            fields = {"model": model, "prompt": prompt, "n": "1"}
            files = openai.edit_files(pictures, None)
            return self._images(model, "edits", data=fields, files=files)
        body = openai.generation_request(model, prompt, 1, openai.Options())
        return self._images(model, "generations", json=body)

    def chat(self, model: str, prompt: str, pictures: Sequence[Picture] = ()) -> Reply:
        """Have a picture made in a conversation. Raises what `edit` raises."""
        body = chat_request(model, prompt, pictures)
        answer = self._http.send("POST", "/v1/chat/completions", json=body)
        return self._checked(answer, model)

    def models(self) -> set[str]:
        """The names of the models there are."""
        answer = self._http.send("GET", "/v1/models")
        if not answer.ok:
            raise refusal(answer)
        found = answer.json()
        listed = found.get("data") if isinstance(found, dict) else None
        return {str(each["id"]) for each in listed or [] if isinstance(each, dict) and "id" in each}

    def _native(self, model: str, body: Json) -> Reply:
        path = f"/v1beta/models/{model}:generateContent"
        answer = self._http.send("POST", path, json=body)
        if not answer.ok:
            raise refusal(answer, model)
        # Some of its channels put the picture into the text.
        if _address_or_data(answer.json()) is not None:
            return openai.reply(answer, images=1)
        return gemini.picture_reply(answer)

    def _images(self, model: str, what: str, **body: Any) -> Reply:
        return self._checked(self._http.send("POST", f"/v1/images/{what}", **body), model)

    def _checked(self, answer: Answer, model: str) -> Reply:
        if not answer.ok:
            raise refusal(answer, model)
        if _address_or_data(answer.json()) is None:
            said = _text(answer.json())[:200]
            gave = f"{answer.name} gave no picture: {said or 'it did not say why'}"
            raise failures.of(answer, NoPicture(gave, "prompt"))
        return openai.reply(answer, images=1)


def connect(settings: Settings) -> LaoZhang:
    """The service that the settings name."""
    timeouts = Timeouts.of(settings.providers)
    return LaoZhang(openai.http("LaoZhang", settings.providers.laozhang, timeouts))


def chat_request(model: str, prompt: str, pictures: Sequence[Picture]) -> Json:
    """The body of a conversation."""
    shown = [
        {"type": "image_url", "image_url": {"url": f"data:{each.mime};base64,{each.base64}"}}
        for each in pictures
    ]
    content: Any = [{"type": "text", "text": prompt}, *shown] if shown else prompt
    return {"model": model, "messages": [{"role": "user", "content": content}]}


def picture(body: bytes, fetch: Fetch) -> Picture:
    """The picture in an answer, in whichever of its four shapes; a hosted one is fetched.

    Raises
    ------
    Transient
        When there is none, or it cannot be fetched now.
    """
    found = _address_or_data(json.loads(body))
    if found is None:
        raise Transient("The answer holds no picture.")
    return fetch(found) if isinstance(found, str) else found


def _address_or_data(found: Any) -> Picture | str | None:
    """The picture itself, or where it is hosted."""
    inline = gemini.picture_in(found)
    if inline is not None:
        return inline
    for text in openai.encoded(found):
        # Some send a whole data URL here.
        data = decoded(text.partition("base64,")[2] or text)
        if data is not None:
            return Picture(data, mime_of(data))
    return _in_text(_text(found)) or _hosted(found)


def _in_text(text: str) -> Picture | str | None:
    for match in _DATA_URL.finditer(text):
        data = decoded(match[2])
        if data is not None:
            return Picture(data, match[1])
    shown = _MARKDOWN.search(text)
    if shown is not None:
        return shown[1]
    plain = _ANY_URL.search(text)
    return plain[0].rstrip(".,;") if plain is not None else None


def _hosted(found: Any) -> str | None:
    listed = found.get("data") if isinstance(found, dict) else None
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("url"):
            return str(each["url"])
    return None


def _text(found: Any) -> str:
    """What an answer says, in either format."""
    choices = found.get("choices") if isinstance(found, dict) else None
    for choice in choices if isinstance(choices, list) else []:
        message = choice.get("message") if isinstance(choice, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            return json.dumps(content)
    return gemini.text_in(found)


def refusal(answer: Answer, model: str = "") -> DarkroomError:
    """What to raise for an answer that is no success. A model that is gone is a 503 here."""
    told = answer.told().get("error")
    error = told if isinstance(told, dict) else {}
    said, code = str(error.get("message") or ""), str(error.get("code") or "")
    if model and answer.status in {404, 503} and _NO_CHANNEL.search(f"{code} {said}"):
        gone = f"{answer.name} has no model {model} (any more): {said}"
        return failures.of(answer, ModelGone(gone))
    if answer.status == 429 and error.get("details"):
        return failures.of(answer, gemini.quota(answer, error, said))
    return openai.refusal(answer, model, SETTING)
