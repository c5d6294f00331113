"""Webhooks end to end: real runs, real worker processes, a real HTTP server that receives."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

import jobs.signalling
from darkroom.accounts import service as accounts
from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.queue import control, runs
from darkroom.queue.calls import Call
from darkroom.settings import ROOT
from darkroom.signals import service
from darkroom.signals.models import EVENTS, Webhook
from darkroom.signals.service import DeliveryView
from tests.engine import steps
from tests.engine.receiver import Receiver, receiving
from tests.integration.conftest import Engine

PUBLIC = "93.184.216.34"
ENDED = ("delivered", "skipped", "failed")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def admin(database: Database) -> User:
    with database.session() as session:
        return accounts.ensure_admin(session)


@pytest.fixture
def start_worker(engine: Engine) -> Callable[..., None]:
    """Starts a worker that knows the test steps and delivers, with short times between tries."""

    def start(**environ: str) -> None:
        short = {
            "DARKROOM_WEBHOOK_RETRY_SECONDS": "0.01",
            "DARKROOM_WEBHOOK_TIMEOUT_SECONDS": "5",
            # The engine's own wait may be longer.
            "DARKROOM_BACKOFF_SECONDS": "0.01",
            # One waits behind another's lock: its end must wake the lane, not the clock.
            "DARKROOM_POLL_SECONDS": "60",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.signalling"],
            env={**engine.environ, **short, **environ},
            cwd=ROOT,
        )
        engine.workers.append(process)

    return start


def listen(
    database: Database, owner: User, url: str, events: Sequence[str] = EVENTS, **options: Any
) -> Webhook:
    """A webhook whose name led to a public address when it was made."""
    with database.session() as session:
        return service.create(
            session, owner, url=url, events=events, look=lambda *_: [PUBLIC], **options
        )


def member(database: Database, name: str = "Ana") -> User:
    with database.session() as session:
        return accounts.create_user(session, name=name)


def begin(database: Database, owner: User, call: Call | None = None) -> UUID:
    """A run of the owner's, whose first step is the call."""
    first = call or steps.note.call(word="here")
    with database.session() as session:
        made = runs.start(session, pipeline="test", title="t", owner_id=owner.id, first=first)
        return made.id


def deliveries(database: Database, webhook: Webhook) -> list[DeliveryView]:
    """Oldest first."""
    with database.session() as session:
        return service.deliveries(session, webhook)[::-1]


def events(database: Database, webhook: Webhook) -> list[str]:
    return [delivery.event for delivery in deliveries(database, webhook)]


def ended(engine: Engine, webhook: Webhook, count: int) -> list[DeliveryView]:
    """The deliveries once so many are over."""

    def over() -> bool:
        states = [delivery.state for delivery in deliveries(engine.database, webhook)]
        return sum(state in ENDED for state in states) >= count

    engine.until(over)
    return deliveries(engine.database, webhook)


def set_status(database: Database, run_id: UUID, status: str) -> None:
    with database.session() as session:
        statement = text("UPDATE runs SET status = :status WHERE id = :id")
        session.execute(statement, {"status": status, "id": run_id})


# What is written when


def test_every_change_of_a_runs_status_is_a_delivery(database: Database, admin: User) -> None:
    webhook = listen(database, admin, "http://hook.test/")
    run_id = begin(database, admin)
    for status in ("running", "failed", "running", "completed"):
        set_status(database, run_id, status)
    assert events(database, webhook) == [
        "run.created",
        "run.started",
        "run.failed",
        "run.started",
        "run.succeeded",
    ]


def test_progress_alone_is_no_event(database: Database, admin: User) -> None:
    webhook = listen(database, admin, "http://hook.test/")
    run_id = begin(database, admin)
    with database.session() as session:
        session.execute(text("UPDATE runs SET progress = 0.5"))
    set_status(database, run_id, "pending")
    assert events(database, webhook) == ["run.created"]


def test_a_run_that_was_rolled_back_is_not_announced(database: Database, admin: User) -> None:
    webhook = listen(database, admin, "http://hook.test/")
    with pytest.raises(ZeroDivisionError), database.session() as session:
        runs.create(session, pipeline="test", title="t", owner_id=admin.id)
        raise ZeroDivisionError
    assert events(database, webhook) == []


def test_a_delivery_and_its_job_belong_together(database: Database, admin: User) -> None:
    listen(database, admin, "http://hook.test/", ["run.created"])
    begin(database, admin)
    with database.session() as session:
        found = session.execute(
            text(
                "SELECT j.task_name, j.queue_name, j.args, j.owner_id, s.name, s.run_id,"
                " s.max_attempts, d.id FROM webhook_deliveries d"
                " JOIN procrastinate_jobs j ON j.id = d.job_id JOIN steps s ON s.job_id = j.id"
            )
        ).one()
    deliver = jobs.signalling.deliver
    assert found[:2] == (deliver.name, deliver.lane)
    assert found.args == {"delivery_id": str(found.id)}
    assert (found.owner_id, found.name, found.run_id) == (admin.id, deliver.name, None)
    assert found.max_attempts == deliver.retry.attempts


def test_only_what_was_chosen_is_announced(database: Database, admin: User) -> None:
    webhook = listen(database, admin, "http://hook.test/", ["run.failed", "run.cancelled"])
    for status in ("failed", "cancelled", "completed"):
        set_status(database, begin(database, admin), status)
    assert events(database, webhook) == ["run.failed", "run.cancelled"]


def test_a_paused_webhook_hears_nothing_until_it_is_resumed(
    database: Database, admin: User
) -> None:
    webhook = listen(database, admin, "http://hook.test/", ["run.created"])
    for turn in (service.pause, service.resume):
        with database.session() as session:
            turn(session, session.merge(webhook))
        begin(database, admin)
    assert len(events(database, webhook)) == 1


def test_members_hear_of_their_own_runs_and_administrators_of_all_if_they_want(
    database: Database, admin: User
) -> None:
    ana, eva = member(database), member(database, "Eva")
    of_ana = listen(database, ana, "http://hook.test/", ["run.created"])
    of_admin = listen(database, admin, "http://hook.test/", ["run.created"])
    of_all = listen(database, admin, "http://hook.test/", ["run.created"], all_runs=True)
    for owner in (ana, eva, admin):
        begin(database, owner)
    heard = [len(events(database, webhook)) for webhook in (of_ana, of_admin, of_all)]
    assert heard == [1, 1, 3]


def test_who_is_no_administrator_any_more_hears_of_others_no_more(
    database: Database, admin: User
) -> None:
    webhook = listen(database, admin, "http://hook.test/", ["run.created"], all_runs=True)
    with database.session() as session:
        session.execute(text("UPDATE users SET role = 'member' WHERE id = :id"), {"id": admin.id})
    begin(database, member(database))
    begin(database, admin)
    assert len(events(database, webhook)) == 1


def test_who_was_shut_out_hears_nothing(database: Database, admin: User) -> None:
    ana = member(database)
    webhook = listen(database, ana, "http://hook.test/", ["run.created"])
    with database.session() as session:
        accounts.deactivate(session, session.merge(ana))
    begin(database, ana)
    assert events(database, webhook) == []


def test_members_cannot_ask_for_everybodys_runs(database: Database) -> None:
    with pytest.raises(Invalid) as caught:
        listen(database, member(database), "http://hook.test/", all_runs=True)
    assert (caught.value.field, caught.value.status) == ("all_runs", 403)


def test_members_cannot_name_a_private_address_unless_the_setting_allows(
    database: Database,
) -> None:
    ana = member(database)
    here = {"url": "http://127.0.0.1:9/", "events": EVENTS}
    with database.session() as session:
        with pytest.raises(Invalid, match="not a public one"):
            service.create(session, ana, **here)
        assert service.create(session, ana, **here, private=True).active


def test_a_webhook_deleted_while_a_run_changes_does_not_harm_the_run(
    database: Database, admin: User
) -> None:
    webhook = listen(database, admin, "http://hook.test/", ["run.created"])
    with ThreadPoolExecutor(1) as pool:
        with database.session() as session:
            service.delete(session, service.get(session, webhook.id, None))
            starting = pool.submit(begin, database, admin)
            # It waits for us, or begins after us.
            assert not starting.done()
        run_id = starting.result(timeout=20)
    with database.session() as session:
        assert runs.get(session, run_id) is not None
        assert session.scalar(text("SELECT count(*) FROM webhook_deliveries")) == 0


def test_deliveries_come_page_by_page(database: Database, admin: User) -> None:
    webhook = listen(database, admin, "http://hook.test/", ["run.created"])
    wanted = [begin(database, admin) for _ in range(5)][::-1]
    seen: list[DeliveryView] = []
    with database.session() as session:
        while page := service.deliveries(
            session, webhook, (seen and (seen[-1].created_at, seen[-1].id)) or None, limit=2
        ):
            seen += page
    assert [delivery.run_id for delivery in seen] == wanted


# What is sent


def test_a_run_that_succeeds_is_told_in_order_and_signed(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url)
    start_worker()
    run_id = engine.start_run(steps.relay.call(word="on", left=2))
    got = [receiver.next() for _ in range(3)]
    bodies = [Verifier(webhook.secret).verify(one.body, one.headers) for one in got]
    assert [body["type"] for body in bodies] == ["run.created", "run.started", "run.succeeded"]
    assert [body["timestamp"] for body in bodies] == sorted(body["timestamp"] for body in bodies)
    last = bodies[-1]["data"]["run"]
    assert (last["id"], last["status"], last["progress"]) == (str(run_id), "completed", 1)
    assert last["finished_at"] >= last["started_at"] >= last["created_at"]
    assert {one.headers["Content-Type"] for one in got} == {"application/json"}
    assert len({one.headers["webhook-id"] for one in got}) == 3
    told = ended(engine, webhook, 3)
    assert {(one.state, one.response_status, one.tries) for one in told} == {("delivered", 200, 1)}


def test_a_run_that_fails_is_told_with_its_error(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.failed"])
    start_worker()
    engine.start_run(steps.refuse.call(kind="permanent"))
    got = receiver.next()
    run = Verifier(webhook.secret).verify(got.body, got.headers)["data"]["run"]
    assert run["status"] == "failed" and run["error"]["message"] == "no way"


def test_a_run_that_is_cancelled_is_told(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    listen(engine.database, admin, receiver.url, ["run.cancelled"])
    run_id = engine.start_run(steps.note.call(word="never"))
    with engine.database.session() as session:
        control.cancel(session, run_id)
    start_worker()
    assert b'"run.cancelled"' in receiver.next().body


def test_a_delivery_is_tried_again_under_its_id_until_it_is_taken(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created"])
    receiver.will_answer(500, "in trouble")
    receiver.will_answer(302, Location="/elsewhere")
    receiver.will_answer(204)
    begin(engine.database, admin)
    start_worker()
    got = [receiver.next() for _ in range(3)]
    assert len({one.headers["webhook-id"] for one in got}) == 1
    assert {one.path for one in got} == {"/hook"}
    [told] = ended(engine, webhook, 1)
    assert (told.state, told.tries, told.response_status) == ("delivered", 3, 204)
    assert told.error is None


def test_a_delivery_that_never_works_ends_as_failed_with_the_last_answer(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created"])
    for _ in range(20):
        receiver.will_answer(503, "no", Retry_After="0")
    begin(engine.database, admin)
    # Its waits would add up to days.
    start_worker(DARKROOM_WEBHOOK_RETRY_SECONDS="0")
    [told] = ended(engine, webhook, 1)
    assert (told.state, told.tries) == ("failed", jobs.signalling.deliver.retry.attempts)
    assert (told.response_status, told.response_body) == (503, "no")
    assert told.error == f"http://127.0.0.1:{receiver.port} answered 503."


def test_one_that_fails_does_not_hold_up_those_behind_it(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created", "run.cancelled"])
    receiver.will_answer(500, Retry_After="3600")
    run_id = begin(engine.database, admin)
    set_status(engine.database, run_id, "cancelled")
    start_worker()
    assert b'"run.created"' in receiver.next().body
    assert b'"run.cancelled"' in receiver.next().body
    first, _ = ended(engine, webhook, 1)
    assert first.state == "scheduled" and first.next_try_at is not None


def test_an_endpoint_that_is_gone_is_switched_off(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created", "run.cancelled"])
    receiver.will_answer(410)
    run_id = begin(engine.database, admin)
    set_status(engine.database, run_id, "cancelled")
    start_worker()
    told = ended(engine, webhook, 2)
    assert [(one.state, one.tries) for one in told] == [("skipped", 1), ("skipped", 0)]
    with engine.database.session() as session:
        now = service.get(session, webhook.id, None)
        assert now.state == "disabled" and "410" in (now.disabled_reason or "")
    begin(engine.database, admin)
    assert len(events(engine.database, webhook)) == 2


def test_a_members_name_that_leads_home_by_now_is_not_called(
    engine: Engine, receiver: Receiver, start_worker: Callable[..., None]
) -> None:
    ana = member(engine.database)
    url = f"http://localhost:{receiver.port}/hook"
    webhook = listen(engine.database, ana, url, ["run.created"])
    begin(engine.database, ana)
    start_worker()
    [told] = ended(engine, webhook, 1)
    assert told.state == "failed" and "not a public one" in (told.error or "")
    assert receiver.received.empty()


def test_private_addresses_of_members_are_called_where_the_setting_allows(
    engine: Engine, receiver: Receiver, start_worker: Callable[..., None]
) -> None:
    ana = member(engine.database)
    listen(engine.database, ana, receiver.url, ["run.created"])
    begin(engine.database, ana)
    start_worker(DARKROOM_WEBHOOK_PRIVATE="1")
    assert b'"run.created"' in receiver.next().body


def test_an_endpoint_that_does_not_answer_costs_its_time_and_is_tried_again(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created"])
    receiver.instead = lambda _: receiver.leaving.wait(30)
    begin(engine.database, admin)
    start_worker(DARKROOM_WEBHOOK_TIMEOUT_SECONDS="0.3")
    receiver.next()
    receiver.instead = None
    [told] = ended(engine, webhook, 1)
    assert told.state == "delivered" and told.tries >= 2


def test_a_worker_that_dies_while_it_sends_costs_no_delivery(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created"])
    receiver.instead = lambda _: receiver.leaving.wait(30)
    begin(engine.database, admin)
    start_worker()
    first = receiver.next()
    engine.workers[0].kill()
    receiver.instead = None
    start_worker()
    assert receiver.next().headers["webhook-id"] == first.headers["webhook-id"]
    [told] = ended(engine, webhook, 1)
    assert told.state == "delivered"


# What people do


def test_a_delivery_is_sent_again_on_request(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created"])
    begin(engine.database, admin)
    start_worker()
    first = receiver.next()
    [told] = ended(engine, webhook, 1)
    with engine.database.session() as session:
        service.resend(session, webhook, told.id)
    again = receiver.next()
    assert (again.body, again.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
    engine.until(lambda: deliveries(engine.database, webhook)[0].tries == 2)


def test_one_that_waits_for_its_next_try_goes_now_on_request(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created"])
    receiver.will_answer(500, Retry_After="3600")
    begin(engine.database, admin)
    start_worker()
    receiver.next()
    engine.until(lambda: deliveries(engine.database, webhook)[0].state == "scheduled")
    [told] = deliveries(engine.database, webhook)
    with engine.database.session() as session:
        service.resend(session, webhook, told.id)
    receiver.next()
    [told] = ended(engine, webhook, 1)
    assert (told.state, told.tries) == ("delivered", 2)


def test_one_that_is_on_its_way_is_not_queued_twice(database: Database, admin: User) -> None:
    webhook = listen(database, admin, "http://hook.test/", ["run.created"])
    begin(database, admin)
    [told] = deliveries(database, webhook)
    with database.session() as session:
        service.resend(session, webhook, told.id)
        name = {"name": jobs.signalling.deliver.name}
        counted = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name")
        assert session.scalar(counted, name) == 1


def test_nothing_is_sent_again_to_a_paused_webhook_or_from_another(
    database: Database, admin: User
) -> None:
    webhook = listen(database, admin, "http://hook.test/", ["run.created"])
    other = listen(database, admin, "http://hook.test/", ["run.failed"])
    begin(database, admin)
    [told] = deliveries(database, webhook)
    with database.session() as session:
        with pytest.raises(NotFound):
            service.resend(session, other, told.id)
        service.pause(session, session.merge(webhook))
        with pytest.raises(Conflict, match="Resume it first"):
            service.resend(session, session.get_one(Webhook, webhook.id), told.id)


def test_what_is_on_its_way_to_a_paused_webhook_is_skipped(
    engine: Engine, receiver: Receiver, admin: User, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, receiver.url, ["run.created"])
    begin(engine.database, admin)
    with engine.database.session() as session:
        service.pause(session, session.merge(webhook))
    start_worker()
    [told] = ended(engine, webhook, 1)
    assert told.state == "skipped" and receiver.received.empty()


def test_what_is_on_its_way_to_a_deleted_webhook_ends_quietly(
    engine: Engine, admin: User, tmp_path: Path, start_worker: Callable[..., None]
) -> None:
    webhook = listen(engine.database, admin, "http://hook.test/", ["run.created"])
    begin(engine.database, admin)
    with engine.database.session() as session:
        service.delete(session, service.get(session, webhook.id, None))
    start_worker()

    def done() -> bool:
        with engine.database.session() as session:
            found = text("SELECT status::text FROM procrastinate_jobs WHERE task_name = :name")
            statuses = session.scalars(found, {"name": jobs.signalling.deliver.name})
            return list(statuses) == ["succeeded"]

    engine.until(done)
