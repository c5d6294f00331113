"""Any order of grants, reservations, captures and releases, in connections that commit or die."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings as how
from hypothesis import strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from darkroom.accounts import ledger
from darkroom.accounts import service as accounts
from darkroom.accounts.audit import CLI
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotEnough, NotFound

START = 6
CONNECTIONS = strategies.integers(0, 2)
OWNERS = strategies.integers(0, 1)
AMOUNTS = strategies.integers(-12, 8).filter(bool)
PHOTOS = strategies.sampled_from([UUID(int=1), UUID(int=2)])
PURPOSES = strategies.sampled_from(["unlock", "upscale"])


@dataclass
class Held:
    what: tuple[UUID, str]
    amount: int
    state: str = "open"


@dataclass
class Account:
    """What an owner should have: tokens, and reservations by their id."""

    tokens: int = START
    held: dict[UUID, Held] = field(default_factory=dict)

    def unreleased(self, what: tuple[UUID, str]) -> UUID | None:
        found = [key for key, one in self.held.items() if one.what == what]
        return next((key for key in found if self.held[key].state != "released"), None)


@dataclass
class Connection:
    """An open transaction, and what it makes of the accounts that it holds."""

    session: Session
    staged: dict[int, Account] = field(default_factory=dict)


class LedgerMachine(RuleBasedStateMachine):
    """Two owners and three connections at once. Whose balance is held, others do not get at it."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.connections: dict[int, Connection] = {}

    @initialize()
    def begin(self) -> None:
        with self.database.session() as session:
            self.owners = [accounts.create_user(session, name=name).id for name in ("Ana", "Ben")]
        self.committed = {owner: Account() for owner in self.owners}
        self.whose: dict[UUID, int] = {}

    @rule(connection=CONNECTIONS, owner=OWNERS, amount=AMOUNTS)
    def grant(self, connection: int, owner: int, amount: int) -> None:
        def give(session: Session, number: int, account: Account) -> None:
            if account.tokens + amount < 0:
                with pytest.raises(Invalid):
                    self._grant(session, number, amount)
                return
            account.tokens += amount
            assert self._grant(session, number, amount) == account.tokens

        self._do(connection, self.owners[owner], give)

    @rule(
        connection=CONNECTIONS,
        owner=OWNERS,
        amount=strategies.integers(0, 5),
        photo=PHOTOS,
        purpose=PURPOSES,
    )
    def reserve(self, connection: int, owner: int, amount: int, photo: UUID, purpose: str) -> None:
        def set_aside(session: Session, number: int, account: Account) -> None:
            there = account.unreleased((photo, purpose))
            if there is None and amount > account.tokens:
                with pytest.raises(NotEnough):
                    self._reserve(session, number, amount, photo, purpose)
                return
            got = self._reserve(session, number, amount, photo, purpose)
            if there is not None:
                assert (got.id, got.state) == (there, account.held[there].state)
                return
            assert got.state == "new"
            account.tokens -= amount
            account.held[got.id] = Held((photo, purpose), amount)
            self.whose[got.id] = number

        self._do(connection, self.owners[owner], set_aside)

    @rule(connection=CONNECTIONS, pick=strategies.integers(0, 50))
    def capture(self, connection: int, pick: int) -> None:
        def pay(session: Session, held: Held, key: UUID) -> None:
            if held.state == "released":
                with pytest.raises(Conflict):
                    ledger.capture(session, key)
                return
            assert ledger.capture(session, key) == (held.state == "open")
            held.state = "paid"

        self._close(connection, pick, ledger.capture, pay)

    @rule(connection=CONNECTIONS, pick=strategies.integers(0, 50))
    def release(self, connection: int, pick: int) -> None:
        def give_back(session: Session, held: Held, key: UUID) -> None:
            assert ledger.release(session, key) == (held.state == "open")
            if held.state == "open":
                held.state = "released"
                account = self.connections[connection].staged[self.whose[key]]
                account.tokens += held.amount

        self._close(connection, pick, ledger.release, give_back)

    @rule(connection=CONNECTIONS)
    def commit(self, connection: int) -> None:
        if found := self.connections.pop(connection, None):
            found.session.commit()
            found.session.close()
            self.committed.update(found.staged)

    @rule(connection=CONNECTIONS)
    def crash(self, connection: int) -> None:
        if found := self.connections.pop(connection, None):
            found.session.connection().invalidate()
            found.session.close()

    @invariant()
    def the_tables_say_what_should_be_there(self) -> None:
        if not hasattr(self, "committed"):
            return
        with self.database.session() as session:
            for owner, account in self.committed.items():
                found = _books(session, owner)
                assert found == account or (found is None and account == Account())
            assert session.scalar(text(WRONG)) == 0

    def teardown(self) -> None:
        for connection in list(self.connections):
            self.crash(connection)

    def _do(
        self, connection: int, owner: int, act: Callable[[Session, int, Account], None]
    ) -> None:
        """Act in a connection. If another one holds the owner's balance, that costs this one."""
        here = self._connection(connection)
        others = [one for key, one in self.connections.items() if key != connection]
        if any(owner in one.staged for one in others):
            with pytest.raises(OperationalError, match="lock timeout"):
                act(here.session, owner, deepcopy(self.committed[owner]))
            here.session.rollback()
            here.session.close()
            del self.connections[connection]
            return
        account = here.staged.setdefault(owner, deepcopy(self.committed[owner]))
        act(here.session, owner, account)

    def _close(
        self,
        connection: int,
        pick: int,
        close: Callable[[Session, UUID], bool],
        act: Callable[[Session, Held, UUID], None],
    ) -> None:
        if not self.whose:
            return
        key = list(self.whose)[pick % len(self.whose)]
        owner, here = self.whose[key], self._connection(connection)
        seen = here.staged.get(owner, self.committed[owner])
        if key not in seen.held:
            with pytest.raises(NotFound):
                close(here.session, key)
            return
        self._do(
            connection, owner, lambda session, _, account: act(session, account.held[key], key)
        )

    def _connection(self, number: int) -> Connection:
        if number not in self.connections:
            session = Session(self.database.engine, expire_on_commit=False)
            session.execute(text("SET LOCAL lock_timeout = '5ms'"))
            self.connections[number] = Connection(session)
        return self.connections[number]

    def _grant(self, session: Session, owner: int, amount: int) -> int:
        return ledger.grant(session, owner, amount, actor=CLI, note="", start=START)

    def _reserve(
        self, session: Session, owner: int, amount: int, photo: UUID, purpose: str
    ) -> ledger.Reservation:
        what: dict[str, Any] = {"subject": photo, "purpose": purpose, "run_id": None}
        return ledger.reserve(session, owner, amount, **what, start=START)


WRONG = """
SELECT (SELECT count(*) FROM balances b
        WHERE tokens < 0 OR tokens <> (SELECT sum(amount) FROM ledger WHERE owner_id = b.owner_id))
    + (SELECT count(*) FROM (
        SELECT balance - sum(amount) OVER (PARTITION BY owner_id ORDER BY id) AS off FROM ledger
    ) following WHERE off <> 0)
    + (SELECT count(*) FROM (
        SELECT FROM ledger WHERE entry IN ('capture', 'release')
        GROUP BY reservation HAVING count(*) > 1
    ) closed_twice)
    + (SELECT count(*) FROM (
        SELECT FROM reservations WHERE state <> 'released'
        GROUP BY owner_id, subject, purpose HAVING count(*) > 1
    ) held_twice)
"""


def _books(session: Session, owner: int) -> Account | None:
    """What the tables say of an owner; None while the account is not open."""
    tokens = session.scalar(text("SELECT tokens FROM balances WHERE owner_id = :o"), {"o": owner})
    if tokens is None:
        return None
    rows = session.execute(
        text("SELECT id, subject, purpose, amount, state FROM reservations WHERE owner_id = :o"),
        {"o": owner},
    )
    held = {row.id: Held((row.subject, row.purpose), row.amount, row.state) for row in rows}
    return Account(tokens, held)


def test_in_any_order_with_any_crash_the_books_are_right(database: Database):
    run_state_machine_as_test(
        lambda: LedgerMachine(database),
        settings=how(max_examples=40, stateful_step_count=40),
    )
