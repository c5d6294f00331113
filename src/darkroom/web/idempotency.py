"""`Idempotency-Key`: a request that is sent again does not start a second run.

A key belongs to a user and an address, and is kept for a day (a setting). Before a request is
carried out it claims its key; the run it makes is written beside the key in the transaction that
creates the run. So whatever dies in between, a key has made one run or none, and what is answered
is made from the run, the first time as every other.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import IO, Any, Protocol
from uuid import UUID, uuid4

from flask import Response, after_this_request, request
from flask.typing import ResponseReturnValue
from sqlalchemy import CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from darkroom.db.statements import statement
from darkroom.errors import Invalid
from darkroom.web.auth import current_user
from darkroom.web.services import services
from darkroom.web.words import N_

log = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
LONGEST = 255
CLAIM_SECONDS = 120
"""How long a request that was cut off keeps its key from the next. It is no limit on a request."""
RETRY_SECONDS = 2
CHUNK = 256 * 1024
FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
# Made anew with every page.
UNCOUNTED = frozenset({"csrf_token"})

Answer = Callable[[UUID], ResponseReturnValue]


class Keep(Protocol):
    """What a view hands on to whatever creates its run, to be called in the same transaction."""

    def __call__(self, session: Session, run_id: UUID) -> None:
        """Write the run beside the request's key; `Invalid` when the key is another's by now."""


@dataclass(frozen=True)
class Claim:
    """The right of the present request to use its key."""

    user_id: int
    endpoint: str
    key: str
    claim: UUID

    def keep(self, session: Session, run_id: UUID) -> None:
        """Write the run beside the key. Call it in the transaction that creates the run."""
        if not _execute(session, "web/keep_key", **vars(self), run_id=run_id).rowcount:
            raise _in_progress()

    def release(self) -> None:
        """Give the key up, unless it has made a run."""
        try:
            with services().database.session() as db:
                _execute(db, "web/release_key", **vars(self))
        except DBAPIError:
            log.warning("An idempotency key was not released; its claim runs out.", exc_info=True)


def idempotent(answer: Answer) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For views that create a run. Put it under `login_required`.

    The view takes `keep` (see `Keep`) and answers its run's id, or, when it made none, a response.

    Parameters
    ----------
    answer
        Makes the response to a request from the run it made.
    """

    def decorate(
        view: Callable[..., UUID | ResponseReturnValue],
    ) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            found = _claimed_or_made()
            if isinstance(found, UUID):
                after_this_request(_replayed)
                return answer(found)
            made = _carried_out(view, found, *args, **kwargs)
            return answer(made) if isinstance(made, UUID) else made

        return guarded

    return decorate


def _carried_out(
    view: Callable[..., UUID | ResponseReturnValue], claim: Claim | None, *args: Any, **kwargs: Any
) -> UUID | ResponseReturnValue:
    """What the view answers; a request that makes no run leaves no key."""
    if claim is None:
        return view(*args, keep=_nothing, **kwargs)
    try:
        made = view(*args, keep=claim.keep, **kwargs)
    except BaseException:
        claim.release()
        raise
    if not isinstance(made, UUID):
        claim.release()
    return made


def _claimed_or_made() -> Claim | UUID | None:
    """The claim of a new key, the run of a used one, or None for a request without a key."""
    key = _key()
    if key is None:
        return None
    claim = Claim(current_user().id, request.path, key, uuid4())
    parameters = {
        "body_hash": body_hash(),
        "claim_seconds": CLAIM_SECONDS,
        "kept_seconds": services().settings.signals.idempotency_hours * 3600,
    }
    with services().database.session() as db:
        found = _execute(db, "web/claim_key", **vars(claim), **parameters).mappings().one()
    if found["answer"] == "differs":
        raise _reused()
    if found["answer"] == "in_progress":
        raise _in_progress()
    made: UUID | None = found["made_run"]
    return made or claim


def _key() -> str | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    if not 0 < len(given) <= LONGEST or not given.isascii() or not given.isprintable():
        raise Invalid(N_("The Idempotency-Key must be 1 to 255 characters of ASCII."), HEADER)
    return given


def body_hash() -> bytes:
    """SHA-256 of what the request says: its query, its fields and the content of its files."""
    digest = hashlib.sha256()
    for said in _said():
        digest.update(json.dumps(said).encode() + b"\n")
    return digest.digest()


def _said() -> Iterator[list[str | None]]:
    for name, value in request.args.items(multi=True):
        yield ["query", name, value]
    if request.mimetype not in FORMS:
        yield ["body", request.mimetype, hashlib.sha256(request.get_data()).hexdigest()]
        return
    for name, value in request.form.items(multi=True):
        if name not in UNCOUNTED:
            yield ["field", name, value]
    for name, part in request.files.items(multi=True):
        yield ["file", name, part.filename, _file_hash(part.stream)]


def _file_hash(stream: IO[bytes]) -> str:
    """The hash of a part's content, read piece by piece; the stream begins anew after it."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    stream.seek(0)
    return digest.hexdigest()


def _execute(session: Session, name: str, **parameters: Any) -> CursorResult[Any]:
    result = session.execute(statement(name), parameters)
    assert isinstance(result, CursorResult)
    return result


def _nothing(session: Session, run_id: UUID) -> None:
    """A request without a key keeps nothing."""


def _reused() -> Invalid:
    message = N_("This Idempotency-Key was used for another request. Take a new one.")
    return Invalid(message, HEADER, status=409, code="idempotency_key_reused")


def _in_progress() -> Invalid:
    message = N_("A request with this Idempotency-Key is still being worked on. Ask again soon.")
    after_this_request(_retry_soon)
    return Invalid(message, HEADER, status=409, code="request_in_progress")


def _retry_soon(answer: Response) -> Response:
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _replayed(answer: Response) -> Response:
    answer.headers["Idempotent-Replayed"] = "true"
    return answer
