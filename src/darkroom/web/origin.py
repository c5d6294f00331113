"""Where a call comes from: may it count as the local user's?

On loopback a call without a token is the local user's, so that a person needs no sign-in on their
own machine. Any web page they visit can send calls there too; these are told apart by `Host` (a
name that was rebound to this machine) and by `Origin` and `Sec-Fetch-Site` (a page elsewhere).
"""

from urllib.parse import urlsplit

from flask import Request

from darkroom.web.words import N_

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


def why_not_local(request: Request) -> str | None:
    """Why the call cannot count as the local user's, in words; None when it can."""
    if not _is_loopback(request.remote_addr or "") or any(
        name in request.headers for name in FORWARDED
    ):
        return N_("This call comes from another machine. Sign in, or send an API token.")
    if not _is_loopback(_host(request)):
        return N_("This address is not the local one. Sign in, or send an API token.")
    if _is_foreign(request):
        return N_("This call comes from a web page of another site, and was refused.")
    return None


def _is_loopback(name: str) -> bool:
    return name.lower() in LOOPBACK_NAMES


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def _is_foreign(request: Request) -> bool:
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != f"{request.scheme}://{request.host}".lower():
        return True
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in {"none", "same-origin"} and not _is_visit(request)


def _is_visit(request: Request) -> bool:
    """A person followed a link to one of our pages: harmless, for what a GET does is to show."""
    return (
        request.method == "GET"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
        and not request.path.startswith("/api/")
    )
