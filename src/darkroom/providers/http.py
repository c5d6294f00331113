"""The HTTP client of all outside services, on requests.

One pool of connections a service. Connecting, each wait for a byte and the whole call have
time-outs, answers a largest size. It tries nothing twice, follows no redirect and knows no status:
retries are the queue's, and what an answer means is its service's.

What it raises never names a path (Slack's is a secret) nor a key.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from darkroom import __version__
from darkroom.errors import Permanent, Transient
from darkroom.providers.connecting import Deadline
from darkroom.settings import ProvidersSettings

# Its lines hold paths.
logging.getLogger("urllib3.connectionpool").setLevel(logging.CRITICAL)

Json = dict[str, Any]

CONNECTIONS = 32
CHUNK = 64 * 1024
LONGEST_TEXT = 500
LONGEST_WISH = timedelta(days=1)
HIDDEN = "•••"
LENGTHS = {"content-length", "transfer-encoding"}
DEEPEST = 10

_OURS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
)
_here = threading.local()


@dataclass(frozen=True)
class Timeouts:
    """Seconds to connect, to wait for the next byte, and for all of a call."""

    connect: float = 10.0
    read: float = 120.0
    total: float = 180.0

    @classmethod
    def of(cls, settings: ProvidersSettings) -> Self:
        """As patient as the settings say."""
        return cls(read=settings.timeout_seconds, total=settings.timeout_seconds)


@dataclass(frozen=True)
class Answer:
    """What a service answered, whatever the status. `body` is empty when it went to a file."""

    name: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    seconds: float
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether it did what was asked; a redirect is no such thing."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The beginning of the body, for people: our keys are taken out."""
        return self._shown(self.body[: 8 * LONGEST_TEXT].decode(errors="replace"))[:LONGEST_TEXT]

    @property
    def retry_after(self) -> timedelta | None:
        """How long we are asked to wait (`retry-after-ms`, or `Retry-After` in either form)."""
        milliseconds = _number(self.headers.get("retry-after-ms", ""))
        if milliseconds is not None:
            return _wish(milliseconds / 1000)
        said = self.headers.get("retry-after", "")
        seconds = _number(said)
        return _until(said) if seconds is None else _wish(seconds)

    def json(self) -> Any:
        """The body as JSON; `Transient` when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise self.unreadable() from None

    def told(self) -> Json:
        """What the body of an error says, our keys taken out; empty when it is no JSON object."""
        try:
            found = json.loads(self._shown(self.body.decode(errors="replace")))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def unreadable(self) -> Transient:
        """The error of an answer that makes no sense."""
        error = Transient(f"{self.name} answered {self.status} with something unreadable.")
        error.http_status = self.status
        return error

    def _shown(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text.replace("\0", "\ufffd")


class Http:
    """The client of one service. Safe to share between threads.

    Parameters
    ----------
    name
        The service, as people know it ("Gemini").
    base_url
        What comes before the paths.
    headers
        Sent with every request; what is said with a request goes before them.
    secrets
        What must not be seen in any text.
    max_bytes
        The largest answer.
    session
        Of requests; by default one of its own.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        timeouts: Timeouts = Timeouts(),
        max_bytes: int = 64 * 1024 * 1024,
        session: requests.Session | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.secrets = tuple(secret for secret in secrets if len(secret) > 3)
        self._timeouts = timeouts
        self._max_bytes = max_bytes
        self._session = session or _session(self.base_url)
        self._session.headers.update(headers or {})

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, Any] | None = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
        stream_to: Path | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Parameters
        ----------
        stream_to
            A file that takes the body, if the answer is a success.

        Raises
        ------
        Transient
            When the service cannot be reached, is cut off or too slow.
        Permanent
            When it says too much, or what is asked for is no request (a base URL that is none).
        """
        request = {"params": params, "json": json, "data": data, "files": files}
        began = time.monotonic()
        deadline = Deadline(self._timeouts.total)
        try:
            with deadline, _watching(deadline):
                status, found, body = self._spoken(
                    method, path, stream_to, headers=dict(headers or {}), **request
                )
            if deadline.over and not LENGTHS & {name.lower() for name in found}:
                # A body without a length looks complete when its connection ends.
                raise TimeoutError
        except _OURS as error:
            raise Permanent(f"{self.name} cannot be asked: {type(error).__name__}.") from None
        except (OSError, HTTPError, UnicodeError) as error:
            raise self._unreached(error, deadline) from None
        seconds = time.monotonic() - began
        return Answer(self.name, status, found, body, seconds, self.secrets)

    def _spoken(
        self, method: str, path: str, stream_to: Path | None, **request: Any
    ) -> tuple[int, Mapping[str, str], bytes]:
        with self._session.request(
            method,
            self.base_url + path,
            # Something must be said here, or a .netrc would overwrite our headers.
            auth=_as_it_is,
            timeout=(self._timeouts.connect, self._timeouts.read),
            allow_redirects=False,
            stream=True,
            **request,
        ) as response:
            return response.status_code, response.headers, self._read(response, stream_to)

    def _read(self, response: requests.Response, stream_to: Path | None) -> bytes:
        chunks = response.iter_content(CHUNK)
        if stream_to is None or not 200 <= response.status_code < 300:
            return b"".join(self._capped(chunks))
        with stream_to.open("wb") as file:
            for chunk in self._capped(chunks):
                file.write(chunk)
        return b""

    def _capped(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self._max_bytes:
                raise Permanent(f"{self.name} answered with more than {self._max_bytes} bytes.")
            yield chunk

    def _unreached(self, error: BaseException, deadline: Deadline) -> Transient:
        if deadline.over:
            return Transient(f"{self.name} was not done within {self._timeouts.total:g} s.")
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return Transient(f"{self.name} took no connection within {self._timeouts.connect:g} s.")
        if isinstance(error, requests.exceptions.Timeout):
            return Transient(f"{self.name} said nothing for {self._timeouts.read:g} s.")
        return Transient(f"{self.name} cannot be reached: {_reason(error)}.")


class _Watched(HTTPConnection):
    """A connection that the deadline of the calling thread may end, also while it is reused."""

    def _new_conn(self) -> Any:
        sock = super()._new_conn()
        _watch(sock)
        return sock

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            _watch(self.sock)
        super().request(*args, **options)


class _WatchedSecure(_Watched, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecure


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager


class _watching:
    """Makes a deadline the one of this thread."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __enter__(self) -> None:
        _here.deadline = self._deadline

    def __exit__(self, *_: object) -> None:
        _here.deadline = None


def _watch(sock: Any) -> None:
    deadline: Deadline | None = getattr(_here, "deadline", None)
    if deadline is not None:
        deadline.watch(sock)


def _session(base_url: str) -> requests.Session:
    session = requests.Session()
    adapter = _Adapter(pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.headers["User-Agent"] = f"Darkroom/{__version__}"
    # A proxy of the environment cannot reach this machine's own loopback.
    session.trust_env = not _is_loopback(urlsplit(base_url).hostname or "")
    return session


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _reason(error: BaseException) -> str:
    """What went wrong at the bottom of it; the texts above name paths."""
    bottom = error
    for _ in range(DEEPEST):
        bottom = _below(bottom) or bottom
    if isinstance(bottom, OSError) and bottom.strerror:
        return bottom.strerror
    return type(bottom).__name__


def _below(error: BaseException) -> BaseException | None:
    found = (getattr(error, "reason", None), *error.args, error.__cause__)
    return next((each for each in found if isinstance(each, BaseException)), None)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _wish(seconds: float) -> timedelta:
    return min(timedelta(seconds=min(seconds, LONGEST_WISH.total_seconds())), LONGEST_WISH)


def _until(said: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> timedelta | None:
    try:
        then = parsedate_to_datetime(said)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return min(max(then - now(), timedelta()), LONGEST_WISH)
