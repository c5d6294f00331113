"""`/api/v1/stock` from outside: what it takes, what it refuses, what it answers."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text

from darkroom.accounts import service as accounts
from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.statements import statements_of

UPLOAD = "/api/v1/stock/photo"


@pytest.fixture
def client(settings: Settings, database: Database) -> FlaskClient:
    return create_app(settings, database).test_client()


def jpeg(size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "green").save(file, "JPEG")
    return file.getvalue()


def bomb() -> bytes:
    """The header of a PNG of 60 000 x 60 000 pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", 0)


def upload(client: FlaskClient, *files: tuple[bytes, str], **fields: str):
    data = {"file": [(io.BytesIO(content), name) for content, name in files], **fields}
    return client.post(UPLOAD, data=data, content_type="multipart/form-data")


def nothing_kept(database: Database, settings: Settings) -> bool:
    with database.session() as session:
        runs = session.scalar(text("SELECT count(*) FROM runs"))
    left = [
        path for path in settings.home.rglob("*") if path.is_file() and "secret" not in path.name
    ]
    return runs == 0 and not left


def test_a_photo_is_answered_as_the_seed_says(client: FlaskClient):
    answer = upload(client, (jpeg(), "tray.jpg"))
    assert answer.status_code == 202
    body = answer.json
    assert set(body) == {"task_id", "session_id", "status", "message"}
    assert body["status"] == "pending"
    assert body["message"] == f"Photo uploaded. Polling URL: /api/v1/stock/tasks/{body['task_id']}"


def test_a_new_task_is_pending_and_empty(client: FlaskClient):
    task_id = upload(client, (jpeg(), "tray.jpg")).json["task_id"]
    body = client.get(f"/api/v1/stock/tasks/{task_id}").json
    assert (body["status"], body["progress"], body["total_detected"]) == ("pending", 0, 0)
    assert body["detections"] == [] == body["estimations"]
    assert body["visualization_url"] is None
    assert client.get(body["image_url"]).data[:2] == b"\xff\xd8"


def test_the_status_can_be_asked_by_query_parameter(client: FlaskClient):
    task_id = upload(client, (jpeg(), "tray.jpg")).json["task_id"]
    by_path = client.get(f"/api/v1/stock/tasks/{task_id}").json
    by_query = client.get(f"/api/v1/stock/tasks/status?task_id={task_id}").json
    assert by_query["task_id"] == by_path["task_id"] == task_id


def test_several_photos_are_one_session(client: FlaskClient):
    body = upload(client, (jpeg(), "a.jpg"), (jpeg(), "b.jpg")).json
    task = client.get(f"/api/v1/stock/tasks/{body['task_id']}").json
    assert [photo["filename"] for photo in task["photos"]] == ["a.jpg", "b.jpg"]


def test_originals_lie_where_the_seed_has_them(client: FlaskClient, settings: Settings):
    session_id = upload(client, (jpeg(), "tray.jpg")).json["session_id"]
    files = settings.files_dir.rglob("original.jpg")
    assert any(f"uploads/{session_id}/original.jpg" in path.as_posix() for path in files)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "empty.jpg", "empty"),
        (jpeg((640, 480))[:-400], "cut.jpg", "damaged"),
        (b"this is no photo at all", "text.jpg", "not_an_image"),
        (bomb(), "bomb.png", "too_many_pixels"),
        (jpeg(), "photo.png", "wrong_name"),
        (b"\xff\xd8" + b"0" * (20 * 1024 * 1024 - 1), "large.jpg", "too_large"),
    ],
)
def test_a_bad_file_is_refused_in_words_and_leaves_nothing(
    client: FlaskClient,
    database: Database,
    settings: Settings,
    content: bytes,
    name: str,
    code: str,
):
    answer = upload(client, (jpeg(), "good.jpg"), (content, name))
    error = answer.json["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, code, "file")
    assert name in error["message"]
    assert nothing_kept(database, settings)


def test_a_file_of_just_the_limit_is_taken(client: FlaskClient):
    photo = jpeg()
    padded = photo + b"\0" * (20 * 1024 * 1024 - len(photo))
    assert upload(client, (padded, "limit.jpg")).status_code == 202


def test_a_missing_part_is_refused(client: FlaskClient):
    answer = client.post(UPLOAD, data={"photo": (io.BytesIO(jpeg()), "a.jpg")})
    assert answer.status_code == 400
    assert answer.json["error"]["field"] == "file"
    assert answer.json["detail"] == answer.json["error"]["message"]


def test_a_body_that_is_no_form_is_refused(client: FlaskClient):
    assert client.post(UPLOAD, data=b"{}", content_type="application/json").status_code == 400


@pytest.mark.parametrize("path", ["tasks/status?task_id=7", "tasks/status"])
def test_a_task_id_that_is_none_is_refused(client: FlaskClient, path: str):
    answer = client.get(f"/api/v1/stock/{path}")
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "task_id")


def test_an_unknown_task_is_not_found(client: FlaskClient):
    unknown = "/api/v1/stock/tasks/00000000-0000-0000-0000-000000000000"
    assert client.get(unknown).status_code == 404


def test_a_member_sees_only_their_own_tasks(client: FlaskClient, database: Database):
    mine, theirs = token_of(database, "mine"), token_of(database, "theirs")
    task_id = upload_as(client, mine).json["task_id"]
    path = f"/api/v1/stock/tasks/{task_id}"
    assert client.get(path, headers=mine).status_code == 200
    assert client.get(path, headers=theirs).status_code == 404
    assert client.get(path, headers=token_of(database, "boss", "admin")).status_code == 200


def test_user_id_is_obeyed_for_administrators_only(client: FlaskClient, database: Database):
    member, admin = token_of(database, "member"), token_of(database, "boss", "admin")
    with database.session() as session:
        other = accounts.create_user(session, name="other").id
    by_admin = upload_as(client, admin, user_id=str(other)).json["task_id"]
    by_member = upload_as(client, member, user_id=str(other)).json["task_id"]
    assert owner_of(database, by_admin) == other
    assert owner_of(database, by_member) != other


def test_an_unknown_user_id_is_refused(client: FlaskClient):
    for wrong in ("999999", "99999999999999999999", "-1", "you"):
        answer = upload(client, (jpeg(), "a.jpg"), user_id=wrong)
        assert (answer.status_code, answer.json["error"]["field"]) == (400, "user_id")


@pytest.mark.parametrize("way", ["form", "query"])
def test_user_1_of_a_fresh_installation_is_whoever_calls(
    client: FlaskClient, database: Database, way: str
):
    sent = {"data": {"file": (io.BytesIO(jpeg()), "a.jpg")}}
    if way == "form":
        sent["data"]["user_id"] = "1"
    answer = client.post(UPLOAD, query_string={"user_id": "1"} if way == "query" else {}, **sent)
    assert answer.status_code == 202
    with database.session() as session:
        [local] = accounts.list_users(session)
    assert local.id != 1
    assert owner_of(database, answer.json["task_id"]) == local.id


def test_a_task_is_read_without_what_only_corrections_need(client: FlaskClient, database: Database):
    task_id = upload(client, (jpeg(), "tray.jpg")).json["task_id"]
    with statements_of(database) as statements:
        assert client.get(f"/api/v1/stock/tasks/{task_id}").status_code == 200
    of_containers = [one for one in statements if "FROM containers" in one]
    assert of_containers and not any("faint" in one for one in of_containers)


def test_nothing_of_a_refused_photo_stays_in_the_temporary_folder(
    client: FlaskClient, settings: Settings
):
    upload(client, (jpeg(), "a.jpg"))
    assert not [path for path in Path(settings.temp_dir).rglob("*") if path.is_file()]


def token_of(database: Database, name: str, role: str = "member") -> dict[str, str]:
    with database.session() as session:
        user = accounts.create_user(session, name=name, role=role)
        _, token = accounts.create_token(session, user, "test")
    return {"Authorization": f"Bearer {token}"}


def upload_as(client: FlaskClient, headers: dict[str, str], **fields: str):
    return client.post(
        UPLOAD, data={"file": (io.BytesIO(jpeg()), "a.jpg"), **fields}, headers=headers
    )


def owner_of(database: Database, task_id: str) -> int:
    with database.session() as session:
        found = text("SELECT owner_id FROM runs WHERE id = :id")
        return session.execute(found, {"id": task_id}).scalar_one()
