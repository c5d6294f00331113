"""One HTTP POST to an endpoint: to the address that was checked, once, within a time."""

import http.client
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from darkroom.errors import Transient
from darkroom.providers.addresses import Endpoint
from darkroom.providers.connecting import Deadline, connected

MOST = 2000
"""Characters kept of an answer."""
MOST_BYTES = 4 * MOST
LONGEST_WISH = timedelta(days=1)


@dataclass(frozen=True)
class Answer:
    """What an endpoint said."""

    status: int
    body: str
    seconds: float
    retry_after: timedelta | None

    @property
    def ok(self) -> bool:
        """Whether it took the message; a redirect is no such thing."""
        return 200 <= self.status < 300


def post(
    endpoint: Endpoint,
    addresses: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
) -> Answer:
    """Send a body to one of the addresses and read the answer's beginning.

    Parameters
    ----------
    timeout
        Seconds for all of it, however slowly the other side talks.

    Raises
    ------
    Transient
        When nobody can be reached there, or nothing sensible comes back in time.
    """
    began = time.monotonic()
    try:
        with (
            Deadline(timeout) as deadline,
            connected(endpoint, addresses, deadline) as connection,
        ):
            connection.request("POST", endpoint.target, body, dict(headers))
            response = connection.getresponse()
            text = response.read(MOST_BYTES).decode(errors="replace").replace("\0", "\ufffd")
    except (OSError, http.client.HTTPException) as error:
        spent = time.monotonic() - began
        raise Transient(_trouble(endpoint, error, spent, timeout)) from error
    wish = response.headers.get("Retry-After", "")
    return Answer(response.status, text[:MOST], time.monotonic() - began, _seconds(wish))


def _trouble(endpoint: Endpoint, error: Exception, spent: float, timeout: float) -> str:
    if isinstance(error, TimeoutError) or spent >= timeout:
        return f"{endpoint.origin} did not answer within {timeout:g} s."
    return f"{endpoint.origin} could not be reached: {error or type(error).__name__}"


def _seconds(given: str) -> timedelta | None:
    """`Retry-After` as seconds; its form as a date is not worth the trouble."""
    if not given.strip().isdecimal() or len(given) > 9:
        return None
    return min(timedelta(seconds=int(given)), LONGEST_WISH)
