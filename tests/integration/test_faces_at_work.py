"""Face swap with a real worker: the picture in the answer, marked; refusals that say what to do."""

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests import faces
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401

Json = dict[str, Any]
PATIENCE = 180
NO_FACE = np.full((200, 200, 3), 200, np.uint8)


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    patient = replace(settings, media=replace(settings.media, wait_seconds=PATIENCE))
    app = create_app(patient, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


@pytest.fixture
def work(
    engine: Engine,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
    start_worker: Callable[..., Any],  # noqa: F811
) -> Callable[[], Any]:
    """Starts a worker that has the models of faces, and no InsightFace."""
    found = faces.weights(tmp_path_factory.mktemp("weights"))
    settings.weights_dir.symlink_to(found, target_is_directory=True)
    return lambda: start_worker("--lanes", "gpu")


def data_url(pixels: np.ndarray, kind: str = "JPEG") -> str:
    content = base64.b64encode(faces.encoded(pixels, kind)).decode()
    return f"data:image/{kind.lower()};base64,{content}"


def mirrored() -> np.ndarray:
    return np.ascontiguousarray(faces.portrait()[:, ::-1])


def swap(client: FlaskClient, source: np.ndarray, target: np.ndarray, **more: Any) -> Any:
    sent = {"source": data_url(source), "target": data_url(target), "consent": True, **more}
    return client.post("/face-swap", json=sent)


def picture_in(answer: Json) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer["image"].partition(",")[2])))


def test_the_picture_with_the_other_face_comes_in_the_answer(
    client: FlaskClient, work: Callable[[], Any], settings: Settings
) -> None:
    work()
    dark = (mirrored() * 0.6).astype(np.uint8)
    answer = swap(client, faces.portrait(), dark)
    assert answer.status_code == 200, answer.json
    told = answer.json
    assert (told["status"], told["engine"]) == ("success", "landmarks")
    assert "InsightFace" in told["fallback"] and (told["width"], told["height"]) == (512, 600)
    assert answer.headers["X-RateLimit-Limit"] == "5"
    image = picture_in(told)
    change = np.abs(np.asarray(image).astype(int) - dark).mean(axis=2)
    assert change[180:300, 200:300].mean() > 5 > change[:100].mean()
    assert b"compositeCapture" in image.info["xmp"]
    assert {"source", "target", "result", "thumbnail"} == set(told["files"])
    assert not [path for path in settings.temp_dir.rglob("*") if path.is_file()]


def test_a_form_s_png_comes_back_as_a_png(client: FlaskClient, work: Callable[[], Any]) -> None:
    work()
    both = np.concatenate([faces.portrait(), mirrored()], axis=1)
    sent = {
        "source": (io.BytesIO(faces.encoded(faces.portrait())), "face.jpg"),
        "target": (io.BytesIO(faces.encoded(both, "PNG")), "two.png"),
        "target_face": "1",
        "consent": "true",
    }
    answer = client.post("/face-swap", data=sent)
    assert answer.status_code == 200, answer.json
    image = picture_in(answer.json)
    change = np.abs(np.asarray(image).astype(int) - both).mean(axis=(0, 2))
    assert image.format == "PNG" and "compositeCapture" in image.info["XML:com.adobe.xmp"]
    assert change[:512].max() == 0 < change[512:].max()


REFUSED = (
    (NO_FACE, mirrored(), "source", "no face in source"),
    (mirrored(), NO_FACE, "target", "no face in target"),
    (mirrored()[::5, ::5], mirrored(), "source", "too small"),
    (np.tile(mirrored(), (1, 2, 1)), mirrored(), "source_face", "2 faces in source"),
)


def test_pictures_without_a_face_that_can_be_meant_are_refused(
    client: FlaskClient, work: Callable[[], Any]
) -> None:
    work()
    for source, target, field, said in REFUSED:
        answer = swap(client, source, target)
        told = answer.json
        assert (answer.status_code, told["status"]) == (422, "error"), told
        assert told["error"]["field"] == field and said in told["message"]


@pytest.mark.parametrize("given", [None, False, "no", 1])
def test_nothing_is_stored_without_consent(
    client: FlaskClient, settings: Settings, given: Any
) -> None:
    answer = swap(client, faces.portrait(), mirrored(), consent=given)
    assert (answer.status_code, answer.json["status"]) == (400, "error")
    assert answer.json["error"]["field"] == "consent"
    assert not settings.files_dir.exists() or not list(settings.files_dir.rglob("*.jpg"))


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"target": None}, "target"),
        ({"source": "not base64!"}, "source"),
        ({"source": data_url(NO_FACE)[:200]}, "source"),
        ({"source_face": -1}, "source_face"),
        ({"target_face": "left"}, "target_face"),
    ],
    ids=["missing", "no base64", "cut short", "negative", "words"],
)
def test_wrong_fields_are_named(client: FlaskClient, sent: Json, field: str) -> None:
    usual = {"source": data_url(faces.portrait()), "target": data_url(mirrored()), "consent": True}
    answer = client.post("/face-swap", json={**usual, **sent})
    assert answer.status_code == 400
    assert answer.json["error"]["field"] == field


def test_who_would_rather_not_wait_is_told_where_to_look(client: FlaskClient) -> None:
    sent = {"source": data_url(NO_FACE), "target": data_url(NO_FACE), "consent": True}
    answer = client.post("/face-swap", json=sent, headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    assert client.get(answer.json["poll"]).json["status"] == "processing"


def test_the_mark_can_be_seen_where_the_settings_say_so(
    client: FlaskClient, work: Callable[[], Any], engine: Engine
) -> None:
    engine.environ["DARKROOM_MEDIA_MARK"] = "visible"
    work()
    target = mirrored()
    image = picture_in(swap(client, faces.portrait(), target).json)
    corner = np.asarray(image).astype(int)[570:, 470:] - target[570:, 470:]
    assert np.abs(corner).max() > 80


def test_the_page_takes_both_pictures_and_shows_the_result(
    client: FlaskClient, work: Callable[[], Any], engine: Engine
) -> None:
    work()
    page = client.get("/studio/face-swap").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    sent = {
        "csrf_token": token,
        "source": (io.BytesIO(faces.encoded(faces.portrait())), "face.jpg"),
        "target": (io.BytesIO(faces.encoded(mirrored())), "other.jpg"),
        "consent": "true",
    }
    shown = client.post("/studio/face-swap", data=sent)
    assert shown.status_code == 303, shown.text
    engine.until(lambda: "data-pair" in client.get(shown.location).text, seconds=PATIENCE)
    refused = client.post(
        "/studio/face-swap",
        data={"csrf_token": token, "source_face": "2"},
        content_type="multipart/form-data",
    )
    assert refused.status_code == 400 and 'id="consent-wrong"' in refused.text
