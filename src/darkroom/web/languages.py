"""The languages of the pages: whose applies, and the catalogs compiled from their .po files."""

import hashlib
import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, has_request_context, request, session
from flask_babel import Babel, get_locale

from darkroom.web.auth import caller

SOURCES = Path(__file__).parent / "translations"
LANGUAGES = {"en": "English", "es": "Español"}
KEPT_IN = "locale"
# Their clients know no other language.
SPANISH = frozenset({"catalog_api", "passes"})


def register(app: Flask, cache: Path) -> None:
    """Translate the app's pages; the compiled catalogs are kept under `cache`."""
    Babel(
        app,
        locale_selector=choose,
        default_locale="en",
        default_timezone="UTC",
        default_translation_directories=str(compiled(cache)),
    )
    app.jinja_env.globals.update(
        languages=LANGUAGES, language=lambda: str(get_locale() or "en").replace("_", "-")
    )


def choose() -> str:
    """The user's own choice, else this browser's, else what the browser asks for."""
    if not has_request_context():
        return "en"
    if request.blueprint in SPANISH:
        return "es"
    found = caller() if request.endpoint not in {None, "static"} else None
    own = found.user.locale if found else session.get(KEPT_IN)
    if own in LANGUAGES:
        return str(own)
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def compiled(cache: Path) -> Path:
    """A folder with the catalogs as gettext reads them, made anew when a .po file changed."""
    sources = sorted(SOURCES.glob("*/LC_MESSAGES/messages.po"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    folder = cache / "translations" / digest[:16]
    for source in sources:
        target = folder / source.relative_to(SOURCES).with_suffix(".mo")
        if not target.exists():
            _compile(source, target)
    return folder


def _compile(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Several processes may start at once: each writes its own file and renames it.
    aside = target.with_suffix(f".{os.getpid()}")
    with source.open("rb") as po, aside.open("wb") as mo:
        write_mo(mo, read_po(po))
    aside.replace(target)
