import csv
import io

import pytest

from darkroom.accounts.models import User
from darkroom.queue.models import Run

from .conftest import Site, Submit, Visitor, count, jpeg


@pytest.fixture
def local(site: Site) -> User:
    return site.user("Local", role="admin")


def test_form_without_scripts_leads_to_the_result(visitor: Visitor) -> None:
    answer = visitor.send("/count", page="/count", file=[(jpeg(), "a.jpg"), (jpeg(), "b.jpg")])
    assert answer.status_code == 303
    page = visitor.get(answer.location).text
    assert "2 photos" in page and "b.jpg" in page


def test_script_is_told_where_the_result_is(visitor: Visitor) -> None:
    data = {"csrf_token": visitor.csrf_token("/count"), "file": (jpeg(), "a.jpg")}
    headers = {"Accept": "application/json"}
    answer = visitor.client.post("/count", data=data, headers=headers)
    assert answer.status_code == 202
    assert visitor.get(answer.json["location"]).status_code == 200


def test_wrong_file_is_refused_in_words_on_the_form(visitor: Visitor) -> None:
    answer = visitor.send("/count", page="/count", file=(io.BytesIO(b"text"), "a.jpg"))
    assert answer.status_code == 400
    assert "a.jpg" in answer.text and "data-drop" in answer.text


def test_wrong_file_is_refused_in_the_readers_language(visitor: Visitor) -> None:
    data = {"csrf_token": visitor.csrf_token("/count"), "file": (io.BytesIO(b"text"), "a.jpg")}
    headers = {"Accept": "application/json", "Accept-Language": "es"}
    answer = visitor.client.post("/count", data=data, headers=headers)
    assert answer.json["error"]["message"].startswith("«a.jpg» no es una imagen")


def test_form_without_a_photo_is_refused(visitor: Visitor) -> None:
    assert visitor.send("/count", page="/count").status_code == 400


def test_sample_photo_is_counted_on_request(visitor: Visitor) -> None:
    answer = visitor.send("/count/sample", page="/")
    assert answer.status_code == 303
    assert "sample.jpg" in visitor.get(answer.location).text


def test_result_is_empty_until_counted(site: Site, local: User, submit: Submit) -> None:
    sent = submit(site, local)
    page = site.visitor().get(f"/count/{sent.session_id}").text
    assert "figure-big" not in page
    assert f"/runs/{sent.run_id}/events" in page


def test_count_shows_both_figures_interval_and_confidence(
    site: Site, local: User, submit: Submit
) -> None:
    sent = submit(site, local)
    count(site.database, sent.session_id)
    page = site.visitor().get(f"/count/{sent.session_id}").text
    for shown in (">3<", ">2.9<", "2\N{EN DASH}4", "83%", "Plug tray", "2 seen, 1 estimated"):
        assert shown in page, shown


def test_count_that_needs_review_says_which_container(
    site: Site, local: User, submit: Submit
) -> None:
    sent = submit(site, local, "mesa 7.jpg")
    count(site.database, sent.session_id, needs_review=True)
    with site.database.session() as session:
        session.get_one(Run, sent.run_id).status = "completed"
    visitor = site.visitor()
    page = visitor.get(f"/count/{sent.session_id}").text
    assert "mesa 7.jpg, container 1" in page and "no plant was detected" in page
    assert "Needs you" in visitor.get("/").text


def test_every_photo_has_its_own_address(site: Site, local: User, submit: Submit) -> None:
    sent = submit(site, local, "a.jpg", "b.jpg")
    visitor = site.visitor()
    for number, name in ((1, "a.jpg"), (2, "b.jpg"), (99, "b.jpg"), (0, "a.jpg")):
        page = visitor.get(f"/count/{sent.session_id}?photo={number}").text
        assert f'alt="Photo {name}"' in page
    assert visitor.get(f"/count/{sent.session_id}?photo=x").status_code == 200


def test_overlays_are_in_the_photos_pixels(site: Site, local: User, submit: Submit) -> None:
    sent = submit(site, local)
    count(site.database, sent.session_id)
    visitor = site.visitor()
    page = visitor.get(f"/count/{sent.session_id}").text
    path = page.split('data-overlays="')[1].split('"')[0]
    found = visitor.get(path).json
    assert (found["width"], found["height"]) == (64, 48)
    assert found["detections"] == [[10, 20, 8, 6, 0.8], [30, 20, 8, 6, 0.8]]
    assert found["containers"][0]["rings"] == [[[0, 0], [60, 0], [60, 40], [0, 40], [0, 0]]]
    assert found["estimates"][0]["count"] == 1


def test_overlays_of_another_session_are_not_there(site: Site, local: User, submit: Submit) -> None:
    first, second = submit(site, local), submit(site, local)
    page = site.visitor().get(f"/count/{first.session_id}").text
    path = page.split('data-overlays="')[1].split('"')[0]
    wrong = path.replace(str(first.session_id), str(second.session_id))
    assert site.visitor().get(wrong).status_code == 404


def test_csv_has_a_line_for_each_container(site: Site, local: User, submit: Submit) -> None:
    sent = submit(site, local, "=1+1.jpg")
    count(site.database, sent.session_id)
    answer = site.visitor().get(f"/count/{sent.session_id}.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert row["photo"] == "'=1+1.jpg"
    assert (row["detected"], row["estimated"], row["total"]) == ("2", "1", "3")
    assert row["with_overcount_buffer"] == "3.0"


def test_json_holds_the_whole_result(site: Site, local: User, submit: Submit) -> None:
    sent = submit(site, local)
    count(site.database, sent.session_id)
    result = site.visitor().get(f"/count/{sent.session_id}.json").json
    assert result["total_detected"] == 2
    assert len(result["photos"][0]["detections"]) == 2
