"""`/api/v1/locations` from outside: what it takes, what it refuses, what it answers."""

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from darkroom.accounts import service as accounts
from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.integration.places import add_benches, bench, middle_of

BASE = "/api/v1/locations"


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


@pytest.fixture
def benches(database: Database) -> list[Any]:
    with database.session() as session:
        return add_benches(session)


def add(client: FlaskClient, of: str, **fields: Any) -> Any:
    return client.post(f"{BASE}/{of}", json=fields)


def listed(client: FlaskClient, kind: str, query: str = "") -> list[dict]:
    return client.get(f"{BASE}/{kind}?{query}").json[kind.replace("-", "_")]


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["field"]


def test_a_whole_nursery_is_made_by_codes(client: FlaskClient):
    assert add(client, "warehouses", code="w-1", name="North").json["code"] == "W-1"
    add(client, "storage-areas", code="A-1", name="House", warehouse_id="W-1")
    made = add(
        client,
        "storage-locations",
        code="B-1",
        name="Bench",
        storage_area_id="a-1",
        geojson_coordinates=bench(0),
    )
    assert made.status_code == 201
    row = client.get(made.headers["Location"]).json
    assert row["geojson_coordinates"] == bench(0)
    longitude, latitude = row["geospatial_point"]["coordinates"]
    assert (latitude, longitude) == pytest.approx(middle_of(0))
    assert add(client, "storage-bins", code="1", name="One", storage_location_id="B-1").json["id"]


def test_product_states_and_container_types_are_there_from_the_start(client: FlaskClient):
    states = listed(client, "product-states")
    assert [state["code"] for state in states if state["is_default"]] == ["SEED"]
    found = {
        row["code"]: (row["capacity_min"], row["capacity_max"])
        for row in listed(client, "container-types")
    }
    assert found == {"plug": (25, 30), "box": (50, 100), "segment": (100, 300)}


def test_a_config_falls_back_on_the_default_state_and_the_ml_user(client, database, benches):
    made = add(
        client,
        "storage-location-config",
        storage_location_id=benches[1].id,
        expected_product_id="ech",
    ).json
    with database.session() as session:
        ml = accounts.ml_user(session)
    assert made["ml_user_id"] == ml.id and ml.is_system
    [seed] = [one for one in listed(client, "product-states") if one["code"] == "SEED"]
    assert made["expected_product_state_id"] == seed["id"]


def test_a_product_has_densities_and_colours(client, benches):
    product = listed(client, "products")[0]["id"]
    made = add(client, "density-parameters", product_id="ECH", plants_per_m2=400.5)
    assert (made.json["product_id"], made.json["plants_per_m2"]) == (product, 400.5)
    colours = {"hsv_low": [20, 30, 30], "hsv_high": [90, 255, 255]}
    changed = client.patch(f"{BASE}/products/{product}", json=colours).json
    assert changed["hsv_low"] == [20, 30, 30]


def test_hues_of_a_product_go_round(client, benches):
    red = {"hsv_low": [170, 40, 40], "hsv_high": [10, 255, 255]}
    made = add(client, "products", code="RED", name="Red", **red)
    assert (made.status_code, made.json["hsv_high"]) == (201, [10, 255, 255])


@pytest.mark.parametrize(
    ("kind", "fields", "status", "field"),
    [
        ("warehouses", {}, 400, "code"),
        ("warehouses", {"code": "W-2"}, 400, "name"),
        ("warehouses", {"code": "Ä 2", "name": "x"}, 400, "code"),
        ("warehouses", {"code": "W-1", "name": "x"}, 409, "code"),
        ("warehouses", {"code": "W-2", "name": "x", "size": 3}, 400, "size"),
        ("warehouses", {"code": "W-2", "name": "x", "is_active": "maybe"}, 400, "is_active"),
        ("warehouses", {"code": "W-2", "name": "x\0"}, 400, "name"),
        ("warehouses", {"code": "W-2", "name": "\ud800"}, 400, "name"),
        ("products", {"code": "P", "name": "x", "colour_reference": [1]}, 400, "colour_reference"),
        (
            "products",
            {"code": "P", "name": "x", "colour_reference": {"floor": 90, "ceiling": 20}},
            400,
            "colour_reference",
        ),
        ("storage-areas", {"code": "A", "name": "x", "warehouse_id": 999}, 400, "warehouse_id"),
        ("storage-areas", {"code": "A", "name": "x", "warehouse_id": True}, 400, "warehouse_id"),
        (
            "storage-locations",
            {"code": "L", "name": "x", "storage_area_id": "A-1", "geojson_coordinates": {}},
            400,
            "geojson_coordinates",
        ),
        (
            "storage-location-config",
            {"storage_location_id": "B-0", "expected_product_id": "ECH"},
            409,
            "storage_location_id",
        ),
        ("products", {"code": "P", "name": "x", "hsv_low": [1, 2, 3]}, 400, "hsv_high"),
        ("products", {"code": "P", "name": "x", "hsv_low": [1, 2, 999]}, 400, "hsv_low"),
        (
            "products",
            {"code": "P", "name": "x", "hsv_low": [35, 40, 200], "hsv_high": [85, 255, 100]},
            400,
            "hsv_high",
        ),
        (
            "container-types",
            {"code": "c", "name": "x", "kind": "box", "capacity_min": 9, "capacity_max": 3},
            400,
            "capacity_max",
        ),
        (
            "container-types",
            {"code": "c", "name": "x", "kind": "pot", "capacity_min": 1, "capacity_max": 3},
            400,
            "kind",
        ),
        ("density-parameters", {"product_id": "ECH"}, 400, "avg_area_per_plant_cm2"),
        (
            "density-parameters",
            {"product_id": "ECH", "plants_per_m2": float("inf")},
            400,
            "plants_per_m2",
        ),
        ("product-states", {"code": "S", "name": "x", "sort_order": 1.5}, 400, "sort_order"),
    ],
)
def test_a_wrong_field_is_named(client, benches, kind, fields, status, field):
    assert refused(add(client, kind, **fields)) == (status, field)


@pytest.mark.parametrize("path", ["nonsense", "warehouses/99", "warehouses/99999999999"])
def test_what_is_not_there_is_404(client, path):
    assert client.get(f"{BASE}/{path}").status_code == 404


def test_a_list_is_filtered_and_comes_in_pages(client, benches):
    assert [row["code"] for row in listed(client, "storage-locations", "q=bench 1")] == ["B-1"]
    assert listed(client, "storage-locations", "is_active=false") == []
    assert len(listed(client, "storage-locations", "storage_area_id=A-1")) == 2
    first = client.get(f"{BASE}/storage-locations?limit=1").json
    second = client.get(f"{BASE}/storage-locations?limit=1&after={first['next']}").json
    assert [page["storage_locations"][0]["code"] for page in (first, second)] == ["B-0", "B-1"]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=-1", "is_active=2"])
def test_a_wrong_parameter_of_a_list_is_named(client, query):
    assert refused(client.get(f"{BASE}/warehouses?{query}")) == (400, query.split("=")[0])


def test_the_middle_follows_an_outline_that_moves_unless_it_is_given(client, benches):
    path = f"{BASE}/storage-locations/{benches[0].id}"
    moved = client.patch(path, json={"geojson_coordinates": bench(5)}).json
    assert moved["geospatial_point"]["coordinates"][0] == pytest.approx(middle_of(5)[1])
    given = client.patch(path, json={"geospatial_point": "1.5, 2.5"}).json
    assert given["geospatial_point"]["coordinates"] == [2.5, 1.5]
    assert client.patch(path, json={"name": "New"}).json["geospatial_point"] == {
        "type": "Point",
        "coordinates": [2.5, 1.5],
    }


def test_there_is_always_one_default_state(client):
    states = {row["code"]: row["id"] for row in listed(client, "product-states")}
    adult, seed = (f"{BASE}/product-states/{states[code]}" for code in ("ADULT", "SEED"))
    assert refused(client.patch(seed, json={"is_default": False})) == (400, "is_default")
    assert refused(client.patch(seed, json={"is_active": False})) == (400, "is_active")
    assert client.delete(seed).status_code == 409
    assert client.patch(adult, json={"is_default": True}).status_code == 200
    defaults = [row["code"] for row in listed(client, "product-states") if row["is_default"]]
    assert defaults == ["ADULT"]


def test_what_others_refer_to_is_not_deleted(client, benches):
    assert client.delete(f"{BASE}/storage-areas/{benches[0].storage_area_id}").status_code == 409
    assert client.delete(f"{BASE}/storage-locations/{benches[1].id}").status_code == 204
    assert client.get(f"{BASE}/storage-locations/{benches[1].id}").status_code == 404


def test_a_position_is_looked_up(client, benches):
    latitude, longitude = middle_of(1)
    found = client.get(f"{BASE}/lookup?latitude={latitude}&longitude={longitude}").json
    assert (found["storage_location"]["code"], found["distance_m"]) == ("B-1", 0)
    nowhere = client.get(f"{BASE}/lookup?latitude=0&longitude=0").json
    assert nowhere == {"storage_location": None, "distance_m": None}
    assert refused(client.get(f"{BASE}/lookup?latitude=91&longitude=0")) == (400, "latitude")
    assert refused(client.get(f"{BASE}/lookup?latitude=9")) == (400, "longitude")


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_administrators_change_places(client, database, benches, role):
    with database.session() as session:
        user = accounts.create_user(session, name="Ana", role=role)
        token = accounts.create_token(session, user, "test")[1]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(f"{BASE}/warehouses", headers=headers).status_code == 200
    body = {"code": "X", "name": "x"}
    assert client.post(f"{BASE}/warehouses", json=body, headers=headers).status_code == 403


def test_changes_are_in_the_audit(client, database):
    add(client, "warehouses", code="W-1", name="North")
    with database.session() as session:
        rows = session.execute(text("SELECT action, subject FROM audit")).all()
    assert rows == [("places.create", "warehouses W-1")]


# Imports

CSV = """kind;code;name;warehouse;area;latitude;longitude;expected_product;expected_product_state
storage-location;B-9;Mesa 9;;A-1;-33,449;-70,669;ECH;juvenile
warehouse;W-1;Norte;;;;;;
storage-area;A-1;Casa 1;W-1;;;;;
product;ech;Echeveria;;;;;;

storage-location;B-10;;;A-1;;;;
storage-location;B-11;Mesa 11;;A-7;;;;
storage-location;B-12;Mesa 12;;A-1;95;10;;
storage-location;B-9;Otra vez;;A-1;;;;
greenhouse;G;G;;;;;;
"""


def send(client: FlaskClient, content: str | bytes, name: str = "nursery.csv", **fields: str):
    raw = content.encode() if isinstance(content, str) else content
    return client.post(f"{BASE}/imports", data={"file": (io.BytesIO(raw), name), **fields})


def test_a_file_is_tried_first_and_changes_nothing(client, database):
    answer = send(client, CSV)
    assert (answer.status_code, answer.json["imported"]) == (201, False)
    assert answer.json["report"]["added"] == 4
    assert listed(client, "warehouses") == []


def test_good_rows_are_imported_whatever_their_order(client):
    tried = send(client, CSV).json
    done = client.post(tried["import_url"]).json
    assert done["imported"] and done["report"] == tried["report"]
    [place] = listed(client, "storage-locations")
    assert place["geospatial_point"]["coordinates"] == [-70.669, -33.449]
    [config] = listed(client, "storage-location-config")
    assert config["storage_location_id"] == place["id"]


def test_bad_rows_are_reported_by_line_column_and_words(client):
    problems = send(client, CSV).json["report"]["problems"]
    said = [(one["line"], one["field"], one["value"]) for one in problems]
    assert said == [
        (7, "name", ""),
        (8, "area", "A-7"),
        (9, "geospatial_point", ""),
        (10, "code", "B-9"),
        (11, "kind", "greenhouse"),
    ]
    assert "Line 2 has the same" in problems[3]["message"]
    assert all(one["message"].endswith(".") for one in problems)


def test_bad_rows_come_back_as_a_file_that_can_be_corrected_and_sent_again(client):
    tried = send(client, CSV).json
    client.post(tried["import_url"])
    bad = client.get(f"/count/locations/imports/{tried['id']}.csv").text
    mended = bad.replace("B-10,,", "B-10,Mesa 10,").replace("A-7", "A-1").replace("95", "-33.4")
    mended = mended.replace("storage-location,B-9", "storage-location,B-13")
    report = send(client, mended.replace("greenhouse,G,G,", "warehouse,G,G,")).json["report"]
    assert (report["added"], report["problems"]) == (5, [])


def test_an_import_sent_again_changes_only_what_is_different(client):
    client.post(send(client, CSV).json["import_url"])
    again = send(client, CSV.replace("Mesa 9;", "Mesa nueve;")).json["report"]
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 1, 3)


def test_an_import_is_carried_out_once(client, database):
    tried = send(client, CSV).json
    first = client.post(tried["import_url"]).json
    with database.session() as session:
        session.execute(text("UPDATE storage_locations SET name = 'By hand'"))
    assert client.post(tried["import_url"]).json == first
    assert listed(client, "storage-locations")[0]["name"] == "By hand"


def test_geojson_features_are_rows(client, benches):
    features = [
        {"type": "Feature", "properties": {"code": "B-5", "name": "Five", "area": "A-1"}}
        | {"geometry": bench(5)},
        {"type": "Feature", "properties": {"code": "B-6", "name": "Six", "area": "A-1"}}
        | {"geometry": {"type": "Point", "coordinates": [-70.6, -33.4]}},
        {"type": "Feature", "properties": {"code": "B-7", "name": "Seven", "area": "A-1"}}
        | {"geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}},
        {"type": "Feature", "properties": None, "geometry": None},
        "nonsense",
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features})
    tried = send(client, content, "benches.geojson").json
    assert tried["report"]["added"] == 2
    assert [one["line"] for one in tried["report"]["problems"]] == [3, 4, 5]
    client.post(tried["import_url"])
    found = {row["code"]: row for row in listed(client, "storage-locations")}
    assert found["B-5"]["geojson_coordinates"] == bench(5)
    assert found["B-6"]["geospatial_point"]["coordinates"] == [-70.6, -33.4]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"type": "Topology"}',
        b"code,name\n",
        b'code,name\n"open',
        b"code,code\n1,2\n",
        b"\x00\x01\x02",
        b"[" * 200_000,
        b"hello",
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(client, content):
    assert refused(send(client, content)) == (400, "file")


def test_a_spreadsheet_s_file_is_read_in_its_own_encoding(client):
    report = send(client, "code;name\nW-1;Viñedo\n".encode("cp1252"), kind="warehouses").json
    client.post(report["import_url"])
    assert listed(client, "warehouses")[0]["name"] == "Viñedo"


def test_an_export_is_an_import_that_changes_nothing(client, benches):
    for kind in ("warehouses", "storage-areas", "storage-locations", "products"):
        exported = client.get(f"/count/places/{kind}.csv").text
        report = send(client, exported, kind=kind).json["report"]
        assert report["unchanged"] == report["rows"] > 0, report


def test_two_thousand_rows_are_imported(client, benches):
    lines = [f"C-{n},Bench {n},A-1,{-33 + n * 1e-4:.5f},-70.5" for n in range(2000)]
    content = "\n".join(["code,name,area,latitude,longitude", *lines])
    tried = send(client, content).json
    assert client.post(tried["import_url"]).json["report"]["added"] == 2000


def test_a_nul_in_a_row_is_that_row_s_problem(client):
    report = send(client, 'code,name\nW-1,"a\0b"\nW-2,b\n', kind="warehouses").json["report"]
    assert (report["added"], [one["line"] for one in report["problems"]]) == (1, [2])
