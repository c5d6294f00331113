"""`POST /api/auth/login`: a pass (JWT) for an e-mail and a password."""

from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, jsonify, request

from darkroom.accounts import passes
from darkroom.accounts import service as accounts
from darkroom.errors import Invalid
from darkroom.web.rate_limit import rate_limit
from darkroom.web.services import services

blueprint = Blueprint("passes", __name__, url_prefix="/api/auth")


@blueprint.post("/login")
@rate_limit("login")
def enter() -> Response:
    """Answer `{"data": {"token", "user"}}` for `{"email", "password"}`."""
    email, password = _credentials()
    with services().database.session() as db:
        user = accounts.authenticate(db, email, password)
        if user is None:
            raise Invalid("The e-mail or the password is wrong.", status=401, code="unauthorized")
        token = passes.issue(user, str(current_app.secret_key), datetime.now(UTC))
        person = {"id": user.id, "email": user.email, "nombre": user.name, "rol": user.role}
    return jsonify({"success": True, "data": {"token": token, "user": person}})


@blueprint.after_request
def wear_envelope(answer: Response) -> Response:
    """Clients of the seed system read an error's text from `message`."""
    if answer.status_code >= 400 and answer.is_json:
        body = answer.get_json()
        told = {"success": False, "message": body["error"]["message"]}
        answer.set_data(jsonify(told | body).get_data())
    return answer


def _credentials() -> tuple[str, str]:
    body = request.get_json(silent=True)
    given = body if isinstance(body, dict) else {}
    email, password = given.get("email"), given.get("password")
    for name, value in (("email", email), ("password", password)):
        if not isinstance(value, str) or not value:
            raise Invalid(f"Send {name} as text in a JSON object.", name, code="missing")
    return str(email), str(password)
