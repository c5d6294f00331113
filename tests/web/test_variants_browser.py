"""Variants on a phone, with a real worker and the sandbox: from the camera to the final picture."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from darkroom.settings import ROOT, Settings

from .conftest import Served
from .test_browser import expect, page, phone  # noqa: F401  (fixtures)

MADE_MS = 120_000
SIDE = 1600
PHOTO_ADDRESS = re.compile("/variants/[0-9a-f-]{36}$")


@pytest.fixture
def at_work(served: Served, settings: Settings) -> Iterator[None]:
    """A worker and a sandbox, each a process of its own."""
    environ = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
        "DARKROOM_SANDBOX_PORT": str(_free_port()),
        "DARKROOM_PACES": "variants=0.05",
        "DARKROOM_BACKOFF_SECONDS": "0.5",
        "DARKROOM_UNLOCK_SIDE": str(SIDE),
        # The networks' weights cannot be had then: enlarging takes no time.
        "PIP_NO_INDEX": "1",
    }
    command = [sys.executable, "-m", "darkroom.cli"]
    started = [
        subprocess.Popen([*command, *words], env=environ, cwd=ROOT)
        for words in (("sandbox",), ("worker",))
    ]
    yield
    for process in started:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def photo(tmp_path: Path) -> str:
    """A photo of a cup on a table, as a camera hands it over."""
    image = Image.new("RGB", (640, 480), (150, 132, 112))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 340, 640, 480), fill=(92, 66, 46))
    draw.rectangle((250, 200, 390, 370), fill=(186, 62, 42))
    draw.ellipse((250, 180, 390, 222), fill=(206, 90, 64))
    draw.ellipse((374, 230, 440, 320), outline=(186, 62, 42), width=14)
    path = tmp_path / "taza.jpg"
    image.save(path, quality=92)
    return str(path)


def sent(page: Any, photo: str) -> str:  # noqa: F811
    """Take the photo by the camera's button and send it: where its variants will be."""
    page.goto("/variants")
    page.set_input_files("[data-camera-input]", photo)
    page.wait_for_selector(".drop-file")
    page.click("text=Make variants")
    page.wait_for_url(PHOTO_ADDRESS)
    return str(page.url)


def made(page: Any) -> None:  # noqa: F811
    """Wait until both variants are there."""
    expect(page.locator("[data-held].is-live")).to_have_count(2, timeout=MADE_MS)


class Finger:
    """A finger on the glass, as Chromium's own protocol moves it."""

    def __init__(self, page: Any) -> None:  # noqa: F811
        self.session = page.context.new_cdp_session(page)

    def _touch(self, kind: str, *points: dict[str, float]) -> None:
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    def press(self, x: float, y: float) -> None:
        """Put it down and leave it there."""
        self._touch("touchStart", {"x": x, "y": y})

    def lift(self) -> None:
        """Take it away."""
        self._touch("touchEnd")

    def swipe(self, x: float, y: float, by: int = -300) -> None:
        """Move what is under it."""
        self.press(x, y)
        for moved in range(0, by, -20):
            self._touch("touchMove", {"x": x + moved, "y": y})
        self.lift()


def middle(page: Any, selector: str) -> tuple[float, float]:  # noqa: F811
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_from_the_camera_to_an_unlocked_enlarged_picture(
    phone: Any,  # noqa: F811
    at_work: None,
    photo: str,
) -> None:
    sent(phone, photo)
    expect(phone.locator(".now h2")).to_have_text(" Processing. You can close the app.")

    phone.goto("/variants/archives")
    expect(phone.locator(".archive [data-state=ready]")).to_be_visible(timeout=MADE_MS)
    phone.tap(".archive-link")
    made(phone)
    assert phone.locator(".slide .sandbox-mark").count() == 2

    first, second = "[data-held] >> nth=0", "[data-held] >> nth=1"
    at = middle(phone, f"{first} >> [data-stage]")
    finger = Finger(phone)
    finger.press(*at)
    expect(phone.locator(first)).to_have_attribute("data-shown", "before")
    finger.lift()
    expect(phone.locator(first)).to_have_attribute("data-shown", "after")
    finger.swipe(at[0] + 150, at[1])
    expect(phone.locator(".slide-nav [aria-current]")).to_have_text("Creative")
    expect(phone.locator(second)).to_be_in_viewport()

    phone.tap(".slide:nth-child(2) >> text=Unlock · 5 tokens")
    expect(phone.locator("h1")).to_have_text("Unlock Creative?")
    phone.tap("text=Unlock and enlarge · 8 tokens")
    phone.wait_for_url(PHOTO_ADDRESS)
    expect(phone.locator("#archive-head [data-state=unlocked]")).to_be_visible(timeout=MADE_MS)
    expect(phone.locator("[data-held]")).to_have_count(1)
    expect(phone.locator(".told")).to_contain_text("enlarged without a model")
    with phone.expect_download() as downloading:
        phone.tap("text=Download")
    final = Image.open(downloading.value.path())
    assert downloading.value.suggested_filename.startswith("taza-unlocked.")
    assert max(final.size) == SIDE
    phone.tap("text=What it took")
    expect(phone.locator(".facts")).to_contain_text("12 tokens")


def test_variants_appear_while_one_looks_and_are_turned_by_keys(
    page: Any,  # noqa: F811
    at_work: None,
    photo: str,
) -> None:
    sent(page, photo)
    made(page)
    current = page.locator(".slide-nav [aria-current]")
    expect(current).to_have_text("Forensic")
    page.keyboard.press("ArrowRight")
    expect(current).to_have_text("Creative")
    page.keyboard.press("ArrowLeft")
    expect(current).to_have_text("Forensic")
    figure = page.locator("[data-held] >> nth=0")
    figure.locator("[data-stage]").focus()
    page.keyboard.press("o")
    expect(figure).to_have_attribute("data-shown", "before")
    page.keyboard.press("o")
    page.keyboard.press("+")
    expect(figure.locator("[data-stage]")).not_to_have_class(re.compile("is-fitted"))
    page.keyboard.press("ArrowRight")
    expect(current).to_have_text("Forensic")


def test_slots_are_dragged_and_the_price_follows(page: Any) -> None:  # noqa: F811
    page.goto("/variants/settings")
    page.wait_for_selector("[data-handle]:visible")
    kinds = "[...document.querySelectorAll('[name=kind]')].map((one) => one.value)"
    handle = page.locator("[data-handle]")
    start, end = handle.nth(0).bounding_box(), handle.nth(1).bounding_box()
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 10, end["y"] + 40, steps=6)
    page.mouse.up()
    assert page.evaluate(kinds) == ["AUTO:CREATIVE", "AUTO:FORENSIC"]
    page.click("[data-slot]:nth-child(2) [data-move='-1']")
    assert page.evaluate(kinds) == ["AUTO:FORENSIC", "AUTO:CREATIVE"]
    page.click("[data-slot]:nth-child(2) [data-move='-1']")
    page.select_option("[name=provider] >> nth=0", "openai")
    expect(page.locator("[data-batch-usd]")).to_have_text("$0.098")
    page.select_option("[name=max_previews]", "1")
    expect(page.locator("[data-batch-usd]")).to_have_text("$0.053")
    page.click(".wishes-save")
    page.wait_for_selector("text=Saved.")
    assert page.evaluate(kinds) == ["AUTO:CREATIVE", "AUTO:FORENSIC"]


def test_another_photo_takes_the_place_of_the_first(
    phone: Any,  # noqa: F811
    photo: str,
    tmp_path: Path,
) -> None:
    other = tmp_path / "otra.png"
    Image.new("RGB", (320, 240), "green").save(other)
    phone.goto("/variants")
    phone.set_input_files("[data-camera-input]", photo)
    phone.set_input_files("[data-camera-input]", str(other))
    expect(phone.locator(".drop-file")).to_have_count(1)
    expect(phone.locator(".drop-file")).to_contain_text("otra.png")


def test_pages_fit_a_phone(phone: Any) -> None:  # noqa: F811
    for path in ("", "/archives", "/settings", "/presets", "/presets/new"):
        phone.goto(f"/variants{path}")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, path
