"""Where pictures and words go: Cloudinary, Slack and the bucket, through our own clients."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.errors import DarkroomError, Permanent, Transient
from darkroom.providers import cloudinary, gcs, slack
from darkroom.providers.cloudinary import Cloudinary
from darkroom.providers.http import Http
from darkroom.providers.slack import Slack
from darkroom.settings import Settings
from tests.sandboxed import Sandboxed

from .pictures import photo

# Cloudinary.


@pytest.fixture
def account(chosen: Settings) -> Cloudinary:
    return cloudinary.connect(chosen)


def test_a_picture_is_served_until_it_is_destroyed(sandbox: Sandboxed, account: Cloudinary) -> None:
    picture = photo()
    kept = account.upload(picture, "articles/17-a")
    path = kept.url.removeprefix(sandbox.url)
    assert sandbox.get(path).content == picture.data
    assert (kept.width, kept.height, kept.size) == (160, 160, len(picture.data))
    assert account.destroy("articles/17-a") is True
    assert sandbox.get(path).status_code == 404
    assert account.destroy("articles/17-a") is False


def test_an_upload_under_the_same_id_is_a_newer_version(account: Cloudinary) -> None:
    once, again = account.upload(photo(), "a"), account.upload(photo(), "a")
    assert again.public_id == once.public_id and again.version > once.version


@pytest.mark.parametrize("wrong", [{"secret": "guessed"}, {"key": "other"}])
def test_a_wrong_signature_is_not_let_in(
    sandbox: Sandboxed, chosen: Settings, wrong: dict[str, str]
) -> None:
    stranger = replace(chosen.providers.cloudinary, **wrong)
    client = Cloudinary(Http("Cloudinary", stranger.base_url), stranger)
    for ask in (lambda: client.upload(photo(), "a"), client.ping):
        with pytest.raises(Permanent):
            ask()
    assert sandbox.get("/cloudinary/demo/image/upload/v1/a.jpg").status_code == 404


def test_a_signature_is_stale_after_an_hour(sandbox: Sandboxed, account: Cloudinary) -> None:
    account.ping()
    sandbox.advance(3700)
    with pytest.raises(DarkroomError, match="Stale"):
        account.destroy("a")


@pytest.mark.parametrize(
    ("kind", "error"),
    [("limit", Transient), ("error", Transient), ("malformed", Transient), ("expired", Permanent)],
)
def test_each_fault_of_cloudinary_is_its_documented_error(
    sandbox: Sandboxed, account: Cloudinary, kind: str, error: type[DarkroomError]
) -> None:
    sandbox.fault("/cloudinary/*", kind)
    with pytest.raises(error):
        account.upload(photo(), "a")


# Slack.


def webhook(sandbox: Sandboxed, path: str = "T0/B0/secret") -> Slack:
    return slack.connect(f"{sandbox.url}/slack/{path}", 10)


def test_a_message_is_taken(sandbox: Sandboxed) -> None:
    webhook(sandbox).post("hello", [{"type": "divider"}])
    webhook(sandbox).check()


def test_the_journal_does_not_name_a_webhook(sandbox: Sandboxed) -> None:
    webhook(sandbox).post("hello")
    [entry] = sandbox.journal("/slack/*")
    assert "secret" not in entry.path and entry.status == 200


def test_a_webhook_that_is_gone_is_permanent(sandbox: Sandboxed) -> None:
    with pytest.raises(Permanent):
        webhook(sandbox, "gone").post("hello")


@pytest.mark.parametrize(
    ("kind", "error"), [("limit", Transient), ("error", Transient), ("gone", Permanent)]
)
def test_each_fault_of_slack_is_its_documented_error(
    sandbox: Sandboxed, kind: str, error: type[DarkroomError]
) -> None:
    sandbox.fault("/slack/*", kind)
    with pytest.raises(error):
        webhook(sandbox).post("hello")


# The bucket.


def test_a_file_is_kept_served_and_removed(
    sandbox: Sandboxed, chosen: Settings, tmp_path: Path
) -> None:
    bucket, file = gcs.connect(chosen), tmp_path / "a b.jpg"
    file.write_bytes(photo().data)
    bucket.check()
    url = bucket.put("planes/a_b.jpg", file, "image/jpeg")
    served = sandbox.get(url.removeprefix(sandbox.url))
    assert (served.content, served.headers["Content-Type"]) == (photo().data, "image/jpeg")
    assert bucket.exists("planes/a_b.jpg")
    bucket.delete("planes/a_b.jpg")
    assert not bucket.exists("planes/a_b.jpg")


@pytest.mark.parametrize(
    ("kind", "error"), [("limit", Transient), ("error", Transient), ("forbidden", Permanent)]
)
def test_each_fault_of_the_bucket_is_its_documented_error(
    sandbox: Sandboxed, chosen: Settings, tmp_path: Path, kind: str, error: type[DarkroomError]
) -> None:
    sandbox.fault("/gcs/*", kind, times=None)
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(error):
        gcs.connect(chosen).put("a", tmp_path / "a", "text/plain")
