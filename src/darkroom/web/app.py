"""The app factory: `create_app(settings, database)`, with everything it uses handed to it."""

import tempfile
from datetime import timedelta
from typing import IO, Any

from flask import Flask, Request, Response
from flask_bootstrap import Bootstrap5

from darkroom.catalog import api as catalog_api
from darkroom.catalog import categories_api, import_pages, prompt_pages, queue_api, queue_pages
from darkroom.catalog import pages as catalog_pages
from darkroom.catalog import review_pages as catalog_review_pages
from darkroom.console import api_jobs, navigation, observing
from darkroom.console import jobs as console_jobs
from darkroom.counting import api as counting_api
from darkroom.counting import navigation as counting_navigation
from darkroom.counting import pages as counting_pages
from darkroom.counting.places import api as places_api
from darkroom.counting.places import pages as places_pages
from darkroom.counting.rerun import pages as rerun_pages
from darkroom.counting.review import pages as review_pages
from darkroom.counting.service import CountingService
from darkroom.counting.stock import api as stock_api
from darkroom.counting.stock import pages as stock_pages
from darkroom.db.sessions import Database
from darkroom.media import api as media_api
from darkroom.media import pages as media_pages
from darkroom.media import receiving
from darkroom.media.enhancing import api as enhancing_api
from darkroom.media.enhancing import pages as enhancing_pages
from darkroom.media.faces import api as faces_api
from darkroom.media.faces import pages as faces_pages
from darkroom.media.generation import api as generation_api
from darkroom.media.generation import pages as generation_pages
from darkroom.media.portraits import api as portraits_api
from darkroom.media.portraits import pages as portraits_pages
from darkroom.media.status import api as media_status_api
from darkroom.media.status import pages as media_status_pages
from darkroom.media.subtitles import api as subtitles_api
from darkroom.media.subtitles import pages as subtitles_pages
from darkroom.media.videos import api as videos_api
from darkroom.media.videos import pages as videos_pages
from darkroom.publishing import activity_pages
from darkroom.publishing import api as publishing_api
from darkroom.publishing import pages as publishing_pages
from darkroom.publishing import sites_api as publishing_sites_api
from darkroom.publishing import sites_pages as publishing_sites_pages
from darkroom.settings import Settings
from darkroom.storage.secret import secret_key
from darkroom.storage.store import open_store
from darkroom.variants import api as variants_api
from darkroom.variants import pages as variants_pages
from darkroom.variants import preset_pages, settings_pages, unlock_pages
from darkroom.web import (
    account,
    auth,
    charges,
    errors,
    files,
    formats,
    headers,
    home,
    languages,
    ledger_api,
    openapi,
    passes,
    preferences,
    runs,
    sign_in,
    users,
    webhooks,
    webhooks_api,
)
from darkroom.web.live import Live
from darkroom.web.services import KEY, Services, services

SESSION_LIFETIME = timedelta(days=30)
# Room for the fields and part headers beside the photos themselves.
FORM_BYTES = 1024 * 1024


BLUEPRINTS = (
    home.pages,
    sign_in.pages,
    account.pages,
    charges.pages,
    ledger_api.blueprint,
    openapi.blueprint,
    users.pages,
    runs.pages,
    preferences.pages,
    files.pages,
    counting_pages.pages,
    counting_api.blueprint,
    catalog_api.blueprint,
    queue_api.blueprint,
    categories_api.blueprint,
    catalog_pages.pages,
    queue_pages.pages,
    catalog_review_pages.pages,
    import_pages.pages,
    prompt_pages.pages,
    variants_api.blueprint,
    media_api.blueprint,
    generation_api.blueprint,
    generation_pages.pages,
    media_pages.pages,
    enhancing_api.blueprint,
    enhancing_pages.pages,
    faces_api.blueprint,
    faces_pages.pages,
    portraits_api.blueprint,
    portraits_pages.pages,
    subtitles_api.blueprint,
    subtitles_pages.pages,
    media_status_api.blueprint,
    media_status_pages.pages,
    videos_api.blueprint,
    videos_pages.pages,
    publishing_api.blueprint,
    publishing_sites_api.blueprint,
    publishing_pages.pages,
    activity_pages.pages,
    publishing_sites_pages.pages,
    variants_pages.pages,
    unlock_pages.pages,
    settings_pages.pages,
    preset_pages.pages,
    passes.blueprint,
    rerun_pages.pages,
    review_pages.pages,
    places_pages.pages,
    places_api.blueprint,
    stock_pages.pages,
    stock_api.blueprint,
    webhooks.pages,
    webhooks_api.blueprint,
    console_jobs.pages,
    api_jobs.blueprint,
)
"""All pages and calls."""


class UploadRequest(Request):
    """A call whose files stream to disk while they arrive, in Darkroom's own folder."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        folder = services().settings.temp_dir
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile("rb+", dir=folder)


def create_app(settings: Settings, database: Database) -> Flask:
    """The web app over one database, whose schema is migrated."""
    app = Flask("darkroom.web")
    app.request_class = UploadRequest
    app.session_interface = auth.SessionCookies()
    app.config.update(_config(settings))
    store = open_store(settings)
    app.extensions[KEY] = Services(
        settings=settings,
        database=database,
        store=store,
        live=Live(database, settings.web),
        counting=CountingService(settings, database, store),
    )
    _extend(app, settings)
    _add_pages(app)
    return app


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": secret_key(settings),
        "SESSION_COOKIE_NAME": "darkroom_session",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_HTTPONLY": True,
        "PERMANENT_SESSION_LIFETIME": SESSION_LIFETIME,
        "MAX_CONTENT_LENGTH": settings.max_photos * settings.max_upload_bytes + FORM_BYTES,
        "WTF_CSRF_CHECK_DEFAULT": False,
        # The token lasts as long as the session: a phone may hold the page for days.
        "WTF_CSRF_TIME_LIMIT": None,
        "BOOTSTRAP_SERVE_LOCAL": True,
    }


def _extend(app: Flask, settings: Settings) -> None:
    Bootstrap5(app)
    auth.csrf.init_app(app)
    app.before_request(receiving.set_limits)
    app.before_request(auth.protect)
    app.before_request(auth.hold_viewers)
    languages.register(app, settings.cache_dir)
    formats.register(app)
    errors.register(app)
    navigation.register(app)
    counting_navigation.register(app)
    observing.register(app)
    app.context_processor(preferences.layout_values)
    policy = headers.content_policy(settings)

    @app.after_request
    def secure(response: Response) -> Response:
        return headers.add_headers(response, policy)


def _add_pages(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}
