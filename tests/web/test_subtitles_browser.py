"""Cues changed in a real browser: by hand, by keys, taken back; and when somebody was quicker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from darkroom.accounts.service import ensure_admin
from darkroom.media.subtitles import sheets
from darkroom.media.subtitles.sheets import Sheet

from .conftest import Served
from .subtitled import CUES, film, heard
from .test_browser import expect, page, phone  # noqa: F401  (fixtures)


@pytest.fixture
def request_id(served: Served, tmp_path: Path) -> UUID:
    """The local user's request, heard."""
    with served.site.database.session() as session:
        owner = ensure_admin(session)
    return heard(served.site, owner, tmp_path)


def now(served: Served, request_id: UUID) -> Sheet:
    with served.site.database.session() as session:
        return sheets.load(session, request_id)


def texts(served: Served, request_id: UUID) -> list[str]:
    return [cue.text for cue in now(served, request_id).cues]


def opened(page: Any, request_id: UUID) -> Any:  # noqa: F811
    """The list of the cues, once the script has it in hand."""
    page.goto(f"/studio/{request_id}")
    expect(page.locator("[data-cue-keys]")).to_be_visible()
    return page.locator("[data-cue] textarea")


def test_what_is_written_is_saved_and_checked(
    served: Served,
    page: Any,  # noqa: F811
    request_id: UUID,
) -> None:
    areas = opened(page, request_id)
    expect(page.locator("[data-cue]").nth(1)).to_contain_text("at most 17")
    areas.nth(1).fill("Ask.")
    page.locator("[data-cue]").nth(1).locator("[name=start]").fill("0:02.6")
    page.locator("[data-cue]").nth(1).locator("[name=end]").fill("0:03.1")
    areas.nth(0).focus()
    expect(page.locator("[data-cue]").nth(1)).to_contain_text("shown for 500 ms, at least 834")
    expect(page.locator("[data-cue-word]")).to_have_text("Saved")
    expect(page.locator("[data-report-sum]")).to_contain_text("1 warning")
    assert [(cue.start, cue.end, cue.text) for cue in now(served, request_id).cues][1] == (
        2600,
        3100,
        "Ask.",
    )


def test_cues_are_split_and_joined_by_keys_and_taken_back(
    served: Served,
    page: Any,  # noqa: F811
    request_id: UUID,
) -> None:
    areas = opened(page, request_id)
    areas.nth(0).evaluate("area => { area.focus(); area.setSelectionRange(8, 8); }")
    page.keyboard.press("Alt+Enter")
    expect(areas).to_have_count(4)
    expect(areas.nth(0)).to_have_value("And so,")
    expect(areas.nth(1)).to_be_focused()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+j")
    expect(areas).to_have_count(3)
    page.click("[data-cue-undo]")
    expect(areas).to_have_count(4)
    page.click("[data-cue-undo]")
    expect(areas).to_have_count(3)
    expect(page.locator("[data-cue-undo]")).to_be_disabled()
    assert now(served, request_id).cues == CUES
    assert now(served, request_id).version == 5


def test_cues_are_added_removed_and_moved(
    served: Served,
    page: Any,  # noqa: F811
    request_id: UUID,
) -> None:
    areas = opened(page, request_id)
    page.locator("[data-do=remove]").nth(1).click()
    expect(areas).to_have_count(2)
    page.click("[data-cue-last]")
    expect(areas).to_have_count(3)
    areas.nth(2).fill("The end.")
    page.fill("#cue-by", "-0,25")
    page.fill("#cue-first", "2")
    page.click("button[value=shift]")
    expect(page.locator("[name=start]").nth(1)).to_have_value("0:02.950")
    assert texts(served, request_id) == [CUES[0].text, CUES[2].text, "The end."]


@pytest.fixture
def refused(browser: Any, served: Served) -> Iterator[Any]:
    """A page whose calls may be refused, which browsers write into their console."""
    context = browser.new_context(base_url=served.url, locale="en")
    yield context.new_page()
    context.close()


def test_who_was_slower_is_told_and_overwrites_nothing(
    served: Served, refused: Any, request_id: UUID
) -> None:
    areas = opened(refused, request_id)
    sent = {"version": 1, "cues": [{"start": 0, "end": 2, "lines": ["Theirs."]}]}
    desk = f"/api/subtitles/{request_id}/cues"
    assert served.site.visitor().client.put(desk, json=sent).status_code == 200
    areas.nth(0).fill("Mine.")
    areas.nth(1).focus()
    expect(refused.locator("[data-cue-problem]")).to_contain_text("Somebody has changed these cues")
    assert texts(served, request_id) == ["Theirs."]
    refused.click("[data-cue-reload]")
    expect(areas).to_have_count(1)
    expect(areas.nth(0)).to_have_value("Theirs.")


def test_the_player_shows_the_cues_and_the_list_follows(
    page: Any,  # noqa: F811
    request_id: UUID,
) -> None:
    opened(page, request_id)
    page.locator("[data-cue-seek]").nth(2).click()
    expect(page.locator("[data-cue]").nth(2)).to_have_attribute("aria-current", "true")
    shown = (
        "video => [...video.textTracks].filter(t => t.mode === 'showing').map(t => t.cues.length)"
    )
    assert page.locator("video").first.evaluate(shown) == [3]


def test_the_desk_fits_a_phone(phone: Any, request_id: UUID) -> None:  # noqa: F811
    opened(phone, request_id)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_file_is_sent_with_its_progress_shown(page: Any, tmp_path: Path) -> None:  # noqa: F811
    page.goto("/studio/subtitles")
    page.set_input_files("#file", film(tmp_path, name="speech.mp4"))
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_role("heading", name="speech")).to_be_visible()
    expect(page.locator("#made-now")).to_contain_text("no worker takes lane gpu")
