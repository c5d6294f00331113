"""Where users may send us: what is an address at all, and which are public.

A server that calls what its users name can be made to call its own neighbours. So an endpoint is
checked when it is named, and at every connection, which then goes to the very address that
was checked (a name may point elsewhere by then).
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from darkroom.errors import Invalid, Transient

LONGEST = 2000
PORTS = {"http": 80, "https": 443}
# IPv6 addresses that are but another spelling of an IPv4 one: compatible ones, and those in which a
# gateway finds it (RFC 6052).
SPELLINGS = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
OPEN = IPv6Network("2000::/3")
"""What is handed out of IPv6; the rest is special, or not yet anything."""
# What Python's own tables lack, and what tunnels to an IPv4 address: 6to4 and its relays, Teredo.
CLOSED_4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10")))
CLOSED_6 = tuple(map(IPv6Network, ("2001::/23", "2002::/16", "3fff::/20", "2001:db8::/32")))
# The interface of an ISATAP address, without the two bits that say whose it is.
ISATAP = 0x00005EFE

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
    return _is_public_4(found) if isinstance(found, IPv4Address) else _is_public_6(found)


def _is_public_4(address: IPv4Address) -> bool:
    closed = any(address in network for network in CLOSED_4)
    special = address.is_multicast or address.is_reserved
    return address.is_global and not special and not closed


def _is_public_6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    hidden = _hidden(address)
    if hidden is not None:
        return _is_public_4(hidden)
    closed = any(address in network for network in CLOSED_6)
    return address in OPEN and address.is_global and not closed and not _is_isatap(address)


def _hidden(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address is another spelling of, if it is."""
    if any(address in network for network in SPELLINGS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFCFFFFFF == ISATAP


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise Invalid("This is not a web address.", "url") from error
