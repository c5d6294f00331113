"""The list of jobs as an operator uses it: keys, selection, live updates, actions and undo."""

from typing import Any

import pytest
from sqlalchemy import text

from darkroom.queue.calls import Call, enqueue

from .conftest import Served
from .test_browser import (  # noqa: F401  (page and phone are fixtures)
    CONTRAST,
    NAMELESS,
    expect,
    page,
    phone,
)


@pytest.fixture
def jobs(served: Served) -> list[int]:
    with served.site.database.session() as session:
        calls = [Call("steps.note", "io", {"photo_id": n}, label=f"photo {n}") for n in range(6)]
        ids = enqueue(session, calls, run_id=None)
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = ANY(:ids)"),
            {"ids": ids[:2]},
        )
        session.execute(
            text(
                "INSERT INTO attempts (job_id, number, worker_id, worker, finished_at, outcome, "
                "error_class, error_message, traceback) SELECT unnest(CAST(:ids AS bigint[])), 1, "
                "1, 'host:1:io', now(), 'failed', 'Transient', 'storage answered 503', 'Trace'"
            ),
            {"ids": ids[:2]},
        )
    return ids


def statuses(served: Served) -> list[str]:
    with served.site.database.session() as session:
        found = text("SELECT status::text FROM procrastinate_jobs ORDER BY id")
        return list(session.scalars(found))


def test_jobs_are_selected_by_key_cancelled_and_taken_back(
    served: Served,
    page: Any,  # noqa: F811
    jobs: list[int],
) -> None:
    page.goto("/console/jobs?state=waiting")
    expect(page.locator("[data-needs-selection]").first).to_be_disabled()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected-count]")).to_have_text("2 selected")
    page.keyboard.press("c")
    expect(page.locator("h1")).to_have_text("Cancel: 2 jobs?")
    page.click("main button:has-text('Cancel')")
    expect(page.locator(".notice-said")).to_contain_text("Cancel: 2 jobs.")
    assert statuses(served).count("cancelled") == 2
    expect(page.locator("[data-live-word]")).to_have_text("Live")
    page.keyboard.press("u")
    expect(page.locator(".notice-said")).to_contain_text("Taken back for 2 jobs.")
    assert statuses(served).count("cancelled") == 0


def test_everything_that_matches_is_retried(
    served: Served,
    page: Any,  # noqa: F811
    jobs: list[int],
) -> None:
    page.goto("/console/jobs")
    page.select_option("select[name=state]", "failed")
    page.wait_for_url("**state=failed**")
    page.check("[data-scope=all]")
    page.click(".job-actions >> text=Retry")
    expect(page.locator("h1")).to_have_text("Retry: 2 jobs?")
    page.click("main button:has-text('Retry')")
    expect(page.locator(".notice-said")).to_contain_text("Retry: 2 jobs.")
    assert statuses(served) == ["todo"] * 6


def test_the_list_is_live_but_waits_while_rows_are_selected(
    served: Served,
    page: Any,  # noqa: F811
    jobs: list[int],
) -> None:
    page.goto("/console/jobs")
    first = page.locator(f"#job-{jobs[5]}")
    first.locator("[data-select]").check()
    expect(page.locator("[data-live-word]")).to_have_text("Waits while rows are selected")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with served.site.database.session() as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = :id"),
            {"id": jobs[4]},
        )
    page.evaluate("new Promise((done) => setTimeout(done, 5500))")
    assert asked == [] and first.locator("[data-select]").is_checked()
    page.keyboard.press("Escape")
    expect(page.locator("[data-live-word]")).to_have_text("Live")
    expect(page.locator(f"#job-{jobs[4]} [data-state=cancelled]")).to_be_visible()


def test_the_help_tells_the_keys_of_the_list(
    page: Any,  # noqa: F811
    jobs: list[int],
) -> None:
    page.goto("/console/jobs")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("select the job")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/console**")


PATHS = (
    "/console/jobs",
    "/console/jobs?state=failed&run=",
    "/console/jobs/1",
    "/console/jobs/3",
    "/console/jobs/confirm?action=cancel&scope=all&filter=",
)


def test_a_phone_needs_no_sideways_scrolling(
    phone: Any,  # noqa: F811
    jobs: list[int],
) -> None:
    for path in PATHS:
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_contrasts_and_everything_has_a_name(
    page: Any,  # noqa: F811
    jobs: list[int],
    theme: str,
) -> None:
    page.emulate_media(color_scheme=theme)
    for path in PATHS:
        page.goto(path)
        assert page.evaluate(CONTRAST) == [], path
        assert page.evaluate(NAMELESS) == [], path
