"""The pages of activities: posts that are written here, before they get their pictures."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.publishing import activities, destinations, forms, requesting
from darkroom.publishing.destinations import Destination
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.web.auth import current_user, login_required, scope
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services

pages = Blueprint(
    "publishing_activities", __name__, url_prefix="/publish/posts", template_folder="templates"
)

MORE = "more"
LATELY = 5


@pages.get("")
@login_required
def ask() -> ResponseReturnValue:
    """The form of a new post, with the fields of its type."""
    return _ask_page(request.args)


def _on_to(run_id: UUID) -> ResponseReturnValue:
    """To the post of a run just begun."""
    with services().database.session() as db:
        activity_id = db.get_one(Run, run_id).params["activity_id"]
    return redirect(url_for("publishing_activities.show", activity_id=activity_id), 303)


@pages.post("")
@login_required
@idempotent(_on_to)
def create(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a post written."""
    found = services()
    try:
        with found.database.session() as db:
            listed = destinations.listing(db, found.settings)
            wish = _wish(destinations.chosen(listed, request.form.get("to")))
            return activities.create(db, found.settings, current_user(), wish, keep)
    except Invalid as error:
        return _ask_page(request.form, error)


@pages.get("/<uuid:activity_id>")
@login_required
def show(activity_id: UUID) -> ResponseReturnValue:
    """A post that is written, or was: where it is, and on to its pictures."""
    with services().database.session() as db:
        found = activities.of(db, scope(), activity_id)
        run = runs.get(db, found.run_id) if found.run_id else None
        return render_template(
            "publishing/activity.html",
            activity=found,
            title=activities.title(db, found),
            run=run,
            steps=runs.steps_of(db, run.id) if run else [],
            state=run.status if run else "completed",
            to=f"{found.site_id or 0}-{found.endpoint}",
        )


def _wish(to: Destination) -> activities.Wish:
    names = (to.type.title_from, *to.type.texts)
    said = {name: request.form.get(f"field-{name}", "").strip() for name in names}
    fields = {name: value for name, value in {**said, **_more()}.items() if value}
    return activities.Wish(requesting.new_run_id(), to.site, to.type.endpoint, fields)


def _more() -> dict[str, str]:
    """The fields that the form has no input of their own for, one a line."""
    return forms.pairs(request.form.get(MORE, ""), MORE)


def _ask_page(given: Mapping[str, str], error: Invalid | None = None) -> ResponseReturnValue:
    with services().database.session() as db:
        found = destinations.listing(db, services().settings)
        page = render_template(
            "publishing/new_post.html",
            destinations=found,
            to=destinations.chosen(found, given.get("to")),
            given=given,
            errors={error.field: error.message} if error else {},
            lately=[
                (each, activities.title(db, each))
                for each in activities.latest(db, current_user().id, LATELY)
            ],
        )
    return page, error.status if error else 200
