"""The pages of the variants without scripts: shoot, archives, review, unlock, settings."""

import io
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from darkroom.accounts import ledger
from darkroom.accounts import service as accounts
from darkroom.accounts.audit import Actor
from darkroom.accounts.models import User
from darkroom.queue.models import Run
from darkroom.settings import AlertSettings, Settings
from darkroom.storage import assets
from darkroom.storage.assets import StoredFile
from darkroom.variants import presets, workflows
from darkroom.variants.models import Generation, Preset, Unlock, Upload
from darkroom.web.app import create_app
from tests.web.conftest import Site, Visitor, jpeg

Json = dict[str, Any]


def owner(site: Site) -> User:
    with site.database.session() as db:
        return accounts.ensure_admin(db)


def shot(visitor: Visitor, **fields: str) -> UUID:
    """A photo that was sent by the form: its upload's id."""
    answer = visitor.send("/variants", page="/variants", file=(jpeg(), "taza.jpg"), **fields)
    assert answer.status_code == 303, answer.text
    return UUID(answer.location.rpartition("/")[2])


def ready(site: Site, upload_id: UUID, **fields: Any) -> list[UUID]:
    """Write what the worker would: all variants of a photo are made; answers their ids."""
    with site.database.session() as db:
        upload = db.get_one(Upload, upload_id)
        rows = db.scalars(
            select(Generation).where(Generation.upload_id == upload_id).order_by(Generation.slot)
        ).all()
        for row in rows:
            for name in ("asset_id", "preview_id"):
                setattr(row, name, _stored(db, upload.owner_id, f"variants/{row.id}/{name}.webp"))
            row.status, row.made_by, row.model = "completed", "laozhang", "some-model"
            row.is_sandbox, row.completed_at = True, func.now()
            for name, value in fields.items():
                setattr(row, name, value)
        for run in db.scalars(select(Run)):
            run.status, run.finished_at = "completed", func.now()
        return [row.id for row in rows]


def _stored(db: Any, owner_id: int, key: str) -> UUID:
    file = StoredFile("0" * 64, 10, "image/webp", 640, 480, key, "local")
    return assets.record(db, owner_id, file).id


def unlocked(site: Site, variant_id: UUID, report: Json, **fields: Any) -> None:
    """Write what the worker would: a variant is unlocked, the others are discarded."""
    with site.database.session() as db:
        chosen = db.get_one(Generation, variant_id)
        chosen.final_id, chosen.unlocked_at = chosen.asset_id, func.now()
        others = select(Generation).where(Generation.upload_id == chosen.upload_id)
        for row in db.scalars(others.where(Generation.id != variant_id)):
            row.discarded_at = func.now()
        unlock = Unlock(
            upload_id=chosen.upload_id,
            generation_id=variant_id,
            with_upscale=False,
            prices={"unlock": 5},
            report=report,
        )
        unlock.completed_at = func.now()
        db.add(unlock)


def spend(site: Site, amount: int) -> None:
    """Leave the local user less than they began with."""
    user = owner(site)
    with site.database.session() as db:
        ledger.grant(db, user.id, -amount, actor=Actor.of(user), note="", start=20)


def generations(site: Site) -> list[Generation]:
    with site.database.session() as db:
        return list(db.scalars(select(Generation).order_by(Generation.slot)))


# Shoot.


def test_a_photo_becomes_a_batch_and_leads_to_its_page(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    assert [row.variant for row in generations(site)] == ["FORENSIC", "CREATIVE"]
    page = visitor.get(f"/variants/{upload_id}").text
    assert "Processing. You can close the app." in page
    assert "Forensic" in page and "Creative" in page
    assert "SANDBOX" in page


def test_a_preset_is_chosen_for_one_photo(site: Site, visitor: Visitor) -> None:
    with site.database.session() as db:
        wanted = presets.named(db, owner(site).id, "Boda")
    shot(visitor, tier=str(wanted.id), is_async_enabled="1")
    assert [row.variant for row in generations(site)] == ["Boda"]


def test_pocket_mode_stays_as_it_was_chosen(site: Site, visitor: Visitor) -> None:
    assert "checked" in _switch(visitor.get("/variants").text, "is_async_enabled")
    upload_id = shot(visitor)
    assert "checked" not in _switch(visitor.get("/variants").text, "is_async_enabled")
    assert "You can close the app" not in visitor.get(f"/variants/{upload_id}").text


def _switch(page: str, name: str) -> str:
    found = re.search(f'<input[^>]*name="{name}"[^>]*>', page)
    assert found is not None
    return found.group()


def test_a_photo_that_is_none_is_refused_in_the_form(site: Site, visitor: Visitor) -> None:
    answer = visitor.send("/variants", page="/variants", file=(io.BytesIO(b"text"), "a.jpg"))
    assert answer.status_code == 400
    assert "is not an image" in answer.text and "data-drop" in answer.text
    assert visitor.send("/variants", page="/variants").status_code == 400


def test_a_script_is_told_where_the_photo_is(visitor: Visitor) -> None:
    data = {"csrf_token": visitor.csrf_token("/variants"), "file": (jpeg(), "a.jpg")}
    data["is_async_enabled"] = "1"
    answer = visitor.client.post("/variants", data=data, headers={"Accept": "application/json"})
    assert answer.status_code == 202
    assert visitor.get(answer.json["location"]).status_code == 200


# Archives.


def test_archives_show_state_and_thumbnail_page_by_page(site: Site, visitor: Visitor) -> None:
    assert "No photo yet" in visitor.get("/variants/archives").text
    upload_ids = [shot(visitor, is_async_enabled="1") for _ in range(2)]
    ready(site, upload_ids[0])
    page = visitor.get("/variants/archives").text
    assert 'data-state="ready"' in page and 'data-state="processing"' in page
    assert page.count('class="archive"') == 2
    assert page.count(">SANDBOX</span>") == 1


def test_archives_are_their_owners_alone(closed_site: Site) -> None:
    ana, eva = (closed_site.signed_in(closed_site.user(name)) for name in ("Ana", "Eva"))
    upload_id = shot(ana, is_async_enabled="1")
    [first, *_] = ready(closed_site, upload_id)
    assert "taza.jpg" not in eva.get("/variants/archives").text
    assert eva.get(f"/variants/{upload_id}").status_code == 404
    assert eva.get(f"/variants/unlock/{first}").status_code == 404
    assert eva.send(f"/variants/unlock/{first}", page="/variants").status_code == 404


# Review.


def test_previews_are_shown_with_how_their_anchors_held(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    check = {
        "kind": "colours",
        "kept": False,
        "measure": 7.25,
        "threshold": 3.0,
        "words": "The colours have drifted.",
    }
    unsure = {**check, "kind": "identity", "kept": None, "measure": None, "words": "Not checked."}
    ready(site, upload_id, checks=[check, unsure])
    page = visitor.get(f"/variants/{upload_id}").text
    assert "The colours have drifted." in page and "7.25 of at most 3" in page
    assert "check-unknown" in page
    assert "preview_id.webp" in page and "asset_id.webp" not in page
    assert page.count("Unlock · 5 tokens") == 2


def test_a_slot_that_failed_says_why_and_is_tried_again(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    first, _ = ready(site, upload_id)
    with site.database.session() as db:
        row = db.get_one(Generation, first)
        row.status, row.error, row.preview_id = "failed", "The service refused the photo.", None
    page = visitor.get(f"/variants/{upload_id}").text
    assert "The service refused the photo." in page
    answer = visitor.send(f"/variants/retry/{first}", page=f"/variants/{upload_id}")
    assert answer.location == f"/variants/{upload_id}"
    assert [row.status for row in generations(site)] == ["pending", "completed"]


def test_more_variants_join_the_others(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    ready(site, upload_id)
    answer = visitor.send(f"/variants/{upload_id}/more", page="/variants", tier="AUTO")
    assert answer.status_code == 303
    assert [row.slot for row in generations(site)] == [0, 1, 2, 3]


def test_a_photo_is_deleted_once_nothing_goes_on(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    assert visitor.send(f"/variants/{upload_id}/delete", page="/variants").status_code == 409
    ready(site, upload_id)
    answer = visitor.send(f"/variants/{upload_id}/delete", page="/variants")
    assert answer.location == "/variants/archives"
    assert visitor.get(f"/variants/{upload_id}").status_code == 404


def test_the_unlocked_picture_is_alone_with_what_was_mended(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    first, other = ready(site, upload_id)
    texts = {"restored": 2, "removed": 1, "kept": 3, "is_aligned": True}
    unlocked(site, first, {"texts": texts})
    page = visitor.get(f"/variants/{upload_id}").text
    assert "2 garbled texts were restored" in page and "1 text that your photo" in page
    assert "filename=taza-unlocked.webp" in page
    assert f"variants/{other}" not in page
    assert "Enlarge it · 8 tokens" in page and "More variants" not in page


# Unlock.


def test_the_price_is_shown_before_the_click(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    first, _ = ready(site, upload_id)
    page = visitor.get(f"/variants/unlock/{first}").text
    assert "Unlock Forensic?" in page
    for said in ("Unlock</dt><dd>5", "7,680 pixels, if you like</dt><dd>3", "balance</dt><dd>20"):
        assert said in page
    assert f"variants/{first}/asset_id.webp" not in page


@pytest.mark.parametrize(("upscale", "left"), [("0", 15), ("1", 12)])
def test_an_unlock_sets_its_price_aside_once(
    site: Site, visitor: Visitor, upscale: str, left: int
) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    first, _ = ready(site, upload_id)
    for _ in range(2):
        answer = visitor.send(f"/variants/unlock/{first}", page="/variants", upscale=upscale)
        assert answer.location == f"/variants/{upload_id}"
    with site.database.session() as db:
        assert ledger.balance(db, owner(site).id, start=20) == left
    page = visitor.get(f"/variants/{upload_id}").text
    assert "Unlocking" in page and "Unlock ·" not in page


def test_without_tokens_it_says_so_and_begins_nothing(site: Site, visitor: Visitor) -> None:
    spend(site, 17)
    upload_id = shot(visitor, is_async_enabled="1")
    first, _ = ready(site, upload_id)
    answer = visitor.send(f"/variants/unlock/{first}", page="/variants", upscale="0")
    assert answer.status_code == 402
    assert "This takes 5 tokens; the balance holds 3." in answer.text
    assert "Unlock ·" in visitor.get(f"/variants/{upload_id}").text


def test_an_unlock_that_failed_is_told_with_its_reason(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    first, _ = ready(site, upload_id)
    visitor.send(f"/variants/unlock/{first}", page="/variants", upscale="0")
    with site.database.session() as db:
        run = db.scalars(select(Run).order_by(Run.created_at.desc()).limit(1)).one()
        run.status, run.finished_at = "failed", func.now()
        run.error = {"message": "The file of this variant was removed."}
    page = visitor.get(f"/variants/{upload_id}").text
    assert "The unlock did not work." in page and "was removed" in page
    assert "Unlock · 5 tokens" in page


# Settings.


def settings_form(**more: Any) -> Json:
    slots = ["AUTO:FORENSIC", "AUTO:CREATIVE"]
    return {"kind": slots, "provider": ["", "openai"], "anchors": ["[]", "[]"]} | {
        "max_previews": "3",
        "is_async_enabled": "1",
        **more,
    }


def workflow(site: Site) -> Any:
    with site.database.session() as db:
        return workflows.of(db, owner(site).uuid)


def save(visitor: Visitor, **fields: Any) -> Any:
    return visitor.send("/variants/settings", page="/variants/settings", **settings_form(**fields))


def test_settings_are_saved(site: Site, visitor: Visitor) -> None:
    assert save(visitor, max_previews="2", notify_by_email="1").status_code == 303
    found = workflow(site)
    assert found.batch_config == [
        {"type": "AUTO", "variant": "FORENSIC"},
        {"type": "AUTO", "variant": "CREATIVE", "provider": "openai"},
    ]
    assert (found.max_previews, found.is_async_enabled, found.notify_by_email) == (2, True, True)


def test_slots_are_moved_by_buttons_and_saved_only_then(site: Site, visitor: Visitor) -> None:
    page = save(visitor, do="down-0").text
    assert re.findall(r'value="(AUTO:[A-Z]+)" selected', page) == ["AUTO:CREATIVE", "AUTO:FORENSIC"]
    assert "not saved yet" in page
    assert save(visitor, do="remove-1").text.count("data-slot>") == 1
    assert save(visitor, do="add").text.count("data-slot>") == 3
    assert workflow(site).batch_config[0]["variant"] == "FORENSIC"


def test_a_batch_of_nothing_is_refused_and_shown_again(visitor: Visitor) -> None:
    answer = save(visitor, kind=[], provider=[], anchors=[])
    assert answer.status_code == 400
    assert "at least one slot" in answer.text


def test_a_service_that_is_none_is_refused_and_shown_again(visitor: Visitor) -> None:
    answer = save(visitor, provider=["acme", ""])
    assert answer.status_code == 400
    assert "provider must be one of laozhang, gemini, openai" in answer.text


def test_anchors_that_a_program_gave_a_slot_are_kept(site: Site, visitor: Visitor) -> None:
    kept = [{"kind": "colours", "strictness": 0.75}]
    save(visitor, anchors=[json.dumps(kept), "[]"])
    assert workflow(site).batch_config[0]["smart_anchors"] == kept
    assert "0.75" in visitor.get("/variants/settings").text
    assert save(visitor, anchors=["[", "[]"]).status_code == 400


def test_a_preset_that_is_gone_is_to_be_chosen_anew(site: Site, visitor: Visitor) -> None:
    with site.database.session() as db:
        made = presets.create(db, owner(site).id, {"name": "Mío", "prompt": "Warm light"})
    save(visitor, kind=["AUTO:FORENSIC", f"PRESET:{made.id}"])
    visitor.send(f"/variants/presets/{made.id}/delete", page="/variants/presets")
    assert "Not there any more" in visitor.get("/variants/settings").text
    answer = visitor.send("/variants", page="/variants", file=(jpeg(), "a.jpg"))
    assert answer.status_code == 400 and "There is no such preset." in answer.text


def test_what_a_batch_costs_is_shown(visitor: Visitor) -> None:
    page = visitor.get("/variants/settings").text
    assert 'data-batch-usd="0.090"' in page and "$0.09" in page
    assert "5 tokens" in page and "8 tokens" in page
    save(visitor, max_previews="1")
    assert 'data-batch-usd="0.045"' in visitor.get("/variants/settings").text


def test_it_says_what_an_e_mail_needs(settings: Settings, site: Site, visitor: Visitor) -> None:
    assert "DARKROOM_SMTP_HOST" in visitor.get("/variants/settings").text
    mailing = replace(settings, alerts=replace(AlertSettings(), smtp_host="mail.example.org"))
    user = site.user()
    told = Site(create_app(mailing, site.database)).signed_in(user)
    assert "When all of a batch have ended." in told.get("/variants/settings").text


# Presets.


def preset_form(**more: Any) -> Json:
    return {"name": "Mío", "prompt": "Warm light", "strength": "0.35", "seed": "99", **more}


def test_a_preset_is_made_changed_and_deleted(site: Site, visitor: Visitor) -> None:
    anchored = {"anchor-colours": "1", "strictness-colours": "0.8", "strictness-text": "0.5"}
    page = "/variants/presets/new"
    assert visitor.send(page, page=page, **preset_form(**anchored)).status_code == 303
    with site.database.session() as db:
        made = db.scalars(select(Preset).where(Preset.owner_id.is_not(None))).one()
    assert made.nano_params == {"strength": 0.35, "seed": 99}
    assert made.smart_anchors == [{"kind": "colours", "strictness": 0.8}]
    there = f"/variants/presets/{made.id}"
    assert "Warm light" in visitor.get(there).text
    visitor.send(there, page=there, **preset_form(name="Tuyo"))
    assert "Tuyo" in visitor.get("/variants/presets").text
    visitor.send(f"{there}/delete", page=there)
    assert visitor.get(there).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"strength": "much"}, "The strength must be a number from 0 to 2."),
        ({"seed": "-1"}, "The seed must be a whole number"),
        ({"name": " "}, "name must be a text."),
        ({"prompt": ""}, "A preset needs a prompt."),
        ({"anchor-reference": "1"}, "must be"),
    ],
)
def test_a_wrong_preset_is_shown_again_with_what_is_wrong(
    visitor: Visitor, wrong: Json, said: str
) -> None:
    page = "/variants/presets/new"
    answer = visitor.send(page, page=page, **preset_form(**wrong))
    assert answer.status_code == 400
    assert said in answer.text
    assert wrong.get("prompt", "Warm light") in answer.text


def test_presets_of_everybody_are_copied_not_changed(site: Site, visitor: Visitor) -> None:
    with site.database.session() as db:
        shared = presets.named(db, owner(site).id, "Boda").id
    assert visitor.get(f"/variants/presets/{shared}").status_code == 404
    copy = visitor.get(f"/variants/presets/new?from={shared}").text
    assert "Boda, my own" in copy and "wedding photograph" in copy


def test_a_reference_picture_is_one_of_the_own_photos(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    with site.database.session() as db:
        asset_id = str(db.get_one(Upload, upload_id).asset_id)
    page = "/variants/presets/new"
    assert asset_id in visitor.get(page).text
    anchored = {"anchor-reference": "1", "strictness-reference": "0.5", "asset_id": asset_id}
    assert visitor.send(page, page=page, **preset_form(**anchored)).status_code == 303


# The rest of the site.


def test_viewers_look_and_change_nothing(closed_site: Site) -> None:
    viewer = closed_site.signed_in(closed_site.user("Vera", role="viewer"))
    member = closed_site.signed_in(closed_site.user("Ana"))
    upload_id = shot(member, is_async_enabled="1")
    ready(closed_site, upload_id)
    page = viewer.get(f"/variants/{upload_id}").text
    assert "Forensic" in page and "Unlock ·" not in page
    assert "data-drop" not in viewer.get("/variants").text
    assert viewer.send("/variants/sample", page="/variants/archives").status_code == 403


def test_runs_lead_to_their_photo(site: Site, visitor: Visitor) -> None:
    upload_id = shot(visitor, is_async_enabled="1")
    assert f"/variants/{upload_id}" in visitor.get("/").text
    ready(site, upload_id)
    assert "2 variants" in visitor.get("/runs").text
    visitor.send(f"/variants/{upload_id}/delete", page="/variants")
    assert visitor.get("/runs").status_code == 200


def test_the_app_can_be_installed(site: Site, visitor: Visitor) -> None:
    found = re.search(r'rel="manifest" href="([^"]+)"', visitor.get("/variants").text)
    assert found is not None
    answer = visitor.get(found.group(1))
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert manifest["display"] == "standalone"
    sizes = {icon["sizes"] for icon in manifest["icons"]}
    assert {"192x192", "512x512"} <= sizes
    for icon in manifest["icons"]:
        assert visitor.get(f"/static/{icon['src']}").status_code == 200
    assert urljoin(found.group(1), manifest["start_url"]) == "/variants"


def test_unknown_photos_are_not_found(visitor: Visitor) -> None:
    for path in ("", "unlock/", "presets/"):
        assert visitor.get(f"/variants/{path}{uuid4()}").status_code == 404
