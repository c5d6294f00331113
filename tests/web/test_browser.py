"""The pages as people use them: a real browser, the real server, scripts and all."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from darkroom.accounts import service as accounts
from darkroom.queue.models import Run

from .conftest import Served, Submit, count

expect = pytest.importorskip("playwright.sync_api", reason="no playwright: make setup").expect
expect.set_options(timeout=60_000)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """A page on a desk; any error in its console fails the test."""
    with _opened(browser, served, **DESK) as opened:
        yield opened


@pytest.fixture
def phone(browser: Any, served: Served) -> Iterator[Any]:
    """A page on a phone."""
    with _opened(browser, served, **PHONE) as opened:
        yield opened


class _opened:
    def __init__(self, browser: Any, served: Served, **options: Any) -> None:
        self.context = browser.new_context(base_url=served.url, locale="en", **options)
        self.troubles: list[str] = []

    def __enter__(self) -> Any:
        page = self.context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on(
            "console",
            lambda said: said.type in ("error", "warning") and self.troubles.append(said.text),
        )
        return page

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.troubles == []


@pytest.fixture
def sent(served: Served, submit: Submit) -> Any:
    with served.site.database.session() as session:
        owner = accounts.ensure_admin(session)
    return submit(served.site, owner, "mesa 7.jpg")


@pytest.fixture
def photos(tmp_path: Any) -> list[str]:
    paths = [tmp_path / "a.jpg", tmp_path / "b.png"]
    for path in paths:
        Image.new("RGB", (320, 240), "green").save(path)
    return [str(path) for path in paths]


def change(served: Served, run_id: Any, **values: Any) -> None:
    with served.site.database.session() as session:
        run = session.get_one(Run, run_id)
        for name, value in values.items():
            setattr(run, name, value)


def test_photos_are_looked_at_sent_and_led_to_their_result(page: Any, photos: list[str]) -> None:
    page.goto("/count")
    page.set_input_files("[data-drop-input]", photos)
    page.wait_for_selector(".drop-file:nth-child(2)")
    page.click("text=Count 2 photos")
    page.wait_for_url(re.compile("/count/[0-9a-f-]{36}$"))
    assert page.text_content("h1") == "2 photos"


def test_wrong_files_are_named_before_they_are_sent(page: Any, tmp_path: Any) -> None:
    files = {"notes.txt": b"text", "empty.jpg": b"", "broken.jpg": b"not a photo"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page.goto("/count")
    page.set_input_files("[data-drop-input]", [str(tmp_path / name) for name in files])
    expect(page.locator(".drop-file.is-wrong")).to_have_count(3)
    assert "is empty" in page.text_content(".drop-file:nth-child(2) .drop-state")
    assert page.is_disabled("[data-drop-submit]")


def test_refusal_by_the_server_is_shown_in_the_form(
    browser: Any, served: Served, photos: list[str]
) -> None:
    context = browser.new_context(base_url=served.url, **DESK)
    page = context.new_page()
    page.goto("/count")
    page.set_input_files("[data-drop-input]", photos[:1])
    page.evaluate("document.querySelector('[name=csrf_token]').value = 'old'")
    page.click("[data-drop-submit]")
    page.wait_for_selector("[data-drop-problem] .problem")
    assert "Reload it" in page.text_content("[data-drop-problem]")
    context.close()


def test_photo_is_pasted(page: Any) -> None:
    page.goto("/count")
    page.wait_for_selector("[data-drop].is-scripted")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array([1])], "pasted.png", { type: "image/png" }));
          dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
        }"""
    )
    page.wait_for_selector(".drop-file")
    assert "pasted.png" in page.text_content(".drop-name")


def test_progress_moves_without_a_reload(served: Served, page: Any, sent: Any) -> None:
    page.goto(f"/runs/{sent.run_id}")
    expect(page.locator("[data-live-word]")).to_have_text("Live")
    with served.site.database.session() as session:
        # What runs does not wait for a worker any more.
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    change(
        served,
        sent.run_id,
        status="running",
        progress=0.25,
        note="preparing photo {photo} of {photos}",
        note_values={"photo": 1, "photos": 1},
    )
    expect(page.locator(".now-note")).to_have_text("preparing photo 1 of 1")
    expect(page.locator(".now progress")).to_have_js_property("value", 0.25)
    page.wait_for_selector("#run-head [data-state=running]")


def test_count_appears_while_the_page_is_open(served: Served, page: Any, sent: Any) -> None:
    page.goto(f"/count/{sent.session_id}")
    page.wait_for_selector("text=The count appears here")
    count(served.site.database, sent.session_id)
    done = {"status": "completed", "progress": 1.0, "finished_at": datetime.now(UTC)}
    change(served, sent.run_id, **done)
    page.wait_for_selector(".figure-big")
    assert page.text_content(".figure-big") == "3"
    page.wait_for_selector("[data-viewer][data-drawn=true]")
    assert page.locator(".shape-detection").count() == 2
    assert page.text_content("[data-layer-count=detections]") == "2"


def test_page_polls_where_no_stream_is_to_be_had(served: Served, browser: Any, sent: Any) -> None:
    context = browser.new_context(base_url=served.url, locale="en", **DESK)
    context.route("**/events", lambda route: route.fulfill(status=503))
    page = context.new_page()
    page.goto(f"/runs/{sent.run_id}")
    change(served, sent.run_id, status="running", progress=0.75)
    expect(page.locator(".now progress")).to_have_js_property("value", 0.75)
    assert "few seconds" in page.text_content("[data-live-word]")
    context.close()


def test_region_with_a_selection_is_left_alone(served: Served, page: Any, sent: Any) -> None:
    page.goto(f"/runs/{sent.run_id}")
    expect(page.locator("[data-live-word]")).to_have_text("Live")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#run-head h1'))")
    change(served, sent.run_id, status="running", progress=0.5)
    expect(page.locator(".now progress")).to_have_js_property("value", 0.5)
    page.wait_for_timeout(1500)
    assert page.evaluate("getSelection().toString()").strip() == "mesa 7.jpg"
    page.evaluate("getSelection().removeAllRanges()")
    page.wait_for_selector("#run-head [data-state=running]")


def test_viewer_zooms_pans_and_hides_layers(served: Served, page: Any, sent: Any) -> None:
    count(served.site.database, sent.session_id)
    page.goto(f"/count/{sent.session_id}")
    page.wait_for_selector("[data-drawn=true]")
    shown = "document.querySelector('[data-plane]').style.transform"
    at_rest = page.evaluate(shown)
    page.focus("[data-stage]")
    page.keyboard.press("+")
    zoomed = page.evaluate(shown)
    assert zoomed != at_rest
    page.keyboard.press("ArrowRight")
    assert page.evaluate(shown) != zoomed
    page.keyboard.press("0")
    assert page.evaluate(shown) == at_rest
    page.uncheck("[data-layer=detections]")
    assert not page.is_visible(".shape-detection >> nth=0")


def test_keys_lead_through_the_pages(page: Any, sent: Any) -> None:
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/runs")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "text"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "mesa 7.jpg"
    page.keyboard.press("?")
    page.wait_for_selector("#keys:popover-open")


def test_theme_switches_at_once_and_stays(page: Any) -> None:
    page.goto("/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("[name=theme][value=dark]")
    assert page.evaluate(paper) != light
    page.goto("/runs")
    assert page.get_attribute("html", "data-theme") == "dark"


def test_cancelling_asks_first(page: Any, sent: Any) -> None:
    page.goto(f"/runs/{sent.run_id}")
    page.click("button:has-text('Cancel')")
    page.click("#cancel-run >> text=Keep it")
    assert not page.is_visible("#cancel-run")
    page.click("button:has-text('Cancel')")
    page.click("#cancel-run >> text=Cancel the run")
    page.wait_for_selector("[data-state=cancelled]")


def test_sign_in_by_link(served: Served, page: Any) -> None:
    with served.site.database.session() as session:
        user = accounts.create_user(session, name="Eva")
        token = accounts.make_sign_in_link(session, user, datetime.now(UTC))
    page.goto(f"/sign-in/{token}")
    page.click("main >> text=Sign in")
    page.wait_for_url("**/account")
    assert "Eva" in page.text_content(".foot-who")


@pytest.mark.parametrize("path", ["/", "/count", "/runs", "/account", "/users", "/sign-in"])
def test_phone_needs_no_sideways_scrolling(phone: Any, sent: Any, path: str) -> None:
    phone.goto(path)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_phone_offers_the_camera_first(phone: Any) -> None:
    phone.goto("/count")
    expect(phone.locator("text=Take a photo")).to_be_visible()
    assert phone.get_attribute("[data-camera-input]", "capture") == "environment"


def test_everything_to_press_or_fill_has_a_name(page: Any, sent: Any) -> None:
    for path in ("/", "/count", "/runs", f"/count/{sent.session_id}", "/account", "/users"):
        page.goto(path)
        assert page.evaluate(NAMELESS) == [], path


NAMELESS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select")]
  .filter((element) => element.checkVisibility() && ![
    element.textContent, element.ariaLabel, element.labels?.[0]?.textContent,
    element.closest("label")?.querySelector("svg")?.ariaLabel,
    element.querySelector("svg")?.ariaLabel,
  ].some((name) => name?.trim()))
  .map((element) => element.outerHTML)"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_contrasts_with_its_background(page: Any, sent: Any, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    for path in ("/", "/count", "/runs", f"/runs/{sent.run_id}", "/account"):
        page.goto(path)
        assert page.evaluate(CONTRAST) == [], path


CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const shown = element.checkVisibility() && !element.closest(".visually-hidden, :disabled");
    if (!own || !shown) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${element.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return weak;
}"""
