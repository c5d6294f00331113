"""The ledger: balances that are sums, never below zero; what is paid is paid once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.accounts import ledger
from darkroom.accounts import service as accounts
from darkroom.accounts.audit import CLI, AuditRow
from darkroom.accounts.ledger import Entry, Reservation
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotEnough, NotFound

START = 20
PHOTO, OTHER_PHOTO = UUID(int=1), UUID(int=2)


@pytest.fixture
def ana(database: Database) -> int:
    return person(database, "Ana")


def person(database: Database, name: str) -> int:
    with database.session() as session:
        return accounts.create_user(session, name=name).id


def has(database: Database, owner: int, start: int = START) -> int:
    with database.session() as session:
        return ledger.balance(session, owner, start=start)


def grant(database: Database, owner: int, amount: int, note: str = "") -> int:
    with database.session() as session:
        return ledger.grant(session, owner, amount, actor=CLI, note=note, start=START)


def reserve(
    database: Database,
    owner: int,
    amount: int = 5,
    subject: UUID = PHOTO,
    purpose: str = "unlock",
    run_id: UUID | None = None,
) -> Reservation:
    with database.session() as session:
        return ledger.reserve(
            session, owner, amount, subject=subject, purpose=purpose, run_id=run_id, start=START
        )


def capture(database: Database, reservation: UUID) -> bool:
    with database.session() as session:
        return ledger.capture(session, reservation)


def release(database: Database, reservation: UUID) -> bool:
    with database.session() as session:
        return ledger.release(session, reservation)


def entries(database: Database, owner: int) -> list[Entry]:
    with database.session() as session:
        return ledger.entries(session, owner, None, 100)


def story(database: Database, owner: int) -> list[tuple[str, int, int]]:
    """Entry, amount and balance after it, oldest first."""
    return [(row.entry, row.amount, row.balance) for row in reversed(entries(database, owner))]


def all_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What they answer or raise, each in a thread and a connection of its own."""
    ready = Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        ready.wait()
        try:
            return call()
        except Invalid as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


# What people begin with and are given


def test_an_account_opens_with_the_starting_grant(database: Database, ana: int):
    assert has(database, ana) == START
    [row] = entries(database, ana)
    assert (row.entry, row.purpose, row.amount, row.balance) == ("grant", "start", START, START)


def test_the_starting_grant_is_given_once_whatever_the_setting_becomes(
    database: Database, ana: int
):
    assert [has(database, ana, start=0), has(database, ana, start=50)] == [0, 0]


def test_users_made_by_sql_have_the_starting_grant_too(database: Database):
    with database.session() as session:
        made = session.execute(text("INSERT INTO users (name) VALUES ('Ben') RETURNING id"))
        owner = made.scalar_one()
    assert has(database, owner) == START


def test_balances_of_many_are_asked_for_at_once(database: Database, ana: int):
    ben, cleo = person(database, "Ben"), person(database, "Cleo")
    grant(database, ben, 7)
    with database.session() as session:
        assert ledger.balances(session, [ana, ben], start=START) == {ana: START, ben: START + 7}
        assert session.scalar(text("SELECT count(*) FROM balances")) == 2, cleo


def test_a_grant_adds_and_is_on_record_with_who_and_why(database: Database, ana: int):
    assert grant(database, ana, 30, " for the spring ") == START + 30
    row = entries(database, ana)[0]
    assert (row.amount, row.balance, row.purpose) == (30, START + 30, "grant")
    assert (row.actor, row.note) == ("cli", "for the spring")
    with database.session() as session:
        [audited] = session.scalars(select(AuditRow))
    assert (audited.action, audited.subject) == ("tokens.grant", "Ana")
    assert audited.filter == {"tokens": 30, "note": "for the spring"}


def test_a_correction_takes_down_to_zero(database: Database, ana: int):
    assert grant(database, ana, -START) == 0


def test_a_correction_below_zero_is_refused_and_leaves_no_trace(database: Database, ana: int):
    with pytest.raises(Invalid, match=r"Only 20 tokens are there") as refused:
        grant(database, ana, -START - 1)
    assert refused.value.field == "tokens"
    assert story(database, ana) == []
    with database.session() as session:
        assert session.scalars(select(AuditRow)).all() == []


@pytest.mark.parametrize(
    ("amount", "note", "field"),
    [
        (0, "", "tokens"),
        (1_000_001, "", "tokens"),
        (-1_000_001, "", "tokens"),
        (1, "x" * 201, "note"),
        (1, "a\x00b", "note"),
    ],
)
def test_a_grant_out_of_bounds_names_its_field(
    database: Database, ana: int, amount: int, note: str, field: str
):
    with pytest.raises(Invalid) as refused:
        grant(database, ana, amount, note)
    assert refused.value.field == field


@pytest.mark.parametrize(("given", "amount"), [(5, 5), ("5", 5), (" -12 ", -12), ("+3", 3)])
def test_tokens_are_read_as_people_and_programs_write_them(given: object, amount: int):
    assert ledger.amount_of(given) == amount


@pytest.mark.parametrize("given", [None, "", "2.5", 2.5, True, "five", "٣", 10**9, "1e3", [5]])
def test_what_is_no_number_of_tokens_is_refused(given: object):
    with pytest.raises(Invalid, match="whole number from -1000000 to 1000000") as refused:
        ledger.amount_of(given)
    assert refused.value.field == "tokens"


# Setting aside, paying, giving back


def test_what_is_reserved_is_gone_from_the_balance(database: Database, ana: int):
    run = uuid4()
    held = reserve(database, ana, 5, run_id=run)
    assert (held.amount, held.state, held.run_id) == (5, "new", run)
    assert story(database, ana) == [("grant", 20, 20), ("reserve", -5, 15)]


def test_what_is_captured_is_paid(database: Database, ana: int):
    held = reserve(database, ana)
    assert capture(database, held.id)
    assert story(database, ana)[1:] == [("reserve", -5, 15), ("capture", 0, 15)]
    paid = entries(database, ana)[0]
    assert (paid.reservation, paid.subject, paid.purpose) == (held.id, PHOTO, "unlock")


def test_what_is_released_is_back(database: Database, ana: int):
    assert release(database, reserve(database, ana).id)
    assert story(database, ana)[1:] == [("reserve", -5, 15), ("release", 5, 20)]


def test_closing_again_does_nothing(database: Database, ana: int):
    paid, back = reserve(database, ana), reserve(database, ana, subject=OTHER_PHOTO)
    assert capture(database, paid.id) and release(database, back.id)
    before = story(database, ana)
    assert not capture(database, paid.id)
    assert not release(database, paid.id)
    assert not release(database, back.id)
    assert story(database, ana) == before


def test_what_was_given_back_cannot_be_paid_any_more(database: Database, ana: int):
    held = reserve(database, ana)
    release(database, held.id)
    with pytest.raises(Conflict, match="reserve them again"):
        capture(database, held.id)
    assert has(database, ana) == START


def test_closing_what_never_was_is_said(database: Database, ana: int):
    for close in (capture, release):
        with pytest.raises(NotFound, match="no such reservation"):
            close(database, uuid4())


def test_a_second_click_gets_the_open_reservation_and_its_run(database: Database, ana: int):
    run = uuid4()
    first = reserve(database, ana, 5, run_id=run)
    assert reserve(database, ana, 9, run_id=uuid4()) == Reservation(first.id, 5, "open", run)
    assert has(database, ana) == START - 5


def test_what_is_paid_for_is_not_reserved_again(database: Database, ana: int):
    first = reserve(database, ana)
    capture(database, first.id)
    assert reserve(database, ana) == Reservation(first.id, 5, "paid", None)
    assert has(database, ana) == START - 5


def test_after_a_release_it_can_be_reserved_anew(database: Database, ana: int):
    first = reserve(database, ana)
    release(database, first.id)
    again = reserve(database, ana)
    assert again.state == "new" and again.id != first.id
    assert capture(database, again.id)


def test_purposes_photos_and_people_are_paid_apart(database: Database, ana: int):
    ben = person(database, "Ben")
    held = [
        reserve(database, ana),
        reserve(database, ana, 3, purpose="upscale"),
        reserve(database, ana, subject=OTHER_PHOTO),
        reserve(database, ben),
    ]
    assert [one.state for one in held] == ["new"] * 4
    assert (has(database, ana), has(database, ben)) == (START - 13, START - 5)


def test_too_few_tokens_set_nothing_aside(database: Database, ana: int):
    with pytest.raises(NotEnough) as short:
        reserve(database, ana, START + 1)
    assert (short.value.needed, short.value.have, short.value.status) == (21, 20, 402)
    assert has(database, ana) == START
    assert reserve(database, ana, START).state == "new"


def test_what_is_free_is_reserved_and_paid_without_tokens(database: Database, ana: int):
    grant(database, ana, -START)
    free = reserve(database, ana, 0, purpose="preview")
    assert capture(database, free.id)
    assert has(database, ana) == 0


def test_a_run_that_comes_to_nothing_gives_back_what_is_still_open(database: Database, ana: int):
    run = uuid4()
    paid = reserve(database, ana, 5, run_id=run)
    capture(database, paid.id)
    reserve(database, ana, 3, purpose="upscale", run_id=run)
    reserve(database, ana, 2, subject=OTHER_PHOTO, run_id=uuid4())

    def release_run() -> Any:
        with database.session() as session:
            return session.scalar(text("SELECT darkroom_release_run_v1(:run)"), {"run": run})

    assert [release_run(), release_run()] == [1, 0]
    assert has(database, ana) == START - 5 - 2


def test_only_what_is_captured_counts_as_paid(database: Database, ana: int):
    def is_paid(subject: UUID = PHOTO, purpose: str = "unlock") -> bool:
        with database.session() as session:
            return ledger.is_paid(session, ana, subject=subject, purpose=purpose)

    held = reserve(database, ana)
    assert not is_paid()
    capture(database, held.id)
    assert [is_paid(), is_paid(OTHER_PHOTO), is_paid(purpose="upscale")] == [True, False, False]


def test_what_is_open_for_a_run_is_found(database: Database, ana: int):
    run = uuid4()
    paid, back = (reserve(database, ana, 1, purpose=word, run_id=run).id for word in "ab")
    capture(database, paid)
    release(database, back)
    held = [reserve(database, ana, 2, purpose=word, run_id=run) for word in "cd"]
    reserve(database, ana, 1, run_id=uuid4())
    with database.session() as session:
        found = ledger.open_of_run(session, run)
    assert found == [Reservation(one.id, 2, "open", run) for one in held]


def test_a_crash_before_the_commit_leaves_nothing(database: Database, ana: int):
    has(database, ana)
    with pytest.raises(RuntimeError), database.session() as session:
        ledger.reserve(session, ana, 5, subject=PHOTO, purpose="unlock", run_id=None, start=START)
        raise RuntimeError("killed")
    assert story(database, ana) == [("grant", 20, 20)]


def test_entries_are_read_in_pages(database: Database, ana: int):
    for amount in range(1, 6):
        grant(database, ana, amount)
    with database.session() as session:
        newest = ledger.entries(session, ana, None, 2)
        older = ledger.entries(session, ana, newest[-1].id, 10)
    assert [row.amount for row in newest + older] == [5, 4, 3, 2, 1, START]


# All at once


def test_of_twenty_at_once_exactly_those_that_fit_get_the_last_tokens(database: Database, ana: int):
    has(database, ana)
    photos = [UUID(int=100 + number) for number in range(20)]
    answers = all_at_once([lambda p=p: reserve(database, ana, 3, p) for p in photos])
    got = [one for one in answers if isinstance(one, Reservation)]
    assert len(got) == 6
    assert all(isinstance(one, NotEnough) for one in answers if one not in got)
    assert has(database, ana) == 2


def test_of_twenty_clicks_at_once_one_reserves_and_the_rest_get_the_same(
    database: Database, ana: int
):
    has(database, ana)
    answers = all_at_once([lambda: reserve(database, ana)] * 20)
    assert sorted(one.state for one in answers) == ["new"] + ["open"] * 19
    assert len({one.id for one in answers}) == 1
    assert has(database, ana) == START - 5


def test_of_captures_and_releases_at_once_one_counts(database: Database, ana: int):
    held = reserve(database, ana).id
    calls: list[Callable[[], Any]] = [lambda: capture(database, held)] * 8
    calls += [lambda: release(database, held)] * 8
    answers = all_at_once(calls)
    assert answers.count(True) == 1
    was_paid = True in answers[:8]
    assert has(database, ana) == (START - 5 if was_paid else START)


def test_an_account_that_twenty_open_at_once_gets_one_grant(database: Database, ana: int):
    assert all_at_once([lambda: has(database, ana)] * 20) == [START] * 20
    assert story(database, ana) == [("grant", START, START)]


def test_grants_and_corrections_at_once_never_take_more_than_there_is(database: Database, ana: int):
    calls: list[Callable[[], Any]] = [lambda: grant(database, ana, -9)] * 10
    calls += [lambda: grant(database, ana, 4)] * 10
    done = [one for one in all_at_once(calls) if isinstance(one, int)]
    assert has(database, ana) == story(database, ana)[-1][2] >= 0
    assert len(done) == len(story(database, ana)) - 1


# What the tables themselves hold on to


def run(session: Session, statement: str, **values: Any) -> None:
    session.execute(text(statement), values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET amount = 100",
        "UPDATE ledger SET note = 'other' WHERE false",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "UPDATE balances SET tokens = 100",
        "DELETE FROM balances",
        "TRUNCATE balances CASCADE",
        "TRUNCATE users CASCADE",
        "DELETE FROM users WHERE name = 'Ana'",
    ],
)
def test_what_is_entered_stays(database: Database, ana: int, statement: str):
    reserve(database, ana)
    with pytest.raises(IntegrityError), database.session() as session:
        run(session, statement)
    assert story(database, ana) == [("grant", 20, 20), ("reserve", -5, 15)]


ENTER = (
    "INSERT INTO ledger (owner_id, entry, amount, reservation, purpose, subject) "
    "VALUES (:owner, :entry, :amount, :reservation, :purpose, :subject)"
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"entry": "grant", "amount": -100, "purpose": "grant"},
        {"entry": "grant", "amount": 0, "purpose": "grant"},
        {"entry": "grant", "amount": 5, "purpose": "start"},
        {"entry": "grant", "amount": 5, "purpose": "unlock"},
        {"entry": "reserve", "amount": -1000, "reservation": uuid4()},
        {"entry": "reserve", "amount": 5, "reservation": uuid4()},
        {"entry": "reserve", "amount": -1, "reservation": uuid4(), "purpose": "paid"},
        {"entry": "reserve", "amount": -1, "reservation": uuid4(), "purpose": "open"},
        {"entry": "capture", "amount": 0, "reservation": uuid4()},
        {"entry": "capture", "amount": 0, "reservation": "paid", "purpose": "paid"},
        {"entry": "capture", "amount": 0, "reservation": "open", "purpose": "other"},
        {"entry": "capture", "amount": -1, "reservation": "open", "purpose": "open"},
        {"entry": "release", "amount": 6, "reservation": "open", "purpose": "open"},
        {"entry": "release", "amount": 5, "reservation": "paid", "purpose": "paid"},
    ],
)
def test_entries_that_do_not_fit_are_refused_by_the_tables(
    database: Database, ana: int, wrong: dict[str, Any]
):
    held = {"paid": reserve(database, ana, purpose="paid").id}
    held["open"] = reserve(database, ana, purpose="open").id
    capture(database, held["paid"])
    before = story(database, ana)
    values = {"owner": ana, "reservation": None, "purpose": "unlock"} | wrong
    values["reservation"] = held.get(values["reservation"], values["reservation"])
    values["subject"] = None if wrong["entry"] == "grant" else PHOTO
    with pytest.raises(IntegrityError), database.session() as session:
        run(session, ENTER, **values)
    assert story(database, ana) == before


def test_an_entry_without_an_open_account_is_refused(database: Database, ana: int):
    values = {"owner": ana, "reservation": None, "subject": None}
    with pytest.raises(IntegrityError, match="has no open account"), database.session() as session:
        run(session, ENTER, **values, entry="grant", amount=5, purpose="grant")


def test_a_balance_cannot_begin_with_tokens(database: Database, ana: int):
    with pytest.raises(IntegrityError), database.session() as session:
        run(session, "INSERT INTO balances (owner_id, tokens) VALUES (:ana, 5)", ana=ana)
