"""The pages and the API of stock."""

import csv
import io
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from darkroom.accounts.models import User
from darkroom.counting.models import PhotoSession
from darkroom.counting.places.models import StorageLocation
from darkroom.counting.stock import moves, service
from darkroom.counting.stock.models import StockBatch, StockMovement
from darkroom.counting.stock.moves import Entry
from darkroom.db.sessions import Database
from tests.integration.stocked import Nursery, counted, nursery, quantities
from tests.web.conftest import Site, Submit, Visitor
from tests.web.conftest import count as counted_photo

API = "/api/v1/stock"


@pytest.fixture
def place(database: Database) -> Nursery:
    return nursery(database)


def enter(database: Database, place: Nursery, quantity: int = 100, **more: Any) -> int:
    given = {
        "storage_location_id": place.bench,
        "product_id": place.product,
        "product_state_id": None,
        "container_type_id": None,
        "quantity": quantity,
        "notes": "",
    }
    with database.session() as session:
        return moves.enter(session, Entry(**given | more), place.user, uuid4()).id


def count(database: Database, place: Nursery, **more: Any) -> UUID:
    """A count of 42 plants, entered where nothing keeps it out; answers its public id."""
    with database.session() as session:
        number = counted(session, place, 40, 2, counted_at=func.now(), **more)
        photos = session.get_one(PhotoSession, number)
        service.enter_count(session, photos)
        session.refresh(photos)
        return photos.session_id


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text)))


# Pages


def test_an_empty_stock_says_what_to_do_next(visitor: Visitor):
    page = visitor.get("/count/stock").text
    assert "Nothing is in stock yet." in page and "Count plants" in page


def test_the_stock_is_shown_by_location_product_and_state(
    visitor: Visitor, database: Database, place: Nursery
):
    enter(database, place, 100)
    enter(database, place, 1134)
    enter(database, place, 7, storage_location_id=place.other_bench)
    page = visitor.get("/count/stock").text
    assert "1,241 plants" in page and "2 locations" in page and "3 batches" in page
    assert page.index("BENCH-1") < page.index("1,234") < page.index("BENCH-2")


def test_the_filters_of_the_stock_are_in_its_address(
    visitor: Visitor, database: Database, place: Nursery
):
    enter(database, place, 100)
    enter(database, place, 7, storage_location_id=place.other_bench)
    assert "107 plants" in visitor.get("/count/stock?product=ROSE&state=SEED").text
    page = visitor.get("/count/stock?text=first").text
    assert "100 plants" in page and "BENCH-2" not in page
    assert "No stock fits this." in visitor.get("/count/stock?text=b_nch").text
    assert "No stock fits this." in visitor.get("/count/stock?state=ADULT").text


@pytest.mark.parametrize("page", ["/count/stock", "/count/stock/batches"])
def test_a_filter_that_names_nothing_says_so(visitor: Visitor, page: str):
    answer = visitor.get(f"{page}?product=TULIP")
    assert answer.status_code == 400 and "There is no product" in answer.text


def test_the_pages_of_the_stock_follow_one_another_without_gaps(
    visitor: Visitor, database: Database, place: Nursery
):
    with database.session() as session:
        area = session.get_one(StorageLocation, place.bench).storage_area_id
        rows = [
            StorageLocation(storage_area_id=area, code=f"L{number:03}", name="x")
            for number in range(120)
        ]
        session.add_all(rows)
        session.flush()
        numbers = [row.id for row in rows]
    for number in numbers:
        enter(database, place, 1, storage_location_id=number)
    found, address = [], "/count/stock?product=ROSE"
    while address:
        page = visitor.get(address).text
        found += [part[:4] for part in page.split('href="/count/stock/locations/')[1:]]
        _, more, rest = page.partition('rel="next" href="')
        address = rest.partition('"')[0].replace("&amp;", "&") if more else ""
    assert found == [f"L{number:03}" for number in range(120)]


def test_a_batch_shows_its_figures_its_movements_and_its_count(
    visitor: Visitor, database: Database, place: Nursery
):
    session_id = count(database, place)
    page = visitor.get("/count/stock/batches/1").text
    assert "42" in page and "Counted" in page and "BENCH-1" in page
    assert f'href="/count/{session_id}"' in page


def test_a_batch_hides_the_way_to_somebody_elses_count(
    closed_site: Site, database: Database, place: Nursery
):
    session_id = count(database, place)
    page = closed_site.signed_in(closed_site.user("Ben")).get("/count/stock/batches/1").text
    assert "Began with" in page and str(session_id) not in page


def test_a_batch_that_does_not_exist_is_not_found(visitor: Visitor):
    for number in (1, 2**40):
        assert visitor.get(f"/count/stock/batches/{number}").status_code == 404


def test_plants_are_entered_by_a_form(visitor: Visitor, database: Database, place: Nursery):
    fields = {"location": "BENCH-1", "product": "ROSE", "quantity": "12", "notes": "From seed"}
    answer = visitor.send("/count/stock/new", "/count/stock/new", **fields)
    assert answer.status_code == 303
    page = visitor.get(answer.location).text
    assert "Entered as batch" in page and "From seed" in page
    assert quantities(database) == [12]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"location": "BENCH-9"}, "There is no location"),
        ({"location": ""}, "Fill this in."),
        ({"product": "TULIP"}, "There is no product"),
        ({"quantity": "many"}, "Give the number of plants, in digits."),
        ({"quantity": "0"}, "The quantity must lie between 1 and"),
        ({"state": "GONE"}, "There is no product state"),
    ],
)
def test_a_form_with_a_mistake_comes_back_with_what_was_typed(
    visitor: Visitor, database: Database, place: Nursery, fields: dict[str, str], message: str
):
    right = {"location": "BENCH-1", "product": "ROSE", "quantity": "12", "notes": "From seed"}
    answer = visitor.send("/count/stock/new", "/count/stock/new", **right | fields)
    assert answer.status_code == 400
    assert message in answer.text and 'value="From seed"' in answer.text
    assert quantities(database) == []


def test_a_form_sent_twice_enters_once(visitor: Visitor, database: Database, place: Nursery):
    fields = {"location": "BENCH-1", "product": "ROSE", "quantity": "12"}
    same = str(uuid4())
    for _ in range(2):
        answer = visitor.send("/count/stock/new", "/count/stock/new", movement_id=same, **fields)
        assert answer.status_code == 303
    assert quantities(database) == [12]


@pytest.mark.parametrize(
    ("action", "fields", "left"),
    [
        ("adjust", {"quantity": "93", "reason": "Counted again"}, [93]),
        ("loss", {"quantity": "10", "reason": "Frost"}, [90]),
        ("transfer", {"quantity": "30", "location": "BENCH-2"}, [70, 30]),
    ],
)
def test_a_batch_is_changed_by_a_form(
    visitor: Visitor,
    database: Database,
    place: Nursery,
    action: str,
    fields: dict[str, str],
    left: list[int],
):
    page = f"/count/stock/batches/{enter(database, place)}"
    answer = visitor.send(f"{page}/{action}", page, **fields)
    assert (answer.status_code, answer.location) == (303, page)
    assert quantities(database) == left
    assert fields.get("reason", "BENCH-2") in visitor.get(page).text


@pytest.mark.parametrize(
    ("action", "fields", "status", "message"),
    [
        ("loss", {"quantity": "101", "reason": "Frost"}, 409, "holds 100 plants; 101 cannot"),
        ("loss", {"quantity": "1", "reason": ""}, 400, "Say why"),
        ("adjust", {"quantity": "100", "reason": "Counted"}, 409, "holds 100 plants already"),
        ("transfer", {"quantity": "1", "location": "BENCH-9"}, 400, "There is no location"),
        ("transfer", {"quantity": "1", "location": "BENCH-1"}, 400, "are at BENCH-1 already"),
    ],
)
def test_a_change_that_is_refused_says_why_beside_its_form(
    visitor: Visitor,
    database: Database,
    place: Nursery,
    action: str,
    fields: dict[str, str],
    status: int,
    message: str,
):
    page = f"/count/stock/batches/{enter(database, place)}"
    answer = visitor.send(f"{page}/{action}", page, **fields)
    assert answer.status_code == status
    assert message in answer.text
    assert quantities(database) == [100]


def test_who_may_only_look_sees_no_forms_and_changes_nothing(
    closed_site: Site, database: Database, place: Nursery
):
    page = f"/count/stock/batches/{enter(database, place)}"
    viewer = closed_site.signed_in(closed_site.user("Vera", role="viewer"))
    assert "Write off" not in viewer.get(page).text
    assert viewer.send(f"{page}/loss", "/account", quantity=1, reason="x").status_code == 403
    assert quantities(database) == [100]


def test_strangers_are_sent_to_sign_in(closed_site: Site):
    for page in ("", "/current.csv", "/batches", "/batches.csv", "/new", "/locations/BENCH-1"):
        assert closed_site.visitor().get(f"/count/stock{page}").status_code == 302
    assert closed_site.visitor().get(f"{API}/current").status_code == 401


def test_a_location_shows_its_history_as_a_plot_and_as_a_table(
    visitor: Visitor, database: Database, place: Nursery
):
    batch = enter(database, place, 100)
    with database.session() as session:
        moves.lose(session, batch, 30, place.user, uuid4(), reason="Frost")
    page = visitor.get("/count/stock/locations/BENCH-1?days=30").text
    assert "<svg" in page and "70 plants" in page
    assert page.count("<time datetime=") >= 30
    assert visitor.get("/count/stock/locations/BENCH-1?days=31").status_code == 400
    assert visitor.get("/count/stock/locations/NOWHERE").status_code == 400


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "Entered into the stock as batch"),
        ({"needs_review": True}, "somebody has to look at the count first"),
        ({"storage_location_id": None}, "it is not known where the plants stand"),
        ({"expected_product_id": None}, "names no product"),
    ],
)
def test_a_count_says_what_became_of_it(
    visitor: Visitor,
    database: Database,
    place: Nursery,
    submit: Submit,
    site: Site,
    more: dict[str, Any],
    words: str,
):
    with database.session() as session:
        user = session.get_one(User, place.user)
    session_id = submit(site, user, "bench.jpg").session_id
    counted_photo(database, session_id)
    with database.session() as session:
        photos = session.scalars(select(PhotoSession)).one()
        for name, value in (place.expected() | more).items():
            setattr(photos, name, value)
        service.enter_count(session, photos)
    page = visitor.get(f"/count/{session_id}").text
    assert words in page
    assert ("/count/stock/batches/1" in page) == (more == {}) == ("plants to stock" in page)


def test_a_rerun_says_that_it_is_none_for_the_stock(
    visitor: Visitor, database: Database, place: Nursery, submit: Submit, site: Site
):
    with database.session() as session:
        user = session.get_one(User, place.user)
    first, again = (submit(site, user, "bench.jpg").session_id for _ in range(2))
    counted_photo(database, again)
    with database.session() as session:
        photos = session.scalars(select(PhotoSession).order_by(PhotoSession.id)).all()
        photos[1].rerun_of_id = photos[0].id
    page = visitor.get(f"/count/{again}").text
    assert "this is a re-run of another count" in page and "plants to stock" not in page
    assert "stock-line" not in visitor.get(f"/count/{first}").text


# CSV


def test_the_stock_as_csv_has_a_line_for_each_row(
    visitor: Visitor, database: Database, place: Nursery
):
    enter(database, place, 100)
    enter(database, place, 7, storage_location_id=place.other_bench)
    answer = visitor.get("/count/stock/current.csv?product=ROSE")
    assert answer.mimetype == "text/csv"
    assert "filename=stock.csv" in answer.headers["Content-Disposition"]
    assert [(row["location"], row["quantity"]) for row in rows_of(answer)] == [
        ("BENCH-1", "100"),
        ("BENCH-2", "7"),
    ]


def test_batches_as_csv_hold_no_formulas(visitor: Visitor, database: Database, place: Nursery):
    enter(database, place, 100, notes="=1+1")
    [row] = rows_of(visitor.get("/count/stock/batches.csv"))
    assert (row["quantity_current"], row["notes"]) == ("100", "'=1+1")


def test_a_long_csv_is_whole(
    visitor: Visitor, database: Database, place: Nursery, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("darkroom.counting.stock.export.CHUNK", 2)
    for quantity in (1, 2, 3, 4, 5, 6):
        enter(database, place, quantity)
    found = rows_of(visitor.get("/count/stock/batches.csv"))
    assert [row["quantity_current"] for row in found] == ["6", "5", "4", "3", "2", "1"]


# API


def test_programs_read_what_is_there(visitor: Visitor, database: Database, place: Nursery):
    enter(database, place, 100)
    enter(database, place, 7, storage_location_id=place.other_bench)
    answer = visitor.get(f"{API}/current?limit=1").json
    assert answer["stock"] == [
        {
            "location": "BENCH-1",
            "location_name": "First bench",
            "product": "ROSE",
            "product_name": "Rose",
            "state": "SEED",
            "state_name": "Seed",
            "quantity": 100,
            "batches": 1,
        }
    ]
    more = visitor.get(f"{API}/current?limit=1&after={answer['next']}").json
    assert (more["stock"][0]["quantity"], more["next"]) == (7, None)


def test_programs_enter_and_move_plants(visitor: Visitor, database: Database, place: Nursery):
    made = visitor.client.post(
        f"{API}/batches", json={"location": place.bench, "product": "ROSE", "quantity": 100}
    )
    assert made.status_code == 201
    batch = made.json["id"]
    assert made.headers["Location"] == f"{API}/batches/{batch}"
    moved = visitor.client.post(
        f"{API}/batches/{batch}/transfer", json={"location": "BENCH-2", "quantity": 30}
    )
    assert (moved.json["location"], moved.json["quantity_current"]) == ("BENCH-2", 30)
    assert visitor.get(f"{API}/batches/{batch}").json["quantity_current"] == 70
    found = visitor.get(f"{API}/movements?type=transfer").json["movements"]
    assert {row["quantity"] for row in found} == {30, -30}
    assert len({row["transfer_id"] for row in found}) == 1


def test_a_program_that_sends_the_same_movement_again_gets_the_same_answer(
    visitor: Visitor, database: Database, place: Nursery
):
    batch = enter(database, place)
    loss = {"quantity": 5, "reason": "Frost", "movement_id": str(uuid4())}
    answers = [visitor.client.post(f"{API}/batches/{batch}/loss", json=loss) for _ in range(2)]
    assert [answer.json["quantity_current"] for answer in answers] == [95, 95]


def test_a_batch_says_how_it_was_counted_wherever_it_goes(
    visitor: Visitor, database: Database, place: Nursery
):
    session_id = count(database, place)
    [batch] = visitor.get(f"{API}/batches").json["batches"]
    told = {"processing_session_id": str(session_id), "detection_method": "yolo_sahi"}
    assert batch["custom_attributes"] == told
    some = {"location": "BENCH-2", "quantity": 30}
    moved = visitor.client.post(f"{API}/batches/{batch['id']}/transfer", json=some)
    assert moved.json["custom_attributes"] == told


def test_a_batch_entered_by_hand_was_not_counted(
    visitor: Visitor, database: Database, place: Nursery
):
    batch = enter(database, place)
    assert visitor.get(f"{API}/batches/{batch}").json["custom_attributes"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": 1, "location": 2**40, "reason": ""}, "location"),
        ({"quantity": 1, "location": True}, "location"),
        ({"quantity": 1}, "location"),
        ({"quantity": 1.5, "location": "BENCH-2"}, "quantity"),
        ({"quantity": True, "location": "BENCH-2"}, "quantity"),
        ({"quantity": 1, "location": "BENCH-2", "reason": 5}, "reason"),
        ({"quantity": 1, "location": "BENCH-2", "movement_id": "x"}, "movement_id"),
    ],
)
def test_the_api_names_the_field_that_is_wrong(
    visitor: Visitor, database: Database, place: Nursery, body: dict[str, Any], field: str
):
    batch = enter(database, place)
    answer = visitor.client.post(f"{API}/batches/{batch}/transfer", json=body)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)
    assert answer.json["detail"] == answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("current?location=NOWHERE", "location"),
        ("current?after=x", "after"),
        ("current?limit=0", "limit"),
        ("current?limit=100000", "limit"),
        ("batches?before=x", "before"),
        ("batches?product=%00", "product"),
        ("movements?type=gift", "type"),
        ("movements?batch=99999999999", "batch"),
        ("history", "location"),
        ("history?location=BENCH-1&days=4", "days"),
    ],
)
def test_a_question_that_cannot_be_answered_names_its_field(
    visitor: Visitor, place: Nursery, query: str, field: str
):
    answer = visitor.get(f"{API}/{query}")
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)


def test_programs_read_the_history_of_a_location(
    visitor: Visitor, database: Database, place: Nursery
):
    batch = enter(database, place, 100)
    with database.session() as session:
        moves.lose(session, batch, 30, place.user, uuid4(), reason="Frost")
    answer = visitor.get(f"{API}/history?location=BENCH-1&days=30").json
    assert (answer["location"], answer["time_zone"], len(answer["levels"])) == (
        "BENCH-1",
        "UTC",
        30,
    )
    last = answer["levels"][-1]
    assert (last["came"], last["went"], last["quantity"]) == (100, 30, 70)
    assert answer["levels"][0]["quantity"] == 0


def test_the_history_adds_up_whatever_the_span(
    database: Database, place: Nursery, visitor: Visitor
):
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO stock_batches (batch_code, storage_location_id, product_id,"
                " product_state_id, quantity_initial, created_by_user_id, created_at)"
                " SELECT 'B' || n, :bench, :product, :state, 1, :user,"
                " now() - n * interval '5 days' FROM generate_series(0, 99) n"
            ),
            vars(place),
        )
        session.execute(
            text(
                "INSERT INTO stock_movements (batch_id, movement_type, source_type, quantity,"
                " is_first, user_id, created_at) SELECT id, 'manual', 'manual', 1, true, :user,"
                " created_at FROM stock_batches"
            ),
            vars(place),
        )
    for days in (30, 90, 365):
        levels = visitor.get(f"{API}/history?location=BENCH-1&days={days}").json["levels"]
        assert levels[-1]["quantity"] == 100
        for earlier, later in pairwise(levels):
            assert later["quantity"] == earlier["quantity"] + later["came"] - later["went"]
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(StockMovement)) == 100
        assert session.scalar(select(func.sum(StockBatch.quantity_current))) == 100


def test_a_task_tells_what_became_of_its_count(
    visitor: Visitor, database: Database, place: Nursery, submit: Submit, site: Site
):
    with database.session() as session:
        user = session.get_one(User, place.user)
    sent = submit(site, user, "bench.jpg")
    task = f"{API}/tasks/{sent.run_id}"
    assert visitor.get(task).json["stock"] is None
    counted_photo(database, sent.session_id)
    with database.session() as session:
        photos = session.scalars(select(PhotoSession)).one()
        for name, value in place.expected().items():
            setattr(photos, name, value)
        batch = service.enter_count(session, photos)
    assert batch
    told = {"batch_id": batch.id, "batch_code": batch.batch_code, "why_not": None}
    assert visitor.get(task).json["stock"] == told
