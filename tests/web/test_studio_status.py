"""How the media services stand: for programs as the seed says, and for people."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from darkroom.queue.gates import limit
from darkroom.settings import UPSCALE_MODELS, Quota
from darkroom.web.app import create_app

from .conftest import Site

Json = dict[str, Any]

GB = 1024**3
CARD: Json = {
    "kind": "cuda",
    "title": "Tesla T4",
    "memory": {"total": 15 * GB, "free": 9 * GB, "allocated": 5 * GB, "reserved": 6 * GB},
    "budget": 13 * GB,
    "packages": {"torch": "2.13.0"},
    "weights": dict.fromkeys((*UPSCALE_MODELS, "whisper", "insightface", "inswapper"), True),
}
PROCESSOR = {
    **CARD,
    "kind": "cpu",
    "title": "x86_64",
    "memory": {"total": 8 * GB, "free": 4 * GB},
    "weights": {},
}


def worker(
    site: Site,
    facts: Json,
    device: str = "a device",
    lanes: Sequence[str] = ("io", "cpu", "gpu"),
    **models: int,
) -> None:
    """A worker process has told of itself."""
    loaded = [{"name": name, "size": size, "in_use": True} for name, size in models.items()]
    with psycopg.connect(site.database.url) as connection:
        connection.execute(
            "INSERT INTO runtimes (id, name, device, facts, models, stale_seconds)"
            " VALUES (%s, 'host:7', %s, %s, %s, 30)",
            (uuid4(), device, Jsonb(facts), Jsonb(loaded)),
        )
        for lane in lanes:
            connection.execute(
                "WITH born AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
                " INSERT INTO worker_lanes (worker_id, name, lane, slots)"
                " SELECT id, 'host:7:' || %(lane)s, %(lane)s, 1 FROM born",
                {"lane": lane},
            )


def call(site: Site, client: str, times: int = 1) -> None:
    for _ in range(times):
        limit.hit(site.database, client, "/login", Quota(20, 60))


def services(site: Site) -> Json:
    answer = site.visitor().client.get("/api/services/status").json
    assert answer["status"] == "success"
    return answer


def test_without_a_worker_no_service_is_available(site: Site) -> None:
    found = services(site)["services"]
    for name in ("real_esrgan", "whisper", "liveportrait", "insightface", "image_generation"):
        assert not found[name]["available"], name
        assert "darkroom worker" in found[name]["message"]


def test_what_has_its_weights_is_there_in_earnest(site: Site) -> None:
    worker(site, CARD)
    found = services(site)["services"]
    assert found["real_esrgan"] == {
        "available": True,
        "engine": "Real-ESRGAN",
        "fallback": False,
        "message": "",
    }
    assert (found["whisper"]["engine"], found["insightface"]["engine"]) == (
        "Whisper",
        "InsightFace",
    )


def test_what_lacks_its_weights_says_what_stands_in(site: Site) -> None:
    worker(site, PROCESSOR)
    found = services(site)["services"]
    assert (found["real_esrgan"]["engine"], found["real_esrgan"]["fallback"]) == ("bicubic", True)
    assert "darkroom weights fetch" in found["real_esrgan"]["message"]
    assert "LivePortrait is not installed" in found["liveportrait"]["message"]
    assert found["insightface"]["engine"] == "landmarks"


def test_still_portraits_need_no_worker_for_models(site: Site) -> None:
    worker(site, PROCESSOR, lanes=("io", "cpu"))
    found = services(site)["services"]
    assert found["liveportrait"]["available"] and not found["insightface"]["available"]


def test_the_sandbox_is_said_to_be_one(site: Site) -> None:
    worker(site, PROCESSOR)
    answer = services(site)
    assert answer["services"]["image_generation"]["fallback"]
    assert "GEMINI_API_KEY" in answer["services"]["image_generation"]["message"]
    assert answer["providers"]["openai"]["sandbox"]


def test_a_provider_behind_an_open_breaker_is_not_available(site: Site) -> None:
    worker(site, PROCESSOR)
    with psycopg.connect(site.database.url) as connection:
        connection.execute(
            "INSERT INTO breakers (provider, operation, state, open_until)"
            " VALUES ('gemini', 'paint', 'open', now() + interval '5 minutes')"
        )
    answer = services(site)
    assert not answer["services"]["image_generation"]["available"]
    assert not answer["providers"]["gemini"]["available"]
    assert answer["providers"]["openai"]["available"]


def test_a_graphics_card_is_told_with_its_memory_once(site: Site) -> None:
    worker(site, CARD, "cuda one")
    worker(site, CARD, "cuda one")
    gpu = services(site)["gpu"]
    assert gpu["available"] and len(gpu["devices"]) == 1
    assert gpu["devices"][0] == {"name": "Tesla T4", "vram": CARD["memory"]}


def test_the_system_is_told_with_what_is_loaded_and_what_goes_on(site: Site) -> None:
    worker(site, CARD, upscaler=2 * GB, transcriber=GB)
    found = site.visitor().client.get("/api/system/info").json
    assert found["status"] == "success"
    assert found["models_loaded"] == ["transcriber", "upscaler"]
    assert found["runtimes"][0]["loaded"] == 3 * GB
    assert found["cpu"]["count"] >= 1 and found["python"].startswith("3.")
    for room in (found["memory"], found["disk"]):
        assert room["used"] + room["free"] == room["total"] > 0
    assert found["jobs"].keys() == {"runs", "requests", "steps"}


def test_runs_of_today_are_counted_by_pipeline(site: Site, submit: Any) -> None:
    submit(site, site.user("Ana"))
    jobs = site.visitor().client.get("/api/system/info").json["jobs"]
    assert jobs["runs"] == {"counting": {"pending": 1}}
    assert jobs["steps"] == {"io": {"waiting": 1, "running": 0}}


def test_calls_that_count_against_a_limit_are_tracked(site: Site) -> None:
    client = site.visitor().client
    before = client.get("/api/rate-limit/stats").json
    assert (before["active_ips"], before["tracked_requests"]) == (0, 0)
    call(site, "address 127.0.0.1", times=2)
    call(site, "user 3")
    found = client.get("/api/rate-limit/stats").json
    assert (found["status"], found["active_ips"], found["active_clients"]) == ("success", 1, 2)
    assert found["tracked_requests"] == 3
    assert found["limits"]["/generate-image"] == {"requests": 10, "window_seconds": 60}
    assert {each["client"]: each["used"] for each in found["clients"]} == {
        "address 127.0.0.1": 2,
        "user 3": 1,
    }


def test_members_do_not_see_who_calls(closed_site: Site) -> None:
    client = closed_site.visitor().client
    call(closed_site, "address 127.0.0.1")
    token = closed_site.token_of(closed_site.user("Ana"))
    found = client.get("/api/rate-limit/stats", headers=token).json
    assert (found["clients"], found["tracked_requests"]) == ([], 1)


@pytest.mark.parametrize("path", ["services/status", "system/info", "rate-limit/stats"])
def test_strangers_are_told_nothing(closed_site: Site, path: str) -> None:
    answer = closed_site.visitor().client.get(f"/api/{path}")
    assert answer.status_code == 401
    assert answer.json["status"] == "error" and answer.json["message"]


def test_people_see_the_services_and_the_devices(site: Site) -> None:
    worker(site, CARD, upscaler=2 * GB)
    page = site.signed_in(site.user("Ana")).get("/studio/status").text
    for words in ("Real-ESRGAN", "Tesla T4", "upscaler", "/generate-image", "GEMINI_API_KEY"):
        assert words in page, words


def test_people_are_told_when_no_worker_is_there(site: Site) -> None:
    assert "No worker that runs models is there." in site.visitor().get("/studio/status").text


def test_the_provider_of_the_settings_is_the_one_that_is_shown(site: Site) -> None:
    settings = site.services.settings
    chosen = replace(settings, media=replace(settings.media, provider="openai"))
    other = Site(create_app(chosen, site.database))
    assert services(other)["services"]["image_generation"]["engine"] == "openai gpt-image-2"
