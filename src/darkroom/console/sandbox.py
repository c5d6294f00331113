"""What the console knows of the sandbox: it asks it, on loopback."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.errors import Invalid, NotFound, Transient
from darkroom.providers.http import Answer, Http, Timeouts
from darkroom.sandbox.faults import SECONDS
from darkroom.settings import Settings
from darkroom.web.words import N_

SHOWN = 100
TIMEOUTS = Timeouts(connect=1, read=3, total=5)
PLAYED = ("gemini", "openai", "laozhang", "cloudinary", "slack", "wordpress", "gcs")
ROUTES = tuple(f"/{name}/*" for name in PLAYED)
KINDS = {
    "limit": N_("Too many requests (429)"),
    "quota": N_("Quota of the day used up"),
    "error": N_("Breakdown (5xx)"),
    "slow": N_("Slow answer"),
    "drip": N_("Answer in drops"),
    "cut": N_("Connection cut"),
    "malformed": N_("Broken JSON"),
    "no_picture": N_("Success without a picture"),
    "blocked": N_("Refused for safety"),
    "gone": N_("Model gone"),
    "expired": N_("Key or token not valid"),
    "forbidden": N_("No right to do that"),
    "unfinished": N_("WordPress: kept, then a 5xx"),
}


@dataclass(frozen=True)
class Request:
    """A line of its journal."""

    number: int
    at: datetime
    method: str
    path: str
    size: int
    status: int | None
    answer_size: int
    seconds: float
    fault: str


@dataclass(frozen=True)
class View:
    """How it is now. Requests are the latest ones, the newest first."""

    seen: int
    requests: list[Request]
    faults: list[dict[str, Any]]


def look(settings: Settings) -> View | None:
    """How it is; None when it does not run."""
    http = _http(settings)
    try:
        journal = _asked(http, "GET", "/journal", params={"limit": SHOWN})
        faults = _asked(http, "GET", "/faults").get("faults", [])
    except Transient:
        return None
    return View(journal.get("seen", 0), [_request(each) for each in journal["entries"]], faults)


def order(session: Session, settings: Settings, form: Mapping[str, str], actor: Actor) -> None:
    """Have a fault befall it.

    Raises
    ------
    Invalid
        When the form does not describe one; `field` names what is wrong.
    Transient
        When the sandbox does not run.
    """
    made = _asked(_http(settings), "POST", "/faults", json=_fault(form))
    audit.write(session, actor=actor, action="sandbox.fault", subject=_named(made))


def clear(session: Session, settings: Settings, id: int | None, actor: Actor) -> None:
    """Clear a fault, or all. Raises `Transient` when the sandbox does not run."""
    path = "/faults" if id is None else f"/faults/{id}"
    cleared = _asked(_http(settings), "DELETE", path).get("cleared", 0)
    subject = "all" if id is None else str(id)
    audit.write(session, actor=actor, action="sandbox.clear", subject=subject, count=cleared)


def _http(settings: Settings) -> Http:
    port = settings.providers.sandbox_port
    return Http("The sandbox", f"http://127.0.0.1:{port}/_sandbox", timeouts=TIMEOUTS)


def _asked(http: Http, method: str, path: str, **more: Any) -> dict[str, Any]:
    answer = http.send(method, path, **more)
    if not answer.ok:
        raise _refusal(answer)
    found = answer.json()
    if not isinstance(found, dict):
        raise answer.unreadable()
    return found


def _refusal(answer: Answer) -> Exception:
    error = answer.told().get("error")
    said = error if isinstance(error, dict) else {}
    if answer.status == 400:
        return Invalid(str(said.get("message")), said.get("field"))
    if answer.status == 404:
        return NotFound("There is no sandbox at that port.")
    return Transient(f"The sandbox answered {answer.status}.")


def _fault(form: Mapping[str, str]) -> dict[str, Any]:
    """The order that a form describes; what is left empty is left out."""
    kind, times = form.get("kind", ""), form.get("times", "").strip()
    wanted = {name: form.get(name, "").strip() for name in ("seconds", "status", "containing")}
    if kind not in SECONDS:
        wanted["seconds"] = ""
    return {
        "route": form.get("route", "").strip(),
        "kind": kind,
        "times": times or None,
        "after": form.get("after", "").strip() or 0,
        "options": {name: value for name, value in wanted.items() if value},
    }


def _named(fault: Mapping[str, Any]) -> str:
    return f"{fault.get('kind')} {fault.get('route')}"


def _request(entry: Mapping[str, Any]) -> Request:
    return Request(
        number=entry["number"],
        at=datetime.fromtimestamp(entry["at"], UTC),
        method=entry["method"],
        path=entry["path"],
        size=entry["size"],
        status=entry["status"],
        answer_size=entry["answer_size"],
        seconds=entry["seconds"],
        fault=entry["fault"],
    )
