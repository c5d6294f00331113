"""The app: all services under their paths, behind the wire."""

from typing import TYPE_CHECKING

from flask import Flask

from darkroom.sandbox.control import control
from darkroom.sandbox.services import (
    cloudinary,
    gcs,
    gemini,
    laozhang,
    openai,
    slack,
    wordpress,
)
from darkroom.sandbox.state import Sandbox, register
from darkroom.sandbox.wire import Wire

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def create_app(sandbox: Sandbox) -> "WSGIApplication":
    """The WSGI app of a sandbox."""
    app = Flask(__name__, static_folder=None)
    # Answers keep the order their services send them in.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    register(app, sandbox)
    for blueprint in (
        control,
        gemini.service,
        openai.service,
        laozhang.service,
        cloudinary.service,
        slack.service,
        wordpress.service,
        gcs.service,
    ):
        app.register_blueprint(blueprint)
    return Wire(app, sandbox)
