"""The routes of a site's REST API.

https://developer.wordpress.org/rest-api/reference/
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.sandbox.faults import Fault
from darkroom.sandbox.services import refusals
from darkroom.sandbox.services.wordpress import acf, library, login
from darkroom.sandbox.services.wordpress.library import Rejected
from darkroom.sandbox.services.wordpress.login import Shut, User, error
from darkroom.sandbox.services.wordpress.site import POSTS, TYPES, Json, Post, Site, site
from darkroom.sandbox.state import address, fault, here

NAME = "wordpress"
API = "/<name>/wp-json/wp/v2"
ATTACHMENT = "X-WP-Upload-Attachment-ID"
TEXTS = ("title", "content", "excerpt")

service = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")


@service.before_request
def guard() -> ResponseReturnValue | None:
    """Let faults in before the request."""
    if (befallen := fault()) is not None and refusals.is_refusal(befallen):
        return _refusal(befallen)
    return None


@service.errorhandler(Shut)
def shut(found: Shut) -> ResponseReturnValue:
    """A token or password that is not good."""
    return found.answer()


@service.errorhandler(Rejected)
def reject(found: Rejected) -> ResponseReturnValue:
    """A file that is not taken."""
    return error(found.status, found.code, str(found))


@service.post("/<name>/wp-json/jwt-auth/v1/token")
def token(name: str) -> ResponseReturnValue:
    """A token for a name and a password."""
    return login.token(here(), address(f"/{NAME}/{name}"))


@service.post("/<name>/wp-json/jwt-auth/v1/token/validate")
def validate(name: str) -> ResponseReturnValue:
    """Whether a token is good."""
    if login.somebody(here()) is None:
        return error(403, "jwt_auth_no_auth_header", "Authorization header not found.")
    return jsonify(code="jwt_auth_valid_token", data={"status": 200})


@service.get(f"{API}/users/me")
def me(name: str) -> ResponseReturnValue:
    """Who asks."""
    user = login.somebody(here())
    if user is None:
        return error(401, "rest_not_logged_in", "You are not currently logged in.")
    shown: Json = {"id": user.id, "name": user.name.title(), "slug": user.name}
    rights = {"upload_files": user.may_upload, "edit_posts": user.may_upload}
    return jsonify({**shown, "capabilities": rights} if _edit(user) else shown)


@service.get(f"{API}/types")
def types(name: str) -> ResponseReturnValue:
    """The types of posts."""
    if request.args.get("context") == "edit" and not _writes():
        return _no_right("rest_cannot_view", "Sorry, you are not allowed to edit posts.")
    return jsonify(
        {
            type: {"name": said, "slug": type, "rest_base": base, "rest_namespace": "wp/v2"}
            for type, (base, said) in TYPES.items()
        }
    )


# Media.


@service.post(f"{API}/media")
def upload(name: str) -> ResponseReturnValue:
    """Take a file in, and make its thumbnails."""
    if login.somebody(here()) is None:
        return _no_right("rest_cannot_create", "Sorry, you are not allowed to create posts.")
    if not _writes():
        said = "Sorry, you are not allowed to upload media on this site."
        return error(400, "rest_cannot_create", said)
    found = _site(name)
    media = library.add(here(), found, library.read())
    befallen = fault()
    if befallen is not None and befallen.kind == "unfinished":
        answer = Response("<h1>Gateway Time-out</h1>", befallen.status, mimetype="text/html")
    else:
        library.make_sizes(media)
        answer = jsonify(library.shown(found, media, edit=True))
        answer.status_code = 201
        answer.headers["Location"] = request.base_url + f"/{media.id}"
    answer.headers[ATTACHMENT] = str(media.id)
    return answer


@service.get(f"{API}/media")
def find_media(name: str) -> ResponseReturnValue:
    """The files that a search finds."""
    user = login.somebody(here())
    found = library.search(_site(name), request.args.get("search", ""))
    return _page([library.shown(_site(name), each, edit=_edit(user)) for each in found])


@service.get(f"{API}/media/<int:id>")
def show_media(name: str, id: int) -> ResponseReturnValue:
    """One file."""
    media, user = _site(name).media.get(id), login.somebody(here())
    if media is None:
        return _no_post()
    return jsonify(library.shown(_site(name), media, edit=_edit(user)))


@service.delete(f"{API}/media/<int:id>")
def delete_media(name: str, id: int) -> ResponseReturnValue:
    """Remove a file, for good only."""
    if not _writes():
        return _no_right("rest_cannot_delete", "Sorry, you are not allowed to delete this post.")
    if request.args.get("force") not in {"1", "true"}:
        said = "The post does not support trashing. Set 'force=true' to delete."
        return error(501, "rest_trash_not_supported", said)
    with here().lock:
        media = _site(name).media.pop(id, None)
    if media is None:
        return _no_post()
    return jsonify(deleted=True, previous=library.shown(_site(name), media, edit=True))


@service.post(f"{API}/media/<int:id>/post-process")
def post_process(name: str, id: int) -> ResponseReturnValue:
    """Make the thumbnails that an upload left unmade."""
    if not _writes():
        return _no_right("rest_cannot_edit", "Sorry, you are not allowed to edit this post.")
    media = _site(name).media.get(id)
    if media is None:
        return _no_post()
    if _said().get("action") != "create-image-subsizes":
        return error(400, "rest_invalid_param", "Invalid parameter(s): action")
    library.make_sizes(media)
    return jsonify(library.shown(_site(name), media, edit=True))


@service.get("/<name>/wp-content/uploads/<int:year>/<int:month>/<file>")
def serve(name: str, year: int, month: int, file: str) -> ResponseReturnValue:
    """A file itself."""
    found = library.serve(here(), _site(name), file)
    if found is None:
        return Response("Not found", 404, mimetype="text/html")
    return Response(found[0], mimetype=found[1])


# Posts.


@service.get(f"{API}/<base>/<int:id>")
def show_post(name: str, base: str, id: int) -> ResponseReturnValue:
    """One post."""
    if base not in POSTS:
        return _no_route()
    if request.args.get("context") == "edit" and not _writes():
        said = "Sorry, you are not allowed to edit this post."
        return _no_right("rest_forbidden_context", said)
    with here().lock:
        post = _site(name).post(base, id)
    return _no_post() if post is None else jsonify(_narrowed(_post(name, base, post)))


@service.post(f"{API}/<base>/<int:id>")
@service.put(f"{API}/<base>/<int:id>")
@service.patch(f"{API}/<base>/<int:id>")
def update_post(name: str, base: str, id: int) -> ResponseReturnValue:
    """Change a post."""
    if base not in POSTS:
        return _no_route()
    if not _writes():
        return _no_right("rest_cannot_edit", "Sorry, you are not allowed to edit this post.")
    with here().lock:
        post = _site(name).post(base, id)
        if post is None:
            return _no_post()
        return _write(name, base, post)


@service.route(f"{API}/<base>", methods=["OPTIONS"])
def tell_schema(name: str, base: str) -> ResponseReturnValue:
    """What posts of a type are made of, to anybody who asks."""
    if base not in POSTS:
        return _no_route()
    told = {"title": POSTS[base], "type": "object", "properties": {"acf": acf.schema(POSTS[base])}}
    return jsonify(namespace="wp/v2", methods=["GET", "POST"], schema=told)


@service.get(f"{API}/<base>")
def find_posts(name: str, base: str) -> ResponseReturnValue:
    """The posts that a search finds, of those anybody ever looked at."""
    if base not in POSTS:
        return _no_route()
    login.somebody(here())
    words, slug = request.args.get("search", "").lower(), request.args.get("slug")
    with here().lock:
        posts = [post for (of, _), post in _site(name).posts.items() if of == base]
    posts = [each for each in posts if words in each.title.lower() and slug in {None, each.slug}]
    return _page([_post(name, base, each) for each in sorted(posts, key=lambda each: -each.id)])


@service.post(f"{API}/<base>")
def create_post(name: str, base: str) -> ResponseReturnValue:
    """Write a new post."""
    if base not in POSTS:
        return _no_route()
    if not _writes():
        said = "Sorry, you are not allowed to create posts as this user."
        return _no_right("rest_cannot_create", said)
    with here().lock:
        site = _site(name)
        id = site.new_id()
        post = Post(id, POSTS[base], "", str(id), status="draft")
        answer = _write(name, base, post)
        if answer.status_code != 200:
            return answer
        site.posts[base, id] = post
    answer.status_code = 201
    answer.headers["Location"] = f"{request.base_url}/{id}"
    return answer


@service.delete(f"{API}/<base>/<int:id>")
def delete_post(name: str, base: str, id: int) -> ResponseReturnValue:
    """Remove a post."""
    if base not in POSTS:
        return _no_route()
    if not _writes():
        return _no_right("rest_cannot_delete", "Sorry, you are not allowed to delete this post.")
    with here().lock:
        post = _site(name).post(base, id)
        if post is None:
            return _no_post()
        _site(name).posts.pop((base, id), None)
        _site(name).deleted.add((base, id))
    return jsonify(deleted=True, previous=_post(name, base, post))


@service.route("/<name>/wp-json/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def anything_else(name: str, rest: str) -> ResponseReturnValue:
    """What the API does not know."""
    return _no_route()


def _write(name: str, base: str, post: Post) -> Response:
    said = _said()
    try:
        if "acf" in said:
            acf.write(_site(name), post, said["acf"])
    except acf.Unfit as unfit:
        field, kind = unfit.args
        return error(
            400, "rest_invalid_param", f"Invalid parameter(s): acf[{field}] is not {kind}."
        )
    for text in TEXTS:
        if text in said:
            value = said[text]
            setattr(post, text, str(value.get("raw", "") if isinstance(value, dict) else value))
    post.slug, post.status = str(said.get("slug", post.slug)), str(said.get("status", post.status))
    post.featured_media = int(said.get("featured_media", post.featured_media))
    return jsonify(_post(name, base, post))


def _post(name: str, base: str, post: Post) -> Json:
    return {
        "id": post.id,
        "slug": post.slug,
        "status": post.status,
        "type": post.type,
        "link": address(f"/{NAME}/{name}/{base}/{post.slug}"),
        "title": {"rendered": post.title},
        "content": {"rendered": post.content},
        "excerpt": {"rendered": post.excerpt},
        "featured_media": post.featured_media,
        "acf": acf.shown(post),
    }


def _narrowed(found: Json) -> Json:
    """Only the fields that `_fields` names, if it names any."""
    named = {field.strip() for field in request.args.get("_fields", "").split(",")} - {""}
    return {key: value for key, value in found.items() if not named or key in named}


def _page(found: list[Json]) -> Response:
    size = min(max(request.args.get("per_page", 10, type=int), 1), 100)
    page = max(request.args.get("page", 1, type=int), 1)
    answer = jsonify([_narrowed(each) for each in found[(page - 1) * size : page * size]])
    answer.headers["X-WP-Total"] = str(len(found))
    answer.headers["X-WP-TotalPages"] = str(-(-len(found) // size))
    return answer


def _site(name: str) -> Site:
    return site(here(), name)


def _said() -> dict[str, Any]:
    said = request.get_json(silent=True)
    return said if isinstance(said, dict) else request.form.to_dict()


def _edit(user: User | None) -> bool:
    return user is not None and request.args.get("context") == "edit"


def _writes() -> bool:
    """Whether whoever asks may write."""
    user = login.somebody(here())
    return user is not None and user.may_upload


def _no_right(code: str, said: str) -> Response:
    """No right: a 401 for nobody, a 403 for somebody."""
    return error(403 if login.somebody(here()) else 401, code, said)


def _no_post() -> Response:
    return error(404, "rest_post_invalid_id", "Invalid post ID.")


def _no_route() -> Response:
    said = "No route was found matching the URL and request method."
    return error(404, "rest_no_route", said)


def _refusal(befallen: Fault) -> Response:
    if befallen.kind == "expired":
        return login.expired()
    if befallen.kind == "forbidden":
        said = "Sorry, you are not allowed to upload media on this site."
        return error(400, "rest_cannot_create", said)
    status, said = refusals.status_of(befallen), refusals.WORDS[befallen.kind]
    return refusals.told_to_wait(error(status, "sandbox_fault", said), befallen)
