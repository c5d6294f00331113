"""One suite over both stores, and assets in a real database. S3 is moto's server on loopback."""

import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer
from sqlalchemy import text
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.errors import Invalid, NotFound, Permanent, Transient
from darkroom.settings import S3Settings, Settings
from darkroom.storage import assets
from darkroom.storage.local import LocalStore
from darkroom.storage.s3 import S3Store
from darkroom.storage.store import Store, from_settings

LARGE = 20 * 1024 * 1024
"""More than boto3 sends in one part."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_settings(endpoint: str, bucket: str, encryption: str | None = "AES256") -> S3Settings:
    return S3Settings(
        bucket=bucket,
        endpoint_url=endpoint,
        region="us-east-1",
        access_key_id="key",
        secret_access_key="secret",
        server_side_encryption=encryption,
    )


def client(endpoint: str):
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )


@pytest.fixture
def bucket(endpoint: str) -> str:
    name = f"bucket-{uuid4()}"
    client(endpoint).create_bucket(Bucket=name)
    return name


@pytest.fixture
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Store]:
    """Makes either store; S3's server is started only for its own tests."""

    def made(kind: str) -> Store:
        if kind == "local":
            return LocalStore(tmp_path / "files", "a secret for tests")
        endpoint = request.getfixturevalue("endpoint")
        return S3Store(s3_settings(endpoint, request.getfixturevalue("bucket")))

    return made


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, make_store: Callable[[str], Store]) -> Store:
    return make_store(request.param)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"a photo")
    return path


def content(store: Store, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def test_file_that_was_put_can_be_read(store: Store, photo: Path) -> None:
    store.put("uploads/7/original.jpg", photo, "image/jpeg")
    assert store.exists("uploads/7/original.jpg")
    assert content(store, "uploads/7/original.jpg") == b"a photo"


def test_stream_that_was_put_can_be_read_and_stays_open(store: Store) -> None:
    stream = io.BytesIO(b"skipped, kept")
    stream.seek(9)
    store.put("kept", stream, "text/plain")
    assert content(store, "kept") == b"kept"
    assert not stream.closed


def test_large_file_goes_there_and_back(store: Store, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * (LARGE // 256))
    store.put("large.bin", large, "application/octet-stream")
    store.fetch("large.bin", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == large.read_bytes()


def test_putting_again_replaces(store: Store, photo: Path) -> None:
    store.put("a", photo, "image/jpeg")
    store.put("a", io.BytesIO(b"new"), "text/plain")
    assert content(store, "a") == b"new"


def test_empty_file_is_kept(store: Store) -> None:
    store.put("empty", io.BytesIO(), "text/plain")
    assert content(store, "empty") == b""


def test_stream_can_be_read_in_pieces(store: Store) -> None:
    store.put("a", io.BytesIO(b"0123456789"), "text/plain")
    with store.open("a") as file:
        assert (file.read(4), file.read(4), file.read()) == (b"0123", b"4567", b"89")


def test_deleted_file_is_gone_and_may_be_deleted_again(store: Store, photo: Path) -> None:
    store.put("a", photo, "image/jpeg")
    store.delete("a")
    store.delete("a")
    assert not store.exists("a")


def test_missing_file_is_not_found(store: Store, tmp_path: Path) -> None:
    assert not store.exists("nothing/here")
    with pytest.raises(NotFound, match="nothing/here"):
        store.open("nothing/here")
    with pytest.raises(NotFound):
        store.fetch("nothing/here", tmp_path / "fetched")
    assert list(tmp_path.glob("*fetched*")) == []


UNSAFE = ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a\\b"]
ODD = ["a b", "ñ", "a\nb", "a\0", "x" * 600, "x" * 201]


@pytest.mark.parametrize("key", UNSAFE + ODD)
def test_keys_that_are_none_are_refused_everywhere(store: Store, key: str, tmp_path: Path) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.put(key, io.BytesIO(b"x"), "text/plain"),
        lambda: store.open(key),
        lambda: store.fetch(key, tmp_path / "x"),
        lambda: store.exists(key),
        lambda: store.delete(key),
        lambda: store.url(key, timedelta(minutes=1)),
    ]
    for call in calls:
        with pytest.raises(Invalid):
            call()


def test_many_writers_of_one_key_leave_one_whole_file(store: Store) -> None:
    bodies = [bytes([n]) * 300_000 for n in range(8)]
    writers = [
        threading.Thread(target=store.put, args=("same", io.BytesIO(body), "x/y"))
        for body in bodies
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert content(store, "same") in bodies


# S3


def test_s3_link_lets_anyone_read_under_a_name(make_store: Callable[[str], Store]) -> None:
    store = make_store("s3")
    store.put("a.jpg", io.BytesIO(b"pixels"), "image/jpeg")
    answer = requests.get(store.url("a.jpg", timedelta(minutes=5), "piña 1.jpg"), timeout=10)
    assert answer.content == b"pixels"
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert "pi%C3%B1a%201.jpg" in answer.headers["Content-Disposition"]


def test_s3_links_last_no_longer_than_a_week(make_store: Callable[[str], Store]) -> None:
    url = make_store("s3").url("a", timedelta(days=30))
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["604800"]


def test_s3_writes_ask_for_encryption_unless_it_is_off(endpoint: str, bucket: str) -> None:
    S3Store(s3_settings(endpoint, bucket)).put("on", io.BytesIO(b"x"), "text/plain")
    S3Store(s3_settings(endpoint, bucket, None)).put("off", io.BytesIO(b"x"), "text/plain")
    heads = {key: client(endpoint).head_object(Bucket=bucket, Key=key) for key in ("on", "off")}
    assert heads["on"].get("ServerSideEncryption") == "AES256"
    assert "ServerSideEncryption" not in heads["off"]
    assert heads["on"]["ContentType"] == "text/plain"


def test_s3_requests_carry_no_checksums_that_google_refuses(endpoint: str, bucket: str) -> None:
    store = S3Store(s3_settings(endpoint, bucket))
    sent: list[str] = []
    store._client.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.extend(request.headers)
    )
    store.put("a", io.BytesIO(b"x"), "text/plain")
    headers = {name.lower() for name in sent}
    assert "content-type" in headers
    assert not [name for name in headers if "checksum" in name or name == "x-amz-trailer"]


def test_s3_bucket_that_is_missing_fails_for_good(endpoint: str) -> None:
    store = S3Store(s3_settings(endpoint, "no-such-bucket"))
    with pytest.raises(Permanent, match="NoSuchBucket"):
        store.put("a", io.BytesIO(b"x"), "text/plain")


def test_s3_endpoint_that_does_not_answer_may_be_tried_again() -> None:
    store = S3Store(s3_settings("http://127.0.0.1:1", "bucket"))
    with pytest.raises(Transient, match="cannot be reached"):
        store.exists("a")


def test_settings_choose_the_store(tmp_path: Path, endpoint: str) -> None:
    local = from_settings(Settings(home=tmp_path), "a secret for tests")
    remote = from_settings(Settings(home=tmp_path, s3=s3_settings(endpoint, "b")), "unused")
    assert (local.bucket, remote.bucket) == ("local", "b")


# Assets


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def user(session: Session, name: str) -> int:
    made = session.execute(
        text("INSERT INTO users (name, role) VALUES (:name, 'member') RETURNING id"), {"name": name}
    )
    return int(made.scalar_one())


@pytest.fixture
def files(make_store: Callable[[str], Store]) -> Store:
    return make_store("local")


def test_asset_lies_under_its_hash(files: Store, photo: Path) -> None:
    stored = assets.put(files, photo, mime="image/jpeg", pixels=(4, 3))
    assert stored.key == f"assets/{stored.sha256[:2]}/{stored.sha256}"
    assert (stored.size, stored.width, stored.height, stored.bucket) == (7, 4, 3, "local")
    assert content(files, stored.key) == b"a photo"


def test_asset_may_lie_under_a_key_of_its_own(files: Store, photo: Path) -> None:
    stored = assets.put(files, photo, mime="image/jpeg", key="uploads/1/original.jpg")
    assert content(files, "uploads/1/original.jpg") == b"a photo" and stored.width is None


def test_recording_twice_keeps_one_row_and_takes_the_newer_content(
    session: Session, files: Store, photo: Path
) -> None:
    owner = user(session, "Ana")
    first = assets.record(session, owner, assets.put(files, photo, mime="image/jpeg", key="k"))
    photo.write_bytes(b"drawn again")
    second = assets.record(session, owner, assets.put(files, photo, mime="image/jpeg", key="k"))
    assert first.id == second.id
    assert second.size_bytes == len(b"drawn again")
    assert content(files, "k") == b"drawn again"


def test_two_owners_of_one_content_share_the_file_but_not_the_row(
    session: Session, files: Store, photo: Path
) -> None:
    stored = assets.put(files, photo, mime="image/jpeg")
    rows = [assets.record(session, user(session, name), stored) for name in ("Ana", "Luis")]
    assert rows[0].storage_key == rows[1].storage_key and rows[0].owner_id != rows[1].owner_id


def test_derived_asset_knows_its_original(session: Session, files: Store, photo: Path) -> None:
    owner = user(session, "Ana")
    stored = assets.put(files, photo, mime="image/jpeg")
    original = assets.record(session, owner, stored)
    thumbnail = assets.put(files, photo, mime="image/avif", key="thumb.avif")
    assert assets.record(session, owner, thumbnail, original.id).derived_from == original.id
    found = assets.find(session, "local", "thumb.avif")
    assert found is not None and found.mime == "image/avif" and found.created_at.tzinfo


def test_unknown_key_has_no_asset(session: Session) -> None:
    assert assets.find(session, "local", "nothing") is None


# Links of the local store


NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)


def link(files_at: Path, filename: str | None = None) -> tuple[LocalStore, dict[str, str]]:
    store = LocalStore(files_at, "a secret for tests", now=lambda: NOW)
    parts = urlsplit(store.url("uploads/7/a.jpg", timedelta(minutes=10), filename))
    assert parts.path == "/files/uploads/7/a.jpg"
    return store, {name: values[0] for name, values in parse_qs(parts.query).items()}


def good(store: LocalStore, query: dict[str, str], **changed: object) -> bool:
    asked = {
        "key": "uploads/7/a.jpg",
        "expires": int(query["expires"]),
        "signature": query["signature"],
        "now": NOW,
        "filename": query.get("filename"),
    }
    return store.verify(**{**asked, **changed})


@pytest.mark.parametrize("filename", [None, "piña & más.jpg"])
def test_local_link_is_good_until_it_expires(tmp_path: Path, filename: str | None) -> None:
    store, query = link(tmp_path, filename)
    assert good(store, query)
    assert not good(store, query, now=NOW + timedelta(minutes=10))


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "uploads/8/a.jpg"},
        {"expires": 4_000_000_000},
        {"signature": "0" * 64},
        {"signature": "ñ"},
        {"signature": ""},
        {"filename": "other.jpg"},
        {"filename": None},
    ],
)
def test_changed_local_link_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    store, query = link(tmp_path, "a.jpg")
    assert not good(store, query, **changed)


def test_link_of_another_installation_is_refused(tmp_path: Path) -> None:
    _, query = link(tmp_path)
    assert not good(LocalStore(tmp_path, "another secret", now=lambda: NOW), query)
