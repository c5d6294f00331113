"""Who is calling, and what they may see.

A call is made by a person's session (a signed cookie), by a program's API token or pass (JWT), or,
on a loopback address, by the local user. Calls that a browser makes on its own authority (a cookie,
or loopback) and that change something on a page must carry the page's CSRF token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from darkroom.accounts import passes
from darkroom.accounts import service as accounts
from darkroom.accounts.models import User
from darkroom.errors import Invalid, NotFound
from darkroom.web.audience import is_api, wants_json
from darkroom.web.origin import why_not_local
from darkroom.web.services import services
from darkroom.web.words import N_

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
STRANGERS_FORM_BYTES = 64 * 1024
USER, EPOCH, BY_LINK = "user", "epoch", "by_link"
# What everybody may change: their way in, their language, their own account.
OWN_BLUEPRINTS = frozenset({"sign_in", "preferences", "account"})

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

csrf = CSRFProtect()


@dataclass(frozen=True)
class Caller:
    """The user behind a call, and how they proved it."""

    user: User
    way: Literal["session", "token", "local"]


class SessionCookies(SecureCookieSessionInterface):
    """Flask's signed cookie, marked Secure whenever the call came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Secure where it can be: a cookie so marked would not come back over plain http."""
        return request.is_secure


def protect() -> None:
    """Before every call: demand the CSRF token where a browser's own authority is used."""
    if request.method in SAFE_METHODS:
        return
    found = caller()
    if found is None:
        # Whatever reads the body next, be it the look for the page's token, keeps to this.
        request.max_content_length = STRANGERS_FORM_BYTES
    elif found.way == "token":
        return
    if is_api(request) and (found is None or found.way == "local"):
        return
    csrf.protect()


def hold_viewers() -> None:
    """Before every call: whoever may only look changes nothing but their own account."""
    if request.method in SAFE_METHODS or request.blueprint in OWN_BLUEPRINTS:
        return
    found = caller()
    if found is not None and not found.user.may_change:
        message = N_("You may look at everything here, but change nothing.")
        raise Invalid(message, status=403, code="forbidden")


def caller() -> Caller | None:
    """Who makes the present call; None when nobody we know."""
    if "caller" not in g:
        g.caller = _find_caller()
    return cast("Caller | None", g.caller)


def current_user() -> User:
    """The user of the present call, in a view that demands one."""
    found = caller()
    if found is None:
        raise Invalid(_why_nobody(), status=_refusal_status(), code=_refusal_code())
    return found.user


def scope() -> int | None:
    """Whose things the present user sees: their own number, or None for everybody's."""
    user = current_user()
    return None if user.sees_all else user.id


def check_owner(owner_id: int, message: str) -> None:
    """`NotFound` unless the thing is the present user's, or they see everybody's."""
    if scope() not in (None, owner_id):
        raise NotFound(message)


def login_required(view: View) -> View:
    """For views that need a user: programs get 401, people the sign-in page."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if caller() is None and _goes_to_sign_in():
            return redirect(url_for("sign_in.show", next=request.full_path.rstrip("?")))
        current_user()
        return view(*args, **kwargs)

    return cast(View, guarded)


def admin_required(view: View) -> View:
    """For views of administrators only; others get 403."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if not current_user().is_admin:
            raise Invalid("Only administrators can do this.", status=403, code="forbidden")
        return view(*args, **kwargs)

    return login_required(cast(View, guarded))


def console_required(view: View) -> View:
    """For what the console shows: administrators and viewers; others get 403."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if not current_user().sees_all:
            message = N_("The console is for administrators and viewers.")
            raise Invalid(message, status=403, code="forbidden")
        return view(*args, **kwargs)

    return login_required(cast(View, guarded))


def sign_in(user: User, *, by_link: bool = False) -> None:
    """Begin the user's session: everything of an older one is dropped first (fixation)."""
    session.clear()
    session.permanent = True
    session[USER], session[EPOCH] = user.id, user.session_epoch
    if by_link:
        session[BY_LINK] = True
    g.caller = Caller(user, "session")


def sign_out() -> None:
    """End the session of this browser."""
    session.clear()
    g.pop("caller", None)


def _find_caller() -> Caller | None:
    header = request.headers.get("Authorization", "")
    if header[:7].lower() == "bearer ":
        return _by_token(header[7:].strip())
    return _by_session() or _by_loopback()


def _by_token(token: str) -> Caller | None:
    with services().database.session() as db:
        if passes.looks_like_one(token):
            user = passes.user_of(db, token, str(current_app.secret_key))
        else:
            user = accounts.user_of_token(db, token)
    return Caller(user, "token") if user else None


def _by_session() -> Caller | None:
    if USER not in session:
        return None
    with services().database.session() as db:
        user = accounts.get_user(db, session[USER])
    if user is None or not user.is_active or user.session_epoch != session.get(EPOCH):
        sign_out()
        return None
    return Caller(user, "session")


def _by_loopback() -> Caller | None:
    if not services().settings.web.local_user or why_not_local(request) is not None:
        return None
    with services().database.session() as db:
        return Caller(accounts.ensure_admin(db), "local")


def _goes_to_sign_in() -> bool:
    return (
        not wants_json()
        and request.method == "GET"
        and "Authorization" not in request.headers
        and not _is_embedded()
    )


def _is_embedded() -> bool:
    """True for what another site's page loads, rather than a person who visits us."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site == "cross-site" and request.headers.get("Sec-Fetch-Mode") != "navigate"


def _refused() -> str | None:
    """Why a call that could have been the local user's is not."""
    if "Authorization" in request.headers or not services().settings.web.local_user:
        return None
    return why_not_local(request)


def _why_nobody() -> str:
    if "Authorization" in request.headers:
        return N_("This API token is not valid: it is wrong, revoked, or its user is shut out.")
    return _refused() or N_("Sign in first, or send an API token as “Authorization: Bearer dk_…”.")


def _refusal_status() -> int:
    return 403 if _refused() else 401


def _refusal_code() -> str:
    return "refused" if _refused() else "unauthorized"


def safe_next(target: str | None) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return url_for("home.show")
    parts = urlsplit(target)
    return url_for("home.show") if parts.scheme or parts.netloc else target
