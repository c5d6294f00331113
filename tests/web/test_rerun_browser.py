"""Two counts of a photo beside each other, in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from darkroom.accounts import service as accounts
from darkroom.counting.models import PhotoSession
from darkroom.counting.rerun import service
from darkroom.queue.models import Run

from .conftest import Served, Submit, count
from .test_browser import DESK, PHONE, _opened, expect

LEFT, RIGHT = "[data-layers]", "[data-layers-other]"


@pytest.fixture
def address(served: Served, submit: Submit) -> str:
    """Where two counts of one photo stand beside each other."""
    database = served.site.database
    with database.session() as session:
        owner = accounts.ensure_admin(session)
    first = submit(served.site, owner).session_id
    with database.session() as session:
        row = session.scalars(select(PhotoSession)).one()
        run_id = service.again(session, row, {"confidence": 0.5})
        second = session.get_one(Run, run_id).params["session_id"]
    for session_id in (first, second):
        count(database, session_id)
    return f"/count/{first}/compare/{second}"


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    with _opened(browser, served, **DESK) as opened:
        yield opened


@pytest.fixture
def phone(browser: Any, served: Served) -> Iterator[Any]:
    with _opened(browser, served, **PHONE) as opened:
        yield opened


def shown(page: Any) -> tuple[str, str]:
    """What of either count is cut away."""
    look = "name => document.querySelector(name).style.clipPath.replaceAll('px', '')"
    return page.evaluate(look, LEFT), page.evaluate(look, RIGHT)


def drawn(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("[data-compare][data-drawn=true]")


def test_each_count_is_shown_on_its_side_of_the_line(page: Any, address: str) -> None:
    drawn(page, address)
    assert shown(page) == ("inset(0 50% 0 0)", "inset(0 0 0 50%)")
    for side in (LEFT, RIGHT):
        assert page.locator(f"{side} ellipse").count() == 2
    expect(page.locator("[data-layer-count=detections]")).to_have_text("2 · 2")


def test_the_line_is_dragged(page: Any, address: str) -> None:
    drawn(page, address)
    page.locator("[data-stage]").scroll_into_view_if_needed()
    line, stage = (page.locator(name).bounding_box() for name in ("[data-line]", "[data-stage]"))
    page.mouse.move(line["x"] + 16, line["y"] + 40)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.25, line["y"] + 40, steps=4)
    page.mouse.up()
    assert float(page.input_value("[data-cut]")) == pytest.approx(25, abs=2)
    assert shown(page)[0].startswith("inset(0 7")


def test_one_count_alone_is_shown_and_both_again_where_they_were(page: Any, address: str) -> None:
    drawn(page, address)
    page.fill("[data-cut]", "30")
    page.click("text=Only B")
    assert shown(page) == ("inset(0 100% 0 0)", "inset(0 0 0 0%)")
    expect(page.locator("[data-line]")).to_be_hidden()
    page.click("text=Only A")
    assert shown(page) == ("inset(0 0% 0 0)", "inset(0 0 0 100%)")
    page.check("[data-shown=both]")
    assert shown(page)[0] == "inset(0 70% 0 0)"


def test_a_layer_is_switched_off_on_both_sides(page: Any, address: str) -> None:
    drawn(page, address)
    page.uncheck("[data-layer=detections]")
    for side in (LEFT, RIGHT):
        expect(page.locator(f"{side} [data-drawn=detections]")).to_be_hidden()


def test_it_fits_a_phone(phone: Any, address: str) -> None:
    drawn(phone, address)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    table = ".sides .table-scroll"
    assert phone.evaluate(f"document.querySelector('{table}').scrollWidth") <= 390
