"""What variants take in tokens: previews where they have a price, and unlocks that meet again."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from darkroom.accounts import ledger
from darkroom.accounts import service as accounts
from darkroom.db.sessions import Database
from darkroom.errors import NotEnough
from darkroom.queue import control
from darkroom.queue.models import Run
from darkroom.settings import Settings, TokenSettings
from darkroom.storage import assets
from darkroom.storage.assets import StoredFile
from darkroom.variants import orders, unlocking
from darkroom.variants.models import Generation, Unlock, Upload
from darkroom.web.app import create_app
from tests.web.conftest import Site
from tests.web.test_variants_api import count, shoot
from tests.web.test_variants_pages import ready, spend

PRICES = {"unlock": 5, "upscale": 3, "preview": 2}
FINALIZE = "/api/v41/finalize-image"
Json = dict[str, Any]


@pytest.fixture
def dear_site(settings: Settings, database: Database) -> Site:
    """Where each preview takes two tokens."""
    return Site(create_app(replace(settings, tokens=TokenSettings(prices=PRICES)), database))


def balance(site: Site) -> int:
    with site.database.session() as session:
        return ledger.balance(session, accounts.ensure_admin(session).id, start=20)


def entries(site: Site) -> list[str]:
    with site.database.session() as session:
        owner = accounts.ensure_admin(session)
        return [each.entry for each in ledger.entries(session, owner.id, None, 50)][::-1]


def cancel(site: Site, run_id: str) -> None:
    with site.database.session() as session:
        control.cancel(session, UUID(run_id))


def statuses(site: Site) -> list[str]:
    with site.database.session() as session:
        return list(session.scalars(select(Generation.status).order_by(Generation.slot)))


def finalize(site: Site, variant: UUID, *, upscale: bool = False, **headers: str) -> Any:
    body = {"variant_id": str(variant), "upscale": upscale}
    return site.app.test_client().post(FINALIZE, json=body, headers=headers)


# Previews.


def test_previews_are_free_and_leave_no_trace_where_they_have_no_price(site: Site):
    ready(site, UUID(shoot(site).json["upload_id"]))
    assert (balance(site), entries(site)) == (20, ["grant"])


def test_each_preview_is_set_aside_and_paid_when_it_is_there(dear_site: Site):
    upload_id = UUID(shoot(dear_site).json["upload_id"])
    assert balance(dear_site) == 16
    ready(dear_site, upload_id)
    assert balance(dear_site) == 16
    assert entries(dear_site) == ["grant", "reserve", "reserve", "capture", "capture"]


def test_without_tokens_for_the_previews_nothing_is_kept(dear_site: Site):
    spend(dear_site, 17)
    answer = shoot(dear_site)
    assert (answer.status_code, answer.json["error"]["needed"]) == (402, 4)
    assert (count(dear_site, Upload), count(dear_site, Run), balance(dear_site)) == (0, 0, 3)


def test_previews_that_are_not_made_are_given_back(dear_site: Site):
    cancel(dear_site, shoot(dear_site).json["run_id"])
    assert statuses(dear_site) == ["failed", "failed"] and balance(dear_site) == 20


def test_a_preview_that_nobody_sees_is_given_back(dear_site: Site):
    shot = shoot(dear_site).json
    with dear_site.database.session() as session:
        discarded = session.get_one(Generation, UUID(shot["variants"][0]["id"]))
        discarded.discarded_at = func.now()
    ready(dear_site, UUID(shot["upload_id"]))
    assert balance(dear_site) == 18


def test_a_variant_that_is_tried_again_is_set_aside_anew(dear_site: Site):
    shot = shoot(dear_site).json
    cancel(dear_site, shot["run_id"])
    there = f"/api/v41/variants/{shot['variants'][0]['id']}/retry"
    assert dear_site.app.test_client().post(there).status_code == 202
    assert statuses(dear_site) == ["pending", "failed"] and balance(dear_site) == 18


def test_a_variant_is_not_tried_again_without_tokens(dear_site: Site):
    shot = shoot(dear_site).json
    cancel(dear_site, shot["run_id"])
    spend(dear_site, 19)
    there = f"/api/v41/variants/{shot['variants'][0]['id']}/retry"
    assert dear_site.app.test_client().post(there).status_code == 402
    assert statuses(dear_site) == ["failed", "failed"]


def test_what_a_preview_takes_is_said_where_it_is_asked_for(dear_site: Site):
    visitor = dear_site.visitor()
    shot = shoot(dear_site).json
    cancel(dear_site, shot["run_id"])
    assert "a preview takes 2" in visitor.get("/variants").text
    page = visitor.get(f"/variants/{shot['upload_id']}").text
    assert "Try again · 2 tokens" in page and "a preview takes 2" in page


# A run that an operator tries again.


def retried(site: Site) -> Json:
    """A photo whose run was cancelled and is tried again."""
    shot: Json = shoot(site).json
    cancel(site, shot["run_id"])
    with site.database.session() as session:
        control.retry(session, UUID(shot["run_id"]))
        session.get_one(Upload, UUID(shot["upload_id"])).analysis = {}
    return shot


def load(site: Site, shot: Json) -> orders.Order | None:
    variant, run = UUID(shot["variants"][0]["id"]), UUID(shot["run_id"])
    return orders.load(site.database, variant, run, 20)


def test_a_run_that_is_tried_again_brings_its_variants_back(site: Site):
    shot = retried(site)
    assert statuses(site) == ["pending", "pending"]
    assert load(site, shot) is not None and entries(site) == []


def test_a_run_that_is_tried_again_sets_aside_anew_what_a_preview_takes(dear_site: Site):
    shot = retried(dear_site)
    assert balance(dear_site) == 20
    assert load(dear_site, shot) is not None and load(dear_site, shot) is not None
    assert balance(dear_site) == 18


def test_a_run_that_is_tried_again_makes_nothing_without_tokens(dear_site: Site):
    shot = retried(dear_site)
    spend(dear_site, 19)
    with pytest.raises(NotEnough):
        load(dear_site, shot)


def test_a_variant_that_another_run_makes_is_left_to_it(site: Site):
    shot = shoot(site).json
    cancel(site, shot["run_id"])
    site.app.test_client().post(f"/api/v41/variants/{shot['variants'][0]['id']}/retry")
    with site.database.session() as session:
        control.retry(session, UUID(shot["run_id"]))
        session.get_one(Upload, UUID(shot["upload_id"])).analysis = {}
    assert statuses(site) == ["pending", "pending"]
    assert load(site, shot) is None


def test_what_was_discarded_is_not_brought_back(site: Site):
    shot = shoot(site).json
    cancel(site, shot["run_id"])
    with site.database.session() as session:
        session.get_one(Generation, UUID(shot["variants"][0]["id"])).discarded_at = func.now()
        control.retry(session, UUID(shot["run_id"]))
    assert statuses(site) == ["failed", "pending"]


# Unlocks that meet again.


def test_an_unlock_that_was_overtaken_by_a_larger_one_changes_nothing(site: Site):
    variant, _ = ready(site, UUID(shoot(site).json["upload_id"]))
    first = finalize(site, variant).json["run_id"]
    cancel(site, first)
    finalize(site, variant, upscale=True)
    large = delivered(site)
    with site.database.session() as session:
        control.retry(session, UUID(first))
        overtaken = session.scalars(select(Unlock.id).where(Unlock.run_id == UUID(first))).one()
    assert unlocking.load(site.database, overtaken, 20) is None
    with site.database.session() as session:
        assert session.get_one(Generation, variant).final_id == large
    assert balance(site) == 12


def delivered(site: Site) -> UUID:
    """Enlarge and hand over as the worker would; answers the enlarged picture's id."""
    with site.database.session() as session:
        unlock_id = session.scalars(select(Unlock.id).where(Unlock.ended_at.is_(None))).one()
    wanted = unlocking.load(site.database, unlock_id, 20)
    assert wanted is not None
    with site.database.session() as session:
        file = StoredFile("1" * 64, 10, "image/jpeg", 7680, 5760, "variants/8k.jpg", "local")
        large = assets.record(session, wanted.owner_id, file)
        unlocking.keep_enlarged(session, wanted, large, {"engine": "bicubic"})
        unlocking.deliver(session, wanted)
        return large.id


def test_a_key_that_meets_an_unlock_that_goes_on_answers_its_run_for_good(site: Site):
    variant, _ = ready(site, UUID(shoot(site).json["upload_id"]))
    headers = {"Prefer": "wait=0"}
    first = finalize(site, variant, **headers, **{"Idempotency-Key": "tab-1"}).json["run_id"]
    for _ in range(2):
        answer = finalize(site, variant, **headers, **{"Idempotency-Key": "tab-2"})
        assert (answer.status_code, answer.json["run_id"]) == (202, first)


# What is said of the end.


def test_a_run_that_made_no_variant_has_failed(site: Site):
    key = {"Idempotency-Key": "one", "Prefer": "wait=10"}
    cancel(site, shoot(site, {"Idempotency-Key": "one"}).json["run_id"])
    answer = shoot(site, key)
    assert (answer.status_code, answer.json["status"]) == (200, "FAILED")
    assert answer.json["message"] == "No variant was made."


def test_a_run_that_made_variants_is_complete(site: Site):
    key = {"Idempotency-Key": "one", "Prefer": "wait=10"}
    ready(site, UUID(shoot(site, {"Idempotency-Key": "one"}).json["upload_id"]))
    assert shoot(site, key).json["status"] == "COMPLETED"
