"""Fetching what a user or a provider names, without being led astray.

http and https only. The addresses of a host are looked up once, checked, and connected to as they
are; so is every redirect. What comes is capped in size and time, and is never decompressed.
"""

import http.client
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from darkroom import __version__
from darkroom.errors import DarkroomError, Invalid, Transient
from darkroom.providers import addresses
from darkroom.providers.addresses import Endpoint, Look
from darkroom.providers.connecting import Deadline, connected
from darkroom.providers.pictures import Picture, mime_of

REDIRECTS = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 5
CHUNK = 64 * 1024
# What may stand in a URL besides letters and digits; "%" as what is quoted stays so.
SAFE = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True)
class Fetched:
    """What was fetched. `mime` is what the other side calls it; do not believe it."""

    final_url: str
    mime: str
    size: int


def fetch(
    url: str,
    to: Path,
    *,
    max_bytes: int,
    total_seconds: float = 60.0,
    private: bool = False,
    look: Look = addresses.look_up,
) -> Fetched:
    """Fetch a URL into a file; nothing is left of it when this raises.

    Parameters
    ----------
    max_bytes
        The largest body.
    total_seconds
        For all of it: redirects, connecting, however slowly it drips.
    private
        Whether private, loopback and other special addresses are allowed.

    Raises
    ------
    Invalid
        When the URL is none, leads to an address that is not public, too far, to nothing or to too
        much. `field` is "url".
    Transient
        When nobody answers in time, or it is cut off.
    """
    with Deadline(total_seconds) as deadline:
        try:
            return _followed(_plain(url), to, _Terms(max_bytes, private, look, deadline))
        except BaseException:
            to.unlink(missing_ok=True)
            raise


def fetch_picture(url: str, folder: Path, *, max_bytes: int, private: bool = False) -> Picture:
    """Fetch a picture by way of a file in the folder; raises what `fetch` raises.

    `Invalid` as well when it does not begin like a picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        file = Path(inside) / "picture"
        fetch(url, file, max_bytes=max_bytes, private=private)
        data = file.read_bytes()
    mime = mime_of(data)
    if not mime.startswith("image/"):
        raise Invalid("What is at the address is no picture.", "url")
    return Picture(data, mime)


@dataclass(frozen=True)
class _Terms:
    max_bytes: int
    private: bool
    look: Look
    deadline: Deadline


def _followed(url: str, to: Path, terms: _Terms) -> Fetched:
    for _ in range(1 + MOST_REDIRECTS):
        found = _asked(url, to, terms)
        if isinstance(found, Fetched):
            return found
        url = found
    raise Invalid(
        f"The address leads from one to the next more than {MOST_REDIRECTS} times.", "url"
    )


def _asked(url: str, to: Path, terms: _Terms) -> Fetched | str:
    """What is there, or where it is instead."""
    endpoint = addresses.parse(url)
    found = addresses.checked(endpoint, private=terms.private, look=terms.look)
    try:
        with connected(endpoint, found, terms.deadline) as connection:
            headers = {"User-Agent": f"Darkroom/{__version__}", "Accept-Encoding": "identity"}
            connection.request("GET", endpoint.target, headers=headers)
            answer = connection.getresponse()
            if answer.status in REDIRECTS:
                return _next(endpoint, answer)
            return _saved(endpoint, answer, to, terms)
    except (OSError, http.client.HTTPException) as error:
        if terms.deadline.over:
            raise Transient(f"{endpoint.origin} was not done in time.") from error
        said = str(error) or type(error).__name__
        raise Transient(f"{endpoint.origin} could not be reached: {said}") from error


def _saved(
    endpoint: Endpoint, answer: http.client.HTTPResponse, to: Path, terms: _Terms
) -> Fetched:
    if answer.status != 200:
        raise _refused(endpoint, answer.status)
    if answer.length is not None and answer.length > terms.max_bytes:
        raise _too_large(endpoint, terms)
    with to.open("wb") as file:
        size = _copied(endpoint, answer, file, terms)
    # Without a length, what is cut off looks complete.
    if answer.length or terms.deadline.over:
        raise Transient(f"{endpoint.origin} was cut off after {size} bytes.")
    mime = answer.headers.get_content_type() if "Content-Type" in answer.headers else ""
    return Fetched(endpoint.url, mime, size)


def _copied(
    endpoint: Endpoint, answer: http.client.HTTPResponse, file: BinaryIO, terms: _Terms
) -> int:
    size = 0
    while chunk := answer.read(CHUNK):
        size += len(chunk)
        if size > terms.max_bytes:
            raise _too_large(endpoint, terms)
        file.write(chunk)
    return size


def _next(endpoint: Endpoint, answer: http.client.HTTPResponse) -> str:
    said = answer.headers.get("Location", "")
    if not said:
        raise Invalid(f"{endpoint.origin} sends us on, but not where to.", "url")
    return _plain(urljoin(endpoint.url, said))


def _plain(url: str) -> str:
    """The URL in plain ASCII, as browsers send it: other letters quoted, and no #part."""
    try:
        host = urlsplit(url.strip()).hostname or ""
        named = url.strip().replace(host, host.encode("idna").decode(), 1)
    except ValueError:
        # It will be called what it is: no web address.
        named = url
    return urldefrag(quote(named, safe=SAFE)).url


def _refused(endpoint: Endpoint, status: int) -> DarkroomError:
    said = f"{endpoint.origin} answered {status}."
    passing = status in {408, 425, 429} or status >= 500
    error: DarkroomError = Transient(said) if passing else Invalid(said, "url")
    error.http_status = status
    return error


def _too_large(endpoint: Endpoint, terms: _Terms) -> Invalid:
    return Invalid(f"{endpoint.origin} sends more than {terms.max_bytes} bytes.", "url")
