"""Puts the console's dashboards, gates, health and metrics into an app."""

from flask import Flask

from darkroom.console import (
    api_queue,
    breaker_pages,
    cells,
    cron_pages,
    dashboard_pages,
    health,
    lane_pages,
    metrics,
    overview,
    sandbox_pages,
    snapshots,
    views,
)
from darkroom.web.services import KEY, Services


def register(app: Flask) -> None:
    """Add the pages, the API, and what their templates need; the app's services are there."""
    served: Services = app.extensions[KEY]
    snapshots.register(app, served.database)
    cells.register(app)
    for blueprint in (
        overview.pages,
        dashboard_pages.pages,
        lane_pages.pages,
        breaker_pages.pages,
        views.limits,
        cron_pages.pages,
        views.workers,
        views.audited,
        sandbox_pages.pages,
        api_queue.blueprint,
        metrics.pages,
        health.pages,
    ):
        app.register_blueprint(blueprint)
