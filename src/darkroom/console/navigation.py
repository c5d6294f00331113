"""The tabs of the console."""

from dataclasses import dataclass

from flask import Flask, current_app, url_for
from flask_babel import gettext

from darkroom.web.words import N_


@dataclass(frozen=True)
class Tab:
    """One entry of the console's navigation. `name` is what its pages set as `tab`."""

    name: str
    endpoint: str
    label: str

    @property
    def url(self) -> str:
        """Where it leads."""
        return url_for(self.endpoint)

    @property
    def word(self) -> str:
        """Its label in the reader's language."""
        return str(gettext(self.label))


TABS = (
    Tab("overview", "console_overview.show", N_("Overview")),
    Tab("jobs", "console_jobs.index", N_("Jobs")),
    Tab("dashboards", "console_dashboards.index", N_("Dashboards")),
    Tab("lanes", "console_lanes.index", N_("Lanes")),
    Tab("breakers", "console_breakers.index", N_("Breakers")),
    Tab("limits", "console_limits.index", N_("Limits")),
    Tab("crons", "console_crons.index", N_("Cron")),
    Tab("workers", "console_workers.index", N_("Workers")),
    Tab("audit", "console_audit.index", N_("Audit")),
    Tab("sandbox", "console_sandbox.index", N_("Sandbox")),
)


def register(app: Flask) -> None:
    """Give the templates the tabs whose pages exist."""
    app.jinja_env.globals.update(console_tabs=tabs)


def tabs() -> list[Tab]:
    """The tabs whose pages this app has, in order."""
    return [tab for tab in TABS if tab.endpoint in current_app.view_functions]
