"""Generated pictures with a real worker and the sandbox: each is bought once."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

import jobs.upkeep  # noqa: F401  (registers the cron jobs)
from darkroom.db.sessions import Database
from darkroom.media.generation import cache, parameters
from darkroom.media.generation.models import KeptPicture
from darkroom.providers import spool
from darkroom.providers.models import ProviderCall
from darkroom.providers.pictures import Reply
from darkroom.providers.spool import Kept, Place
from darkroom.queue import cron
from darkroom.queue.models import Run
from darkroom.settings import Quota, Settings
from darkroom.storage.sweeping import installation
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.sandboxed import Sandboxed

Json = dict[str, Any]
Work = Callable[[], Any]
PICTURES = "/gemini/v1beta/models/*image*:generateContent"
FAST = {"DARKROOM_BACKOFF_SECONDS": "0.1", "DARKROOM_BACKOFF_CAP_SECONDS": "0.2"}
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    app = create_app(settings, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


@pytest.fixture
def work(
    engine: Engine,
    sandbox: Sandboxed,
    start_worker: Callable[..., object],  # noqa: F811
) -> Work:
    """Starts a worker whose providers are the sandbox."""
    engine.environ.update(sandbox.environ, **FAST)
    return lambda: start_worker("--lanes", "io")


def ask(client: FlaskClient, prompt: str = "a cat", **more: Any) -> Any:
    return client.post("/generate-image", json={"prompt": prompt, **more})


def begin(client: FlaskClient, prompt: str = "a cat", **more: Any) -> str:
    answer = client.post("/generate-image", json={"prompt": prompt, **more}, headers=ASYNC)
    assert answer.status_code == 202, answer.json
    return str(answer.json["id"])


def state(client: FlaskClient, request_id: str) -> Json:
    found: Json = client.get(f"/api/media/{request_id}").json
    return found


def ended(client: FlaskClient, engine: Engine, request_id: str) -> Json:
    engine.until(lambda: state(client, request_id)["status"] != "processing", seconds=90)
    return state(client, request_id)


def picture(answer: Json) -> Image.Image:
    data = base64.b64decode(answer["image"].partition(",")[2])
    return Image.open(io.BytesIO(data))


def bought(database: Database) -> int:
    with database.session() as session:
        query = select(func.count()).select_from(ProviderCall)
        succeeded = query.where(ProviderCall.outcome == "succeeded")
        return session.scalar(succeeded.where(ProviderCall.answer_key.is_not(None))) or 0


def test_the_same_wish_is_bought_once(
    client: FlaskClient, work: Work, sandbox: Sandboxed, database: Database
) -> None:
    work()
    first, second = ask(client), ask(client)
    assert (first.status_code, second.status_code) == (200, 200)
    assert (first.json["status"], first.json["cached"]) == ("success", False)
    assert (second.json["status"], second.json["cached"]) == ("success", True)
    assert second.json["image"] == first.json["image"]
    assert sandbox.count(PICTURES) == bought(database) == 1
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 1


def test_an_answer_says_who_made_it_and_that_it_is_the_sandbox(
    client: FlaskClient, work: Work
) -> None:
    work()
    said = ask(client, style="oil", seed=7, aspect_ratio="16:9").json
    assert (said["provider"], said["engine"]) == ("gemini", "gemini-2.5-flash-image")
    assert said["is_sandbox"] and "sandbox" in said["fallback"]
    assert (said["style"], said["seed"], said["aspect_ratio"]) == ("oil", 7, "16:9")
    assert picture(said).size == (said["width"], said["height"]) == (1344, 768)
    assert said["files"]["thumbnail"][0]["width"] == 480


@pytest.mark.parametrize("provider", ["gemini", "openai", "laozhang"])
def test_a_picture_has_the_size_that_was_asked_for_whoever_makes_it(
    client: FlaskClient, work: Work, provider: str
) -> None:
    work()
    said = ask(client, width=640, height=400, provider=provider).json
    assert (said["provider"], picture(said).size) == (provider, (640, 400))


def test_ten_equal_wishes_at_once_buy_one_picture_and_all_get_it(
    client: FlaskClient, work: Work, sandbox: Sandboxed, database: Database
) -> None:
    sandbox.fault(PICTURES, "slow", seconds=2)
    work()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(client.application.test_client()), range(10)))
    assert [each.status_code for each in answers] == [200] * 10
    assert len({each.json["image"] for each in answers}) == 1
    assert len({each.json["id"] for each in answers}) == 10
    assert sorted(each.json["cached"] for each in answers) == [False] + [True] * 9
    assert sandbox.count(PICTURES) == bought(database) == 1


def test_whoever_cancels_takes_nobody_along(
    client: FlaskClient, engine: Engine, work: Work, sandbox: Sandboxed
) -> None:
    sandbox.fault(PICTURES, "slow", seconds=3)
    work()
    first = begin(client)
    engine.until(lambda: sandbox.count(PICTURES) == 1)
    second = begin(client)
    client.post(f"/api/media/{first}/cancel")
    assert ended(client, engine, first)["status"] == "cancelled"
    assert ended(client, engine, second)["status"] == "success"


def test_a_refusal_is_told_in_words_and_blocks_nobody(
    client: FlaskClient, work: Work, sandbox: Sandboxed
) -> None:
    sandbox.fault(PICTURES, "blocked")
    work()
    refused = ask(client)
    assert (refused.status_code, refused.json["status"]) == (422, "error")
    assert refused.json["error"]["field"] == "prompt" and refused.json["message"]
    again = ask(client)
    assert (again.status_code, again.json["cached"]) == (200, False)


def test_a_service_that_is_away_is_told_in_words(
    client: FlaskClient, work: Work, sandbox: Sandboxed
) -> None:
    sandbox.fault(PICTURES, "error", times=3, status=500)
    work()
    failed = ask(client)
    assert (failed.status_code, failed.json["status"]) == (502, "error")
    assert "500" in failed.json["message"]
    assert ask(client).json["cached"] is False


def test_a_killed_worker_buys_once(
    client: FlaskClient,
    engine: Engine,
    work: Work,
    sandbox: Sandboxed,
    database: Database,
    settings: Settings,
) -> None:
    first = work()
    request_id = begin(client)
    # It has the answer on its disk, and is killed wherever it is then.
    engine.until(lambda: bought(database) or any(settings.spool_dir.glob("*")))
    first.kill()
    first.wait()
    work()
    assert ended(client, engine, request_id)["status"] == "success"
    assert sandbox.count(PICTURES) == bought(database) == 1


def bought_before(database: Database, settings: Settings, drawn: Image.Image) -> None:
    """As if a worker had died with that answer on its disk."""
    wish = parameters.parse({"prompt": "a cat"}, settings)
    flight = cache.take(database, wish, 1)
    assert flight is not None
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    inline = {"mimeType": "image/png", "data": base64.b64encode(buffer.getvalue()).decode()}
    body = {"candidates": [{"content": {"parts": [{"inlineData": inline}]}}]}
    reply = Reply(json.dumps(body).encode(), images=1)
    place = Place(installation(database), flight.name)
    kept = Kept(
        place.answer_key, "gemini", "generate", wish.model, reply, Decimal(0), True, uuid4(), 1.0
    )
    spool.write(settings.spool_dir, place, kept)


def test_what_was_bought_for_a_flight_that_ended_is_used_by_the_next(
    client: FlaskClient, work: Work, sandbox: Sandboxed, database: Database, settings: Settings
) -> None:
    bought_before(database, settings, Image.effect_noise((512, 512), 64))
    work()
    assert picture(ask(client).json).size == (512, 512)
    assert sandbox.count(PICTURES) == 0


def test_an_answer_of_no_use_is_not_used_again(
    client: FlaskClient, work: Work, sandbox: Sandboxed, database: Database, settings: Settings
) -> None:
    bought_before(database, settings, Image.new("RGB", (512, 512), "grey"))
    work()
    assert picture(ask(client).json).size == (1024, 1024)
    with database.session() as session:
        assert session.scalar(select(KeptPicture.rejected)) == 1
    assert sandbox.count(PICTURES) == 1


def test_the_same_idempotency_key_is_the_same_request(client: FlaskClient, work: Work) -> None:
    work()
    sent = {"json": {"prompt": "a cat"}, "headers": {"Idempotency-Key": "one"}}
    first, again = client.post("/generate-image", **sent), client.post("/generate-image", **sent)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["id"] == first.json["id"]


def test_a_prompt_is_improved_in_its_own_language(client: FlaskClient, work: Work) -> None:
    work()
    said = client.post("/magic-prompt", json={"prompt": "un gato en el tejado"}).json
    assert (said["status"], said["original"]) == ("success", "un gato en el tejado")
    assert said["prompt"] == said["enhanced_prompt"] != said["original"]
    assert said["prompt"].startswith("un gato en el tejado") and "luz" in said["prompt"]


def test_the_form_comes_back_with_better_words_and_all_that_was_chosen(
    client: FlaskClient, work: Work
) -> None:
    work()
    page = client.get("/studio/generate").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    fields = {"prompt": "a cat", "style": "oil", "aspect_ratio": "16:9", "csrf_token": token}
    back = client.post("/studio/generate/improve", data=fields, follow_redirects=True)
    assert ">a cat, " in back.text and "Yours were" in back.text
    assert '<option value="oil" selected>' in back.text
    assert "<option selected>16:9</option>" in back.text


def test_many_wishes_are_kept_apart(
    settings: Settings, database: Database, work: Work, sandbox: Sandboxed
) -> None:
    limits = {**settings.gates.limits, "generate-image": Quota(100, 60)}
    app = create_app(replace(settings, gates=replace(settings.gates, limits=limits)), database)
    work()
    with ThreadPoolExecutor(6) as pool:
        prompts = ["a cat", "a dog", "a bird"] * 4
        answers = list(pool.map(lambda prompt: ask(app.test_client(), prompt), prompts))
    app.extensions["darkroom"].live.feed.stop()
    assert len({each.json["image"] for each in answers}) == 3
    assert sandbox.count(PICTURES) == 3


def test_a_cron_job_lets_go_of_what_nobody_asks_for(
    client: FlaskClient, engine: Engine, work: Work, database: Database
) -> None:
    work()
    ask(client)
    with database.session() as session:
        cron.run_now(session, "upkeep.clear_pictures", {"days": 0})
    engine.until(lambda: client.get("/api/cache/stats").json["entries"] == 0, seconds=60)
    assert ask(client).json["cached"] is False
