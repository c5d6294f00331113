"""The client behind a call that nobody signed in for: its address, told by proxies we trust."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import Request


def address(request: Request, trusted: Sequence[str]) -> str:
    """The address of the nearest machine that is not one of our proxies.

    `X-Forwarded-For` is read from its end, and only as far as trusted proxies wrote it: what stands
    before that anybody can make up. Of an IPv6 address the network counts (/64), as one client has
    all of it.

    Parameters
    ----------
    trusted
        Addresses and networks of our proxies ("10.0.0.0/8").
    """
    networks = [ip_network(network) for network in trusted]
    nearest = _parsed(request.remote_addr or "")
    if nearest is None:
        return "unknown"
    for hop in reversed(_hops(request)):
        further = _parsed(hop)
        if further is None or not any(nearest in network for network in networks):
            break
        nearest = further
    return _grouped(nearest)


def _hops(request: Request) -> list[str]:
    return ",".join(request.headers.getlist("X-Forwarded-For")).split(",")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _grouped(found: IPv4Address | IPv6Address) -> str:
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), 64), strict=False))
    return str(found)
