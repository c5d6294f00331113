"""The sites and their types of posts, as administrators set them up: `/api/publishing`."""

from typing import Any

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from darkroom.accounts.audit import Actor
from darkroom.publishing import connection, forms, post_types, sites
from darkroom.publishing.fields import PostType
from darkroom.publishing.models import WordPressSite
from darkroom.web.auth import admin_required, current_user
from darkroom.web.services import services

Json = dict[str, Any]

blueprint = Blueprint("publishing_sites_api", __name__, url_prefix="/api/publishing")


@blueprint.get("/sites")
@admin_required
def index() -> Response:
    """The sites that were added. What they are entered with is never shown."""
    with services().database.session() as session:
        return jsonify({"sites": [_site_json(each) for each in sites.listing(session)]})


@blueprint.post("/sites")
@admin_required
def add() -> ResponseReturnValue:
    """Add a site: `name`, `base_url`, `username`, `way`, `secret`, `endpoint`, `is_default`."""
    found = services()
    with found.database.session() as session:
        site_id = sites.add(session, found.settings, forms.body(), Actor.of(current_user()))
        return jsonify(_site_json(sites.of(session, site_id))), 201


@blueprint.patch("/sites/<int:site_id>")
@admin_required
def change(site_id: int) -> Response:
    """Change what is given of a site."""
    found = services()
    with found.database.session() as session:
        sites.change(session, found.settings, site_id, forms.body(), Actor.of(current_user()))
        return jsonify(_site_json(sites.of(session, site_id)))


@blueprint.delete("/sites/<int:site_id>")
@admin_required
def remove(site_id: int) -> ResponseReturnValue:
    """Remove a site and forget what it was entered with."""
    with services().database.session() as session:
        sites.remove(session, site_id, Actor.of(current_user()))
    return "", 204


@blueprint.get("/sites/<site>/types")
@admin_required
def types(site: str) -> Response:
    """The types of posts that the site itself shows: whether it lets us in, in words."""
    found = services()
    with found.database.session() as session:
        row = sites.named(session, site)
        opened = sites.opened(session, found.settings, row.id if row else None)
        set_up = post_types.listing(session, opened.id)
    found_there = connection.tested(opened.login)
    said = {
        "is_reached": found_there.is_reached,
        "message": found_there.message,
        "there": list(found_there.types),
    }
    return jsonify({**said, "types": [_type_json(each) for each in set_up]})


@blueprint.put("/sites/<site>/types/<endpoint>")
@admin_required
def put_type(site: str, endpoint: str) -> Response:
    """Set up which fields the posts of a type have."""
    with services().database.session() as session:
        row = sites.named(session, site)
        made = post_types.put(session, row.id if row else None, endpoint, forms.body())
        return jsonify(_type_json(made))


def _site_json(found: WordPressSite) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "base_url": found.base_url,
        "username": found.username,
        "way": found.way,
        "endpoint": found.endpoint,
        "is_default": found.is_default,
    }


def _type_json(found: PostType) -> Json:
    return {
        "endpoint": found.endpoint,
        "fields": list(found.fields),
        "gallery": found.gallery,
        "title_from": found.title_from,
        "texts": dict(found.texts),
        "status": found.status,
    }
