"""Theme and language: what a reader sets for themselves, signed in or not."""

from typing import Any

from flask import Blueprint, redirect, request, session
from flask.typing import ResponseReturnValue

from darkroom.accounts import service as accounts
from darkroom.web.auth import caller, safe_next
from darkroom.web.languages import KEPT_IN, LANGUAGES
from darkroom.web.services import services

pages = Blueprint("preferences", __name__)

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "darkroom_theme"
YEAR = 365 * 24 * 3600


def layout_values() -> dict[str, Any]:
    """What every page's layout needs: the theme, and how to find who is reading."""
    theme = request.cookies.get(THEME_COOKIE)
    return {"theme": theme if theme in THEMES else "auto", "find_reader": caller}


@pages.post("/preferences")
def save() -> ResponseReturnValue:
    """Set the theme or the language and return to the page."""
    response = redirect(safe_next(request.form.get("next")), 303)
    theme = request.form.get("theme")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=YEAR, samesite="Lax", secure=request.is_secure
        )
    if request.form.get("locale") in LANGUAGES:
        keep_language(request.form["locale"])
    return response


def keep_language(locale: str) -> None:
    """Keep the language with the user, or in this browser's session where there is none."""
    found = caller()
    if found is None:
        session[KEPT_IN] = locale
        return
    with services().database.session() as db:
        accounts.set_locale(db, db.merge(found.user), locale)
    found.user.locale = locale
