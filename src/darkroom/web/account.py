"""The reader's own account: name, e-mail, language, password, API tokens, balance."""

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from darkroom.accounts import passwords
from darkroom.accounts import service as accounts
from darkroom.accounts.models import User
from darkroom.errors import Invalid
from darkroom.web import auth, charges
from darkroom.web.auth import current_user, login_required
from darkroom.web.languages import LANGUAGES
from darkroom.web.services import services

pages = Blueprint("account", __name__, url_prefix="/account")

FEW_CHARGES = 6


@pages.get("")
@login_required
def show() -> ResponseReturnValue:
    """The page with all its forms."""
    return _page()


@pages.post("/profile")
@login_required
def save_profile() -> ResponseReturnValue:
    """Name, e-mail and language."""
    user = current_user()
    try:
        with services().database.session() as db:
            _change_profile(db, db.merge(user))
    except Invalid as error:
        return _page("profile", error)
    flash(gettext("Saved."))
    return redirect(url_for("account.show"), 303)


@pages.post("/password")
@login_required
def save_password() -> ResponseReturnValue:
    """Set the password; every other session ends, this one goes on."""
    user = current_user()
    try:
        with services().database.session() as db:
            mine = db.merge(user)
            _check_present(mine)
            _check_repeated()
            accounts.set_password(db, mine, request.form.get("password", ""))
    except Invalid as error:
        return _page("password", error)
    if _is_session():
        auth.sign_in(mine)
    flash(gettext("The password is set. Other devices were signed out."))
    return redirect(url_for("account.show"), 303)


@pages.post("/tokens")
@login_required
def create_token() -> ResponseReturnValue:
    """Make an API token; the answer is the only place that shows it."""
    try:
        with services().database.session() as db:
            row, token = accounts.create_token(db, current_user(), request.form.get("name", ""))
    except Invalid as error:
        return _page("tokens", error)
    response = make_response(_page(new_token=token, new_token_name=row.name))
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/tokens/<int:token_id>/revoke")
@login_required
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End a token at once."""
    with services().database.session() as db:
        accounts.revoke_token(db, current_user(), token_id)
    flash(gettext("The token is revoked."))
    return redirect(url_for("account.show"), 303)


@pages.post("/sessions/end")
@login_required
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    with services().database.session() as db:
        accounts.end_sessions(db, db.merge(current_user()))
    auth.sign_out()
    flash(gettext("You are signed out on all devices."))
    return redirect(url_for("sign_in.show"), 303)


def _page(
    form: str = "", error: Invalid | None = None, *, new_token: str = "", new_token_name: str = ""
) -> ResponseReturnValue:
    with services().database.session() as db:
        page = render_template(
            "account.html",
            user=current_user(),
            tokens=accounts.list_tokens(db, current_user()),
            needs_present=_needs_present(),
            charges=charges.read(db, FEW_CHARGES),
            errors={form: {error.field: error.message}} if error else {},
            given=request.form,
            new_token=new_token,
            new_token_name=new_token_name,
        )
    return page, error.status if error else 200


def _change_profile(db: Session, mine: User) -> None:
    accounts.set_name(db, mine, request.form.get("name", ""))
    email = request.form.get("email", "").strip()
    if email or mine.email:
        accounts.set_email(db, mine, email)
    locale = request.form.get("locale")
    accounts.set_locale(db, mine, locale if locale in LANGUAGES else None)


def _is_session() -> bool:
    found = auth.caller()
    return found is not None and found.way == "session"


def _needs_present() -> bool:
    """The present password is asked for, unless a one-time link or this machine let the user in.

    A token alone never sets a password: who stole one would keep the account once it is revoked.
    """
    found = auth.caller()
    is_local = found is not None and found.way == "local"
    return not is_local and not (_is_session() and auth.BY_LINK in session)


def _check_present(user: User) -> None:
    present = request.form.get("present", "")
    if _needs_present() and not passwords.matches(present, user.password_hash):
        raise Invalid("This is not your present password.", "present")


def _check_repeated() -> None:
    if request.form.get("password") != request.form.get("again"):
        raise Invalid("The two passwords differ.", "again")
