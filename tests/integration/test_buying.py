"""Buying answers: once a key, every call a row, the next model when one is gone."""

import base64
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from darkroom.db.sessions import Database
from darkroom.errors import (
    DarkroomError,
    Invalid,
    ModelGone,
    NotNow,
    Permanent,
    Refused,
    Transient,
)
from darkroom.providers import buying, chains, gemini, retention, spool
from darkroom.providers.buying import Bought
from darkroom.providers.calls import calling_provider
from darkroom.providers.failures import NoPicture
from darkroom.queue.gates import breaker, call, pace
from darkroom.queue.task import Task
from darkroom.settings import Price, ProviderSettings, Settings
from darkroom.storage.store import open_store
from darkroom.storage.sweeping import installation
from tests.engine.floor import Floor
from tests.engine.service import Service, serving

KEY = "AIza-very-secret"
CHAIN = ("old", "new")
PRICES = {"old": Price(Decimal("0.04")), "new": Price(Decimal("0.06"))}


def answer(word: str = "picture", reason: str = "STOP", *, with_picture: bool = True) -> Any:
    data = base64.b64encode(word.encode()).decode()
    parts = [{"inlineData": {"mimeType": "image/png", "data": data}}] if with_picture else []
    candidate = {"content": {"parts": parts}, "finishReason": reason}
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 270}}


GONE = {"error": {"status": "NOT_FOUND", "message": "no such model"}}


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as started:
        yield started


@pytest.fixture
def floor(database: Database, settings: Settings, service: Service) -> Floor:
    chosen = ProviderSettings("gemini", service.url, KEY, {"image": CHAIN})
    providers = replace(settings.providers, gemini=chosen, prices=PRICES)
    return Floor(database, replace(settings, providers=providers))


def buy(task: Task, key: str = "one", **options: Any) -> Bought:
    client = gemini.connect(task.settings)
    return buying.buy(
        task,
        provider="gemini",
        operation="edit",
        key=key,
        models=options.pop("models", CHAIN),
        ask=lambda model: client.edit(model, "white background"),
        **options,
    )


def rows(floor: Floor) -> list[tuple[Any, ...]]:
    query = "SELECT model, outcome, http_status, cost FROM provider_calls ORDER BY id"
    return [tuple(row) for row in floor.ask(query)]


def spooled(floor: Floor) -> list[Path]:
    return list(floor.settings.spool_dir.glob("*"))


def state(floor: Floor) -> tuple[str, int]:
    return tuple(floor.ask("SELECT state, failures FROM breakers WHERE operation = 'edit'")[0])


# Once a key.


def test_what_is_bought_is_kept_charged_and_told_of(floor: Floor, service: Service) -> None:
    service.will(200, answer())
    task = floor.new(floor.owner())
    bought = buy(task)
    assert gemini.picture(bought.body).data == b"picture"
    assert (bought.model, bought.cost, bought.tokens_in) == ("old", Decimal("0.04"), 270)
    assert not bought.is_sandbox
    assert rows(floor) == [("old", "succeeded", 200, Decimal("0.04"))]
    assert floor.one("SELECT cost FROM runs") == Decimal("0.04")
    assert floor.one("SELECT sum(amount) FROM charges") == Decimal("0.04")
    told = floor.ask("SELECT run_id, job_id, attempt_id, answer_key FROM provider_calls")[0]
    assert tuple(told) == (task.run_id, task.lease.job_id, task.lease.attempt_id, "one")
    assert spooled(floor) == []
    assert floor.one("SELECT count(*) FROM permits") == 0


def test_what_was_bought_is_not_bought_again(floor: Floor, service: Service) -> None:
    service.will(200, answer())
    first = buy(floor.new(floor.owner()))
    assert buy(floor.new(floor.owner("Ben"))) == first
    assert len(service.heard) == 1
    assert floor.one("SELECT sum(amount) FROM charges") == Decimal("0.04")


def test_another_key_is_another_purchase(floor: Floor, service: Service) -> None:
    service.will(200, answer("a")).will(200, answer("b"))
    task = floor.new(floor.owner())
    assert gemini.picture(buy(task, "one").body).data == b"a"
    assert gemini.picture(buy(task, "two").body).data == b"b"


def test_an_answer_whose_file_is_lost_is_bought_anew(floor: Floor, service: Service) -> None:
    service.will(200, answer("a")).will(200, answer("b"))
    task = floor.new(floor.owner())
    buy(task)
    open_store(floor.settings).delete(floor.one("SELECT storage_key FROM provider_answers"))
    assert gemini.picture(buy(task).body).data == b"b"
    assert gemini.picture(buy(task).body).data == b"b"
    assert len(service.heard) == 2


def test_an_answer_of_another_database_is_not_taken_for_ours(
    floor: Floor, service: Service, make_database: Any
) -> None:
    service.will(200, answer("theirs")).will(200, answer("ours"))
    with make_database() as url:
        other = Floor(Database(url), floor.settings)
        buy(other.new(other.owner()))
        other.database.close()
    assert gemini.picture(buy(floor.new(floor.owner())).body).data == b"ours"


# Crashes between two lines: what a killed worker leaves, and what the next one makes of it.


class Killed(BaseException):
    """Stands for SIGKILL: nothing that is ours catches it."""


def die(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("line", ["_keep", "_record", "_write"])
def test_a_worker_that_dies_after_the_answer_came_does_not_buy_twice(
    floor: Floor, service: Service, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    service.will(200, answer())
    first = floor.new(floor.owner())
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(buying, line, die)
        buy(first)
    floor.kill(first)
    second = floor.take(first.lease.job_id)
    assert gemini.picture(buy(second).body).data == b"picture"
    assert len(service.heard) == 1
    assert floor.one("SELECT sum(amount) FROM charges") == Decimal("0.04")
    assert floor.one("SELECT cost FROM runs") == Decimal("0.04")
    assert rows(floor) == [("old", "succeeded", 200, Decimal("0.04"))]
    assert spooled(floor) == []


def test_what_is_in_the_store_is_found_from_another_machine(
    floor: Floor, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.will(200, answer())
    task = floor.new(floor.owner())
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(buying, "_record", die)
        buy(task)
    for path in spooled(floor):
        path.unlink()
    assert gemini.picture(buy(task).body).data == b"picture"
    assert len(service.heard) == 1
    assert floor.one("SELECT sum(amount) FROM charges") == Decimal("0.04")


def test_what_was_presumed_of_the_dead_is_taken_back(
    floor: Floor, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.will(200, answer())
    first = floor.new(floor.owner())
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(call, "_leave", die)
        buy(first)
    floor.kill(first)
    pace.pull(floor.database)
    assert floor.one("SELECT sum(amount) FROM charges") == Decimal("0.06")
    buy(floor.take(first.lease.job_id))
    assert floor.one("SELECT sum(amount) FROM charges") == Decimal("0.04")
    assert len(service.heard) == 1


def test_a_store_that_is_away_costs_nothing_but_time(floor: Floor, service: Service) -> None:
    service.will(200, answer())
    task = floor.new(floor.owner())
    floor.settings.files_dir.parent.mkdir(exist_ok=True)
    floor.settings.files_dir.write_text("in the way")
    with pytest.raises(DarkroomError):
        buy(task)
    floor.settings.files_dir.unlink()
    assert gemini.picture(buy(task).body).data == b"picture"
    assert len(service.heard) == 1


def test_on_a_full_disk_nothing_is_bought(
    floor: Floor, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "ROOM", 1 << 60)
    with pytest.raises(Transient, match="all but full"):
        buy(floor.new(floor.owner()))
    assert service.heard == []


# Chains.


def test_a_model_that_is_gone_makes_way_for_the_next_and_alerts_once(
    floor: Floor, service: Service
) -> None:
    service.will(404, GONE).will(200, answer()).will(200, answer())
    task = floor.new(floor.owner())
    bought = buy(task, "one")
    assert (bought.model, bought.cost) == ("new", Decimal("0.06"))
    assert [row[:3] for row in rows(floor)] == [("old", "gone", 404), ("new", "succeeded", 200)]
    assert floor.alerts() == ["The model old of gemini is gone"]
    assert state(floor) == ("closed", 0)
    buy(task, "two")
    assert len(service.heard) == 3, "the one that is gone was asked again"
    assert len(floor.alerts()) == 1


def test_a_chain_without_models_is_a_failure_in_words(floor: Floor, service: Service) -> None:
    service.will(404, GONE).will(404, GONE)
    task = floor.new(floor.owner())
    for _ in range(6):
        with pytest.raises(ModelGone, match="DARKROOM_GEMINI_IMAGE_MODELS"):
            buy(task)
    assert len(service.heard) == 2
    assert state(floor) == ("closed", 0), "it is not the provider's health"


def test_a_model_that_was_missed_by_mistake_is_asked_again_later(
    floor: Floor, service: Service
) -> None:
    service.will(404, GONE).will(200, answer()).will(200, answer())
    task = floor.new(floor.owner())
    buy(task, "one")
    floor.do("UPDATE provider_models SET checked_at = checked_at - interval '2 h'")
    assert buy(task, "two").model == "old"
    assert floor.one("SELECT is_there FROM provider_models WHERE model = 'old'")


def test_a_pace_does_not_keep_a_chain_from_its_next_model(floor: Floor, service: Service) -> None:
    paced = floor.with_gates(paces={"catalog": 60.0})
    service.will(404, GONE).will(200, answer())
    assert buy(paced.new(paced.owner()), pace="catalog").model == "new"


# Outcomes.


@pytest.mark.parametrize(
    ("status", "body", "kind", "outcome", "failures"),
    [
        (503, {}, Transient, "transient", 1),
        (200, b"{", Transient, "transient", 1),
        (403, {}, Permanent, "permanent", 1),
        (400, {}, Invalid, "invalid", 0),
        (200, answer(reason="IMAGE_SAFETY", with_picture=False), Refused, "refused", 0),
    ],
)
def test_every_call_has_its_row_and_the_breaker_counts_what_is_the_providers_fault(
    floor: Floor, service: Service, status, body, kind, outcome: str, failures: int
) -> None:
    service.will(status, body)
    with pytest.raises(kind):
        buy(floor.new(floor.owner()))
    assert rows(floor) == [("old", outcome, status, Decimal(0))]
    assert state(floor) == ("closed", failures)
    assert floor.one("SELECT count(*) FROM provider_answers") == 0
    assert floor.one("SELECT count(*) FROM charges") == 0


def test_an_answer_without_a_picture_is_asked_for_once_more(floor: Floor, service: Service) -> None:
    nothing = answer(reason="NO_IMAGE", with_picture=False)
    service.will(200, nothing).will(200, answer())
    assert gemini.picture(buy(floor.new(floor.owner())).body).data == b"picture"
    service.will(200, nothing).will(200, nothing).will(200, answer())
    with pytest.raises(NoPicture, match="NO_IMAGE"):
        buy(floor.new(floor.owner("Ben")), "two")
    assert [row[1] for row in rows(floor)] == ["refused", "succeeded", "refused", "refused"]
    assert state(floor) == ("closed", 0)


def test_a_told_delay_reaches_the_queue(floor: Floor, service: Service) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}
    service.will(429, {"error": {"status": "RESOURCE_EXHAUSTED", "details": [info]}})
    with pytest.raises(Transient) as busy:
        buy(floor.new(floor.owner()))
    assert busy.value.retry_after == timedelta(seconds=34.07)


def test_failures_open_the_breaker_with_an_alert_and_nothing_is_asked_behind_it(
    floor: Floor, service: Service
) -> None:
    for _ in range(5):
        service.will(503, {})
        with pytest.raises(Transient):
            buy(floor.new(floor.owner()))
    with pytest.raises(NotNow) as refusal:
        buy(floor.new(floor.owner()))
    assert (refusal.value.kind, refusal.value.on) == ("breaker", "gemini edit")
    assert len(service.heard) == 5 == len(rows(floor))
    assert len(floor.alerts()) == 1


def test_what_is_bought_already_needs_no_open_gate(floor: Floor, service: Service) -> None:
    service.will(200, answer())
    task = floor.new(floor.owner())
    buy(task)
    with floor.database.session() as session:
        breaker.isolate(session, "gemini", "edit", who="Ana")
    assert gemini.picture(buy(task).body).data == b"picture"


def test_a_budget_is_asked_for_the_dearest_model(floor: Floor, service: Service) -> None:
    poor = floor.with_gates(budget_per_day={"gemini": Decimal("0.05")})
    with pytest.raises(Permanent, match=r"may cost 0\.06 USD"):
        buy(poor.new(poor.owner()))
    assert service.heard == []


def test_calls_that_buy_nothing_have_rows_too(floor: Floor) -> None:
    task = floor.new(floor.owner())
    with calling_provider(task, "wordpress", "upload"):
        pass
    with pytest.raises(Transient), calling_provider(task, "wordpress", "upload"):
        raise Transient("The site is away.")
    query = "SELECT outcome, error, is_sandbox FROM provider_calls ORDER BY id"
    assert [tuple(row) for row in floor.ask(query)] == [
        ("succeeded", None, True),
        ("transient", "The site is away.", True),
    ]


def test_our_key_is_in_no_row_no_file_and_no_log(
    floor: Floor, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.will(200, answer()).will(503, f"down with {KEY}").will(400, f"bad {KEY}")
    task = floor.new(floor.owner())
    buy(task, "one")
    for key in ("two", "three"):
        with pytest.raises(DarkroomError) as caught:
            buy(task, key)
        assert KEY not in repr(caught.value)
    tables = ("provider_calls", "provider_answers", "provider_models", "breakers", "charges")
    written = "".join(
        floor.one(f"SELECT coalesce(json_agg(t)::text, '') FROM {t} t") for t in tables
    )
    files = [path.read_bytes() for path in floor.settings.home.rglob("*") if path.is_file()]
    assert KEY not in written + caplog.text
    assert not any(KEY.encode() in data for data in files)


def test_two_at_once_for_one_key_are_both_on_the_books(floor: Floor, service: Service) -> None:
    service.will(200, answer("a")).will(200, answer("a"))
    both = threading.Barrier(2)
    client = gemini.connect(floor.settings)

    def ask(model: str) -> Any:
        both.wait(10)
        return client.edit(model, "x")

    def one(task: Task) -> None:
        options = {"provider": "gemini", "operation": "edit", "key": "one", "models": CHAIN}
        buying.buy(task, ask=ask, **options)

    tasks = [floor.new(floor.owner()), floor.new(floor.owner("Ben"))]
    threads = [threading.Thread(target=one, args=[task]) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert floor.one("SELECT sum(amount) FROM charges") == Decimal("0.08")
    assert floor.one("SELECT count(*) FROM provider_answers") == 1


# What is old goes.


def test_old_answers_go_with_their_files_and_new_ones_stay(floor: Floor, service: Service) -> None:
    service.will(200, answer()).will(200, answer())
    task = floor.new(floor.owner())
    buy(task, "old")
    buy(task, "young")
    store = open_store(floor.settings)
    floor.do(
        "UPDATE provider_answers SET created_at = now() - interval '31 days'"
        " WHERE answer_key = 'old'"
    )
    spool_dir = floor.settings.spool_dir
    gone = list(retention.delete_answers(floor.database, store, spool_dir, timedelta(days=30)))
    assert sum(each["answers"] for each in gone) == 1
    assert [row[0] for row in floor.ask("SELECT answer_key FROM provider_answers")] == ["young"]
    prefix = spool.prefix(installation(floor.database))
    assert len(list(store.listing(prefix))) == 2, "files go by their own age"


def test_news_of_a_model_is_news_once(floor: Floor) -> None:
    with floor.database.session() as session:
        first = chains.mark(session, "gemini", "a", is_there=False)
        second = chains.mark(session, "gemini", "a", is_there=False)
        back = chains.mark(session, "gemini", "a", is_there=True)
    assert [first, second, back] == [True, False, True]
