"""Variants with a real worker and the sandbox: shoot, pocket, review, unlock."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from sqlalchemy import func, select, text

from darkroom.accounts import ledger
from darkroom.accounts import service as accounts
from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.queue import control
from darkroom.sandbox import serving
from darkroom.sandbox.state import KNOWN
from darkroom.settings import ProvidersSettings, Settings, TokenSettings
from darkroom.variants import purging
from darkroom.variants.models import Generation
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_alerts import Heard, mail  # noqa: F401
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.sandboxed import Sandboxed

LAOZHANG = "/laozhang/*:generateContent"
GEMINI_PICTURES = "/gemini/v1beta/models/*image*:generateContent"
LOOKS = "/gemini/*:generateContent"
FAST = {
    "DARKROOM_PACES": "variants=0.05",
    "DARKROOM_BACKOFF_SECONDS": "0.1",
    "DARKROOM_BACKOFF_CAP_SECONDS": "0.2",
}
Json = dict[str, Any]
AS_DOCUMENTED = """[
  {"type": "AUTO", "variant": "FORENSIC"},
  {"type": "AUTO", "variant": "CREATIVE"}
]"""


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    app = create_app(settings, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


@pytest.fixture
def work(engine: Engine, sandbox: Sandboxed, start_worker: Callable[..., object]):  # noqa: F811
    """Starts a worker whose providers are the sandbox."""
    engine.environ.update(sandbox.environ, **FAST)
    return start_worker


def photo(seed: int = 1) -> bytes:
    """A photo of a mug on a table."""
    image = Image.new("RGB", (800, 600), (120, 104, 90))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 420, 800, 600), fill=(96, 70, 48))
    draw.ellipse((300 + seed, 200, 500 + seed, 260), fill=(200, 60, 40))
    draw.rectangle((300 + seed, 230, 500 + seed, 460), fill=(190, 54, 36))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def shoot(client: FlaskClient, tier: str = "AUTO", *, seed: int = 1, **headers: str) -> Json:
    data = {"photo": (io.BytesIO(photo(seed)), "taza.jpg"), "tier": tier}
    answer = client.post("/api/v41/vision-orchestrator", data=data, headers=headers)
    assert answer.status_code in (200, 202), answer.json
    return answer.json


def archive(client: FlaskClient, upload_id: str) -> Json:
    return client.get(f"/api/v41/archives/{upload_id}").json


def settled(client: FlaskClient, engine: Engine, upload_id: str, *states: str) -> Json:
    wanted = states or ("ready", "failed")
    engine.until(lambda: archive(client, upload_id)["state"] in wanted, seconds=180)
    return archive(client, upload_id)


def picture(client: FlaskClient, url: str) -> np.ndarray:
    answer = client.get(url)
    assert answer.status_code == 200
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGB"))


def tokens(database: Database) -> int:
    with database.session() as session:
        owner = session.scalars(select(User).where(~User.is_system)).one()
        return ledger.balance(session, owner.id, start=20)


def finalize(client: FlaskClient, variant: Json, **more: Any) -> Any:
    return client.post("/api/v41/finalize-image", json={"variant_id": variant["id"], **more})


def waiting_for_rows(database: Database) -> bool:
    with database.session() as session:
        query = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(session.scalar(text(query)))


def test_a_photo_becomes_the_variants_of_the_usual_batch(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    work()
    shot = shoot(client)
    assert shot["status"] == "BATCH_PROCESSING" and len(shot["variants"]) == 2
    found = settled(client, engine, shot["upload_id"])
    forensic, creative = found["variants"]
    assert (forensic["variant"], forensic["temperature"], forensic["seed"]) == ("FORENSIC", 0.1, 42)
    assert (creative["variant"], creative["temperature"]) == ("CREATIVE", 0.8)
    assert 100_000 <= creative["seed"] <= 999_999
    assert [each["provider"] for each in found["variants"]] == ["laozhang", "laozhang"]
    assert set(found["analysis"]) >= {"subject", "faults", "text_present", "suggested_edits"}
    assert sandbox.count(LAOZHANG) == 2


def test_what_is_in_a_photo_is_asked_once_also_for_more_variants(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    work()
    first = settled(client, engine, shoot(client)["upload_id"])
    more = client.post(f"/api/v41/archives/{first['upload_id']}/variants", json={})
    assert more.status_code == 202
    found = settled(client, engine, first["upload_id"])
    assert [each["slot"] for each in found["variants"]] == [0, 1, 2, 3]
    assert sandbox.count(LOOKS) == 1


def test_the_preview_is_small_and_marked_and_the_clean_picture_has_no_address(
    client: FlaskClient, engine: Engine, work, database: Database
):
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    variant = found["variants"][0]
    shown = picture(client, variant["preview_url"])
    assert max(shown.shape) <= 1024
    assert variant["final_url"] is None and found["final_url"] is None
    with database.session() as session:
        clean = session.execute(
            text("SELECT storage_key FROM assets JOIN generations g ON g.asset_id = assets.id")
        ).scalars()
        for key in clean:
            assert key not in str(found)
            assert client.get(f"/files/{key}").status_code in (403, 404)


def test_one_slot_that_fails_takes_no_other_along_and_is_tried_again_alone(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(LAOZHANG, "blocked", times=1, containing="Restore this photo")
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    assert [each["status"] for each in found["variants"]] == ["failed", "completed"]
    assert found["variants"][0]["error"]
    again = client.post(f"/api/v41/variants/{found['variants'][0]['id']}/retry")
    assert again.status_code == 202
    found = settled(client, engine, found["upload_id"])
    assert [each["status"] for each in found["variants"]] == ["completed", "completed"]
    assert sandbox.count(LAOZHANG) == 3


def test_another_service_makes_it_when_the_first_has_no_quota_left(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    sandbox.fault(LAOZHANG, "quota", times=None)
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    assert {each["provider"] for each in found["variants"]} == {"gemini"}


def test_a_run_that_is_tried_again_makes_its_variants(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(LOOKS, "blocked", times=1)
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    assert [each["status"] for each in found["variants"]] == ["failed", "failed"]
    with database.session() as session:
        control.retry(session, UUID(found["run_id"]))
    assert settled(client, engine, found["upload_id"])["state"] == "ready"
    run = engine.ended(UUID(found["run_id"]))
    assert (run.status, run.result["variants"], run.result["failed"]) == ("completed", 2, 0)


def test_a_step_that_is_tried_again_makes_its_variant_and_is_counted(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed, database: Database
):
    sandbox.fault(LAOZHANG, "blocked", times=1, containing="Restore this photo")
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    run_id = UUID(found["run_id"])
    engine.ended(run_id)
    [step] = [each for each in engine.steps(run_id) if each.error]
    with database.session() as session:
        control.retry_step(session, step.job_id)
    found = settled(client, engine, found["upload_id"])
    assert [each["status"] for each in found["variants"]] == ["completed", "completed"]
    assert engine.ended(run_id).result["variants"] == 2


def test_the_sandbox_stands_in_for_nobody_once_a_service_is_real(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    engine.environ.update(GEMINI_API_KEY=KNOWN, DARKROOM_GEMINI_URL=f"{sandbox.url}/gemini")
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    made = {(each["provider"], each["is_sandbox"]) for each in found["variants"]}
    assert made == {("gemini", False)} and sandbox.count(LAOZHANG) == 0


def test_what_the_sandbox_sees_in_a_photo_is_not_asked_of_a_real_service(
    client: FlaskClient, engine: Engine, work, sandbox: Sandboxed
):
    engine.environ.update(LAOZHANG_API_KEY=KNOWN, DARKROOM_LAOZHANG_URL=f"{sandbox.url}/laozhang")
    sandbox.fault(LAOZHANG, "quota", times=None)
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    assert found["analysis"]["subject"] == "" and sandbox.count(LOOKS) == 0
    assert [each["status"] for each in found["variants"]] == ["failed", "failed"]


def test_what_was_discarded_while_it_waited_is_not_bought(
    client: FlaskClient,
    engine: Engine,
    work,
    sandbox: Sandboxed,
    settings: Settings,
    database: Database,
):
    dear = replace(settings, tokens=TokenSettings(prices={"preview": 2}))
    shot = shoot(create_app(dear, database).test_client())
    assert tokens(database) == 16
    # As the unlock of a variant that is ready does.
    with database.session() as session:
        session.get_one(Generation, UUID(shot["variants"][1]["id"])).discarded_at = func.now()
    work()
    engine.ended(UUID(shot["run_id"]))
    made, discarded = archive(client, shot["upload_id"])["variants"]
    assert (made["status"], discarded["status"]) == ("completed", "failed")
    assert sandbox.count(LAOZHANG) == 1 and tokens(database) == 18


def test_an_unlock_hands_over_the_clean_picture_and_is_paid_once(
    client: FlaskClient, engine: Engine, work, database: Database
):
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    chosen, other = found["variants"]
    answer = finalize(client, chosen)
    assert answer.status_code in (200, 202)
    done = settled(client, engine, found["upload_id"], "unlocked")
    final = picture(client, done["final_url"])
    assert final.shape[0] >= 256
    assert tokens(database) == 15
    assert [each["is_discarded"] for each in done["variants"]] == [False, True]
    assert done["variants"][1]["preview_url"] is None
    again = finalize(client, chosen)
    assert again.status_code == 200 and again.json["final_url"]
    assert tokens(database) == 15
    assert finalize(client, other).status_code == 409


def test_an_unlock_that_fails_gives_the_tokens_back(
    client: FlaskClient, engine: Engine, work, database: Database
):
    work()
    found = settled(client, engine, shoot(client, seed=7)["upload_id"])
    # One that no other test has brought into the cache of files.
    with database.session() as session:
        session.execute(
            text(
                "UPDATE assets SET storage_key = 'gone' WHERE id = (SELECT asset_id FROM "
                "generations WHERE id = :id)"
            ),
            {"id": found["variants"][0]["id"]},
        )
    finalize(client, found["variants"][0])
    settled(client, engine, found["upload_id"], "ready")
    assert tokens(database) == 20
    with database.session() as session:
        assert session.get_one(Generation, found["variants"][0]["id"]).unlocked_at is None


def test_without_enough_tokens_nothing_is_begun(
    client: FlaskClient, engine: Engine, work, database: Database
):
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    with database.session() as session:
        owner = session.scalars(select(User).where(~User.is_system)).one()
        ledger.balance(session, owner.id, start=20)
        session.execute(
            text(
                "INSERT INTO ledger (owner_id, entry, amount, purpose) "
                "VALUES (:owner, 'grant', -18, 'grant')"
            ),
            {"owner": owner.id},
        )
    answer = finalize(client, found["variants"][0])
    assert answer.status_code == 402
    assert archive(client, found["upload_id"])["state"] == "ready"


def test_a_preset_makes_one_variant_and_the_answer_waits_for_it(
    client: FlaskClient, engine: Engine, work
):
    work()
    shot = shoot(client, "Fondo blanco", Prefer="wait=60")
    assert shot["status"] == "COMPLETED"
    [variant] = shot["variants"]
    assert (variant["type"], variant["variant"], variant["seed"]) == ("PRESET", "Fondo blanco", 77)
    assert {check["kind"] for check in variant["checks"]} == {"identity", "text", "colours"}


def test_variants_are_asked_for_at_the_pace_also_of_two_people(
    client: FlaskClient, engine: Engine, work, database: Database
):
    with database.session() as session:
        ben = accounts.create_user(session, name="Ben", email="ben@example.org")
        _, token = accounts.create_token(session, ben, "app")
    mine = shoot(client)["upload_id"]
    theirs = shoot(client, seed=3, Authorization=f"Bearer {token}")["upload_id"]
    # One whose clock runs.
    with serving.serving(ProvidersSettings(), 0) as (state, port):
        engine.environ["DARKROOM_SANDBOX_PORT"] = str(port)
        del engine.environ["DARKROOM_PACES"]
        work()
        settled(client, engine, mine)
        settled(client, engine, theirs)
        asked = sorted((each.at, each.at + each.seconds) for each in state.journal.find(LAOZHANG))
    assert len(asked) == 4
    assert min(later - ended for (_, ended), (later, _) in pairwise(asked)) >= 1.5


def test_what_was_set_by_sql_as_the_documents_do_is_what_is_made(
    client: FlaskClient, engine: Engine, work, database: Database
):
    client.get("/api/v41/workflow")
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO user_upload_workflows (user_id, batch_config) "
                "SELECT uuid, CAST(:config AS jsonb) FROM users WHERE NOT is_system"
            ),
            {"config": AS_DOCUMENTED},
        )
    flow = client.get("/api/v41/workflow").json
    assert (flow["is_async_enabled"], flow["max_previews"]) == (True, 3)
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    assert [each["variant"] for each in found["variants"]] == ["FORENSIC", "CREATIVE"]


def test_five_clicks_at_once_are_one_unlock_and_one_charge(
    settings: Settings, client: FlaskClient, engine: Engine, work, database: Database
):
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    app = client.application
    with ThreadPoolExecutor(5) as pool:
        answers = list(
            pool.map(lambda _: finalize(app.test_client(), found["variants"][1]).json, range(5))
        )
    assert len({answer["run_id"] for answer in answers}) == 1
    settled(client, engine, found["upload_id"], "unlocked")
    assert tokens(database) == 15


def test_a_worker_that_dies_while_it_hands_over_charges_once(
    client: FlaskClient, engine: Engine, work, database: Database
):
    worker = work()
    found = settled(client, engine, shoot(client, seed=11)["upload_id"])
    with database.connect() as holding:
        holding.execute("BEGIN")
        holding.execute("SELECT FROM generations FOR NO KEY UPDATE")
        answer = client.post(
            "/api/v41/finalize-image",
            json={"variant_id": found["variants"][0]["id"]},
            headers={"Prefer": "wait=0"},
        )
        assert answer.status_code == 202
        engine.until(lambda: waiting_for_rows(database), seconds=180)
        worker.kill()
        worker.wait()
        holding.execute("ROLLBACK")
    work()
    settled(client, engine, found["upload_id"], "unlocked")
    assert tokens(database) == 15
    with database.session() as session:
        entries = session.scalars(text("SELECT entry FROM ledger ORDER BY id")).all()
    assert entries == ["grant", "reserve", "capture"]


def test_discarded_variants_lose_their_files(
    client: FlaskClient, engine: Engine, work, database: Database
):
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    finalize(client, found["variants"][0])
    settled(client, engine, found["upload_id"], "unlocked")
    assert purging.count(database, timedelta(days=1)) == 0
    assert purging.count(database, timedelta()) == 1
    assert purging.purge(database, timedelta()) == 1
    with database.session() as session:
        kept, gone = session.scalars(select(Generation).order_by(Generation.slot))
        assert kept.final_id is not None and gone.asset_id is gone.preview_id is None


def test_an_unlock_enlarges_and_says_when_it_had_no_network_for_it(
    client: FlaskClient, engine: Engine, work, database: Database
):
    # Pip finds nothing, so there are no weights to be had.
    engine.environ.update(DARKROOM_UNLOCK_SIDE="1600", PIP_NO_INDEX="1")
    work()
    found = settled(client, engine, shoot(client)["upload_id"])
    finalize(client, found["variants"][0])
    settled(client, engine, found["upload_id"], "unlocked")
    assert tokens(database) == 15
    later = finalize(client, found["variants"][0], upscale=True)
    assert later.status_code in (200, 202)
    done = settled(client, engine, found["upload_id"], "unlocked")
    answer = finalize(client, found["variants"][0], upscale=True).json
    assert (answer["status"], answer["upscale"]["engine"]) == ("COMPLETED", "bicubic")
    assert (answer["tokens_charged"], tokens(database)) == (3, 12)
    assert max(picture(client, done["final_url"]).shape) == 1600


def test_who_wants_to_be_told_gets_an_e_mail_when_the_variants_are_ready(
    client: FlaskClient,
    engine: Engine,
    work,
    database: Database,
    mail: Heard,  # noqa: F811
):
    host, port = mail.address
    engine.environ.update(
        DARKROOM_SMTP_HOST=host, DARKROOM_SMTP_PORT=str(port), DARKROOM_SMTP_SECURITY="none"
    )
    with database.session() as session:
        ben = accounts.create_user(session, name="Ben", email="ben@example.org")
        _, token = accounts.create_token(session, ben, "app")
    headers = {"Authorization": f"Bearer {token}"}
    client.patch("/api/v41/workflow", json={"notify_by_email": True}, headers=headers)
    work()
    upload_id = shoot(client, **headers)["upload_id"]
    engine.until(lambda: mail.got, seconds=180)
    assert "To: ben@example.org" in mail.got[0]
    assert "2 variants of your photo ready" in mail.got[0]
    assert f"/variants/{upload_id}" in mail.got[0].replace("=\n", "")


def test_who_wants_to_be_told_hears_of_a_batch_that_failed(
    client: FlaskClient,
    engine: Engine,
    work,
    sandbox: Sandboxed,
    database: Database,
    mail: Heard,  # noqa: F811
):
    host, port = mail.address
    engine.environ.update(
        DARKROOM_SMTP_HOST=host, DARKROOM_SMTP_PORT=str(port), DARKROOM_SMTP_SECURITY="none"
    )
    sandbox.fault(LOOKS, "blocked", times=None)
    with database.session() as session:
        ben = accounts.create_user(session, name="Ben", email="ben@example.org")
        _, token = accounts.create_token(session, ben, "app")
    headers = {"Authorization": f"Bearer {token}"}
    client.patch("/api/v41/workflow", json={"notify_by_email": True}, headers=headers)
    work()
    upload_id = shoot(client, **headers)["upload_id"]
    engine.until(lambda: mail.got, seconds=180)
    assert "To: ben@example.org" in mail.got[0]
    assert "No variant of your photo could be made" in mail.got[0]
    assert f"/variants/{upload_id}" in mail.got[0].replace("=\n", "")


def test_a_photo_that_fills_the_room_for_pixels_is_unlocked(
    client: FlaskClient, engine: Engine, work, database: Database
):
    # Photo and variant together are more than may lie decoded at once.
    engine.environ["DARKROOM_MAX_MEGAPIXELS"] = "2"
    work()
    large = io.BytesIO()
    Image.open(io.BytesIO(photo())).resize((1600, 1200)).save(large, "JPEG")
    data = {"photo": (io.BytesIO(large.getvalue()), "taza.jpg")}
    shot = client.post("/api/v41/vision-orchestrator", data=data).json
    found = settled(client, engine, shot["upload_id"])
    finalize(client, found["variants"][0])
    settled(client, engine, found["upload_id"], "unlocked")
    assert tokens(database) == 15
