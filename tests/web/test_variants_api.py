"""The variants' JSON API: what is taken, what is refused, and whose photos are whose."""

import base64
import io
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from darkroom.accounts import service as accounts
from darkroom.queue import control
from darkroom.queue.models import Run
from darkroom.variants import notices
from darkroom.variants.models import Generation, Upload
from tests.web.conftest import Site, jpeg

SHOOT, WORKFLOW, PRESETS = (
    "/api/v41/vision-orchestrator",
    "/api/v41/workflow",
    "/api/v41/presets",
)
LOOK = {"name": "Estudio", "prompt": "A grey background.", "nano_params": {"strength": 0.3}}


def shoot(site: Site, headers: dict[str, str] | None = None, **form: str) -> Any:
    data = {"photo": (io.BytesIO(jpeg((320, 240)).getvalue()), "taza.jpg"), **form}
    return site.app.test_client().post(SHOOT, data=data, headers=headers or {})


def count(site: Site, kind: type) -> int:
    with site.database.session() as session:
        return len(session.scalars(select(kind)).all())


def test_a_photo_is_kept_with_its_run_and_slots_in_one_go(site: Site):
    answer = shoot(site)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v41/archives/{answer.json['upload_id']}"
    assert answer.json["status"] == "BATCH_PROCESSING"
    assert answer.json["message"] == "Procesando... puedes cerrar la app"
    assert [each["status"] for each in answer.json["variants"]] == ["pending", "pending"]
    assert (count(site, Upload), count(site, Generation), count(site, Run)) == (1, 2, 1)


def test_a_photo_may_come_as_base64_or_a_data_url(site: Site):
    encoded = base64.b64encode(jpeg((320, 240)).getvalue()).decode()
    for given in (encoded, f"data:image/jpeg;base64,{encoded}"):
        assert site.app.test_client().post(SHOOT, json={"photo": given}).status_code == 202


@pytest.mark.parametrize("given", ["", 3, "%%%", "data:text/plain;base64,aGk=", "aGk="])
def test_a_photo_that_is_none_is_refused_by_its_field(site: Site, given: Any):
    answer = site.app.test_client().post(SHOOT, json={"photo": given})
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "photo")
    assert count(site, Upload) == 0


def test_an_unknown_tier_is_refused_before_anything_is_kept(site: Site):
    answer = shoot(site, tier="SUPER")
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "tier")
    assert (count(site, Upload), count(site, Run)) == (0, 0)


def test_a_workflow_written_by_hand_that_cannot_be_is_refused_by_its_slot(site: Site):
    site.app.test_client().get(WORKFLOW)
    with site.database.session() as session:
        session.execute(
            text(
                "INSERT INTO user_upload_workflows (user_id, batch_config) "
                """SELECT uuid, '[{"type": "AUTO", "variant": "WILD"}]' FROM users """
                "WHERE NOT is_system"
            )
        )
    answer = shoot(site)
    assert answer.json["error"]["field"] == "batch_config[0].variant"
    assert count(site, Upload) == 0


def test_max_previews_bounds_the_batch(site: Site):
    client = site.app.test_client()
    config = [{"type": "AUTO", "variant": "BALANCED"}] * 4
    assert client.put(WORKFLOW, json={"batch_config": config, "max_previews": 2}).status_code == 200
    assert len(shoot(site).json["variants"]) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"max_previews": 0}, "max_previews"),
        ({"max_previews": True}, "max_previews"),
        ({"is_async_enabled": "yes"}, "is_async_enabled"),
        ({"batch_config": []}, "batch_config"),
        ({"heartbeat": 2}, "heartbeat"),
    ],
)
def test_a_workflow_that_cannot_be_changes_nothing(site: Site, change: dict[str, Any], field: str):
    client = site.app.test_client()
    before = client.get(WORKFLOW).json
    answer = client.patch(WORKFLOW, json={"notify_by_email": True, **change})
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)
    assert client.get(WORKFLOW).json == before


def test_presets_are_made_changed_used_and_deleted(site: Site):
    client = site.app.test_client()
    made = client.post(PRESETS, json=LOOK)
    assert (made.status_code, made.json["nano_params"]) == (201, {"strength": 0.3, "seed": 42})
    there = f"{PRESETS}/{made.json['id']}"
    assert client.patch(there, json={"nano_params": {"seed": 9}}).json["nano_params"]["seed"] == 9
    [variant] = shoot(site, tier="estudio").json["variants"]
    assert (variant["variant"], variant["seed"]) == ("Estudio", 9)
    assert client.post(PRESETS, json=LOOK).status_code == 409
    assert client.delete(there).status_code == 204
    assert shoot(site, tier="Estudio").status_code == 400


def test_everybodys_presets_are_nobodys_to_change(site: Site):
    client = site.app.test_client()
    shared = client.get(PRESETS).json["presets"][0]
    assert not shared["is_own"]
    assert client.patch(f"{PRESETS}/{shared['id']}", json={"name": "x"}).status_code == 404


def test_a_reference_picture_must_be_the_callers_own(site: Site):
    ana, ben = (site.token_of(site.user(name)) for name in ("Ana", "Ben"))
    asset = shoot(site, ana).json["asset_id"]
    wanted = {**LOOK, "smart_anchors": [{"kind": "reference", "asset_id": asset}]}
    client = site.app.test_client()
    assert client.post(PRESETS, json=wanted, headers=ben).status_code == 400
    assert client.post(PRESETS, json=wanted, headers=ana).status_code == 201


def test_nobody_reaches_anothers_photos(site: Site):
    ana, ben = (site.token_of(site.user(name)) for name in ("Ana", "Ben"))
    shot = shoot(site, ana).json
    variant = shot["variants"][0]["id"]
    client = site.app.test_client()
    there = f"/api/v41/archives/{shot['upload_id']}"
    assert client.get(there, headers=ben).status_code == 404
    assert client.delete(there, headers=ben).status_code == 404
    assert client.post(f"{there}/variants", json={}, headers=ben).status_code == 404
    assert client.post(f"/api/v41/variants/{variant}/retry", headers=ben).status_code == 404
    finalize = client.post("/api/v41/finalize-image", json={"variant_id": variant}, headers=ben)
    assert finalize.status_code == 404
    assert client.get("/api/v41/archives", headers=ben).json["archives"] == []
    assert client.get(there, headers=ana).status_code == 200


def test_a_variant_that_is_not_ready_is_not_unlocked(site: Site):
    variant = shoot(site).json["variants"][0]["id"]
    client = site.app.test_client()
    answer = client.post("/api/v41/finalize-image", json={"variant_id": variant})
    assert answer.status_code == 409
    unknown = client.post("/api/v41/finalize-image", json={"variant_id": str(uuid4())})
    assert unknown.status_code == 404
    wrong = client.post("/api/v41/finalize-image", json={"variant_id": variant, "upscale": "8K"})
    assert (wrong.status_code, wrong.json["error"]["field"]) == (400, "upscale")


def test_archives_come_in_pages(site: Site):
    ids = [shoot(site).json["upload_id"] for _ in range(3)]
    client = site.app.test_client()
    first = client.get("/api/v41/archives?limit=2").json
    rest = client.get("/api/v41/archives", query_string={"limit": 2, "before": first["next"]}).json
    listed = [each["upload_id"] for each in first["archives"] + rest["archives"]]
    assert listed == ids[::-1] and rest["next"] is None
    assert client.get("/api/v41/archives?before=yesterday").status_code == 400


def test_a_photo_that_is_worked_on_is_deleted_only_after_it_was_cancelled(site: Site):
    shot = shoot(site).json
    client = site.app.test_client()
    there = f"/api/v41/archives/{shot['upload_id']}"
    assert client.delete(there).status_code == 409
    with site.database.session() as session:
        control.cancel(session, UUID(shot["run_id"]))
    assert [each["status"] for each in client.get(there).json["variants"]] == ["failed", "failed"]
    assert client.delete(there).status_code == 204
    assert client.get(there).status_code == 404


def test_the_same_request_sent_again_is_one_photo(site: Site):
    key = {"Idempotency-Key": "one"}
    assert shoot(site, key).json["upload_id"] == shoot(site, key).json["upload_id"]
    assert count(site, Upload) == 1


@pytest.mark.parametrize(("locale", "word"), [("es", "Desbloquear"), (None, "Unlock")])
def test_an_e_mail_is_in_the_language_of_its_owner(site: Site, locale: str | None, word: str):
    ana = site.user("Ana")
    upload_id = UUID(shoot(site, site.token_of(ana)).json["upload_id"])
    with site.database.session() as session:
        accounts.set_locale(session, session.merge(ana), locale)
    with site.database.session() as session:
        language = notices.words(session, upload_id, site.services.settings.cache_dir)
    assert language.gettext("Unlock") == word


def test_who_wants_to_be_told_hears_of_no_batch_that_was_cancelled_or_made(site: Site):
    ana = site.user("Ana")
    headers = site.token_of(ana)
    site.app.test_client().patch(WORKFLOW, json={"notify_by_email": True}, headers=headers)
    cancelled, made = shoot(site, headers).json, shoot(site, headers).json
    with site.database.session() as session:
        control.cancel(session, UUID(cancelled["run_id"]))
        variant = session.get_one(Generation, UUID(made["variants"][0]["id"]))
        variant.asset_id, variant.status = UUID(made["asset_id"]), "completed"
        session.flush()
        session.get_one(Run, UUID(made["run_id"])).status = "failed"
    with site.database.session() as session:
        tells = text("SELECT count(*) FROM steps WHERE name = 'variants.tell'")
        assert session.scalar(tells) == 0
