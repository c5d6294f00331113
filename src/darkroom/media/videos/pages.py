"""The pages of the videos: of pictures one after the other, and of scenes told one by one."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import receiving
from darkroom.media.answering import on_to_page
from darkroom.media.fields import Fields
from darkroom.media.videos import plan, taking
from darkroom.media.videos.asking import LONGEST_TITLE
from darkroom.web.auth import login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.rate_limit import rate_limit
from darkroom.web.words import N_

pages = Blueprint("videos", __name__, url_prefix="/studio/videos", template_folder="templates")

SHOWN = 3
"""Scenes that the form has at first."""
ASPECTS = {"16:9": N_("Wide (16:9)"), "9:16": N_("Upright (9:16)"), "1:1": N_("Square (1:1)")}
TRANSITIONS = {
    "cut": N_("Cut"),
    "fade": N_("Fade"),
    "black": N_("Through black"),
    "dissolve": N_("Dissolve"),
    "slide": N_("Slide"),
    "wipe": N_("Wipe"),
    "zoom": N_("Zoom"),
}
MOTIONS = {
    "none": N_("None"),
    "in": N_("Closer"),
    "out": N_("Away"),
    "left": N_("To the left"),
    "right": N_("To the right"),
}
FITS = {"cover": N_("Cut to fill the frame"), "contain": N_("Whole, on a blurred copy")}
IN_SCENES = ("image", "video", "audio", "duration", "text")
"""The fields of a scene that show what is wrong with them."""
PLACES = {"bottom": N_("Below"), "middle": N_("In the middle"), "top": N_("Above")}


@pages.get("")
@login_required
def slideshow() -> ResponseReturnValue:
    """The form for pictures one after the other."""
    return _form("media/slideshow.html")


@pages.get("/scenes")
@login_required
def scenes() -> ResponseReturnValue:
    """The form for scenes, as many as `?scenes=N` says."""
    return _form("media/scenes.html")


@pages.post("")
@login_required
@idempotent(on_to_page)
@rate_limit("render-video")
def submit_slideshow(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a video made of pictures."""
    return _taken(taking.take_slideshow, "media/slideshow.html", keep)


@pages.post("/scenes")
@login_required
@idempotent(on_to_page)
@rate_limit("render-multi-scene")
def submit_scenes(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a video made of scenes."""
    return _taken(taking.take_scenes, "media/scenes.html", keep)


def _taken(take: Callable[..., UUID], template: str, keep: Keep) -> UUID | ResponseReturnValue:
    try:
        return take(receiving.body(), keep)
    except Invalid as error:
        return _form(template, error)


def _form(template: str, error: Invalid | None = None) -> tuple[str, int]:
    page = render_template(
        template,
        errors={} if error is None else {error.field or "": error.message},
        shown=_shown(),
        most=plan.MOST_SCENES,
        longest=int(plan.LONGEST),
        longest_title=LONGEST_TITLE,
        aspects=ASPECTS,
        transitions=TRANSITIONS,
        motions=MOTIONS,
        fits=FITS,
        places=PLACES,
        in_scenes=IN_SCENES,
    )
    return page, 200 if error is None else error.status


def _shown() -> list[int]:
    """The numbers of the scenes that the form has: those that were sent, else so many."""
    sent = Fields(request.form).numbers("scenes")
    given = request.args.get("scenes", "")
    count = min(int(given), plan.MOST_SCENES) if given.isdecimal() and len(given) < 4 else SHOWN
    return sent or list(range(max(1, count)))
