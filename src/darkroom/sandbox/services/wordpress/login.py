"""Who is let in: by a token of the JWT plugin, or an application password.

Two people have an account. What the plugin does not like is a 403 that begins with `jwt_auth_`.

https://wordpress.org/plugins/jwt-authentication-for-wp-rest-api/
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from flask import Response, jsonify, request

from darkroom.sandbox.state import KNOWN, Sandbox

SECRET = b"the sandbox's own"
DAYS = 7


@dataclass(frozen=True)
class User:
    """Somebody with an account."""

    id: int
    name: str
    password: str
    may_upload: bool


USERS = {
    KNOWN: User(1, KNOWN, KNOWN, may_upload=True),
    "reader": User(2, "reader", "reader", may_upload=False),
}


class Shut(Exception):
    """A token or a password that is not good."""

    def __init__(self, status: int, code: str, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.code = code

    def answer(self) -> Response:
        """What is answered."""
        return error(self.status, self.code, str(self))


def token(sandbox: Sandbox, issuer: str) -> Response:
    """The plugin's answer to a name and a password."""
    said = request.get_json(silent=True) or request.form
    name, password = str(said.get("username", "")), str(said.get("password", ""))
    user = USERS.get(name)
    if user is None:
        return error(
            403, "[jwt_auth] invalid_username", "<strong>Error:</strong> Unknown username."
        )
    if user.password != password:
        wrong = f"<strong>Error:</strong> The password for the username {name} is incorrect."
        return error(403, "[jwt_auth] incorrect_password", wrong)
    return jsonify(
        token=_signed(sandbox, issuer, user),
        user_email=f"{name}@example.org",
        user_nicename=name,
        user_display_name=name.title(),
    )


def somebody(sandbox: Sandbox) -> User | None:
    """Who asks; None for nobody. Raises `Shut`."""
    given = request.headers.get("Authorization", "")
    if not given:
        return None
    if given.lower().startswith("basic "):
        return _by_password()
    if not given.startswith("Bearer "):
        raise Shut(403, "jwt_auth_bad_auth_header", "Authorization header malformed.")
    return _by_token(sandbox, given.removeprefix("Bearer "))


def expired() -> Response:
    """What the plugin answers to a token that has ended."""
    return Shut(403, "jwt_auth_invalid_token", "Expired token").answer()


def error(status: int, code: str, said: str) -> Response:
    """An error as the REST API has them."""
    answer = jsonify(code=code, message=said, data={"status": status})
    answer.status_code = status
    return answer


def _by_password() -> User | None:
    """WordPress itself takes whoever shows a wrong password for nobody."""
    given = request.authorization
    user = USERS.get((given.username or "") if given else "")
    # Spaces in them are for people only.
    password = (given.password or "").replace(" ", "") if given else ""
    return user if user is not None and user.password == password else None


def _by_token(sandbox: Sandbox, given: str) -> User:
    try:
        head, claims, signature = given.split(".")
        good = hmac.compare_digest(_sign(f"{head}.{claims}"), signature)
        found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        user, ends = USERS[found["data"]["user"]["name"]], float(found["exp"])
    except (ValueError, KeyError, TypeError):
        raise Shut(403, "jwt_auth_invalid_token", "Wrong number of segments") from None
    if not good:
        raise Shut(403, "jwt_auth_invalid_token", "Signature verification failed")
    if sandbox.clock() >= ends:
        raise Shut(403, "jwt_auth_invalid_token", "Expired token")
    return user


def _signed(sandbox: Sandbox, issuer: str, user: User) -> str:
    now = int(sandbox.clock())
    who = {"user": {"id": str(user.id), "name": user.name}}
    claims = {"iss": issuer, "iat": now, "nbf": now, "exp": now + DAYS * 86_400, "data": who}
    body = f"{_encoded({'typ': 'JWT', 'alg': 'HS256'})}.{_encoded(claims)}"
    return f"{body}.{_sign(body)}"


def _encoded(found: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(found).encode()).decode().rstrip("=")


def _sign(body: str) -> str:
    digest = hmac.digest(SECRET, body.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
