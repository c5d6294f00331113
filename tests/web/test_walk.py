"""The way of a person, with everything real: sign in, upload, watch it being counted, read it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from darkroom.accounts import service as accounts
from darkroom.db.sessions import Database
from darkroom.settings import ROOT, Settings
from scripts.scenes.photo import make_photo

from .conftest import Served
from .test_browser import expect, page  # noqa: F401  (a fixture)

COUNTING_MS = 120_000


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server demands a session, as it would on a network."""
    monkeypatch.setenv("DARKROOM_REQUIRE_LOGIN", "1")


@pytest.fixture
def worker(settings: Settings) -> Iterator[None]:
    """A worker of the product."""
    environ = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "darkroom.cli", "worker"], env=environ, cwd=ROOT
    )
    yield
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture
def trays(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"tray_{seed}.jpg" for seed in (920_000, 920_001)]
    for seed, path in enumerate(paths, start=920_000):
        Image.fromarray(make_photo(seed, (1200, 900)).image).save(path, quality=90)
    return [str(path) for path in paths]


def link_of_admin(database: Database) -> str:
    with database.session() as session:
        admin = accounts.ensure_admin(session)
        return f"/sign-in/{accounts.make_sign_in_link(session, admin, datetime.now(UTC))}"


def test_a_person_signs_in_uploads_watches_and_reads_the_result(
    served: Served,
    page: Any,  # noqa: F811
    worker: None,
    trays: list[str],
) -> None:
    page.goto("/count")
    page.wait_for_url(re.compile("/sign-in"))
    page.goto(link_of_admin(served.site.database))
    page.click("main >> text=Sign in")
    page.goto("/count")
    page.set_input_files("[data-drop-input]", trays)
    page.click("text=Count 2 photos")
    page.wait_for_url(re.compile("/count/[0-9a-f-]{36}$"))
    # Without a reload: first words of progress, then the count, then the end.
    expect(page.locator("[data-bind=note]")).to_contain_text("of 2", timeout=COUNTING_MS)
    expect(page.locator(".figure-big")).to_be_visible(timeout=COUNTING_MS)
    over = page.locator("#count-head").locator("[data-state=completed], [data-state=review]")
    expect(over).to_be_visible(timeout=COUNTING_MS)
    session_id = page.url.rpartition("/")[2]
    body = page.request.get(f"/count/{session_id}.json").json()
    total = body["total_detected"] + body["total_estimated"]
    assert page.inner_text(".figure-big") == str(total) != "0"
