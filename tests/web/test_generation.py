"""Generated pictures without a worker: what is there is answered at once, the rest is begun."""

import base64
import io
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select, text

from darkroom.accounts import service as accounts
from darkroom.media.generation import cache, parameters
from darkroom.media.generation.cache import Taken
from darkroom.media.generation.models import KeptPicture
from darkroom.providers.models import ProviderCall
from darkroom.queue.models import Run
from darkroom.storage import assets, images
from darkroom.web.app import create_app

from .conftest import Site
from .test_studio import begin

Json = dict[str, Any]
AT_ONCE = {"Prefer": "respond-async"}
MADE_BY = {"provider": "gemini", "model": "gemini-2.5-flash-image", "is_sandbox": False}
LARGE = (1024, 1024)


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return site.visitor().client


def keep(site: Site, folder: Path, prompt: str = "a cat", **sent: Any) -> str:
    """A picture that was made before; its key."""
    wish = parameters.parse({"prompt": prompt, **sent}, site.services.settings)
    path = folder / "cat.png"
    Image.effect_noise(LARGE, 64).convert("RGB").save(path)
    flight = cache.take(site.database, wish, 1)
    assert flight is not None
    store = site.services.store
    stored = [
        assets.put(store, path, mime=images.PNG, key=f"media/{flight.name}{end}", pixels=LARGE)
        for end in ("", "-small")
    ]
    with site.database.session() as session:
        owner = accounts.ensure_admin(session)
        cache.keep(session, flight, owner.id, Taken(stored[0], stored[1], MADE_BY))
    return wish.key


def count(site: Site, table: Any) -> int:
    with site.database.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def age(site: Site, key: str, days: float) -> None:
    """As if the picture had been asked for so long ago."""
    with site.database.session() as session:
        older = text("UPDATE kept_pictures SET used_at = now() - :age WHERE key = :key")
        session.execute(older, {"age": timedelta(days=days), "key": key})


def test_a_picture_that_is_there_is_answered_without_a_job_or_a_call(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    key = keep(site, tmp_path)
    answer = client.post("/generate-image", json={"prompt": "a  cat"})
    assert answer.status_code == 200
    said = answer.json
    assert (said["status"], said["cached"], said["cache_key"]) == ("success", True, key)
    data = base64.b64decode(said["image"].removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(data)).size == LARGE
    assert client.get(said["files"]["result"][0]["url"]).data == data
    assert count(site, Run) == count(site, ProviderCall) == 0


def test_a_picture_that_is_there_takes_less_than_a_tenth_of_a_second(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    keep(site, tmp_path)
    taken = []
    for _ in range(8):
        # Work, not waiting: other processes of the machine are not ours to measure.
        began = time.process_time()
        client.post("/generate-image", json={"prompt": "a cat"})
        taken.append(time.process_time() - began)
    assert sorted(taken)[len(taken) // 2] < 0.1


def test_hits_are_limited_as_all_calls_are(site: Site, client: FlaskClient, tmp_path: Path) -> None:
    keep(site, tmp_path)
    answers = [client.post("/generate-image", json={"prompt": "a cat"}) for _ in range(11)]
    assert [each.status_code for each in answers] == [200] * 10 + [429]
    assert answers[0].headers["X-RateLimit-Remaining"] == "9"
    assert answers[10].json["status"] == "error"


def test_a_hit_is_found_in_the_history_of_whoever_asked(site: Site, tmp_path: Path) -> None:
    keep(site, tmp_path)
    eva = site.signed_in(site.user("Eva"))
    made = eva.send("/studio/generate", prompt="a cat")
    assert made.status_code == 303
    shown = eva.get(made.headers["Location"]).text
    assert "It was there already" in shown
    assert "a cat" in eva.get("/studio/history?service=images").text


def test_a_picture_whose_file_is_gone_is_made_again(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    keep(site, tmp_path)
    for file in site.services.settings.files_dir.rglob("picture-*"):
        file.unlink()
    answer = client.post("/generate-image", json={"prompt": "a cat"}, headers=AT_ONCE)
    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    assert count(site, KeptPicture) == 0


def test_a_picture_that_is_not_there_is_begun(site: Site, client: FlaskClient) -> None:
    answer = client.post("/generate-image", json={"prompt": "a cat"}, headers=AT_ONCE)
    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    assert client.get(answer.headers["Location"]).json["service"] == "images"


@pytest.mark.parametrize(
    ("path", "sent", "field"),
    [
        ("/generate-image", {}, "prompt"),
        ("/generate-image", {"prompt": "a cat", "model": "none"}, "model"),
        ("/magic-prompt", {"prompt": ""}, "prompt"),
        ("/magic-prompt", {"prompt": "a cat", "style": "none"}, "style"),
    ],
)
def test_a_mistake_is_told_as_the_clients_read_it(
    site: Site, client: FlaskClient, path: str, sent: Json, field: str
) -> None:
    answer = client.post(path, json=sent)
    assert answer.status_code == 400
    assert answer.json["status"] == "error"
    assert answer.json["message"] == answer.json["error"]["message"]
    assert answer.json["error"]["field"] == field
    assert count(site, Run) == 0


def test_the_cache_tells_what_it_spared(site: Site, client: FlaskClient, tmp_path: Path) -> None:
    keep(site, tmp_path)
    client.post("/generate-image", json={"prompt": "a cat"})
    said = client.get("/api/cache/stats").json
    assert (said["entries"], said["hits"], said["misses"]) == (1, 1, 1)
    assert (said["status"], said["hit_rate"]) == ("success", 0.5)
    assert said["total_size_bytes"] == 2 * (tmp_path / "cat.png").stat().st_size


def test_figures_outlive_the_pictures_they_are_of(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    keep(site, tmp_path)
    client.post("/generate-image", json={"prompt": "a cat"})
    client.post("/api/cache/clear", json={"max_age_days": 0})
    said = client.get("/api/cache/stats").json
    assert (said["entries"], said["hits"], said["misses"]) == (0, 1, 1)


def test_an_empty_cache_has_its_figures_too(client: FlaskClient) -> None:
    said = client.get("/api/cache/stats").json
    assert (said["entries"], said["total_size_bytes"], said["hit_rate"]) == (0, 0, 0.0)


def test_old_pictures_are_cleared_and_others_stay(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    old, new = keep(site, tmp_path, "a cat"), keep(site, tmp_path, "a dog")
    age(site, old, 8)
    said = client.post("/api/cache/clear", json={"max_age_days": 7}).json
    size = 2 * (tmp_path / "cat.png").stat().st_size
    assert (said["status"], said["removed"]) == ("success", 1)
    assert said["freed_bytes"] == pytest.approx(size, rel=0.01)
    with site.database.session() as session:
        assert list(session.scalars(select(KeptPicture.key))) == [new]


def test_what_is_begun_outlives_a_clearing_so_that_nobody_buys_it_twice(
    site: Site, client: FlaskClient
) -> None:
    wish = parameters.parse({"prompt": "a cat"}, site.services.settings)
    first = cache.take(site.database, wish, 1)
    client.post("/api/cache/clear", json={"max_age_days": 0})
    again = cache.take(site.database, wish, 2)
    assert first is not None and again is not None and again.name == first.name
    # Nobody has tried for days: it came to nothing.
    age(site, wish.key, 2)
    client.post("/api/cache/clear", json={"max_age_days": 0})
    assert count(site, KeptPicture) == 0


def test_each_try_to_make_a_picture_keeps_it_begun(site: Site, client: FlaskClient) -> None:
    wish = parameters.parse({"prompt": "a cat"}, site.services.settings)
    cache.take(site.database, wish, 1)
    age(site, wish.key, 2)
    cache.take(site.database, wish, 2)
    client.post("/api/cache/clear", json={"max_age_days": 0})
    assert count(site, KeptPicture) == 1


def test_a_picture_of_the_sandbox_is_not_the_real_one(site: Site, tmp_path: Path) -> None:
    keep(site, tmp_path)
    settings = site.services.settings
    gemini = replace(settings.providers.gemini, key="a-key", is_sandbox=False)
    real = replace(settings, providers=replace(settings.providers, gemini=gemini))
    client = create_app(real, site.database).test_client()
    answer = client.post("/generate-image", json={"prompt": "a cat"}, headers=AT_ONCE)
    assert (answer.status_code, answer.json["status"]) == (202, "processing")


def test_a_picture_asked_for_again_is_young_again(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    age(site, keep(site, tmp_path), 8)
    client.post("/generate-image", json={"prompt": "a cat"})
    assert client.post("/api/cache/clear", json={"max_age_days": 7}).json["removed"] == 0


def test_those_asked_for_longest_ago_make_room(site: Site, tmp_path: Path) -> None:
    keys = [keep(site, tmp_path, f"cat {number}") for number in range(3)]
    for days, key in enumerate(keys):
        age(site, key, days)
    with site.database.session() as session:
        each = session.scalar(select(func.max(KeptPicture.size_bytes))) or 0
        assert cache.trim(session, 2 * each).removed == 1
    with site.database.session() as session:
        assert set(session.scalars(select(KeptPicture.key))) == set(keys[:2])


def test_a_picture_that_was_let_go_of_stays_in_the_history(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    keep(site, tmp_path)
    said = client.post("/generate-image", json={"prompt": "a cat"}).json
    client.post("/api/cache/clear", json={"max_age_days": 0})
    assert client.get(said["files"]["result"][0]["url"]).status_code == 200
    assert client.get(f"/api/media/{said['id']}").json["files"]["result"]


@pytest.mark.parametrize("days", [-1, "7", True, 1e9, 10**400])
def test_an_age_that_is_none_is_refused(client: FlaskClient, days: Any) -> None:
    answer = client.post("/api/cache/clear", json={"max_age_days": days})
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "max_age_days")


def test_only_administrators_clear_the_cache(site: Site) -> None:
    member = site.token_of(site.user("Ana"))
    client = site.visitor().client
    answer = client.post("/api/cache/clear", json={"max_age_days": 7}, headers=member)
    assert (answer.status_code, answer.json["status"]) == (403, "error")
    assert client.get("/api/cache/stats", headers=member).status_code == 200


# The pages.


def test_the_form_says_what_is_wrong_and_keeps_what_was_written(site: Site) -> None:
    page = site.visitor().send("/studio/generate", prompt="a cat", style="oil", seed="nine")
    assert page.status_code == 400
    assert "must be a whole number" in page.text
    assert ">a cat</textarea>" in page.text and '<option value="oil" selected>' in page.text


def test_a_wish_can_be_changed_and_made_again(site: Site, tmp_path: Path) -> None:
    keep(site, tmp_path, aspect_ratio="16:9", seed=5)
    ana = site.signed_in(site.user("Ana"))
    made = ana.send("/studio/generate", prompt="a cat", aspect_ratio="16:9", seed="5")
    request_id = made.headers["Location"].rpartition("/")[2]
    form = ana.get(f"/studio/generate?like={request_id}").text
    assert ">a cat</textarea>" in form and "<option selected>16:9</option>" in form
    assert 'value="5"' in form


def test_others_wishes_cannot_be_looked_at_through_the_form(site: Site, tmp_path: Path) -> None:
    keep(site, tmp_path)
    ana, eva = site.signed_in(site.user("Ana")), site.signed_in(site.user("Eva"))
    made = ana.send("/studio/generate", prompt="a cat")
    request_id = made.headers["Location"].rpartition("/")[2]
    assert eva.get(f"/studio/generate?like={request_id}").status_code == 404


def test_only_pictures_and_prompts_fill_the_form(site: Site) -> None:
    ana = site.user("Ana")
    other = begin(site, ana.id, service="enhancing")
    assert site.signed_in(ana).get(f"/studio/generate?like={other}").status_code == 404


def test_too_many_wishes_are_refused_with_a_page(site: Site, tmp_path: Path) -> None:
    keep(site, tmp_path)
    ana = site.signed_in(site.user("Ana"))
    answers = [ana.send("/studio/generate", prompt="a cat") for _ in range(11)]
    assert answers[10].status_code == 429
    assert "More than 10 calls" in answers[10].text and "<!doctype html>" in answers[10].text
