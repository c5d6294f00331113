"""The pages of publishing: ask for pictures, follow them to their post, find them again."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.errors import Invalid
from darkroom.publishing import destinations, forms, history, requesting, sites, status, views
from darkroom.publishing.history import Filter
from darkroom.publishing.models import Publication
from darkroom.queue.models import Run
from darkroom.storage.assets import Asset
from darkroom.web import paging, thumbnails
from darkroom.web.auth import current_user, login_required, scope
from darkroom.web.run_views import Card
from darkroom.web.services import services
from darkroom.web.words import word

pages = Blueprint("publishing", __name__, url_prefix="/publish", template_folder="templates")

PAGE, LATELY = 24, 5
LONGEST_TEXT = 200


def is_sandbox() -> bool:
    """Whether the sandbox makes the pictures, in place of a real model."""
    settings = services().settings
    return settings.publishing.provider in settings.providers.sandboxed


@pages.record_once
def _offer_to_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(publishing_is_sandbox=is_sandbox)
    state.app.jinja_env.filters.update(
        stage_word=lambda name: word(views.STAGES, name),
        site_word=lambda name: views.site_word(name, services().settings.providers),
    )


# Ask for pictures.


@pages.get("")
@login_required
def ask() -> ResponseReturnValue:
    """The form of a request; the address may fill it in beforehand."""
    return _ask_page(request.args.to_dict())


@pages.post("")
@login_required
def submit() -> ResponseReturnValue:
    """Take a request. Sent again it is the same request: the form brings its run_id."""
    settings, given = services().settings, request.form.to_dict()
    try:
        with services().database.session() as db:
            to = destinations.chosen(destinations.listing(db, settings), given.get("to"))
            asked = {**given, "site": to.site, "endpoint": to.type.endpoint}
            made = requesting.publish(db, settings, current_user(), forms.wish(asked))
    except Invalid as error:
        return _ask_page(given, error)
    return redirect(url_for("publishing.show", publication_id=made), 303)


# Follow them.


@pages.get("/<uuid:publication_id>")
@login_required
def show(publication_id: UUID) -> ResponseReturnValue:
    """All that was asked for of a post under one run_id; it fills while it is looked at."""
    with services().database.session() as db:
        found = history.together(db, scope(), publication_id)
        if found[0].id != publication_id:
            return redirect(_place_of(found, publication_id))
        progress = status.progress(db, found)
        return render_template(
            "publishing/post.html",
            publication=found[0],
            site=views.rows(db, found[:1])[0].site,
            progress=progress,
            requests=views.requests(db, progress, found),
            going=views.going_on(db, found),
            post_url=next((each.post_url for each in reversed(found) if each.post_url), None),
        )


@pages.post("/<uuid:publication_id>/retry")
@login_required
def retry(publication_id: UUID) -> ResponseReturnValue:
    """Go on where the pictures of a post failed."""
    with services().database.session() as db:
        requesting.retry(db, history.together(db, scope(), publication_id))
    return redirect(url_for("publishing.show", publication_id=publication_id), 303)


@pages.post("/pictures/<uuid:picture_id>/edit")
@login_required
def edit(picture_id: UUID) -> ResponseReturnValue:
    """Have a picture made anew by another prompt, in its place or beside it."""
    prompt, joins = forms.prompt(request.form), forms.joins(request.form)
    with services().database.session() as db:
        source = history.picture(db, scope(), picture_id)
        made = requesting.edit(db, source, prompt, joins=joins)
    return redirect(url_for("publishing.show", publication_id=made), 303)


@pages.get("/pictures/<uuid:picture_id>/small")
@login_required
def small_picture(picture_id: UUID) -> ResponseReturnValue:
    """A reduced picture, for lists."""
    with services().database.session() as db:
        found = history.picture(db, scope(), picture_id)
        asset = db.get_one(Asset, found.asset_id)
    return thumbnails.answer(asset)


# Find them again.


@pages.get("/history")
@login_required
def index() -> ResponseReturnValue:
    """What was asked for, newest first; the filter is in the address."""
    wanted, error = _wanted()
    with services().database.session() as db:
        found = history.page(db, scope(), wanted, before=paging.last_seen(), limit=PAGE + 1)
        page = render_template(
            "publishing/history.html",
            rows=views.rows(db, found[:PAGE]),
            older=paging.mark(found[PAGE - 1]) if len(found) > PAGE else None,
            first_page="before" not in request.args,
            given=_given(),
            error=error,
            states=history.STATES,
            sites=sites.listing(db),
        )
    return page, error.status if error else 200


def cards(db: Session, found: Sequence[Run]) -> list[Card]:
    """Runs of this pipeline with the page of what they do, and the first of their pictures."""
    ids = [UUID(run.params["publication_id"]) for run in found if "publication_id" in run.params]
    listed = db.scalars(select(Publication).where(Publication.id.in_(ids))).all()
    rows = {str(row.publication.id): row for row in views.rows(db, listed)}
    return [_card(run, rows.get(run.params.get("publication_id", ""))) for run in found]


def _card(run: Run, row: views.Row | None) -> Card:
    activity_id = run.params.get("activity_id")
    if activity_id is not None:
        return Card(run, url_for("publishing_activities.show", activity_id=activity_id))
    if row is None:
        return Card(run)
    url, small = url_for("publishing.show", publication_id=row.publication.id), None
    if row.thumbnail is not None:
        small = url_for("publishing.small_picture", picture_id=row.thumbnail)
    text = gettext("Post %(number)s", number=row.publication.wp_post_id)
    return Card(run, url, small, text)


def _place_of(found: Sequence[Publication], publication_id: UUID) -> str:
    """Where a request is on the page of the first one for its post."""
    return url_for("publishing.show", publication_id=found[0].id, _anchor=f"r-{publication_id}")


def _ask_page(given: Mapping[str, str], error: Invalid | None = None) -> ResponseReturnValue:
    with services().database.session() as db:
        found = destinations.listing(db, services().settings)
        lately = history.page(db, current_user().id, Filter(), limit=LATELY)
        page = render_template(
            "publishing/ask.html",
            destinations=found,
            to=destinations.chosen(found, given.get("to")),
            given={"run_id": requesting.new_run_id(), **given},
            errors={error.field: error.message} if error else {},
            most=requesting.MOST_PICTURES,
            longest=requesting.LONGEST_PROMPT,
            rows=views.rows(db, lately),
        )
    return page, error.status if error else 200


def _wanted() -> tuple[Filter, Invalid | None]:
    """The filter of the address; where it cannot be read, everything and what is wrong."""
    text = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_TEXT]
    site_id = request.args.get("site", type=int)
    try:
        return Filter(text, history.checked_state(request.args.get("state")), site_id), None
    except Invalid as error:
        return Filter(), error


def _given() -> dict[str, str]:
    names = ("q", "state", "site")
    return {name: request.args[name] for name in names if request.args.get(name)}
