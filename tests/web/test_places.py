"""The pages of places and products, the choice of a location, and who may do what."""

import io
import json
import re
from typing import Any

import pytest
from sqlalchemy import select, text

from darkroom.accounts import service as accounts
from darkroom.accounts.models import User
from darkroom.counting.models import PhotoSession
from darkroom.counting.places import kinds, service
from darkroom.db.sessions import Database
from darkroom.queue.models import Run
from tests.integration.places import STEP, add_benches, bench, middle_of
from tests.statements import statements_of

from .conftest import Site, Submit, Visitor, count, jpeg

LOCATIONS = "/count/places/storage-locations"


@pytest.fixture
def local(site: Site) -> User:
    with site.database.session() as session:
        return accounts.ensure_admin(session)


@pytest.fixture
def benches(site: Site) -> list[Any]:
    with site.database.session() as session:
        return add_benches(session)


def make_wait(database: Database, sent: Any, position: tuple[float, float] | None = None) -> None:
    """Leave a count as `locate` does where no location is sure."""
    latitude, longitude = position or (None, None)
    with database.session() as session:
        of_session = (
            "WHERE session_id = (SELECT id FROM photo_processing_sessions WHERE run_id = :r)"
        )
        session.execute(
            text(f"UPDATE s3_images SET gps_latitude = :a, gps_longitude = :b {of_session}"),
            {"a": latitude, "b": longitude, "r": sent.run_id},
        )
        for statement in (
            "UPDATE runs SET status = 'running' WHERE id = :r",
            "UPDATE photo_processing_sessions SET status = 'needs_location' WHERE run_id = :r",
            "UPDATE steps SET name = 'counting.locate', waiting_kind = 'location'"
            " WHERE run_id = :r",
            "UPDATE procrastinate_jobs SET task_name = 'counting.locate',"
            " scheduled_at = now() + interval '365 days'"
            " WHERE id IN (SELECT job_id FROM steps WHERE run_id = :r)",
        ):
            session.execute(text(statement), {"r": sent.run_id})


def due(database: Database) -> list[str]:
    """The steps that a worker may take now."""
    with database.session() as session:
        found = "SELECT task_name FROM procrastinate_jobs WHERE scheduled_at IS NULL"
        return list(session.scalars(text(found)))


# Lists, forms, imports


def test_an_empty_installation_says_what_to_do(visitor: Visitor) -> None:
    page = visitor.get("/count/locations").text
    assert "Begin with a warehouse" in page and 'href="/count/places/storage-locations/new"' in page


def test_count_has_a_navigation_of_its_own(visitor: Visitor) -> None:
    page = visitor.get("/count/products").text
    nav = page.split('class="sub-nav"')[1].split("</nav>")[0]
    assert re.findall(r">(\w+)</a>", nav)[:3] == ["Photos", "Locations", "Products"]
    assert 'aria-current="page">Products' in nav


@pytest.mark.parametrize(
    "kind",
    [
        "warehouses",
        "storage-areas",
        "storage-locations",
        "storage-bins",
        "storage-location-config",
        "products",
        "product-states",
        "container-types",
        "density-parameters",
    ],
)
def test_every_kind_has_its_list_its_form_and_its_file(
    visitor: Visitor, benches: Any, kind: str
) -> None:
    assert visitor.get(f"/count/places/{kind}").status_code == 200
    assert visitor.get(f"/count/places/{kind}/new").status_code == 200
    assert visitor.get(f"/count/places/{kind}.csv").mimetype == "text/csv"


def test_a_location_is_added_changed_and_deleted_by_forms(visitor: Visitor, benches: Any) -> None:
    form = {"storage_area_id": "A-1", "code": "b-7", "name": "Seven", "is_active": "true"}
    outline = {"geojson_coordinates": json.dumps(bench(7))}
    made = visitor.send(f"{LOCATIONS}/new", page=f"{LOCATIONS}/new", **form, **outline)
    assert made.status_code == 303
    page = visitor.get(made.location).text
    assert "B-7" in page and "Count here" in page
    # A box that is not ticked is not sent.
    without_box = {"storage_area_id": "A-1", "code": "B-7", "name": "Eight"}
    visitor.send(made.location, page=made.location, **without_box)
    page = visitor.get(made.location).text
    assert "Eight" in page and "switched off" in page
    gone = visitor.send(f"{made.location}/delete", page=made.location)
    assert gone.status_code == 303 and visitor.get(made.location).status_code == 404


def test_a_wrong_field_is_named_on_the_form_and_nothing_is_lost(
    visitor: Visitor, benches: Any
) -> None:
    form = {"storage_area_id": "A-1", "code": "B 7", "name": "Seven"}
    answer = visitor.send(f"{LOCATIONS}/new", page=f"{LOCATIONS}/new", **form)
    assert answer.status_code == 400
    assert 'id="code-wrong"' in answer.text and 'value="Seven"' in answer.text
    taken = visitor.send(f"{LOCATIONS}/new", page=f"{LOCATIONS}/new", **form | {"code": "B-1"})
    assert taken.status_code == 409 and "“B-1” is taken" in taken.text


def test_what_is_expected_is_set_on_the_location_s_page(visitor: Visitor, benches: Any) -> None:
    page = f"{LOCATIONS}/{benches[1].id}"
    form = {"storage_location_id": "B-1", "expected_product_id": "ECH", "next": page}
    set_ = visitor.send("/count/places/storage-location-config/new", page=page, **form)
    assert set_.location == page
    assert '<option value="ECH" selected>' in visitor.get(page).text
    listed = visitor.get("/count/locations").text
    assert listed.count("Echeveria") == 2


def test_states_and_containers_are_named_in_the_readers_language(
    site: Site, visitor: Visitor, benches: Any, local: User, submit: Submit
) -> None:
    spanish = {"Accept-Language": "es"}
    sent = submit(site, local)
    with site.database.session() as session:
        photos = session.scalars(select(PhotoSession)).one()
        [config] = service.rows(session, kinds.CONFIGS)
        photos.storage_location_id, photos.storage_location_config_id = benches[0].id, config.id
        photos.expected_product_id = config.expected_product_id
        photos.expected_product_state_id = config.expected_product_state_id
        photos.expected_container_type_id = config.expected_container_type_id
    for path in (
        "/count/locations",
        f"{LOCATIONS}/{benches[0].id}",
        "/count/places/product-states",
        "/count/places/storage-location-config",
        f"/count/{sent.session_id}",
    ):
        page = visitor.get(path, headers=spanish).text
        assert "Plántula" in page and "Seedling" not in page, path


@pytest.mark.parametrize("path", ["", ".csv"])
def test_a_list_asks_for_codes_once_and_not_for_every_row(
    site: Site, visitor: Visitor, benches: Any, path: str
) -> None:
    def asked() -> int:
        with statements_of(site.database) as statements:
            page = visitor.get(f"/count/places/storage-location-config{path}")
        assert page.status_code == 200
        return len(statements)

    visitor.get("/count")
    few = asked()
    with site.database.session() as session:
        for code, place in (("AGA", "B-1"), ("ALO", "B-2"), ("HAW", "B-3")):
            given = {"storage_area_id": "A-1", "code": place, "name": place}
            if place != "B-1":
                service.create(session, kinds.LOCATIONS, given)
            service.create(session, kinds.PRODUCTS, {"code": code, "name": code})
            expected = {"storage_location_id": place, "expected_product_id": code}
            service.create(session, kinds.CONFIGS, expected)
    assert asked() == few


def test_a_list_is_searched(visitor: Visitor, benches: Any) -> None:
    page = visitor.get("/count/locations?q=bench+1").text
    assert "Bench 1" in page and "Bench 0" not in page
    assert "Nothing fits" in visitor.get("/count/locations?q=nowhere").text


def test_the_map_has_every_outline(visitor: Visitor, benches: Any) -> None:
    found = visitor.get("/count/locations.geojson").json["features"]
    assert [one["properties"]["code"] for one in found] == ["B-0", "B-1"]
    assert found[0]["geometry"] == bench(0)
    assert visitor.get(found[0]["properties"]["url"]).status_code == 200


def test_the_map_library_is_served_by_us(visitor: Visitor) -> None:
    page = visitor.get("/count/locations").text
    css = re.search(r'href="(/count/leaflet/[^"]+\.css)"', page)
    assert css is not None and visitor.get(css.group(1)).mimetype == "text/css"
    script = visitor.get(css.group(1).replace(".css", ".js"))
    assert "javascript" in script.mimetype and "max-age" in script.headers["Cache-Control"]
    assert visitor.get("/count/leaflet/1/../__init__.py").status_code == 404


def test_a_file_is_tried_reported_and_imported(visitor: Visitor, benches: Any) -> None:
    content = b"code,name,area\nB-8,Eight,A-1\nB-9,Nine,A-9\n"
    start = "/count/locations/import"
    sent = {"file": (io.BytesIO(content), "new.csv"), "kind": "storage-locations"}
    tried = visitor.send(start, page=start, **sent)
    page = visitor.get(tried.location).text
    assert "Import 1 good row" in page and "A-9" in page
    assert visitor.get("/count/locations?q=eight").text.count("B-8") == 0
    visitor.send(tried.location, page=tried.location)
    assert "1 row was imported" in visitor.get(tried.location).text
    assert "B-8" in visitor.get("/count/locations").text


def test_a_file_that_is_none_is_refused_on_the_form(visitor: Visitor) -> None:
    start = "/count/locations/import"
    sent = {"file": (io.BytesIO(b""), "new.csv"), "kind": "storage-locations"}
    answer = visitor.send(start, page=start, **sent)
    assert answer.status_code == 400 and "is empty" in answer.text


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_administrators_change_places(closed_site: Site, role: str) -> None:
    with closed_site.database.session() as session:
        place = add_benches(session)[0]
    visitor = closed_site.signed_in(closed_site.user(role=role))
    page = visitor.get(f"{LOCATIONS}/{place.id}").text
    assert "<fieldset disabled>" in page and ">Save<" not in page
    answer = visitor.send(f"{LOCATIONS}/{place.id}", page="/", name="Mine")
    assert answer.status_code == 403
    assert visitor.get("/count/locations/import").status_code == 403


# Sending photos of a location


def test_a_location_is_picked_at_upload(site: Site, visitor: Visitor, benches: Any) -> None:
    here = visitor.get(f"{LOCATIONS}/{benches[1].id}").text
    page = visitor.get(re.findall(r'href="(/count\?[^"]+)"', here)[0]).text
    assert f'<option value="{benches[1].id}" selected>' in page
    sent = {"file": (jpeg(), "a.jpg"), "storage_location_id": str(benches[1].id)}
    answer = visitor.send("/count", page="/count", **sent)
    assert "B-1 · Bench 1" in visitor.get(answer.location).text


def test_a_code_that_reads_like_another_s_number_is_not_picked(
    site: Site, visitor: Visitor, benches: Any
) -> None:
    named = {"storage_area_id": "A-1", "code": str(benches[0].id), "name": "Confusing"}
    with site.database.session() as session:
        service.create(session, kinds.LOCATIONS, named)
    page = visitor.get(f"/count?location={benches[0].id}").text
    assert re.findall(r'<option value="(\d+)" selected>', page) == [str(benches[0].id)]


def test_areas_of_one_name_stay_in_their_warehouses(
    site: Site, visitor: Visitor, benches: Any
) -> None:
    with site.database.session() as session:
        service.create(session, kinds.WAREHOUSES, {"code": "W-2", "name": "Annexe"})
        area = {"warehouse_id": "W-2", "code": "A-2", "name": "House 1"}
        service.create(session, kinds.AREAS, area)
        bed = {"storage_area_id": "A-2", "code": "A-BED", "name": "Bed"}
        service.create(session, kinds.LOCATIONS, bed)
    groups = re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', visitor.get("/count").text)
    shown = [(label, re.findall(r">(\S+) · ", inside)) for label, inside in groups]
    assert shown == [("Nursery, House 1", ["B-0", "B-1"]), ("Annexe, House 1", ["A-BED"])]


def test_a_location_that_is_switched_off_is_refused_on_the_form(
    site: Site, visitor: Visitor, benches: Any
) -> None:
    with site.database.session() as session:
        session.execute(text("UPDATE storage_locations SET is_active = false WHERE code = 'B-1'"))
    sent = {"file": (jpeg(), "a.jpg"), "storage_location_id": str(benches[1].id)}
    answer = visitor.send("/count", page="/count", **sent)
    assert answer.status_code == 409 and "switched off" in answer.text
    assert due(site.database) == []


def test_without_locations_nothing_is_asked(visitor: Visitor) -> None:
    assert "storage_location_id" not in visitor.get("/count").text


# Choosing


def test_a_count_that_waits_asks_for_its_location(
    site: Site, visitor: Visitor, local: User, submit: Submit, benches: Any
) -> None:
    sent = submit(site, local)
    make_wait(site.database, sent, (middle_of(1)[0], middle_of(1)[1] + 10 * STEP))
    page = visitor.get(f"/count/{sent.session_id}").text
    assert "Which location is this?" in page and "too far from any location" in page
    assert page.index("<strong>B-1</strong>") < page.index("<strong>B-0</strong>")
    assert 'data-state="needs_location"' in page


def test_a_choice_lets_the_count_go_on_at_once(
    site: Site, visitor: Visitor, local: User, submit: Submit, benches: Any
) -> None:
    sent = submit(site, local)
    make_wait(site.database, sent)
    path = f"/count/{sent.session_id}"
    assert due(site.database) == []
    chosen = visitor.send(f"{path}/location", page=path, storage_location_id=str(benches[0].id))
    assert (chosen.status_code, chosen.location) == (303, path)
    assert due(site.database) == ["counting.locate"]
    page = visitor.get(path).text
    assert "Which location" not in page and "chosen by hand" in page


def test_a_count_goes_on_without_a_location(
    site: Site, visitor: Visitor, local: User, submit: Submit, benches: Any
) -> None:
    sent = submit(site, local)
    make_wait(site.database, sent)
    path = f"/count/{sent.session_id}"
    visitor.send(f"{path}/location", page=path, without_location="true")
    assert due(site.database) == ["counting.locate"]
    assert "Counted without a location" in visitor.get(path).text


def test_nothing_chosen_is_said_in_words(
    site: Site, visitor: Visitor, local: User, submit: Submit, benches: Any
) -> None:
    sent = submit(site, local)
    make_wait(site.database, sent)
    path = f"/count/{sent.session_id}"
    answer = visitor.send(f"{path}/location", page=path)
    assert answer.status_code == 400 and "Choose a location" in answer.text


def test_home_shows_what_waits_for_a_location(
    site: Site, visitor: Visitor, local: User, submit: Submit, benches: Any
) -> None:
    make_wait(site.database, submit(site, local, "mesa 7.jpg"))
    page = visitor.get("/").text
    assert "Needs you" in page and "Running now" not in page
    assert 'data-state="needs_location"' in page


def test_somebody_else_s_count_cannot_be_chosen_for(closed_site: Site, submit: Submit) -> None:
    with closed_site.database.session() as session:
        places = add_benches(session)
    sent = submit(closed_site, closed_site.user("Ana"))
    make_wait(closed_site.database, sent)
    other = closed_site.signed_in(closed_site.user("Bo"))
    path = f"/count/{sent.session_id}/location"
    assert other.send(path, page="/", storage_location_id=str(places[0].id)).status_code == 404
    assert due(closed_site.database) == []


def test_what_is_expected_is_shown_on_the_count(
    site: Site, visitor: Visitor, local: User, submit: Submit, benches: Any
) -> None:
    sent = submit(site, local)
    count(site.database, sent.session_id)
    with site.database.session() as session:
        session.get_one(Run, sent.run_id).status = "completed"
        session.execute(
            text(
                "UPDATE photo_processing_sessions SET storage_location_id = c.storage_location_id,"
                " location_source = 'nearest', location_distance_m = 7.4,"
                " expected_product_id = c.expected_product_id,"
                " expected_product_state_id = c.expected_product_state_id,"
                " expected_container_type_id = c.expected_container_type_id"
                " FROM storage_location_config c"
            )
        )
    page = visitor.get(f"/count/{sent.session_id}").text
    for shown in ("B-0 · Bench 0", "7 m away", "Echeveria", "Seedling", "25–30 plants"):
        assert shown in page, shown


def test_where_no_location_is_defined_the_count_says_so(
    site: Site, visitor: Visitor, local: User, submit: Submit
) -> None:
    sent = submit(site, local)
    with site.database.session() as session:
        session.get_one(Run, sent.run_id).status = "running"
    assert "No locations are defined" in visitor.get(f"/count/{sent.session_id}").text


# Who counts


def test_the_ml_user_is_no_person(closed_site: Site) -> None:
    admin = closed_site.signed_in(closed_site.user("Root", role="admin"))
    page = admin.get("/users").text
    assert "1 person" in page and "ML" not in page
    with closed_site.database.session() as session:
        ml = accounts.ml_user(session)
    for action in ("link", "reactivate", "deactivate"):
        assert admin.send(f"/users/{ml.uuid}/{action}", page="/users").status_code == 404
