"""What the views work with: one `Services` an app, found through the app that serves the call."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from darkroom.counting.service import CountingService
from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.storage.store import Store
from darkroom.web.live import Live

KEY = "darkroom"


@dataclass(frozen=True)
class Services:
    """Settings, database, file store, live events and the pipelines' services of one app."""

    settings: Settings
    database: Database
    store: Store
    live: Live
    counting: CountingService


def services() -> Services:
    """The services of the app that serves the present call."""
    return cast(Services, current_app.extensions[KEY])
