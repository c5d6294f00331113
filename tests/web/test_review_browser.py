"""Correcting a count in a real browser: by click, touch and keys, and with a bad connection."""

from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from darkroom.accounts import service as accounts
from darkroom.counting.models import Container, Detection, Photo, PhotoSession
from darkroom.counting.review.models import Correction
from darkroom.queue.models import Run

from .conftest import Served, count
from .test_browser import change, expect, page, phone, sent  # noqa: F401  (fixtures)

MANY = 3000
LARGE = (4000, 3000)


@pytest.fixture
def counted(served: Served, sent: Any) -> Any:  # noqa: F811
    """A count of one container with two plants, at (10, 20) and (30, 20) of 64 by 48 pixels."""
    count(served.site.database, sent.session_id, needs_review=True)
    change(served, sent.run_id, status="completed", finished_at=datetime.now(UTC))
    return sent


def opened(page: Any, counted: Any) -> None:  # noqa: F811
    page.goto(f"/count/{counted.session_id}/review")
    page.wait_for_selector("[data-review][data-drawn=true]")


def place(page: Any, x: float, y: float) -> tuple[float, float]:  # noqa: F811
    """Where a point of the photo is on the screen."""
    box = page.locator("[data-plane] img").bounding_box()
    return box["x"] + x * box["width"] / 64, box["y"] + y * box["height"] / 48


def rows(served: Served) -> list[Correction]:
    with served.site.database.session() as db:
        return list(db.scalars(select(Correction).order_by(Correction.id)))


def sent_off(page: Any, text: str) -> None:  # noqa: F811
    expect(page.locator("[data-sum]")).to_contain_text(text)
    expect(page.locator("form[aria-busy]")).to_have_attribute("aria-busy", "false")


def test_plants_are_added_removed_and_moved_by_mouse(
    served: Served,
    page: Any,  # noqa: F811
    counted: Any,
) -> None:
    opened(page, counted)
    page.click("[data-mode=add]")
    page.mouse.click(*place(page, 48, 30))
    page.click("[data-mode=remove]")
    page.mouse.click(*place(page, 10, 20))
    page.click("[data-mode=move]")
    page.mouse.move(*place(page, 30, 20))
    page.mouse.down()
    page.mouse.move(*place(page, 33, 26), steps=5)
    page.mouse.up()
    sent_off(page, "1 added, 1 removed, 1 moved")
    added, removed, moved = rows(served)
    assert (added.action, removed.action, moved.action) == ("add", "remove", "move")
    assert added.after["center_x"] == pytest.approx(48, abs=0.2)
    assert added.after["width_px"] == 8
    assert removed.before["center_x"] == 10
    assert moved.after["center_y"] == pytest.approx(26, abs=0.2)


def test_drag_pans_and_corrects_nothing(served: Served, page: Any, counted: Any) -> None:  # noqa: F811
    opened(page, counted)
    page.click("[data-zoom=in]")
    page.click("[data-mode=add]")
    before = page.evaluate("document.querySelector('[data-plane]').style.transform")
    page.mouse.move(*place(page, 30, 24))
    page.mouse.down()
    page.mouse.move(*place(page, 25, 20), steps=4)
    page.mouse.up()
    assert page.evaluate("document.querySelector('[data-plane]').style.transform") != before
    assert page.text_content("[data-sum]") == "" and rows(served) == []


def test_corrections_are_undone_redone_and_there_after_a_reload(
    served: Served,
    page: Any,  # noqa: F811
    counted: Any,
) -> None:
    opened(page, counted)
    page.click("[data-mode=remove]")
    page.mouse.click(*place(page, 10, 20))
    page.mouse.click(*place(page, 30, 20))
    page.keyboard.press("Control+z")
    sent_off(page, "1 removed")
    opened(page, counted)
    expect(page.locator("[data-sum]")).to_contain_text("1 removed")
    page.keyboard.press("y")
    sent_off(page, "2 removed")
    assert [row.undone_at for row in rows(served)] == [None, None]


def test_keys_alone_do_it(served: Served, page: Any, counted: Any) -> None:  # noqa: F811
    opened(page, counted)
    page.focus("[data-stage]")
    page.keyboard.press("a")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    sent_off(page, "1 added")
    with page.expect_response(lambda answer: answer.request.method != "GET"):
        page.keyboard.press("u")
    [row] = rows(served)
    assert row.undone_at is not None


def test_totals_are_entered_and_accepted(served: Served, page: Any, counted: Any) -> None:  # noqa: F811
    opened(page, counted)
    page.fill(".review-total", "7")
    page.keyboard.press("Tab")
    sent_off(page, "totals: 1")
    page.click("[data-accept]")
    sent_off(page, "totals: 2")
    total, accepted = rows(served)
    assert (total.after, accepted.action) == ({"total": 7}, "accept")
    page.click("text=Save and accept this photo")
    page.wait_for_selector("text=Your corrections are being applied")
    expect(page.locator("[data-save]").first).to_be_disabled()


def test_a_finger_adds_and_zooms(served: Served, phone: Any, counted: Any) -> None:  # noqa: F811
    opened(phone, counted)
    phone.tap("[data-mode=add]")
    phone.touchscreen.tap(*place(phone, 48, 30))
    sent_off(phone, "1 added")
    assert len(rows(served)) == 1
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_what_is_sent_twice_over_a_bad_line_is_one_correction(
    served: Served,
    browser: Any,
    counted: Any,
) -> None:
    context = browser.new_context(base_url=served.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()  # noqa: F811
    tries = []

    def lose_the_answer(route: Any) -> None:
        tries.append(route.fetch())
        if len(tries) == 1:
            route.abort()
        else:
            route.fulfill(response=tries[-1])

    context.route("**/corrections.json", lose_the_answer)
    opened(page, counted)
    page.click("[data-mode=remove]")
    page.mouse.click(*place(page, 10, 20))
    expect(page.locator("[data-sum]")).not_to_be_empty()
    while len(tries) < 2:
        page.wait_for_timeout(50)
    assert [answer.status for answer in tries] == [201, 201]
    assert len(rows(served)) == 1
    context.close()


def test_a_refused_correction_is_shown_and_taken_back(
    served: Served,
    browser: Any,
    counted: Any,
) -> None:
    context = browser.new_context(
        base_url=served.url, locale="en", viewport={"width": 1280, "height": 800}
    )
    page = context.new_page()  # noqa: F811
    opened(page, counted)
    with served.site.database.session() as db:
        db.execute(Detection.__table__.delete().where(Detection.center_x == 10))
    page.click("[data-mode=remove]")
    page.mouse.click(*place(page, 10, 20))
    expect(page.locator("[data-said]")).to_contain_text("not there any more")
    assert page.text_content("[data-sum]") == ""
    context.close()


def test_three_thousand_plants_on_twelve_megapixels_are_painted_fast(
    served: Served,
    page: Any,  # noqa: F811
    tmp_path: Any,
) -> None:
    session_id = crowded(served, tmp_path)
    page.goto(f"/count/{session_id}/review")
    page.wait_for_selector("[data-review][data-drawn=true]")
    took = page.evaluate(
        """async () => {
          const { paint } = await import("/static/js/review-paint.js");
          const { Model } = await import("/static/js/review-model.js");
          const figure = document.querySelector("[data-review]");
          const model = new Model(await (await fetch(figure.dataset.state)).json());
          const view = { scale: 0.2, x: 0, y: 0, width: 800, height: 600 };
          const canvas = document.querySelector("[data-canvas]");
          const begun = performance.now();
          for (let frame = 0; frame < 10; frame += 1) paint(canvas, view, model, {});
          canvas.getContext("2d").getImageData(0, 0, 1, 1);
          return [model.plants.size, (performance.now() - begun) / 10];
        }"""
    )
    assert took[0] == MANY
    assert took[1] < 60, f"{took[1]:.0f} ms a frame"


def crowded(served: Served, folder: Any) -> Any:
    """A count of a 12-megapixel photo with very many plants."""
    path = folder / "large.jpg"
    Image.new("RGB", LARGE, "green").save(path, quality=60)
    site = served.site
    with site.database.session() as db:
        owner = accounts.ensure_admin(db)
    with path.open("rb") as file:
        made = site.services.counting.receive([FileStorage(file, filename="large.jpg")], owner.id)
    count(site.database, made.session_id)
    with site.database.session() as db:
        photo = db.scalars(select(Photo).where(Photo.width == LARGE[0])).one()
        container = db.scalars(select(Container).where(Container.image_id == photo.image_id)).one()
        db.execute(Detection.__table__.delete().where(Detection.image_id == photo.image_id))
        db.add_all(_plant(photo, container, place) for place in range(MANY))
        run = db.get_one(Run, made.run_id)
        run.status, run.finished_at = "completed", datetime.now(UTC)
        session = db.scalars(select(PhotoSession).where(PhotoSession.id == photo.session_id)).one()
        session.counted_at = datetime.now(UTC)
    return made.session_id


def _plant(photo: Photo, container: Container, place: int) -> Detection:
    return Detection(
        session_id=photo.session_id,
        image_id=photo.image_id,
        container_id=container.id,
        center_x=30 + 65 * (place % 60),
        center_y=30 + 58 * (place // 60),
        width_px=50,
        height_px=44,
        confidence=0.8,
        class_name="plant",
    )
