"""The enlarging service from outside, without a worker: what is refused, and its page."""

import base64
import io
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from darkroom.media import ffmpeg

from .conftest import Site, Visitor, jpeg


def asked(visitor: Visitor, **sent: Any) -> Any:
    """An answer that does not wait for a worker."""
    headers = {"Prefer": "respond-async"}
    return visitor.client.post("/enhance-media", json=sent, headers=headers)


def inline(file: io.BytesIO) -> str:
    return base64.b64encode(file.read()).decode()


def test_a_call_becomes_a_run_that_can_be_polled(visitor: Visitor) -> None:
    answer = asked(visitor, image=inline(jpeg()), scale=2)
    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    found = visitor.get(answer.json["poll"]).json
    assert found["service"] == "enhancing" and found["files"]["picture"][0]["width"] == 64


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "image"),
        ({"image": "not base64!"}, "image"),
        ({"image": base64.b64encode(b"").decode()}, "image"),
        ({"image": base64.b64encode(b"no picture").decode()}, "image"),
        ({"video": base64.b64encode(b"no video at all").decode()}, "video"),
        ({"image": inline(jpeg()), "scale": 9}, "scale"),
        ({"image": inline(jpeg()), "scale": 10**400}, "scale"),
        ({"image": inline(jpeg()), "model": "other"}, "model"),
        ({"image": inline(jpeg()), "video": "AAAA"}, "video"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_field(
    visitor: Visitor, sent: dict[str, Any], field: str
) -> None:
    answer = asked(visitor, **sent)
    assert (answer.status_code, answer.json["status"]) == (400, "error")
    assert answer.json["error"]["field"] == field and answer.json["message"]


def test_a_heic_photo_is_told_what_to_do(visitor: Visitor) -> None:
    content = b"\0\0\0\x18ftypheic" + bytes(64)
    answer = asked(visitor, image=base64.b64encode(content).decode())
    assert answer.status_code == 400 and "HEIC" in answer.json["message"]


def test_the_page_knows_a_picture_by_its_content(visitor: Visitor) -> None:
    heic = io.BytesIO(b"\0\0\0\x18ftypheic" + bytes(64))
    sent = {"file": (heic, "IMG_1.heic", "application/octet-stream"), "scale": "2"}
    refused = visitor.send("/studio/enhance", "/studio/enhance", **sent)
    assert refused.status_code == 400 and "is a HEIC photo" in refused.text
    sent = {"file": (jpeg(), "pot", "application/octet-stream"), "scale": "2"}
    assert visitor.send("/studio/enhance", "/studio/enhance", **sent).status_code == 303


def test_a_result_beyond_the_cap_names_the_largest_scale(visitor: Visitor) -> None:
    large = io.BytesIO()
    Image.new("RGB", (5000, 4000), "green").save(large, "JPEG")
    answer = asked(visitor, image=base64.b64encode(large.getvalue()).decode(), scale=4)
    assert answer.json["error"]["field"] == "scale" and "1.78" in answer.json["message"]


def test_the_sixth_call_in_a_minute_is_one_too_many(visitor: Visitor) -> None:
    codes = [asked(visitor, image=inline(jpeg())).status_code for _ in range(6)]
    assert codes == [202] * 5 + [429]


def test_a_call_that_is_sent_again_with_its_key_is_answered_beyond_the_limit(
    visitor: Visitor,
) -> None:
    sent = {"image": inline(jpeg())}
    headers = {"Prefer": "respond-async", "Idempotency-Key": "once"}
    calls = [visitor.client.post("/enhance-media", json=sent, headers=headers) for _ in range(6)]
    assert [call.status_code for call in calls] == [202] * 6
    assert asked(visitor, **sent).headers["X-RateLimit-Remaining"] == "3"


def test_a_call_that_was_one_too_many_leaves_its_key_free(site: Site, visitor: Visitor) -> None:
    sent = {"image": inline(jpeg())}
    headers = {"Prefer": "respond-async", "Idempotency-Key": "once"}
    for _ in range(5):
        asked(visitor, **sent)
    assert visitor.client.post("/enhance-media", json=sent, headers=headers).status_code == 429
    with site.database.session() as session:
        session.execute(text("DELETE FROM limits_used"))
    assert visitor.client.post("/enhance-media", json=sent, headers=headers).status_code == 202


def test_a_call_that_is_sent_again_with_its_key_begins_nothing_new(visitor: Visitor) -> None:
    headers = {"Prefer": "respond-async", "Idempotency-Key": "once"}
    sent = {"image": inline(jpeg())}
    calls = [visitor.client.post("/enhance-media", json=sent, headers=headers) for _ in "ab"]
    assert calls[0].json["id"] == calls[1].json["id"]


def test_the_page_takes_a_picture_and_goes_on_to_its_request(visitor: Visitor) -> None:
    assert "Times as large" in visitor.get("/studio/enhance").text
    sent = {"file": (jpeg(), "pot.jpg"), "scale": "2", "model": ""}
    answer = visitor.send("/studio/enhance", "/studio/enhance", **sent)
    assert answer.status_code == 303
    assert "pot.jpg" in visitor.get(answer.location).text


def test_the_page_takes_a_video(visitor: Visitor, tmp_path: Any) -> None:
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc2=size=64x48:duration=1", "a.mp4"], tmp_path)
    sent = {"file": (io.BytesIO((tmp_path / "a.mp4").read_bytes()), "a.mp4", "video/mp4")}
    answer = visitor.send("/studio/enhance", "/studio/enhance", scale="2", **sent)
    assert answer.status_code == 303
    found = visitor.get(f"/api/media/{answer.location.rpartition('/')[2]}").json
    assert list(found["files"]) == ["video"]


def test_the_page_says_what_is_wrong_beside_its_field(visitor: Visitor) -> None:
    sent = {"file": (io.BytesIO(b"no picture"), "pot.jpg"), "scale": "2"}
    answer = visitor.send("/studio/enhance", "/studio/enhance", **sent)
    assert answer.status_code == 400 and 'id="file-wrong"' in answer.text
    nothing = visitor.send("/studio/enhance", "/studio/enhance", scale="2")
    assert nothing.status_code == 400 and 'id="file-wrong"' in nothing.text
