"""Counting again with other settings, and two counts beside each other, as pages."""

import shutil
from uuid import UUID

import pytest
from sqlalchemy import func, select

from darkroom.accounts.models import User
from darkroom.counting.models import Photo, PhotoOverlap, PhotoSession
from darkroom.counting.overlaps import Pair, write
from darkroom.counting.service import Submitted
from darkroom.queue.models import Run
from darkroom.vision.weights import BUNDLED

from .conftest import Site, Submit, Visitor, count


@pytest.fixture
def local(site: Site) -> User:
    return site.user("Local", role="admin")


@pytest.fixture
def sent(site: Site, local: User, submit: Submit) -> Submitted:
    made = submit(site, local, "a.jpg", "b.jpg")
    count(site.database, made.session_id)
    return made


def again(visitor: Visitor, sent: Submitted, **fields: str) -> UUID:
    """Count again; answers the public id of the new session."""
    address = f"/count/{sent.session_id}/again"
    answer = visitor.send(address, page=address, **fields)
    assert answer.status_code == 303, answer.text
    return UUID(answer.location.rpartition("/")[2])


def row(site: Site, session_id: UUID) -> PhotoSession:
    with site.database.session() as db:
        return db.scalars(select(PhotoSession).where(PhotoSession.session_id == session_id)).one()


def test_form_shows_what_the_count_was_made_with(visitor: Visitor, sent: Submitted) -> None:
    page = visitor.get(f"/count/{sent.session_id}/again").text
    for shown in ('value="0.3"', 'value="512"', 'value="0.9"', 'value="35, 40, 40"', "plants"):
        assert shown in page, shown


def test_only_what_differs_is_set_otherwise(site: Site, visitor: Visitor, sent: Submitted) -> None:
    made = again(visitor, sent, confidence="0.5", slice_size="512", alpha="0,9", hsv_low="35,40,40")
    assert row(site, made).settings == {"confidence": 0.5}


def test_photos_are_counted_again_without_a_copy(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    made = row(site, again(visitor, sent, confidence="0.5"))
    first = row(site, sent.session_id)
    with site.database.session() as db:
        query = select(Photo).order_by(Photo.session_id, Photo.position)
        photos = [photo for photo in db.scalars(query)]
        run = db.get_one(Run, made.run_id)
    keys = {(photo.original_asset_id, photo.s3_key_original) for photo in photos}
    assert (len(photos), len(keys)) == (4, 2)
    assert (made.rerun_of_id, made.without_location) == (first.id, True)
    assert (run.title, run.owner_id, run.open_steps) == (
        "2 photos, counted again",
        first.user_id,
        1,
    )


def test_a_count_made_again_is_counted_again_with_its_settings(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    second = again(visitor, sent, confidence="0.5")
    address = f"/count/{second}/again"
    answer = visitor.send(address, page=address, alpha="0.8")
    third = row(site, UUID(answer.location.rpartition("/")[2]))
    assert third.settings == {"confidence": 0.5, "alpha": 0.8}
    assert third.rerun_of_id == row(site, sent.session_id).id
    with site.database.session() as db:
        assert db.get_one(Run, third.run_id).title == "2 photos, counted again"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("confidence", "1"),
        ("confidence", "sure"),
        ("slice_size", "12.5"),
        ("slice_size", "90000"),
        ("alpha", "0.2"),
        ("alpha", "nan"),
        ("stock_figure", "most"),
        ("plant_weights", "../secret"),
        ("plant_weights", "containers"),
        ("container_weights", "plants"),
        ("hsv_low", "35, 40"),
        ("hsv_high", "85, 255, 256"),
        ("colour", "red"),
    ],
)
def test_wrong_value_is_refused_at_its_field(
    site: Site, visitor: Visitor, sent: Submitted, field: str, value: str
) -> None:
    address = f"/count/{sent.session_id}/again"
    token = visitor.csrf_token(address)
    data = {"csrf_token": token, field: value}
    json = visitor.client.post(address, data=data, headers={"Accept": "application/json"})
    page = visitor.client.post(address, data=data)
    assert (json.status_code, json.json["error"]["field"]) == (400, field)
    assert page.status_code == 400
    assert ('class="problem"' if field != "colour" else "notice-failed") in page.text
    with site.database.session() as db:
        assert db.scalar(select(func.count()).select_from(PhotoSession)) == 1


def test_colours_that_nothing_lies_between_are_refused(visitor: Visitor, sent: Submitted) -> None:
    address = f"/count/{sent.session_id}/again"
    answer = visitor.send(address, page=address, hsv_low="35, 90, 40", hsv_high="85, 80, 255")
    assert answer.status_code == 400 and "at least those of the other end" in answer.text


def test_a_range_through_red_is_taken(site: Site, visitor: Visitor, sent: Submitted) -> None:
    made = again(visitor, sent, hsv_low="170, 40, 40", hsv_high="10, 255, 255")
    assert row(site, made).settings == {"hsv_low": [170, 40, 40], "hsv_high": [10, 255, 255]}


def test_weights_that_people_added_can_be_chosen(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    folder = site.services.settings.weights_dir
    folder.mkdir(parents=True)
    shutil.copyfile(BUNDLED / "plants.pt", folder / "ours.pt")
    (folder / "broken.pt").write_bytes(b"no checkpoint")
    page = visitor.get(f"/count/{sent.session_id}/again").text
    assert '<option value="ours"' in page and "broken" not in page
    assert row(site, again(visitor, sent, plant_weights="ours")).settings == {
        "plant_weights": "ours"
    }


def test_the_form_sent_twice_with_one_key_makes_one_count(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    address = f"/count/{sent.session_id}/again"
    data = {"csrf_token": visitor.csrf_token(address), "alpha": "0.8"}
    sends = [
        visitor.client.post(address, data=data, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert sends[0].location == sends[1].location
    with site.database.session() as db:
        assert db.scalar(select(func.count()).select_from(PhotoSession)) == 2


def test_counts_of_others_are_neither_counted_again_nor_compared(
    closed_site: Site, submit: Submit
) -> None:
    ana, ben = closed_site.user("Ana"), closed_site.user("Ben")
    hers = submit(closed_site, ana)
    visitor = closed_site.signed_in(ben)
    assert visitor.get(f"/count/{hers.session_id}/again").status_code == 404
    own = submit(closed_site, ben)
    assert visitor.get(f"/count/{own.session_id}/compare/{hers.session_id}").status_code == 404


def test_result_lists_the_counts_of_its_photos(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    assert "Counts of these photos" not in visitor.get(f"/count/{sent.session_id}").text
    made = again(visitor, sent, confidence="0.5")
    for here, there in ((sent.session_id, made), (made, sent.session_id)):
        page = visitor.get(f"/count/{here}").text
        assert f"/count/{here}/compare/{there}" in page and "Confidence needed 0.5" in page


def test_two_counts_stand_beside_each_other(site: Site, visitor: Visitor, sent: Submitted) -> None:
    made = again(visitor, sent, confidence="0.5")
    page = visitor.get(f"/count/{sent.session_id}/compare/{made}").text
    assert "appears here" not in page and 'data-live="' in page
    count(site.database, made)
    page = visitor.get(f"/count/{sent.session_id}/compare/{made}").text
    assert "Confidence needed" in page and page.count(">2.9<") == 2
    assert page.count("/overlays.json") == 2
    second = visitor.get(f"/count/{sent.session_id}/compare/{made}?photo=2").text
    assert 'alt="Photo b.jpg"' in second and "Nothing was counted" in second


def test_counts_of_different_photos_are_not_compared(
    site: Site, local: User, submit: Submit, visitor: Visitor, sent: Submitted
) -> None:
    other = submit(site, local)
    answer = visitor.get(f"/count/{sent.session_id}/compare/{other.session_id}")
    assert answer.status_code == 409 and "not of the same photos" in answer.text


def test_counts_made_again_do_not_ask_for_review(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    made = again(visitor, sent, confidence="0.5")
    count(site.database, made, needs_review=True)
    with site.database.session() as db:
        db.get_one(Run, row(site, made).run_id).status = "completed"
    assert "Needs you" not in visitor.get("/").text


# Photos that show the same plants


def overlap(site: Site, sent: Submitted) -> None:
    with site.database.session() as db:
        session = db.scalars(
            select(PhotoSession).where(PhotoSession.session_id == sent.session_id)
        ).one()
        photos = db.scalars(select(Photo).order_by(Photo.position)).all()
        write(db, session.id, 2, [Pair(photos[0].image_id, photos[1].image_id, 0.35, 0.5)])


def test_photos_that_show_the_same_plants_are_named_once(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    assert "counted twice" not in visitor.get(f"/count/{sent.session_id}").text
    overlap(site, sent)
    page = visitor.get(f"/count/{sent.session_id}").text
    assert "Photos 2 and 1 show the same plants, about 50% of photo 2" in page
    assert page.count("they are counted twice") == 1


def test_overlaps_are_replaced_when_photos_are_compared_again(site: Site, sent: Submitted) -> None:
    overlap(site, sent)
    overlap(site, sent)
    with site.database.session() as db:
        assert db.scalar(select(func.count()).select_from(PhotoOverlap)) == 2


def test_the_page_says_when_photos_could_not_be_compared(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    with site.database.session() as db:
        db.get_one(Run, sent.run_id).status = "completed"
    assert "was not found out" in visitor.get(f"/count/{sent.session_id}").text
    overlap(site, sent)
    assert "was not found out" not in visitor.get(f"/count/{sent.session_id}").text


def test_api_tells_overlaps_settings_and_the_first_count(
    site: Site, visitor: Visitor, sent: Submitted
) -> None:
    overlap(site, sent)
    task = visitor.get(f"/api/v1/stock/tasks/{sent.run_id}").json
    shares = [(one["position"], one["other_position"], one["share"]) for one in task["overlaps"]]
    assert shares == [(1, 2, 0.35), (2, 1, 0.5)]
    assert (task["settings"], task["rerun_of"]) == ({}, None)
    made = again(visitor, sent, confidence="0.5")
    task = visitor.get(f"/api/v1/stock/tasks/{row(site, made).run_id}").json
    assert (task["settings"], task["rerun_of"]) == ({"confidence": 0.5}, str(sent.session_id))


def test_api_counts_again_from_json(site: Site, visitor: Visitor, sent: Submitted) -> None:
    address = f"/api/v1/stock/tasks/{sent.run_id}/again"
    stands = visitor.get(address).json
    assert (stands["settings"]["slice_size"], stands["choices"]["plant_weights"]) == (
        512,
        ["plants"],
    )
    headers = {"Idempotency-Key": "k"}
    body = {"slice_size": 640, "hsv_low": [30, 40, 40]}
    first, second = (visitor.client.post(address, json=body, headers=headers) for _ in range(2))
    assert first.status_code == 202 and first.json["task_id"] == second.json["task_id"]
    assert row(site, UUID(first.json["session_id"])).settings == {
        **body,
        "hsv_high": [85, 255, 255],
    }


@pytest.mark.parametrize("body", [[1], "text", {"slice_size": [640]}, {"hsv_low": {"h": 3}}])
def test_api_refuses_what_is_no_setting(visitor: Visitor, sent: Submitted, body: object) -> None:
    answer = visitor.client.post(f"/api/v1/stock/tasks/{sent.run_id}/again", json=body)
    assert answer.status_code == 400 and answer.json["detail"]
