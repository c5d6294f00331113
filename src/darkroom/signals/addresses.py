"""Where a webhook may point: what is an address at all, and which are public.

A server that calls what its users name can be made to call its own neighbours. So an endpoint is
checked twice: when it is named, and at every connection, which then goes to the very address that
was checked (a name may point elsewhere by then).
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from darkroom.errors import Invalid, Transient

LONGEST = 2000
PORTS = {"http": 80, "https": 443}
# IPv6 addresses in which a gateway finds an IPv4 one (RFC 6052).
TRANSLATED = IPv6Network("64:ff9b::/96")

Look = Callable[[str, int], Sequence[str]]
"""Finds the addresses of a host and port, as text."""


@dataclass(frozen=True)
class Endpoint:
    """A URL, taken apart."""

    url: str
    host: str
    port: int
    secure: bool
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, for people: the rest of a URL may be a secret."""
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.url))


def parse(url: str) -> Endpoint:
    """Take a URL apart; `Invalid` naming what is wrong with it."""
    clean = url.strip()
    if not clean.isascii() or not clean.isprintable() or " " in clean or len(clean) > LONGEST:
        raise Invalid(
            "The address must be plain ASCII without spaces, at most 2000 characters.", "url"
        )
    parts, port = _split(clean)
    if parts.scheme not in PORTS or not parts.hostname:
        raise Invalid("The address must begin with https:// or http:// and name a host.", "url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("The address may hold neither a user name, a password nor a #.", "url")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    return Endpoint(clean, parts.hostname, port or PORTS[parts.scheme], secure, target)


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host; `Transient` when it cannot be found now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Transient(f"The host {host} cannot be found.") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked(endpoint: Endpoint, *, private: bool, look: Look = look_up) -> Sequence[str]:
    """The addresses of an endpoint that may be connected to.

    Parameters
    ----------
    private
        Whether private, loopback and other special addresses are allowed.

    Raises
    ------
    Invalid
        When one of them is not public, and that is not allowed.
    Transient
        When the host cannot be found.
    """
    found = look(endpoint.host, endpoint.port)
    if not private and not all(is_public(address) for address in found):
        raise Invalid("The address is not a public one, and only those are allowed.", "url")
    return found


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also where it hides another."""
    found = ip_address(address)
    hidden = _hidden(found) if isinstance(found, IPv6Address) else None
    if hidden is not None:
        return is_public(str(hidden))
    return found.is_global and not found.is_multicast and not found.is_reserved


def _hidden(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise Invalid("This is not a web address.", "url") from error
