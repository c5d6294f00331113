# ruff: noqa: F811  (fixtures are named as they are imported)
"""The map and the choice of a location, in a real browser; any error in its console fails them."""

import json
import re
from typing import Any

import pytest
from PIL import Image

from darkroom.accounts import service as accounts
from tests.integration.places import STEP, add_benches, bench, middle_of

from .conftest import Served, Submit
from .test_browser import expect, page, phone  # noqa: F401  (fixtures)
from .test_places import due, make_wait

CHOSEN = re.compile(r"\bis-chosen\b")


@pytest.fixture
def benches(served: Served) -> list[Any]:
    with served.site.database.session() as session:
        return add_benches(session, 4)


@pytest.fixture
def waiting(served: Served, submit: Submit, benches: list[Any]) -> Any:
    """A count that waits, taken some way east of the last bench."""
    with served.site.database.session() as session:
        owner = accounts.ensure_admin(session)
    sent = submit(served.site, owner, "mesa 7.jpg")
    latitude, longitude = middle_of(3)
    make_wait(served.site.database, sent, (latitude, longitude + 5 * STEP))
    return sent


def outline(opened: Any, code: str) -> Any:
    """The shape on the map of the location with that code: they are drawn in the order of codes."""
    return opened.locator(".place-storage-locations").nth(int(code[2:]))


def test_a_click_on_the_map_chooses_the_location(
    served: Served,
    page: Any,
    waiting: Any,
    benches: list[Any],
) -> None:
    page.goto(f"/count/{waiting.session_id}")
    expect(page.locator(".choose-list strong").first).to_have_text("B-3")
    outline(page, "B-2").click()
    expect(page.locator(f"input[value='{benches[2].id}']")).to_be_checked()
    expect(outline(page, "B-2")).to_have_class(CHOSEN)
    page.click("text=Count as this location")
    expect(page.locator(".where")).to_contain_text("B-2 · Bench 2")
    assert due(served.site.database) == ["counting.locate"]


def test_a_choice_from_the_list_shows_on_the_map_of_a_phone(
    phone: Any,
    waiting: Any,
    benches: list[Any],
) -> None:
    phone.goto(f"/count/{waiting.session_id}")
    phone.wait_for_selector(".place-storage-locations")
    phone.tap(f".choose-list li:has(input[value='{benches[1].id}'])")
    expect(outline(phone, "B-1")).to_have_class(CHOSEN)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_click_on_the_map_of_the_locations_opens_one(page: Any, benches: list[Any]) -> None:
    page.goto("/count/locations")
    outline(page, "B-1").click()
    page.wait_for_url(f"**/storage-locations/{benches[1].id}")
    assert page.text_content("h1") == "Bench 1"


def test_an_outline_is_pasted_or_drawn_and_kept(page: Any, benches: list[Any]) -> None:
    page.goto(f"/count/places/storage-locations/{benches[0].id}")
    expect(page.locator(".place-edited")).to_have_count(1)
    page.fill("#geojson_coordinates", json.dumps(bench(9)))
    expect(page.locator(".place-edited")).to_be_in_viewport()
    page.click("text=Draw the outline")
    for x, y in ((120, 120), (260, 120), (260, 240)):
        page.click("#map", position={"x": x, "y": y})
    page.click("[data-draw-done]")
    drawn = json.loads(page.input_value("#geojson_coordinates"))
    assert len(drawn["coordinates"][0]) == 4 and drawn != bench(9)
    page.click("text=Save >> nth=0")
    page.wait_for_selector("text=Saved.")
    assert json.loads(page.input_value("#geojson_coordinates")) == drawn


def test_the_place_of_an_upload_is_picked_on_the_page(
    served: Served,
    page: Any,
    benches: list[Any],
    tmp_path: Any,
) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (320, 240), "green").save(path)
    page.goto(f"/count?location={benches[2].id}")
    page.set_input_files("[data-drop-input]", str(path))
    page.click("text=Count 1 photo")
    expect(page.locator(".where")).to_contain_text("B-2 · Bench 2")
