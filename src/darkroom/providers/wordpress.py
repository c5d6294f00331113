"""WordPress: media uploaded once, posts and their types read and written.

There are two ways in: an application password (HTTP Basic), or a password that the JWT plugin takes
for a token. A token is renewed before it ends, and when the site refuses it.

Nothing there knows repeats: a file's name holds its content's hash, and is looked up before it is
sent. Strip a picture's metadata first: WordPress makes captions of it.

https://developer.wordpress.org/rest-api/reference/media/
"""

import base64
import hashlib
import json
import re
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.errors import DarkroomError, Invalid, NotFound, Permanent, Transient
from darkroom.providers import failures
from darkroom.providers.cloudinary import basic
from darkroom.providers.http import Answer, Http, Timeouts
from darkroom.providers.pictures import Picture
from darkroom.settings import Settings, WordPressSettings

Json = dict[str, Any]

SETTING = (
    "the user and password of the site (DARKROOM_WORDPRESS_USER, _PASSWORD and _APP_PASSWORD for "
    "that of the settings)"
)
MARGIN_SECONDS = 15 * 60.0
"""A token that has less time than this left is renewed before it is used."""
LONGEST_STEM = 80
SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/avif": "avif"}
NO_RIGHT = {
    "rest_cannot_create",
    "rest_cannot_edit",
    "rest_cannot_view",
    "rest_forbidden",
    "rest_forbidden_context",
}
NOBODY = (
    f"It took us for nobody: check {SETTING}, and that its web server passes the Authorization "
    "header on."
)
"""A password that it does not know is none to WordPress: only the status tells it from a right
that is missing."""
EDIT = "See that the post is there, and give the user the right to edit it."
"""A file for a post that is not there is refused by the same words."""
ATTACHMENT = "X-WP-Upload-Attachment-ID"


@dataclass(frozen=True)
class Media:
    """A file in the media library."""

    id: int
    url: str


@dataclass(frozen=True)
class PostType:
    """A type of post; its posts are at `/wp-json/wp/v2/<rest_base>`."""

    name: str
    rest_base: str


class WordPress:
    """A site, as one user of it. Safe to share between threads.

    Parameters
    ----------
    now
        The clock that tokens end by, in seconds.
    """

    def __init__(
        self, http: Http, settings: WordPressSettings, now: Callable[[], float] = time.time
    ) -> None:
        self._http = http
        self._settings = settings
        self._now = now
        self._token = ""
        self._lock = threading.Lock()

    def upload(self, picture: Picture, filename: str, fields: Mapping[str, str] = {}) -> Media:
        """Have a file in the media library once; one of that name is taken for it.

        Parameters
        ----------
        filename
            From `file_name`, so that another content has another name.
        fields
            What goes with it: `alt_text`, `title`, `caption`, `post`.

        Raises
        ------
        Permanent
            When we are let in, but may not upload; and as `darkroom.errors` says.
        """
        return self.find(filename) or self._send(picture, filename, fields)

    def find(self, filename: str) -> Media | None:
        """The file of that name, if it is there; thumbnails it lacks are made."""
        stem = filename.rpartition(".")[0]
        asked = {"search": stem, "per_page": 100, "context": "edit"}
        answer = self.call("GET", "/wp-json/wp/v2/media", params=asked)
        for each in _objects(answer):
            # Large ones are renamed to …-scaled; the hash in the name tells which it is.
            if _basename(str(each.get("source_url") or "")).startswith(stem):
                media = _media(answer, each)
                return self._finish(media.id) if each.get("missing_image_sizes") else media
        return None

    def types(self) -> dict[str, PostType]:
        """The types of posts that the API shows, by name."""
        found = self.call("GET", "/wp-json/wp/v2/types", params={"context": "edit"}).json()
        if not isinstance(found, dict):
            return {}
        return {
            name: PostType(name, str(each.get("rest_base") or name))
            for name, each in found.items()
            if isinstance(each, dict)
        }

    def post(self, rest_base: str, post_id: int, params: Mapping[str, str] = {}) -> Json:
        """A post; `NotFound` when there is none."""
        answer = self.call("GET", f"/wp-json/wp/v2/{rest_base}/{post_id}", params=params)
        return _object(answer)

    def update(self, rest_base: str, post_id: int, fields: Json) -> Json:
        """Change a post; answers it as it is then. `NotFound` when there is none."""
        return _object(self.call("POST", f"/wp-json/wp/v2/{rest_base}/{post_id}", json=fields))

    def call(self, method: str, path: str, **request: Any) -> Answer:
        """One call as our user; a token that is refused is renewed, once.

        Raises
        ------
        DarkroomError
            When the answer is no success.
        """
        answer = self._tried(method, path, **request)
        if not answer.ok:
            raise refusal(answer)
        return answer

    def _tried(self, method: str, path: str, **request: Any) -> Answer:
        headers = request.pop("headers", {})
        bearer = self._bearer()
        answer = self._http.send(
            method, path, headers={**headers, "Authorization": bearer}, **request
        )
        if self._settings.app_password is not None or not _is_token_refused(answer):
            return answer
        renewed = {**headers, "Authorization": self._bearer(instead_of=bearer)}
        return self._http.send(method, path, headers=renewed, **request)

    def _send(self, picture: Picture, filename: str, fields: Mapping[str, str]) -> Media:
        answer = self._tried(
            "POST",
            "/wp-json/wp/v2/media",
            data=dict(fields),
            files={"file": (filename, picture.data, picture.mime)},
            headers={"Content-MD5": hashlib.md5(picture.data, usedforsecurity=False).hexdigest()},
        )
        attachment = answer.headers.get(ATTACHMENT, "")
        if answer.status >= 500 and attachment.isdecimal():
            # It is there, but for its thumbnails.
            return self._finish(int(attachment))
        if not answer.ok:
            raise refusal(answer)
        return _media(answer, answer.json())

    def _finish(self, media_id: int) -> Media:
        """Have the thumbnails made that an upload left unmade."""
        body = {"action": "create-image-subsizes"}
        answer = self.call("POST", f"/wp-json/wp/v2/media/{media_id}/post-process", json=body)
        return _media(answer, answer.json())

    def _bearer(self, instead_of: str = "") -> str:
        """What we show at the door; another one than that which was refused."""
        user, app_password = self._settings.user, self._settings.app_password
        if app_password is not None:
            return basic(user, app_password)
        with self._lock:
            shown = f"Bearer {self._token}"
            ends_soon = _ends_at(self._token) - self._now() < MARGIN_SECONDS
            if shown == instead_of or ends_soon:
                self._token = self._new_token()
            return f"Bearer {self._token}"

    def _new_token(self) -> str:
        who = {"username": self._settings.user, "password": self._settings.password or ""}
        answer = self._http.send("POST", "/wp-json/jwt-auth/v1/token", json=who)
        if not answer.ok:
            raise refusal(answer)
        token = _object(answer).get("token")
        if not isinstance(token, str) or not token:
            raise answer.unreadable()
        return token


def connect(settings: Settings) -> WordPress:
    """The site that the settings name."""
    return site(settings.providers.wordpress, Timeouts.of(settings.providers))


def site(chosen: WordPressSettings, timeouts: Timeouts) -> WordPress:
    """A site."""
    words = [word for word in (chosen.password, chosen.app_password) if word]
    basics = [basic(chosen.user, word).partition(" ")[2] for word in words]
    secrets = () if chosen.is_sandbox else (*words, *basics)
    return WordPress(Http("WordPress", chosen.base_url, secrets=secrets, timeouts=timeouts), chosen)


def file_name(title: str, picture: Picture) -> str:
    """A name for a file that says what it is, and is another's for another content."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_STEM] or "picture"
    digest = hashlib.sha256(picture.data).hexdigest()[:16]
    return f"{stem}-{digest}.{SUFFIXES.get(picture.mime, 'bin')}"


def refusal(answer: Answer) -> DarkroomError:
    """What to raise for an answer that is no success."""
    told = answer.told()
    code, said = str(told.get("code") or ""), _untagged(str(told.get("message") or ""))
    words = f"WordPress answered {answer.status} ({code or 'no code'}): {said or answer.text}"
    if code == "rest_upload_hash_mismatch":
        return failures.of(answer, Transient(words))
    if answer.status == 401 and code in NO_RIGHT:
        return failures.of(answer, Permanent(f"{words} {NOBODY}"))
    if code == "rest_cannot_edit":
        return failures.of(answer, Permanent(f"{words} {EDIT}"))
    if code in NO_RIGHT:
        return failures.of(answer, Permanent(f"{words} Give the user the right to do that."))
    if "jwt_auth" in code:
        return failures.of(answer, Permanent(f"{words} Check {SETTING}."))
    if answer.status == 404:
        missing = Permanent(words) if code == "rest_no_route" else NotFound(words)
        return failures.of(answer, missing)
    if answer.status == 412:
        return failures.of(answer, Invalid(words))
    return failures.usual(answer, f"{said} ({code})" if code else said, setting=SETTING)


def _is_token_refused(answer: Answer) -> bool:
    if answer.status == 401:
        return str(answer.told().get("code") or "") not in NO_RIGHT
    return answer.status == 403 and "jwt_auth" in str(answer.told().get("code") or "")


def _ends_at(token: str) -> float:
    """When a token ends; at the beginning of time for one that does not say so."""
    try:
        claims = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return float(found["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return 0.0


def _media(answer: Answer, found: Any) -> Media:
    try:
        return Media(int(found["id"]), str(found["source_url"]))
    except (KeyError, TypeError, ValueError):
        raise answer.unreadable() from None


def _object(answer: Answer) -> Json:
    found = answer.json()
    if not isinstance(found, dict):
        raise answer.unreadable()
    return found


def _objects(answer: Answer) -> list[Json]:
    found = answer.json()
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _basename(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def _untagged(message: str) -> str:
    """WordPress writes its errors in HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", message).split())
