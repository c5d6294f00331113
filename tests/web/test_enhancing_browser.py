"""Enlarging in a browser, with a real worker: from the form to before and after."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from darkroom.media import ffmpeg
from darkroom.settings import ROOT, Settings

from .conftest import Served
from .test_browser import expect, page, phone  # noqa: F401  (fixtures)

MADE_MS = 120_000
REQUEST_ADDRESS = re.compile("/studio/[0-9a-f-]{36}$")


@pytest.fixture
def at_work(served: Served, settings: Settings) -> Iterator[None]:
    """A worker whose networks' weights cannot be had: enlarging takes no time."""
    environ = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
        "PIP_NO_INDEX": "1",
    }
    command = [sys.executable, "-m", "darkroom.cli", "worker", "--lanes", "gpu"]
    process = subprocess.Popen(command, env=environ, cwd=ROOT)
    yield
    process.kill()
    process.wait()


@pytest.fixture
def photo(tmp_path: Path) -> str:
    corners = Image.new("RGB", (2, 2), (150, 60, 40))
    corners.putpixel((1, 1), (40, 120, 90))
    path = tmp_path / "maceta.jpg"
    corners.resize((320, 240), Image.Resampling.BICUBIC).save(path)
    return str(path)


def sent(page: Any, file: str, scale: str) -> None:  # noqa: F811
    page.goto("/studio/enhance")
    page.set_input_files("#file", file)
    page.fill("#scale", scale)
    page.click("button:has-text('Enlarge')")
    page.wait_for_url(REQUEST_ADDRESS)


def test_before_and_after_can_be_compared_as_soon_as_it_is_done(
    page: Any,  # noqa: F811
    at_work: None,
    photo: str,
) -> None:
    sent(page, photo, "2.5")
    pair = page.locator("[data-pair].is-live")
    expect(pair).to_have_count(1, timeout=MADE_MS)
    expect(pair).to_have_attribute("data-width", "800")
    expect(page.get_by_role("note")).to_contain_text("formula")
    pair.locator("[data-shown=one]").check()
    expect(pair).to_have_attribute("data-sides", "one")
    expect(page.get_by_role("link", name="Download")).to_be_visible()


def test_a_video_can_be_played_once_it_is_done(
    page: Any,  # noqa: F811
    at_work: None,
    tmp_path: Path,
) -> None:
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc2=size=64x48:duration=1", "a.mp4"], tmp_path)
    sent(page, str(tmp_path / "a.mp4"), "2")
    expect(page.locator("#made-result figure video")).to_have_count(1, timeout=MADE_MS)
    expect(page.locator(".made-line")).to_contain_text("25 frames")
