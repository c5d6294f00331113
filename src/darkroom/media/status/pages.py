"""`/studio/status`: how the services, the devices and the queue stand, for people."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from darkroom.media.status import host
from darkroom.media.status.offers import offers
from darkroom.media.status.standing import standing
from darkroom.queue.gates import reading
from darkroom.web.auth import login_required
from darkroom.web.services import services

pages = Blueprint("studio_status", __name__, url_prefix="/studio", template_folder="templates")


@pages.get("/status")
@login_required
def index() -> ResponseReturnValue:
    """The services, what their models run on, this machine, and what goes on."""
    settings = services().settings
    with services().database.session() as session:
        now = standing(session, settings)
        return render_template(
            "media/status.html",
            offers=offers(now),
            runtimes=now.runtimes,
            work=host.work(session),
            used=reading.limits_used(session),
            quotas=settings.gates.limits,
            machine=host.here(settings.home),
        )
