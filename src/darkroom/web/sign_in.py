"""Signing in, by password or by a one-time link, and out."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.accounts import service as accounts
from darkroom.web import auth
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services

pages = Blueprint("sign_in", __name__)


@pages.get("/sign-in")
def show() -> ResponseReturnValue:
    """The form. Who is signed in already goes on."""
    found = auth.caller()
    if found is not None and found.way == "session":
        return redirect(auth.safe_next(request.args.get("next")))
    return render_template("sign_in.html", next=request.args.get("next", ""), email="", wrong=False)


@pages.post("/sign-in")
@rate_limit("login")
def enter() -> ResponseReturnValue:
    """Sign in with e-mail and password."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    target = request.form.get("next", "")
    with services().database.session() as db:
        user = accounts.authenticate(db, email, password)
    if user is None:
        page = render_template("sign_in.html", next=target, email=email, wrong=True)
        return page, 401
    auth.sign_in(user)
    return redirect(auth.safe_next(target), 303)


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End this browser's session."""
    auth.sign_out()
    flash(gettext("You are signed out."))
    return redirect(url_for("sign_in.show"), 303)


@pages.get("/sign-in/<token>")
def show_link(token: str) -> ResponseReturnValue:
    """Show whom the link signs in; looking (a mail program's preview, say) does not use it up."""
    with services().database.session() as db:
        user = accounts.user_of_sign_in_link(db, token, datetime.now(UTC))
    page = render_template("sign_in_link.html", user=user, token=token)
    return page, 200 if user else 410


@pages.post("/sign-in/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """Use the link up and sign its user in."""
    with services().database.session() as db:
        user = accounts.use_sign_in_link(db, token, datetime.now(UTC))
    auth.sign_in(user, by_link=True)
    if user.password_hash is None:
        flash(gettext("Welcome. Set an e-mail address and a password to come back without a link."))
        return redirect(url_for("account.show"), 303)
    return redirect(url_for("home.show"), 303)
