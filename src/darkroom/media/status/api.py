"""`/api/services/status`, `/api/system/info`, `/api/rate-limit/stats`: how things stand."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from darkroom.media.envelope import wear
from darkroom.media.status import host, runtimes
from darkroom.media.status.offers import offers
from darkroom.media.status.runtimes import Runtime
from darkroom.media.status.standing import standing
from darkroom.queue.gates import reading
from darkroom.queue.gates.reading import LimitView
from darkroom.settings import Quota
from darkroom.web.auth import login_required, scope
from darkroom.web.services import services

Json = dict[str, Any]

blueprint = Blueprint("media_status_api", __name__, url_prefix="/api")
blueprint.after_request(wear)


@blueprint.get("/services/status")
@login_required
def show_services() -> Response:
    """Every service: whether it is there, what does it, what stands in for it and why."""
    with services().database.session() as session:
        now = standing(session, services().settings)
    return jsonify(
        status="success",
        services={offer.name: offer.as_json for offer in offers(now)},
        gpu=_graphics(now.runtimes),
        providers=_providers(now.failing),
    )


@blueprint.get("/system/info")
@login_required
def show_system() -> Response:
    """The machine, the devices with what is loaded on them, and what goes on in the queue."""
    settings = services().settings
    with services().database.session() as session:
        living, work = runtimes.living(session), host.work(session)
    here = host.here(settings.home)
    return jsonify(
        status="success",
        system={"system": here.system, "release": here.release, "machine": here.machine},
        python=here.python,
        cpu={"count": here.processors, "load": here.load},
        memory=here.memory and here.memory.as_json,
        disk=here.disk.as_json,
        gpu=_graphics(living),
        models_loaded=sorted({model["name"] for each in living for model in each.models}),
        runtimes=[runtime_json(each) for each in living],
        jobs=asdict(work),
    )


@blueprint.get("/rate-limit/stats")
@login_required
def show_limits() -> Response:
    """Who calls how often; only administrators and viewers see who it is."""
    found = services()
    with found.database.session() as session:
        used = reading.limits_used(session)
        clients = [] if scope() is not None else reading.limits(session)
    return jsonify(
        status="success",
        active_ips=used.addresses,
        active_clients=used.clients,
        tracked_requests=used.calls,
        refused_requests=used.refused,
        limits={f"/{name}": _quota(each) for name, each in found.settings.gates.limits.items()},
        clients=[_client(each) for each in clients],
    )


def _client(use: LimitView) -> Json:
    """How much of a limit a client has used; times as ISO 8601."""
    told = asdict(use)
    times = {name: each.isoformat() for name, each in told.items() if isinstance(each, datetime)}
    return {**told, **times}


def runtime_json(found: Runtime) -> Json:
    """A process that runs models, as programs see it."""
    return {
        "name": found.name,
        "device": found.device,
        "kind": found.facts["kind"],
        "title": found.facts["title"],
        "memory": found.memory,
        "budget": found.facts["budget"],
        "loaded": found.loaded,
        "models": list(found.models),
        "packages": found.facts["packages"],
        "weights": found.facts["weights"],
        "has_turn": found.has_turn,
        "held_since": found.held_since and found.held_since.isoformat(),
        "is_wanted": found.is_wanted,
        "steps": list(found.steps),
        "started_at": found.started_at.isoformat(),
        "told_at": found.beat_at.isoformat(),
    }


def _graphics(living: list[Runtime]) -> Json:
    """The graphics cards, each once, with their memory in bytes."""
    cards = {each.device: each for each in living if each.is_cuda}
    shown = [{"name": each.facts["title"], "vram": each.memory} for each in cards.values()]
    return {"available": bool(cards), "devices": shown}


def _providers(failing: frozenset[str]) -> Json:
    return {
        each.name: {
            "sandbox": each.is_sandbox,
            "available": each.name not in failing,
            "models": each.models,
        }
        for each in services().settings.providers.with_models
    }


def _quota(quota: Quota) -> Json:
    return {"requests": quota.calls, "window_seconds": quota.seconds}
