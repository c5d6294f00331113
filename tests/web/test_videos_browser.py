"""The scenes of a video in a real browser: added, removed, and sent as they then are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from darkroom.media import requests
from darkroom.media.videos import plan

from .conftest import Served, jpeg


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    context = browser.new_context(base_url=served.url)
    page = context.new_page()
    page.goto("/studio/videos/scenes")
    yield page
    context.close()


def test_scenes_are_added_and_removed_and_chosen_files_stay(
    page: Any, served: Served, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    (tmp_path / "pot.jpg").write_bytes(jpeg().getvalue())
    page.get_by_role("link", name="More scenes").click()
    expect(page.locator("[data-scene]")).to_have_count(4)
    last = page.locator("[data-scene]").last
    last.get_by_label("Picture", exact=True).set_input_files(tmp_path / "pot.jpg")
    last.get_by_label("Text", exact=True).fill("The last one")
    page.get_by_role("button", name="Remove").first.click()
    expect(page.locator("[data-scene]")).to_have_count(3)
    expect(last.locator("[data-scene-number]")).to_have_text("3")
    page.get_by_role("button", name="Make the video").click()
    expect(page.get_by_role("heading", name="The last one")).to_be_visible(timeout=60_000)
    with served.site.database.session() as session:
        [found] = requests.page(session, None)
        assert len(found.files["picture"]) == len(plan.read(found.row.asked).scenes) == 1


def test_the_last_scene_cannot_be_removed(page: Any) -> None:
    from playwright.sync_api import expect

    for _ in range(2):
        page.get_by_role("button", name="Remove").first.click()
    expect(page.locator("[data-scene]")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)
