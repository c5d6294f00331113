"""Videos asked for by program and by page, without a worker: what is taken, what is refused."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from darkroom.media import ffmpeg, requests
from darkroom.media.requests import Made
from darkroom.media.videos import plan
from darkroom.media.videos.plan import Plan
from darkroom.storage import assets

from .conftest import Site, Visitor, jpeg

SLIDES, SCENES = "/studio/videos", "/studio/videos/scenes"


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return site.visitor().client


def photo() -> str:
    return base64.b64encode(jpeg().getvalue()).decode()


def made(folder: Path, name: str, *options: str) -> bytes:
    ffmpeg.run(["-f", "lavfi", "-i", *options, name], folder)
    return (folder / name).read_bytes()


def sound(folder: Path, seconds: float = 3) -> str:
    return base64.b64encode(made(folder, "a.wav", f"sine=duration={seconds}")).decode()


def clip(folder: Path) -> str:
    drawn = "color=blue:size=64x48:rate=25:duration=2"
    return base64.b64encode(made(folder, "c.mp4", drawn)).decode()


def planned(site: Site, answer: TestResponse) -> Plan:
    """The plan of a video that was asked for."""
    assert answer.status_code == 202, answer.json
    with site.database.session() as session:
        return plan.read(requests.of(session, None, answer.json["id"]).row.asked)


def refused(client: FlaskClient, path: str, sent: Any) -> dict[str, Any]:
    answer = client.post(path, json=sent)
    assert answer.status_code == 400, answer.json
    assert answer.json["status"] == "error" and answer.json["message"]
    return answer.json["error"]


def test_a_video_is_begun_and_says_where_to_look(site: Site, client: FlaskClient) -> None:
    answer = client.post("/render-video", json={"images": [photo()]})
    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    assert answer.headers["Location"] == answer.json["poll"]
    assert answer.headers["X-RateLimit-Limit"] == "3"
    assert client.get(answer.json["poll"]).json["service"] == "videos"


def test_pictures_share_the_time_of_their_sound(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    sent = {"images": [photo(), photo()], "audio": sound(tmp_path, 3)}
    found = planned(site, client.post("/render-video", json=sent))
    assert [scene.frames for scene in found.scenes] == [45, 45]
    assert found.audio == pytest.approx(3, abs=0.05)


def test_a_picture_is_shown_for_as_long_as_its_sound_lasts(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    def ask(seconds: int) -> TestResponse:
        silence = (f"anullsrc=r=8000:cl=mono:d={seconds}", "-c:a", "flac")
        audio = base64.b64encode(made(tmp_path, f"{seconds}.flac", *silence)).decode()
        return client.post("/render-video", json={"images": [photo()], "audio": audio})

    assert planned(site, ask(360)).frames == 360 * plan.FPS
    assert ask(601).json["error"]["field"] == "images"


def test_a_form_sends_pictures_in_their_order(site: Site, client: FlaskClient) -> None:
    files = [(jpeg((64, 48)), "a.jpg"), (jpeg((48, 64)), "b.jpg")]
    data = {"images": files, "titles": "one\r\ntwo", "durations": "1\n2", "fit": "contain"}
    answer = client.post("/render-video", data=data)
    found = planned(site, answer)
    assert [(s.title, s.frames, s.fit) for s in found.scenes] == [
        ("one", 30, "contain"),
        ("two", 60, "contain"),
    ]
    files = answer.json["files"]["picture"]
    assert [(file["width"], file["filename"]) for file in files] == [(64, "a.jpg"), (48, "b.jpg")]


def test_a_scene_lasts_as_long_as_its_narration(
    site: Site, client: FlaskClient, tmp_path: Path
) -> None:
    said = sound(tmp_path, 3)
    scenes = [
        {"image": photo(), "audio": said},
        {"image": photo(), "audio": said, "duration": 1},
        {"video": clip(tmp_path)},
        {"image": photo()},
    ]
    found = planned(site, client.post("/render-multi-scene", json={"scenes": scenes}))
    assert [scene.frames for scene in found.scenes] == [90, 90, 60, 120]
    assert [scene.narration for scene in found.scenes] == [0, 1, None, None]
    assert [(scene.source, scene.file) for scene in found.scenes] == [
        ("picture", 0),
        ("picture", 1),
        ("clip", 0),
        ("picture", 2),
    ]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "images"),
        ({"images": []}, "images"),
        ({"images": ["%%"]}, "images.0"),
        ({"images": [base64.b64encode(b"no picture").decode()]}, "images.0"),
        ({"images": "PHOTO", "titles": ["one", "two"]}, "titles"),
        ({"images": "PHOTO", "audio": base64.b64encode(b"no sound").decode()}, "audio"),
        ({"images": "PHOTO", "generate_subtitles": True}, "generate_subtitles"),
        ({"images": "PHOTO", "titles": ["見"]}, "titles.0"),
        ({"images": "PHOTO", "duration": 10**400}, "duration"),
    ],
)
def test_what_cannot_be_is_named(client: FlaskClient, sent: dict[str, Any], field: str) -> None:
    if sent.get("images") == "PHOTO":
        sent = {**sent, "images": [photo()]}
    assert refused(client, "/render-video", sent)["field"] == field


@pytest.mark.parametrize(
    ("scene", "field"),
    [
        ({"text": "nothing to see"}, "image"),
        ({"duration": 2}, "image"),
        ({"video": "SOUND"}, "video"),
        ({"image": "PHOTO", "audio": "SILENT CLIP"}, "audio"),
        ({"video": base64.b64encode(bytes(99)).decode()}, "video"),
        ({"image": "PHOTO", "video": "SILENT CLIP"}, "video"),
        ({"image": "PHOTO", "fit": [[[]]]}, "fit"),
    ],
)
def test_what_is_wrong_with_a_scene_is_named(
    client: FlaskClient, tmp_path: Path, scene: dict[str, Any], field: str
) -> None:
    files = {"PHOTO": photo(), "SOUND": sound(tmp_path), "SILENT CLIP": clip(tmp_path)}
    sent = {name: files.get(str(value), value) for name, value in scene.items()}
    error = refused(client, "/render-multi-scene", {"scenes": [{"image": photo()}, sent]})
    assert error["field"] == f"scenes.1.{field}"


def test_videos_last_ten_minutes_at_most(client: FlaskClient) -> None:
    sent = {"images": [photo()] * 3, "duration": 201}
    assert refused(client, "/render-video", sent)["field"] == "images"


def test_videos_may_be_asked_for_so_often(client: FlaskClient) -> None:
    for path, limit in (("/render-video", 3), ("/render-multi-scene", 2)):
        codes = [client.post(path, json={}).status_code for _ in range(limit + 1)]
        assert codes == [400] * limit + [429]


def form(visitor: Visitor, path: str, **fields: Any) -> TestResponse:
    return visitor.send(path, page=path, **fields)


@pytest.mark.parametrize("path", [SLIDES, SCENES])
def test_the_pages_are_there(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status_code == 200 and "Make the video" in page.text


def test_a_page_of_scenes_has_as_many_as_asked(visitor: Visitor) -> None:
    for path, count in ((SCENES, 3), (f"{SCENES}?scenes=7", 7), (f"{SCENES}?scenes=999", 40)):
        # One more is the one that scripts copy.
        assert visitor.get(path).text.count("data-scene-number") == count + 1


def test_pictures_sent_by_page_become_a_request(site: Site, visitor: Visitor) -> None:
    answer = form(visitor, SLIDES, images=[(jpeg(), "a.jpg")], titles="Spring", duration="")
    assert answer.status_code == 303
    assert "Spring" in visitor.get(answer.headers["Location"]).text


def test_scenes_left_empty_on_the_page_are_left_out(site: Site, visitor: Visitor) -> None:
    fields = {
        "scenes.0.transition": "cut",
        "scenes.0.text": "",
        "scenes.0.image": (io.BytesIO(), ""),
        "scenes.2.image": (jpeg(), "a.jpg"),
        "scenes.2.text": "Only this",
        "scenes.2.transition": "fade",
    }
    answer = form(visitor, SCENES, **fields)
    assert answer.status_code == 303
    with site.database.session() as session:
        [found] = requests.page(session, None)
        [scene] = plan.read(found.row.asked).scenes
    assert (scene.title, scene.transition) == ("Only this", "fade")


def test_a_page_says_beside_the_field_what_is_wrong(visitor: Visitor) -> None:
    fields = {"scenes.1.text": "kept", "scenes.1.image": (io.BytesIO(b"no picture"), "a.jpg")}
    page = form(visitor, SCENES, **fields)
    assert page.status_code == 400
    assert 'id="scenes.1.image-wrong"' in page.text and 'value="kept"' in page.text
    assert "notice-failed" not in page.text


def test_a_video_is_shown_with_its_files(site: Site, visitor: Visitor, tmp_path: Path) -> None:
    result = {"seconds": 2.5, "scenes": 2, "cues": 4, "width": 1920, "height": 1080}
    (tmp_path / "a").write_bytes(b"a")
    store, mimes = site.services.store, {"srt": "application/x-subrip", "vtt": "text/vtt"}
    made = []
    for role in ("result", "film", "srt", "vtt"):
        mime = mimes.get(role, "video/mp4")
        made.append(Made(role, assets.put(store, tmp_path / "a", mime=mime, key=f"media/{role}")))
    ana = site.user("Ana")
    with site.database.session() as session:
        wish = requests.Wish("videos", "Spring", {})
        request_id = requests.at_once(session, ana.id, wish, result, made, "ffmpeg")
    page = site.signed_in(ana).get(f"/studio/{request_id}").text
    assert "<video" in page and "2 scenes" in page
    for name in ("Without subtitles", "SRT", "VTT"):
        assert name in page
