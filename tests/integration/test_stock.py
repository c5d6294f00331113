"""Stock: counts entered once, moved by people, never below zero, never rewritten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.counting.models import PhotoSession
from darkroom.counting.places.models import StorageLocation
from darkroom.counting.stock import moves, service
from darkroom.counting.stock.models import StockBatch, StockMovement
from darkroom.counting.stock.moves import Entry
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotFound
from tests.integration.stocked import Nursery, counted, movements, nursery, quantities


@pytest.fixture
def place(database: Database) -> Nursery:
    return nursery(database)


@pytest.fixture
def whole(database: Database) -> Nursery:
    """A nursery whose first bench is always counted as a whole."""
    return nursery(database, counts_whole_location=True)


def entry(place: Nursery, quantity: int = 100, **more: Any) -> Entry:
    given = {
        "storage_location_id": place.bench,
        "product_id": place.product,
        "product_state_id": None,
        "container_type_id": None,
        "quantity": quantity,
        "notes": "",
    }
    return Entry(**given | more)


def enter(database: Database, place: Nursery, quantity: int = 100) -> int:
    with database.session() as session:
        return moves.enter(session, entry(place, quantity), place.user, uuid4()).id


def enter_count(database: Database, session_pk: int) -> StockBatch | None:
    with database.session() as session:
        return service.enter_count(session, session.get_one(PhotoSession, session_pk))


def review(database: Database, place: Nursery, session_pk: int, total: int) -> StockBatch | None:
    with database.session() as session:
        photos = session.get_one(PhotoSession, session_pk)
        return service.adjust_to(session, photos, total, place.user, "Counted by hand.")


def make_count(database: Database, place: Nursery, *figures: int, **more: Any) -> int:
    with database.session() as session:
        return counted(session, place, *figures, **more)


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


# Counts


def test_a_count_is_one_batch_of_what_was_seen_and_estimated(database: Database, place: Nursery):
    batch = enter_count(database, make_count(database, place, 40, 2))
    assert batch is not None
    assert (batch.total_detected, batch.total_estimated) == (40, 2)
    assert batch.quantity_initial == batch.quantity_current == 42
    assert movements(database) == [("foto", "ia", 42)]
    with database.session() as session:
        day = session.scalar(text("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')"))
    assert batch.batch_code == f"LOC{place.bench}-PROD{place.product}-{day}-001"


def test_the_day_in_a_batch_code_is_that_of_the_time_zone(database: Database, place: Nursery):
    days = set()
    # 26 hours apart: never the same day.
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        with database.session() as session:
            batch = moves.enter(session, entry(place), place.user, uuid4(), zone)
            days.add(batch.batch_code.split("-")[2])
            today = text("SELECT to_char(now() AT TIME ZONE :zone, 'YYYYMMDD')")
            assert batch.batch_code.split("-")[2] == session.scalar(today, {"zone": zone})
    assert len(days) == 2


def test_a_count_entered_again_changes_nothing(database: Database, place: Nursery):
    count = make_count(database, place, 40, 2)
    first, second = enter_count(database, count), enter_count(database, count)
    assert first and second and first.id == second.id
    assert movements(database) == [("foto", "ia", 42)]


def test_a_retry_that_counts_more_enters_only_the_difference(database: Database, place: Nursery):
    count = make_count(database, place, 40, 2)
    enter_count(database, count)
    with database.session() as session:
        session.get_one(PhotoSession, count).total_detected = 50
    batch = enter_count(database, count)
    assert batch and (batch.quantity_initial, batch.quantity_current) == (42, 52)
    assert movements(database) == [("foto", "ia", 42), ("adjustment", "ia", 10)]


def test_a_count_entered_by_several_at_once_is_one_batch(database: Database, place: Nursery):
    count = make_count(database, place, 40, 2)
    found = all_at_once([lambda: enter_count(database, count)] * 6)
    assert len({batch.id for batch in found}) == 1
    assert movements(database) == [("foto", "ia", 42)]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"needs_review": True}, service.REVIEW),
        ({"storage_location_id": None}, service.LOCATION),
        ({"expected_product_id": None}, service.PRODUCT),
    ],
)
def test_a_count_that_does_not_belong_there_is_not_entered(
    database: Database, place: Nursery, more: dict[str, Any], reason: str
):
    count = make_count(database, place, 40, 2, **more)
    assert enter_count(database, count) is None
    with database.session() as session:
        assert service.why_not(session.get_one(PhotoSession, count)) == reason
    assert quantities(database) == []


def test_a_rerun_is_never_entered(database: Database, place: Nursery):
    first = make_count(database, place, 40, 2)
    again = make_count(database, place, 41, 3, rerun_of_id=first)
    assert enter_count(database, again) is None
    assert review(database, place, again, 44) is None


def test_a_reviewed_count_is_entered_as_counted_and_then_adjusted(
    database: Database, place: Nursery
):
    count = make_count(database, place, 40, 2, needs_review=True)
    batch = review(database, place, count, 45)
    assert batch and (batch.quantity_initial, batch.quantity_current) == (42, 45)
    assert movements(database) == [("foto", "ia", 42), ("adjustment", "manual", 3)]


def test_a_second_review_writes_only_the_difference(database: Database, place: Nursery):
    count = make_count(database, place, 40, 2)
    enter_count(database, count)
    for total in (45, 45, 41):
        review(database, place, count, total)
    assert [quantity for _, _, quantity in movements(database)] == [42, 3, -4]


def test_a_retry_after_a_review_keeps_what_people_said(database: Database, place: Nursery):
    count = make_count(database, place, 40, 2, total_reviewed=45)
    review(database, place, count, 45)
    enter_count(database, count)
    assert quantities(database) == [45]


def test_a_review_leaves_alone_what_has_left_the_batch(database: Database, place: Nursery):
    count = make_count(database, place, 40, 2)
    batch = enter_count(database, count)
    assert batch
    with database.session() as session:
        moves.lose(session, batch.id, 12, place.user, uuid4(), reason="Frost")
    review(database, place, count, 45)
    assert quantities(database) == [33]


def sold_but_two(database: Database, place: Nursery) -> int:
    """A count of 42 in the stock, of which 40 are gone."""
    count = make_count(database, place, 40, 2)
    batch = enter_count(database, count)
    assert batch
    with database.session() as session:
        moves.lose(session, batch.id, 40, place.user, uuid4(), reason="Frost")
    return count


def test_a_review_takes_no_more_than_is_left_and_names_the_rest(database: Database, place: Nursery):
    count = sold_but_two(database, place)
    review(database, place, count, 30)
    assert quantities(database) == [0]
    with database.session() as session:
        last = session.scalars(select(StockMovement).order_by(StockMovement.id.desc())).first()
        assert last and (last.quantity, last.source_type) == (-2, "manual")
        assert last.reason == "More plants have left the batch than were counted: 10."


def test_a_review_of_an_empty_batch_moves_nothing(database: Database, place: Nursery):
    count = sold_but_two(database, place)
    for total in (40, 30):
        review(database, place, count, total)
    assert movements(database)[2:] == [("adjustment", "manual", -2)]


def test_what_could_not_be_taken_is_not_given_back_later(database: Database, place: Nursery):
    count = sold_but_two(database, place)
    for total in (30, 45):
        review(database, place, count, total)
    assert quantities(database) == [5]


def test_a_retry_that_counts_less_than_was_sold_empties_the_batch(
    database: Database, place: Nursery
):
    count = sold_but_two(database, place)
    with database.session() as session:
        session.get_one(PhotoSession, count).total_detected = 28
    enter_count(database, count)
    assert quantities(database) == [0]


def test_a_count_of_the_whole_location_takes_the_place_of_earlier_ones(
    database: Database, whole: Nursery
):
    enter(database, whole, 7)
    for figures in ((40, 2), (30, 1)):
        enter_count(database, make_count(database, whole, *figures))
    assert quantities(database) == [7, 0, 31]
    with database.session() as session:
        newest = session.scalars(select(PhotoSession).order_by(PhotoSession.id.desc())).first()
        closing = session.scalars(select(StockMovement).where(StockMovement.quantity == -42)).one()
        assert newest and str(newest.session_id) in closing.reason
        assert closing.processing_session_id == newest.id


def test_an_earlier_count_reviewed_late_does_not_come_back(database: Database, whole: Nursery):
    earlier = make_count(database, whole, 40, 2, needs_review=True)
    enter_count(database, make_count(database, whole, 30, 1))
    for total in (45, 50):
        review(database, whole, earlier, total)
    assert quantities(database) == [31, 0]
    assert movements(database)[1:] == [("foto", "ia", 42), ("adjustment", "ia", -42)]


def test_counts_of_the_whole_location_at_once_leave_one(database: Database, whole: Nursery):
    counts = [make_count(database, whole, 10 * number, 0) for number in range(1, 7)]
    all_at_once([lambda count=count: enter_count(database, count) for count in counts])
    assert sorted(quantities(database)) == [0, 0, 0, 0, 0, 60]


# Batch codes


def test_batch_codes_are_a_sequence_without_gaps_or_doubles(database: Database, place: Nursery):
    def several() -> list[str]:
        codes = []
        for _ in range(10):
            with database.session() as session:
                codes.append(moves.enter(session, entry(place), place.user, uuid4()).batch_code)
        return codes

    found = all_at_once([several] * 8)
    numbers = sorted(int(code.rpartition("-")[2]) for codes in found for code in codes)
    assert numbers == list(range(1, 81))


def test_a_number_given_back_by_a_failure_is_given_out_again(database: Database, place: Nursery):
    with pytest.raises(RuntimeError), database.session() as session:
        moves.enter(session, entry(place), place.user, uuid4())
        raise RuntimeError
    enter(database, place)
    with database.session() as session:
        assert session.scalars(select(StockBatch)).one().batch_code.endswith("-001")


def test_after_the_999th_batch_of_a_day_comes_the_1000th(database: Database, place: Nursery):
    enter(database, place)
    with database.session() as session:
        session.execute(text("UPDATE batch_numbers SET last_number = 998"))
    enter(database, place)
    enter(database, place)
    with database.session() as session:
        codes = session.scalars(select(StockBatch.batch_code).order_by(StockBatch.id)).all()
    assert [code.rpartition("-")[2] for code in codes] == ["001", "999", "1000"]


# By hand


def test_plants_are_entered_by_hand_in_the_default_state(database: Database, place: Nursery):
    with database.session() as session:
        batch = moves.enter(session, entry(place, 12, notes=" From seed "), place.user, uuid4())
    assert (batch.quantity_current, batch.product_state_id) == (12, place.state)
    assert (batch.total_detected, batch.notes) == (None, "From seed")
    assert movements(database) == [("manual", "manual", 12)]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"storage_location_id": 9999}, "location"),
        ({"product_id": 9999}, "product"),
        ({"product_state_id": 9999}, "state"),
        ({"container_type_id": 9999}, "container_type"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 10**8}, "quantity"),
        ({"notes": "x" * 1001}, "notes"),
        ({"notes": "a\x00b"}, "notes"),
    ],
)
def test_what_cannot_be_entered_names_its_field(
    database: Database, place: Nursery, more: dict[str, Any], field: str
):
    with pytest.raises(Invalid) as caught, database.session() as session:
        moves.enter(session, entry(place, **more), place.user, uuid4())
    assert caught.value.field == field
    assert quantities(database) == []


def test_an_adjustment_says_what_is_there(database: Database, place: Nursery):
    batch = enter(database, place, 100)
    with database.session() as session:
        moves.adjust(session, batch, 93, place.user, uuid4(), reason="Counted")
        moves.adjust(session, batch, 95, place.user, uuid4(), reason="Counted again")
    assert quantities(database) == [95]
    assert movements(database)[1:] == [
        ("adjustment", "manual", -7),
        ("adjustment", "manual", 2),
    ]


def test_an_adjustment_to_what_is_there_is_refused(database: Database, place: Nursery):
    batch = enter(database, place, 100)
    with (
        pytest.raises(Conflict, match="holds 100 plants already"),
        database.session() as session,
    ):
        moves.adjust(session, batch, 100, place.user, uuid4(), reason="Counted")


@pytest.mark.parametrize("act", [moves.adjust, moves.lose])
def test_a_change_without_a_reason_is_refused(database: Database, place: Nursery, act: Any):
    batch = enter(database, place)
    with pytest.raises(Invalid) as caught, database.session() as session:
        act(session, batch, 3, place.user, uuid4(), reason="  ")
    assert caught.value.field == "reason"


def test_a_batch_that_does_not_exist_cannot_be_changed(database: Database, place: Nursery):
    with pytest.raises(NotFound), database.session() as session:
        moves.lose(session, 77, 3, place.user, uuid4(), reason="Frost")


def test_no_more_can_be_lost_than_is_there(database: Database, place: Nursery):
    batch = enter(database, place, 5)
    with (
        pytest.raises(Conflict, match="holds 5 plants; 6 cannot be taken"),
        database.session() as session,
    ):
        moves.lose(session, batch, 6, place.user, uuid4(), reason="Frost")
    assert quantities(database) == [5]


def test_losses_at_once_never_go_below_zero(database: Database, place: Nursery):
    batch = enter(database, place, 5)

    def lose() -> int:
        with database.session() as session:
            moves.lose(session, batch, 1, place.user, uuid4(), reason="Frost")
            return 1

    found = all_at_once([lose] * 8)
    assert sum(answer == 1 for answer in found) == 5
    assert sum(isinstance(answer, Conflict) for answer in found) == 3
    assert quantities(database) == [0]


def test_a_movement_sent_twice_at_once_is_written_once(database: Database, place: Nursery):
    batch, same = enter(database, place, 5), uuid4()

    def lose() -> None:
        with database.session() as session:
            moves.lose(session, batch, 2, place.user, same, reason="Frost")

    all_at_once([lose] * 4)
    assert quantities(database) == [3]


def test_an_entry_sent_twice_at_once_is_one_batch(database: Database, place: Nursery):
    same = uuid4()

    def send() -> int:
        with database.session() as session:
            return moves.enter(session, entry(place), place.user, same).id

    assert len(set(all_at_once([send] * 4))) == 1
    assert quantities(database) == [100]


def test_a_transfer_is_one_movement_on_each_side(database: Database, place: Nursery):
    batch = enter(database, place, 100)
    with database.session() as session:
        there = moves.transfer(session, batch, place.other_bench, 30, place.user, uuid4())
        assert there.storage_location_id == place.other_bench
        assert there.quantity_initial == there.quantity_current == 30
    assert quantities(database) == [70, 30]
    with database.session() as session:
        sides = session.scalars(
            select(StockMovement).where(StockMovement.movement_type == "transfer")
        ).all()
    assert sorted(side.quantity for side in sides) == [-30, 30]
    assert len({side.transfer_id for side in sides}) == 1


def test_a_transfer_sent_twice_moves_once(database: Database, place: Nursery):
    batch, same = enter(database, place, 100), uuid4()
    for _ in range(2):
        with database.session() as session:
            there = moves.transfer(session, batch, place.other_bench, 30, place.user, same)
    assert there.quantity_current == 30
    assert quantities(database) == [70, 30]


def test_a_transfer_that_fails_halfway_leaves_both_sides_as_they_were(
    database: Database, place: Nursery
):
    batch = enter(database, place, 100)
    with pytest.raises(RuntimeError), database.session() as session:
        moves.transfer(session, batch, place.other_bench, 30, place.user, uuid4())
        raise RuntimeError
    assert quantities(database) == [100]


def test_a_transfer_of_more_than_is_there_moves_nothing(database: Database, place: Nursery):
    batch = enter(database, place, 100)
    with pytest.raises(Conflict, match="holds 100 plants"), database.session() as session:
        moves.transfer(session, batch, place.other_bench, 101, place.user, uuid4())
    assert quantities(database) == [100]


@pytest.mark.parametrize("case", ["unknown", "inactive", "same"])
def test_a_transfer_goes_only_to_another_location_in_use(
    database: Database, place: Nursery, case: str
):
    batch = enter(database, place, 100)
    target = {"unknown": 9999, "inactive": place.other_bench, "same": place.bench}[case]
    with database.session() as session:
        session.get_one(StorageLocation, place.other_bench).is_active = False
    with pytest.raises(Invalid) as caught, database.session() as session:
        moves.transfer(session, batch, target, 30, place.user, uuid4())
    assert caught.value.field == "location"
    assert quantities(database) == [100]


def test_transfers_to_and_fro_at_once_lose_no_plant(database: Database, place: Nursery):
    here = enter(database, place, 50)
    with database.session() as session:
        there = moves.enter(
            session, entry(place, 50, storage_location_id=place.other_bench), place.user, uuid4()
        ).id

    def move(batch: int, to: int) -> None:
        for _ in range(5):
            with database.session() as session:
                moves.transfer(session, batch, to, 3, place.user, uuid4())

    forth, back = (lambda: move(here, place.other_bench)), (lambda: move(there, place.bench))
    assert all_at_once([forth, back] * 3) == [None] * 6
    assert sum(quantities(database)) == 100
    assert quantities(database)[:2] == [5, 5]


# What the tables themselves hold on to


def run(session: Session, statement: str, **values: Any) -> None:
    session.execute(text(statement), values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock_movements SET quantity = 5",
        "UPDATE stock_movements SET reason = 'other'",
        "UPDATE stock_movements SET processing_session_id = NULL",
        "DELETE FROM stock_movements",
        "TRUNCATE stock_movements CASCADE",
        "UPDATE stock_batches SET quantity_current = 5",
        "UPDATE stock_batches SET quantity_initial = 5",
        "UPDATE stock_batches SET total_detected = 41, total_estimated = 1",
        "UPDATE stock_batches SET batch_code = 'X'",
        "UPDATE stock_batches SET storage_location_id = storage_location_id",
        "DELETE FROM stock_batches",
    ],
)
def test_what_is_written_stays(database: Database, place: Nursery, statement: str):
    enter_count(database, make_count(database, place, 40, 2))
    with pytest.raises(IntegrityError), database.session() as session:
        run(session, statement)
    assert movements(database) == [("foto", "ia", 42)]


BATCH = (
    "INSERT INTO stock_batches (batch_code, storage_location_id, product_id, product_state_id,"
    " total_detected, total_estimated, quantity_initial, quantity_current, created_by_user_id) "
    "VALUES ('X', :bench, :product, :state, 40, 2, :initial, :current, :user) "
)
MOVEMENT = (
    "INSERT INTO stock_movements (batch_id, movement_type, source_type, quantity, is_first,"
    " user_id) SELECT id, :kind, :source, :quantity, :is_first, :user FROM stock_batches "
)


@pytest.mark.parametrize(
    ("batch", "movements"),
    [
        ({"initial": 42, "current": 0}, []),
        ({"initial": 42, "current": 42}, []),
        ({"initial": 41, "current": 0}, [("foto", "ia", 41, True)]),
        ({"initial": 42, "current": 0}, [("foto", "ia", 41, True)]),
        ({"initial": 42, "current": 0}, [("adjustment", "ia", 42, False)]),
        ({"initial": 42, "current": 0}, [("foto", "ia", 42, True), ("foto", "ia", 1, False)]),
        ({"initial": 42, "current": 0}, [("foto", "ia", 42, True), ("loss", "manual", -43, False)]),
        (
            {"initial": 42, "current": 0},
            [("adjustment", "ia", 1, False), ("foto", "ia", 42, True)],
        ),
    ],
)
def test_the_tables_refuse_figures_that_do_not_agree(
    database: Database, place: Nursery, batch: dict[str, int], movements: list[tuple[Any, ...]]
):
    with pytest.raises(IntegrityError), database.session() as session:
        run(session, BATCH, **vars(place), **batch)
        for kind, source, quantity, is_first in movements:
            values = {"kind": kind, "source": source, "quantity": quantity, "is_first": is_first}
            run(session, MOVEMENT, user=place.user, **values)


def test_a_session_that_goes_leaves_its_stock(database: Database, place: Nursery):
    enter_count(database, make_count(database, place, 40, 2))
    with database.session() as session:
        run(session, "DELETE FROM runs")
    with database.session() as session:
        assert session.scalars(select(StockBatch)).one().processing_session_id is None
        assert session.scalars(select(StockMovement)).one().processing_session_id is None
    assert quantities(database) == [42]
