"""Subtitles at the door and on the desk: what is refused, and how cues are changed."""

import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from darkroom.accounts.service import ensure_admin
from darkroom.media import ffmpeg, requests
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.wishes import Asked
from darkroom.web.openapi import document

from .conftest import Site
from .subtitled import CUES, fields, film, heard
from .test_openapi import fits
from .test_studio import end

Json = dict[str, Any]


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> str:
    """The address of the local user's cues."""
    with site.database.session() as session:
        owner = ensure_admin(session)
    return f"/api/subtitles/{heard(site, owner, tmp_path)}/cues"


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return site.visitor().client


def send(client: FlaskClient, content: bytes, name: str = "film.mp4", **asked: str) -> Any:
    return client.post("/api/subtitles", data={"file": (io.BytesIO(content), name), **asked})


def told(answer: Any, status: int = 200) -> Json:
    assert answer.status_code == status, answer.json
    found: Json = answer.json
    return found


def cue(start: float, end: float, *lines: str) -> Json:
    return {"start": start, "end": end, "lines": list(lines)}


def test_a_file_is_taken_by_what_it_holds_not_by_its_name(
    client: FlaskClient, tmp_path: Path
) -> None:
    answer = told(send(client, film(tmp_path).read_bytes(), "portrait.heic"), 202)
    assert answer["status"] == "processing"
    assert [file["mime"] for file in answer["files"]["source"]] == ["video/mp4"]
    assert told(client.get(answer["poll"]))["id"] == answer["id"]


def test_the_answer_bears_the_rate_limit(client: FlaskClient, tmp_path: Path) -> None:
    answer = send(client, film(tmp_path).read_bytes())
    assert answer.headers["X-RateLimit-Limit"] == "10"
    assert answer.headers["X-RateLimit-Remaining"] == "9"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"no video at all" * 99, "no sound or video that can be read"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(999), "no sound or video that can be read"),
    ],
)
def test_what_cannot_be_heard_is_refused_at_the_door(
    client: FlaskClient, content: bytes, said: str
) -> None:
    error = told(send(client, content), 400)["error"]
    assert (error["field"], said in error["message"]) == ("file", True), error


def test_a_video_without_sound_is_refused(client: FlaskClient, tmp_path: Path) -> None:
    error = told(send(client, film(tmp_path, "-an").read_bytes()), 400)["error"]
    assert (error["field"], "has no sound" in error["message"]) == ("file", True)


def test_more_than_two_hours_are_refused(client: FlaskClient, tmp_path: Path) -> None:
    silence = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=7201", "-c:a", "flac", "long.flac"]
    ffmpeg.run(silence, tmp_path)
    error = told(send(client, (tmp_path / "long.flac").read_bytes(), "long.flac"), 400)["error"]
    assert (error["field"], "two hours" in error["message"]) == ("file", True)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"language": "xx"}, "language"),
        ({"mode": "tattoo"}, "mode"),
        ({"font": "Comic Sans"}, "font"),
        ({"size": "9"}, "size"),
        ({"size": "large"}, "size"),
        ({"margin_x": "inf"}, "margin_x"),
        ({"colour": "yellow"}, "colour"),
        ({"position": "left"}, "position"),
        ({"formats": "srt,docx"}, "formats"),
    ],
)
def test_what_cannot_be_is_named(
    client: FlaskClient, tmp_path: Path, asked: dict[str, str], field: str
) -> None:
    error = told(send(client, b"never looked at", **asked), 400)["error"]
    assert error["field"] == field


def test_a_language_is_a_text(client: FlaskClient) -> None:
    error = told(client.post("/api/subtitles", json={"language": ["es"]}), 400)["error"]
    assert error["field"] == "language"


def test_sound_alone_shows_no_subtitles(client: FlaskClient, tmp_path: Path) -> None:
    sound = film(tmp_path, "-vn", name="sound.wav").read_bytes()
    error = told(send(client, sound, "sound.wav", mode="burn"), 400)["error"]
    assert (error["field"], "sound alone" in error["message"]) == ("mode", True)
    assert told(send(client, sound, "sound.wav"), 202)["status"] == "processing"


def test_the_same_key_makes_one_request(client: FlaskClient, tmp_path: Path) -> None:
    content, key = film(tmp_path).read_bytes(), {"Idempotency-Key": "one"}
    answers = [
        client.post("/api/subtitles", data={"file": (io.BytesIO(content), "a.mp4")}, headers=key)
        for _ in range(2)
    ]
    assert answers[0].json["id"] == answers[1].json["id"]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_a_key_whose_request_was_deleted_says_so(client: FlaskClient, tmp_path: Path) -> None:
    content, key = film(tmp_path).read_bytes(), {"Idempotency-Key": "one"}

    def ask() -> Any:
        sent = {"file": (io.BytesIO(content), "a.mp4")}
        return client.post("/api/subtitles", data=sent, headers=key)

    where = told(ask(), 202)["poll"]
    client.post(f"{where}/cancel")
    assert client.delete(where).status_code == 204
    assert told(ask(), 404)["error"]["code"] == "not_found"


def test_a_request_is_found_by_each_of_its_runs(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path)
    with site.database.session() as session:
        first = requests.of(session, None, request_id).row.run_id
    assert first is not None
    visitor = site.signed_in(ana)
    visitor.send(f"/studio/subtitles/{request_id}/burn", page=f"/studio/{request_id}")
    with site.database.session() as session:
        found = requests.of_run(session, first).row
        assert (found.id, found.run_id != first) == (request_id, True)
    assert f"/studio/{request_id}" in visitor.get(f"/runs/{first}").text


def test_cues_come_with_what_misses_a_rule(client: FlaskClient, desk: str) -> None:
    found = told(client.get(desk))
    assert [each["lines"] for each in found["cues"]] == [list(each.lines) for each in CUES]
    missed = {(one["number"], one["rule"]) for one in found["report"]["violations"]}
    assert missed == {(2, "reading_speed"), (2, "shortest")}
    fits(found, document()["components"]["schemas"]["Cues"])


def test_changed_cues_are_checked_and_exported_anew(client: FlaskClient, desk: str) -> None:
    sent = {"version": 1, "cues": [cue(1, 3, "Ask not -->", "what")]}
    found = told(client.put(desk, json=sent))
    assert (found["version"], found["report"]["avoidable"]) == (2, 0)
    request = told(client.get(desk.replace("/api/subtitles", "/api/media").removesuffix("/cues")))
    assert (request["version"], request["cues"]) == (2, 1)
    [srt] = request["files"]["srt"]
    assert client.get(srt["url"]).text == "1\n00:00:01,000 --> 00:00:03,000\nAsk not →\nwhat\n"


def test_nobody_overwrites_what_they_have_not_seen(client: FlaskClient, desk: str) -> None:
    first = told(client.put(desk, json={"version": 1, "cues": [cue(1, 2, "Mine.")]}))
    lost = client.put(desk, json={"version": 1, "cues": [cue(1, 2, "Yours.")]})
    assert told(lost, 409)["error"]["code"] == "conflict"
    assert told(client.get(desk))["cues"] == first["cues"]


def test_a_cue_is_split_joined_and_moved(client: FlaskClient, desk: str) -> None:
    split = told(client.post(f"{desk}/split", json={"version": 1, "number": 1, "at": 8}))
    assert [each["lines"] for each in split["cues"][:2]] == [["And so,"], ["my fellow Americans,"]]
    joined = told(client.post(f"{desk}/merge", json={"version": 2, "number": 1}))
    assert joined["cues"][0] == told(client.get(desk))["cues"][0]
    assert (joined["cues"][0]["start"], joined["cues"][0]["end"]) == (0.5, 2.5)
    moved = told(client.post(f"{desk}/shift", json={"version": 3, "by": 1.25, "first": 3}))
    assert [each["start"] for each in moved["cues"]] == [0.5, 2.6, 4.45]
    assert moved["version"] == 4


@pytest.mark.parametrize(
    "cues",
    [
        None,
        [None],
        [{"start": 1, "lines": ["a"]}],
        [cue(2, 1, "a")],
        [cue(-1, 1, "a")],
        [cue(0, float("nan"), "a")],
        [cue(0, True, "a")],
        [cue(0, 1e9, "a")],
        [cue(0, 1)],
        [cue(0, 1, " ")],
        [cue(0, 1, "a\x00b")],
        [cue(0, 1, "a\ud800")],
        [cue(0, 1, "a\nb")],
        [cue(0, 1, "a" * 501)],
        [cue(2, 3, "a"), cue(0, 1, "b")],
    ],
)
def test_cues_that_cannot_be_are_refused(client: FlaskClient, desk: str, cues: Any) -> None:
    error = told(client.put(desk, json={"version": 1, "cues": cues}), 400)["error"]
    assert error["field"] == "cues", error
    assert told(client.get(desk))["version"] == 1


@pytest.mark.parametrize(
    ("order", "sent", "field"),
    [
        ("split", {"number": 9, "at": 3}, "number"),
        ("split", {"number": 1, "at": 0}, "at"),
        ("merge", {"number": 3}, "number"),
        ("merge", {"number": "1"}, "number"),
        ("shift", {"by": -1}, "cues"),
        ("shift", {"by": "soon"}, "by"),
    ],
)
def test_orders_that_cannot_be_are_refused(
    client: FlaskClient, desk: str, order: str, sent: Json, field: str
) -> None:
    error = told(client.post(f"{desk}/{order}", json={"version": 1, **sent}), 400)["error"]
    assert error["field"] == field, error


def test_nobody_sees_or_changes_the_cues_of_others(site: Site, tmp_path: Path) -> None:
    ana, eva = site.user("Ana"), site.user("Eva")
    desk = f"/api/subtitles/{heard(site, ana, tmp_path)}"
    client, token = site.app.test_client(), site.token_of(eva)
    assert client.get(f"{desk}/cues", headers=token).status_code == 404
    sent = {"version": 1, "cues": []}
    assert client.put(f"{desk}/cues", json=sent, headers=token).status_code == 404
    assert client.post(f"{desk}/burn", json={}, headers=token).status_code == 404


def test_a_burn_waits_for_nobody_elses(client: FlaskClient, desk: str) -> None:
    burn = desk.replace("/cues", "/burn")
    answer = told(client.post(burn, json={"size": 80}), 202)
    assert (answer["status"], answer["version"]) == ("processing", 1)
    assert told(client.post(burn, json={}), 409)["error"]["code"] == "conflict"


def test_a_burn_that_fails_takes_nothing_away(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path)
    visitor, page = site.signed_in(ana), f"/studio/{request_id}"
    for status, message in (("failed", "There is no face."), ("cancelled", None)):
        visitor.send(f"/studio/subtitles/{request_id}/burn", page=page)
        assert visitor.get(f"/api/media/{request_id}").json["status"] == "processing"
        end(site, request_id, status)
        found = visitor.get(f"/api/media/{request_id}").json
        assert (found["status"], found.get("message")) == ("success", message)
        assert ("That did not work." in visitor.get(page).text) == (status == "failed")


def test_a_failed_burn_that_is_retried_is_worked_on_again(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path)
    visitor, page = site.signed_in(ana), f"/studio/{request_id}"
    visitor.send(f"/studio/subtitles/{request_id}/burn", page=page)
    for status in ("failed", "running"):
        end(site, request_id, status)
    found = visitor.get(f"/api/media/{request_id}").json
    assert (found["status"], found.get("message")) == ("processing", None)


def test_a_burn_that_was_cancelled_answers_so_to_its_key(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path)
    client = site.app.test_client()
    headers = {**site.token_of(ana), "Idempotency-Key": "one"}
    burn = f"/api/subtitles/{request_id}/burn"
    told(client.post(burn, json={}, headers=headers), 202)
    end(site, request_id, "cancelled")
    assert told(client.post(burn, json={}, headers=headers), 409)["status"] == "cancelled"


def test_nothing_is_not_burnt(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path, cues=[])
    client, token = site.app.test_client(), site.token_of(ana)
    answer = client.post(f"/api/subtitles/{request_id}/burn", json={}, headers=token)
    assert told(answer, 400)["error"]["field"] == "cues"


def test_burns_by_page_are_counted_as_those_by_program(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path)
    burn = f"/studio/subtitles/{request_id}/burn"
    answer = site.signed_in(ana).send(burn, page=f"/studio/{request_id}")
    assert answer.headers["X-RateLimit-Remaining"] == "9"


def test_sound_alone_is_not_burnt(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    sound = film(tmp_path, "-vn", name="sound.wav")
    request_id = heard(site, ana, tmp_path, path=sound)
    client, token = site.app.test_client(), site.token_of(ana)
    answer = client.post(f"/api/subtitles/{request_id}/burn", json={}, headers=token)
    assert told(answer, 400)["error"]["field"] == "mode"


def test_a_style_is_kept_for_the_next_burn(site: Site, tmp_path: Path) -> None:
    before = Asked(mode="soft", font="DejaVu Serif", formats=("srt",))
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path, asked=before)
    client, token = site.app.test_client(), site.token_of(ana)
    told(client.post(f"/api/subtitles/{request_id}/burn", json={"size": 70}, headers=token), 202)
    page = site.signed_in(ana).get(f"/studio/{request_id}").text
    assert 'value="70"' in page and "<option selected>DejaVu Serif</option>" in page


def test_the_form_says_what_is_wrong(site: Site) -> None:
    visitor = site.signed_in(site.user("Ana"))
    sent = {"file": (io.BytesIO(b"nothing of use"), "a.mp4")}
    answer = visitor.send("/studio/subtitles", page="/studio/subtitles", **sent)
    assert answer.status_code == 400
    assert "no sound or video that can be read" in answer.text


def test_a_file_is_sent_from_the_page(site: Site, tmp_path: Path) -> None:
    visitor = site.signed_in(site.user("Ana"))
    sent = {"file": (io.BytesIO(film(tmp_path).read_bytes()), "speech.mp4"), "mode": "none"}
    answer = visitor.send("/studio/subtitles", page="/studio/subtitles", **sent)
    assert answer.status_code == 303
    assert "Cancel the run" in visitor.get(answer.headers["Location"]).text


def test_cues_are_changed_without_scripts(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    path = f"/studio/{heard(site, ana, tmp_path)}"
    visitor = site.signed_in(ana)
    form = fields(visitor.get(path).text)
    assert form["start"] == ["0:00.500", "0:02.600", "0:03.200"]
    form["text"][0], form["end"][0] = "My\r\nfellows", "0:01,5"
    save = path.replace("/studio/", "/studio/subtitles/") + "/cues"
    assert visitor.send(save, page=path, **form, do="remove-2").status_code == 303
    after = fields(visitor.get(path).text)
    assert after["text"] == ["My\nfellows", "For your country."]
    assert (after["end"], after["version"]) == (["0:01.500", "0:05.000"], ["2"])
    form = {**after, "by": "-0.5", "first": "2", "do": "shift"}
    visitor.send(save, page=path, **form)
    assert fields(visitor.get(path).text)["start"] == ["0:00.500", "0:02.700"]
    for order, count in (("split-1", 3), ("merge-1", 2), ("after-2", 3)):
        visitor.send(save, page=path, **fields(visitor.get(path).text), do=order)
        assert len(fields(visitor.get(path).text)["text"]) == count
    assert visitor.send(save, page=path, **form).status_code == 409


@pytest.mark.parametrize(
    "changed",
    [
        {"by": "nan", "do": "shift"},
        {"by": "1e308", "do": "shift"},
        {"first": "1e999", "do": "shift"},
        {"first": "nan", "do": "shift"},
        {"end": ["9" * 5000]},
        {"do": f"remove-{'9' * 5000}"},
    ],
)
def test_odd_numbers_in_the_form_break_nothing(
    site: Site, tmp_path: Path, changed: dict[str, Any]
) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path, cues=CUES[:1])
    visitor, page = site.signed_in(ana), f"/studio/{request_id}"
    form = {**fields(visitor.get(page).text), "by": "1", "first": "1", **changed}
    saved = visitor.send(f"/studio/subtitles/{request_id}/cues", page=page, **form)
    assert saved.status_code == 303
    assert fields(visitor.get(page).text)["start"] == ["0:00.500"]


def test_the_player_gets_the_cues_as_they_are_now(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    request_id = heard(site, ana, tmp_path, cues=[Cue(0, 1500, ("Fish & chips",))])
    answer = site.signed_in(ana).get(f"/studio/subtitles/{request_id}/cues.vtt")
    assert answer.text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nFish &amp; chips\n"
    assert answer.mimetype == "text/vtt"


def test_files_are_found_at_an_address_that_stays(site: Site, tmp_path: Path) -> None:
    ana = site.user("Ana")
    files = f"/studio/subtitles/{heard(site, ana, tmp_path)}/files"
    visitor = site.signed_in(ana)
    answer = visitor.get(f"{files}/txt", follow_redirects=True)
    assert "film.en.txt" in answer.headers["Content-Disposition"]
    assert "For your country." in answer.text
    assert visitor.get(f"{files}/source").status_code == 404
