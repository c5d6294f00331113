"""Publishing in a real browser, with a real worker and the sandbox: from a prompt to its field."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from darkroom.publishing import post_types
from darkroom.sandbox.services.wordpress import acf
from darkroom.sandbox.services.wordpress.site import site
from darkroom.settings import ROOT, Settings
from tests.sandboxed import Sandboxed

from .conftest import Served
from .test_browser import expect, page, phone  # noqa: F401  (fixtures)

DONE_MS = 120_000
POST_ADDRESS = re.compile("/publish/[0-9a-f-]{36}")


@pytest.fixture
def at_work(served: Served, settings: Settings, sandbox: Sandboxed) -> Iterator[None]:
    """A worker, a process of its own, whose services are the sandbox."""
    environ = {
        **os.environ,
        **sandbox.environ,
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
        "DARKROOM_SECRET_KEY": settings.secret_key or "",
        "DARKROOM_BACKOFF_SECONDS": "0.1",
    }
    command = [sys.executable, "-m", "darkroom.cli", "worker", "--lanes", "io"]
    worker = subprocess.Popen(command, env=environ, cwd=ROOT)
    yield
    worker.kill()
    worker.wait()


def pressed(page: Any, name: str) -> None:  # noqa: F811
    """Press the button of that name."""
    page.get_by_role("button", name=name, exact=True).click()


def asked(page: Any, prompt: str = "Una familia en el parque") -> None:  # noqa: F811
    """Fill the form in and send it."""
    page.goto("/publish")
    page.fill("#prompt", prompt)
    page.fill("#wp_post_id", "456")
    pressed(page, "Make and publish")
    page.wait_for_url(POST_ADDRESS)


def stands(page: Any, state: str) -> None:  # noqa: F811
    """Wait until the post stands so."""
    badge = page.locator(f"#post-head [data-state={state}]")
    expect(badge).to_be_visible(timeout=DONE_MS)


def held(sandbox: Sandboxed, field: str) -> Any:
    """What a field of the post holds on the site."""
    found = site(sandbox.state, "demo").post("planessemanales", 456)
    return found.fields.get(field) if found else None


def test_a_prompt_becomes_a_picture_and_then_a_field_of_the_post(
    phone: Any,  # noqa: F811
    at_work: None,
    sandbox: Sandboxed,
) -> None:
    asked(phone)
    expect(phone.locator(".shot-picture img")).to_be_visible(timeout=DONE_MS)
    stands(phone, "completed")
    expect(phone.locator(".stage-done")).to_have_count(4, timeout=DONE_MS)
    [media] = site(sandbox.state, "demo").media
    expect(phone.locator("[data-stage=uploaded] a")).to_have_text(f"file {media}")
    assert held(sandbox, "foto") == media
    pressed(phone, "Change it…")
    phone.fill(".sheet:popover-open textarea", "Con un perro")
    pressed(phone, "Make it")
    expect(phone.locator(".request")).to_have_count(2)
    expect(phone.locator(".stage-done")).to_have_count(8, timeout=DONE_MS)
    assert held(sandbox, "foto") == max(site(sandbox.state, "demo").media)


def test_a_field_that_the_site_ignores_is_explained_and_tried_again_once_it_is_there(
    page: Any,  # noqa: F811
    at_work: None,
    served: Served,
    sandbox: Sandboxed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served.site.database.session() as db:
        post_types.put(db, None, "planessemanales", {"fields": ["fotografia"]})
    asked(page)
    stands(page, "failed")
    expect(page.locator(".shot-picture img")).to_be_visible()
    expect(page.locator(".post-failed")).to_contain_text("ignored them")
    expect(page.locator("[data-stage=written]")).to_have_attribute("data-standing", "failed")
    fields: Any = acf.FIELDS["planessemanales"]
    monkeypatch.setitem(fields, "fotografia", "image")
    pressed(page, "Try again")
    stands(page, "completed")
    expect(page.locator(".post-failed")).to_have_count(0)
    [media] = site(sandbox.state, "demo").media
    assert held(sandbox, "fotografia") == media


def test_a_new_post_is_written_and_gets_its_picture(
    phone: Any,  # noqa: F811
    at_work: None,
    sandbox: Sandboxed,
) -> None:
    phone.goto("/publish/posts")
    phone.fill("#field-tema", "La familia")
    pressed(phone, "Write the post")
    phone.tap("text=Make its pictures", timeout=DONE_MS)
    phone.fill("#prompt", "Una familia")
    pressed(phone, "Make and publish")
    stands(phone, "completed")
    [post] = site(sandbox.state, "demo").posts.values()
    assert post.fields["foto"] in site(sandbox.state, "demo").media
    phone.goto("/publish/history")
    expect(phone.locator(".request-card")).to_contain_text(f"Post {post.id}")


def test_a_site_is_added_tested_and_its_types_set_up(
    page: Any,  # noqa: F811
    sandbox: Sandboxed,
) -> None:
    page.goto("/publish/sites")
    page.fill("#name", "Twinkle")
    page.fill("#base_url", f"{sandbox.url}/wordpress/twinkle")
    page.fill("#username", "sandbox")
    page.fill("#secret", "wrong")
    pressed(page, "Add")
    pressed(page, "Test the connection")
    expect(page.locator(".notice-failed")).to_contain_text("It does not work.")
    page.fill("#secret", "sandbox")
    pressed(page, "Save")
    pressed(page, "Test the connection")
    expect(page.locator(".notice-done")).to_contain_text("It works.")
    page.click(".there >> text=productos")
    page.fill("#gallery", "galeria")
    pressed(page, "Save")
    expect(page.locator(".rows")).to_contain_text("productos")
    page.goto("/publish")
    page.select_option("#to", label="Twinkle · productos")
    expect(page.locator("#field")).to_contain_text("galeria (gallery)")


def test_pages_fit_a_phone(phone: Any) -> None:  # noqa: F811
    for path in ("", "/posts", "/history", "/sites", "/sites/0", "/sites/0/types/new"):
        phone.goto(f"/publish{path}")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, path
