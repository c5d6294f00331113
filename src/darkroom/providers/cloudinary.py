"""Cloudinary: where pictures of articles may be hosted.

The new picture goes up and its URL is saved before the old one is destroyed, never the other way
round. A `public_id` of our choice makes an upload that is repeated the same one.

https://cloudinary.com/documentation/image_upload_api_reference
"""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from darkroom.errors import DarkroomError, NotFound, Permanent, Transient
from darkroom.providers import failures
from darkroom.providers.http import Answer, Http, Timeouts
from darkroom.providers.pictures import Picture
from darkroom.settings import CloudinarySettings, Settings

SETTING = "CLOUDINARY_URL"
UNSIGNED = {"file", "cloud_name", "resource_type", "api_key", "signature"}


@dataclass(frozen=True)
class Uploaded:
    """A picture there. `url` begins with https; `version` changes with each upload."""

    public_id: str
    url: str
    version: int
    width: int
    height: int
    size: int


class Cloudinary:
    """The service. Safe to share between threads.

    Parameters
    ----------
    now
        The clock that signatures are stamped by, in seconds; they are good for an hour.
    """

    def __init__(
        self, http: Http, settings: CloudinarySettings, now: Callable[[], float] = time.time
    ) -> None:
        self._http = http
        self._settings = settings
        self._now = now

    def upload(self, picture: Picture, public_id: str) -> Uploaded:
        """Upload a picture under an id of ours; what is there under it is replaced.

        Raises
        ------
        Transient, Permanent, Invalid
            As `darkroom.errors` says.
        """
        name = f"picture.{picture.mime.rpartition('/')[2]}"
        fields = self._signed({"public_id": public_id, "overwrite": "true", "invalidate": "true"})
        answer = self._post("upload", fields, {"file": (name, picture.data, picture.mime)})
        return _uploaded(answer)

    def destroy(self, public_id: str) -> bool:
        """Remove a picture; False when there was none (any more)."""
        answer = self._post("destroy", self._signed({"public_id": public_id, "invalidate": "true"}))
        said = answer.told().get("result")
        if said not in {"ok", "not found"}:
            raise failures.of(answer, Transient(f"Cloudinary did not remove {public_id}: {said}"))
        return bool(said == "ok")

    def ping(self) -> None:
        """Ask for nothing, as whoever we are there; raises when that is nobody."""
        path = f"/v1_1/{self._settings.cloud}/ping"
        answer = self._http.send("GET", path, headers={"Authorization": self._basic()})
        if not answer.ok:
            raise refusal(answer)

    def _post(self, what: str, fields: Mapping[str, str], files: object = None) -> Answer:
        path = f"/v1_1/{self._settings.cloud}/image/{what}"
        answer = self._http.send("POST", path, data=fields, files=files)
        if not answer.ok:
            raise refusal(answer)
        return answer

    def _signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        stamped = {**fields, "timestamp": str(int(self._now()))}
        signature = sign(stamped, self._settings.secret)
        return {**stamped, "api_key": self._settings.key, "signature": signature}

    def _basic(self) -> str:
        return basic(self._settings.key, self._settings.secret)


def connect(settings: Settings) -> Cloudinary:
    """The account that the settings name; `Permanent` when they name none."""
    chosen = settings.providers.cloudinary
    if chosen is None:
        raise Permanent(f"{SETTING} is not set.")
    secrets = (chosen.secret, basic(chosen.key, chosen.secret).partition(" ")[2])
    timeouts = Timeouts.of(settings.providers)
    return Cloudinary(
        Http("Cloudinary", chosen.base_url, secrets=secrets, timeouts=timeouts), chosen
    )


def sign(fields: Mapping[str, str], secret: str) -> str:
    """The signature of a request: SHA-1, in hexadecimal, of its fields in order and the secret.

    https://cloudinary.com/documentation/authentication_signatures
    """
    signed = sorted((k, v) for k, v in fields.items() if v and k not in UNSIGNED)
    text = "&".join(f"{key}={value}" for key, value in signed)
    return hashlib.sha1((text + secret).encode(), usedforsecurity=False).hexdigest()


def refusal(answer: Answer) -> DarkroomError:
    """What to raise for an answer that is no success."""
    told = answer.told().get("error")
    said = str(told.get("message") or "") if isinstance(told, dict) else ""
    if answer.status == 404:
        return failures.of(answer, NotFound(f"Cloudinary answered 404: {said}"))
    return failures.usual(answer, said, setting=SETTING)


def basic(user: str, password: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _uploaded(answer: Answer) -> Uploaded:
    found = answer.json()
    try:
        return Uploaded(
            str(found["public_id"]),
            str(found["secure_url"]),
            int(found["version"]),
            int(found["width"]),
            int(found["height"]),
            int(found["bytes"]),
        )
    except (KeyError, TypeError, ValueError):
        raise answer.unreadable() from None
