"""Review without scripts and by its JSON: drafts, undo, saving, the list, and who may."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select, text

from darkroom.accounts.models import User
from darkroom.counting import bands, overlays, totals
from darkroom.counting.models import Container, Detection, Photo, PhotoSession
from darkroom.counting.places import mapping
from darkroom.counting.review import reading, rebasing, recounting, service
from darkroom.counting.review.models import Correction
from darkroom.counting.review.recounting import Estimates
from darkroom.db.statements import statement
from darkroom.errors import NotNow
from darkroom.queue.models import Run
from tests.integration.stocked import nursery

from .conftest import Site, Submit, Visitor, count


class Photographed:
    """A count of one photo that stands, and somebody who corrects it."""

    def __init__(self, site: Site, visitor: Visitor, session_id: UUID) -> None:
        self.site, self.visitor, self.session_id = site, visitor, session_id
        with site.database.session() as db:
            photos = db.scalars(
                select(PhotoSession).where(PhotoSession.session_id == session_id)
            ).one()
            self.id, self.run_id = photos.id, photos.run_id
            self.image_id = db.scalars(
                select(Photo.image_id).where(Photo.session_id == photos.id)
            ).one()
        self.page = f"/count/{session_id}/review"
        self.photo = f"/count/{session_id}/photos/{self.image_id}"

    def post(self, address: str, body: Any) -> Any:
        headers = {"X-CSRFToken": self.visitor.csrf_token(self.page)}
        return self.visitor.client.post(f"{self.photo}/{address}.json", json=body, headers=headers)

    def correct(self, action: str, **told: Any) -> Any:
        return self.post("corrections", {"key": str(uuid4()), "action": action, **told})

    @property
    def state(self) -> Any:
        return self.visitor.get(f"{self.photo}/review.json").json

    @property
    def plants(self) -> list[int]:
        return [plant[0] for plant in self.state["plants"]]

    @property
    def container(self) -> int:
        return self.state["containers"][0]["id"]

    def save(self, **fields: Any) -> Any:
        return self.visitor.send(self.page, page=self.page, **fields)

    def rows(self) -> list[Correction]:
        with self.site.database.session() as db:
            return list(db.scalars(select(Correction).order_by(Correction.id)))

    def apply(self, estimates: Estimates | None = None) -> None:
        """Apply the drafts as the worker does, with what it has estimated again."""
        read = recounting.opened(self.site.database, self.session_id)
        with self.site.database.session() as db:
            photos = db.get_one(PhotoSession, self.id)
            recounting.apply(db, photos, read, estimates or {})
            totals.total(db, photos)

    @property
    def row(self) -> PhotoSession:
        with self.site.database.session() as db:
            return db.get_one(PhotoSession, self.id)

    def errors(self) -> list[float]:
        """What the scale is fitted to, where 2.9 plants ± 0.5 were computed."""
        with self.site.database.session() as db:
            db.execute(text("UPDATE containers SET model_unbiased = 2.9, model_error = 0.5"))
            return [float(error) for error in db.scalars(statement("review/errors"))]


def stands(site: Site, run_id: UUID) -> None:
    with site.database.session() as db:
        run = db.get_one(Run, run_id)
        run.status, run.finished_at = "completed", datetime.now(UTC)


Make = Callable[..., Photographed]


@pytest.fixture
def make(site: Site, visitor: Visitor, submit: Submit) -> Make:
    def counted(name: str = "a.jpg", needs_review: bool = False) -> Photographed:
        visitor.get("/")
        with site.database.session() as db:
            owner = db.scalar(text("SELECT id FROM users WHERE role = 'admin'"))
            user = type("Owner", (), {"id": owner})
        made = submit(site, user, name)  # type: ignore[arg-type]
        count(site.database, made.session_id, needs_review=needs_review)
        stands(site, made.run_id)
        return Photographed(site, visitor, made.session_id)

    return counted


@pytest.fixture
def counted(make: Make) -> Photographed:
    return make()


def test_a_correction_sent_twice_is_one(counted: Photographed) -> None:
    told = {"key": str(uuid4()), "action": "remove", "plant": counted.plants[0]}
    answers = [counted.post("corrections", told) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(counted.rows()) == 1


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"key": "7"}, "key"),
        ({"action": "paint"}, "action"),
        ({"action": 7}, "action"),
        ({"action": "remove"}, "plant"),
        ({"action": "remove", "plant": True}, "plant"),
        ({"action": "remove", "plant": 10**40}, "plant"),
        ({"action": "remove", "plant": "nobody"}, "plant"),
        ({"action": "add", "x": 1, "y": 1, "width": 4}, "height"),
        ({"action": "add", "x": 999, "y": 1, "width": 4, "height": 4}, "x"),
        ({"action": "add", "x": "1", "y": 1, "width": 4, "height": 4}, "x"),
        ({"action": "add", "x": 10**400, "y": 1, "width": 4, "height": 4}, "x"),
        ({"action": "add", "x": 1, "y": 1, "width": 0, "height": 4}, "width"),
        (
            {"action": "add", "x": 1, "y": 1, "width": 4, "height": 4, "class_name": "cat"},
            "class_name",
        ),
        ({"action": "total", "container": 999, "total": 3}, "container"),
        ({"action": "total", "total": 3}, "container"),
        ({"action": "total", "container": 10**30, "total": 3}, "container"),
    ],
)
def test_a_wrong_correction_names_its_field(
    counted: Photographed, told: dict[str, Any], field: str
) -> None:
    answer = counted.post("corrections", {"key": str(uuid4()), "action": "add", **told})
    assert 400 <= answer.status_code < 500
    assert answer.json["error"]["field"] == field
    assert counted.rows() == []


@pytest.mark.parametrize("total", [-1, None, 10**9, 2.5])
def test_a_total_is_a_whole_number_of_plants(counted: Photographed, total: Any) -> None:
    answer = counted.correct("total", container=counted.container, total=total)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "total")


def test_a_plant_that_is_gone_cannot_be_moved(counted: Photographed) -> None:
    plant = counted.plants[0]
    counted.correct("remove", plant=plant)
    answer = counted.correct("move", plant=plant, x=5, y=5, width=4, height=4)
    assert (answer.status_code, answer.json["error"]["field"]) == (409, "plant")


def test_only_the_newest_correction_is_undone_and_once_is_as_good_as_twice(
    counted: Photographed,
) -> None:
    first, second = (counted.correct("remove", plant=p).json["key"] for p in counted.plants)
    assert counted.post("undo", {"key": first}).status_code == 409
    for _ in range(2):
        assert counted.post("undo", {"key": second}).status_code == 200
    assert [row["key"] for row in counted.state["corrections"]] == [first]
    for _ in range(2):
        assert counted.post("redo", {"key": second}).status_code == 200
    assert [row["key"] for row in counted.state["corrections"]] == [first, second]


def test_nothing_is_made_again_after_something_new(counted: Photographed) -> None:
    first, second = counted.plants
    key = counted.correct("remove", plant=first).json["key"]
    counted.post("undo", {"key": key})
    counted.correct("remove", plant=second)
    assert counted.state["undone"] == []
    assert counted.post("redo", {"key": key}).status_code == 409


def test_totals_are_corrected_by_a_plain_form(counted: Photographed) -> None:
    answer = counted.save(**{f"total-{counted.container}": "9", "do": "accept"})
    assert answer.status_code == 303
    total, accepted = counted.rows()
    assert (total.after, accepted.action, accepted.container_id) == ({"total": 9}, "accept", None)
    assert counted.state["busy"] is True


def test_a_form_does_not_write_back_a_total_that_is_newer_by_now(counted: Photographed) -> None:
    field = f"total-{counted.container}"
    assert f'name="shown-{field}" value="3"' in counted.visitor.get(counted.page).text
    counted.correct("total", container=counted.container, total=43)
    counted.save(**{f"shown-{field}": "3", field: "3", "do": "save"})
    assert [row.after for row in counted.rows()] == [{"total": 43}]


def test_a_form_that_says_nothing_new_saves_nothing(counted: Photographed) -> None:
    counted.save(**{f"total-{counted.container}": "3", "do": "save"})
    assert counted.rows() == []
    assert "nothing to save" in counted.visitor.get(counted.page).text


@pytest.mark.parametrize("given", ["many", "-2", "1e3", "99999999999"])
def test_a_form_with_a_wrong_total_saves_nothing(counted: Photographed, given: str) -> None:
    counted.save(**{f"total-{counted.container}": given, "do": "accept"})
    assert counted.rows() == []
    assert "whole number" in counted.visitor.get(counted.page).text


def test_while_corrections_are_applied_no_more_are_taken(counted: Photographed) -> None:
    key = counted.correct("remove", plant=counted.plants[0]).json["key"]
    counted.save(do="save")
    assert counted.correct("remove", plant=counted.plants[1]).status_code == 409
    assert counted.post("undo", {"key": key}).status_code == 409
    counted.save(do="save")
    with counted.site.database.session() as db:
        assert db.scalar(text("SELECT count(*) FROM runs WHERE title LIKE 'Corrections%'")) == 1


def test_corrections_of_a_run_that_failed_are_drafts_again(counted: Photographed) -> None:
    counted.correct("remove", plant=counted.plants[0])
    counted.save(do="save")
    with counted.site.database.session() as db:
        db.execute(text("UPDATE runs SET status = 'failed' WHERE title LIKE 'Corrections%'"))
    assert "None of them is lost" in counted.visitor.get(counted.page).text
    assert counted.correct("remove", plant=counted.plants[1]).status_code == 201
    assert counted.save(do="save").status_code == 303
    assert counted.state["busy"] is True


def test_a_draft_taken_back_while_it_is_estimated_is_not_applied(counted: Photographed) -> None:
    key = counted.correct("remove", plant=counted.plants[0]).json["key"]
    read = recounting.opened(counted.site.database, counted.session_id)
    counted.post("undo", {"key": key})
    with counted.site.database.session() as db, pytest.raises(NotNow):
        recounting.apply(db, db.get_one(PhotoSession, counted.id), read, {})
    assert len(counted.plants) == 2


def test_what_was_applied_is_not_applied_again(counted: Photographed) -> None:
    counted.correct("add", x=20, y=20, width=6, height=6)
    read = recounting.opened(counted.site.database, counted.session_id)
    with counted.site.database.session() as db:
        recounting.apply(db, db.get_one(PhotoSession, counted.id), read, {})
    with counted.site.database.session() as db, pytest.raises(NotNow):
        recounting.apply(db, db.get_one(PhotoSession, counted.id), read, {})
    assert len(counted.plants) == 3
    assert recounting.opened(counted.site.database, counted.session_id).user_id is None


def test_a_total_that_a_person_entered_outlasts_later_corrections(counted: Photographed) -> None:
    for told in ({"action": "total", "container": counted.container, "total": 12}, {}):
        counted.correct(**(told or {"action": "remove", "plant": counted.plants[0]}))
        read = recounting.opened(counted.site.database, counted.session_id)
        with counted.site.database.session() as db:
            recounting.apply(db, db.get_one(PhotoSession, counted.id), read, {})
    with counted.site.database.session() as db:
        assert db.scalars(select(Container.total_reviewed)).all() == [12]
        assert db.scalars(select(Photo.total_reviewed)).all() == [12]


def test_an_estimate_that_is_accepted_gets_no_surer(counted: Photographed) -> None:
    counted.correct("accept")
    counted.apply()
    row = counted.row
    assert (row.total_reviewed, row.total_unbiased) == (3, 2.9)
    assert row.interval_low and row.interval_high and row.interval_high - row.interval_low > 1


def test_a_total_that_a_person_entered_is_sure(counted: Photographed) -> None:
    counted.correct("total", container=counted.container, total=5)
    counted.apply()
    row = counted.row
    assert (row.total_reviewed, row.total_unbiased) == (5, 5)
    assert row.interval_low and row.interval_high and row.interval_high - row.interval_low < 1


def test_the_scale_learns_from_totals_that_people_entered(counted: Photographed) -> None:
    counted.correct("total", container=counted.container, total=5)
    counted.apply()
    assert counted.errors() == [pytest.approx(4.2)]


def test_the_scale_learns_nothing_from_an_estimate_that_was_just_accepted(
    counted: Photographed,
) -> None:
    counted.correct("accept")
    counted.apply()
    assert counted.errors() == []


def test_the_scale_learns_from_an_accepted_container_whose_plants_were_all_seen(
    counted: Photographed,
) -> None:
    with counted.site.database.session() as db:
        db.execute(text("UPDATE containers SET total_estimated = 0"))
    counted.correct("accept")
    counted.apply()
    assert counted.errors() == [pytest.approx(-1.8)]


def test_the_scale_learns_nothing_from_counts_made_again(make: Make) -> None:
    first, again = make("first.jpg"), make("again.jpg")
    made_again(first, again)
    again.correct("total", container=again.container, total=5)
    again.apply()
    assert again.errors() == []


def made_again(first: Photographed, again: Photographed) -> None:
    with first.site.database.session() as db:
        db.get_one(PhotoSession, again.id).rerun_of_id = first.id


def test_a_container_is_empty_where_a_person_says_so(counted: Photographed) -> None:
    for total, empty in ((0, 1), (12, 0)):
        counted.correct("total", container=counted.container, total=total)
        counted.apply()
        assert counted.row.total_empty_containers == empty


def test_an_entered_total_outlasts_an_estimate_that_sees_nothing(counted: Photographed) -> None:
    counted.correct("total", container=counted.container, total=12)
    counted.apply()
    for plant in counted.plants:
        counted.correct("remove", plant=plant)
    mask = np.full((40, 60), 255, np.uint8)
    bare = bands.estimate(np.zeros((40, 60, 3), np.uint8), mask, np.empty((0, 4)), "plug")
    counted.apply({counted.container: bare})
    assert bare.is_empty_container and counted.row.total == 12
    assert counted.row.total_empty_containers == 0


def test_a_photo_without_containers_is_no_empty_container(counted: Photographed) -> None:
    with counted.site.database.session() as db:
        db.execute(text("UPDATE containers SET is_segmented = false"))
    counted.correct("total", container=counted.container, total=0)
    counted.apply()
    assert counted.row.total_empty_containers == 0


def test_the_photo_shows_the_total_that_a_person_entered(counted: Photographed) -> None:
    counted.correct("total", container=counted.container, total=45)
    counted.apply()
    with counted.site.database.session() as db:
        drawn = overlays.of_photo(db, db.get_one(Photo, counted.image_id))
    assert [one["total"] for one in drawn["containers"]] == [45]


def test_a_location_shows_the_reviewed_total(counted: Photographed) -> None:
    place = nursery(counted.site.database)
    counted.correct("total", container=counted.container, total=45)
    counted.apply()
    with counted.site.database.session() as db:
        db.get_one(PhotoSession, counted.id).storage_location_id = place.bench
        reader = db.get_one(User, place.user)
        assert [one.total for one in mapping.counts_at(db, place.bench, reader)] == [45]


def test_corrections_outlast_a_photo_that_is_counted_anew(counted: Photographed) -> None:
    first, second = counted.plants
    counted.correct("remove", plant=first)
    counted.correct("add", x=45, y=30, width=8, height=6)
    counted.correct("total", container=counted.container, total=7)
    read = recounting.opened(counted.site.database, counted.session_id)
    with counted.site.database.session() as db:
        recounting.apply(db, db.get_one(PhotoSession, counted.id), read, {})
    counted.correct("move", plant=second, x=50, y=10, width=8, height=6)
    with counted.site.database.session() as db:
        photo = db.get_one(Photo, counted.image_id)
        kept = rebasing.keep(db, photo)
        db.execute(text("DELETE FROM containers"))
    count(counted.site.database, counted.session_id)
    with counted.site.database.session() as db:
        photo = db.get_one(Photo, counted.image_id)
        rebasing.reopen(db, photo, kept, list(db.scalars(select(Container))))
    drafts = counted.state["corrections"]
    # The plant that was moved is found where it was before, as is the one that was removed.
    assert sorted(draft["action"] for draft in drafts) == [
        "add",
        "add",
        "remove",
        "remove",
        "total",
    ]
    assert [draft["total"] for draft in drafts if "total" in draft] == [7]
    assert {draft["plant"] for draft in drafts if "plant" in draft} == set(counted.plants)
    assert counted.state["containers"][0]["needs_review"] is True


def test_a_count_that_goes_on_cannot_be_corrected(counted: Photographed) -> None:
    with counted.site.database.session() as db:
        db.get_one(Run, counted.run_id).status = "running"
    assert counted.correct("accept").status_code == 409
    assert "not finished" in counted.visitor.get(counted.page).text


def test_the_list_shows_what_needs_review_first(make: Make) -> None:
    unsure, sure = make("unsure.jpg", needs_review=True), make("sure.jpg")
    page = unsure.visitor.get("/count/review?show=all").text
    assert page.index("unsure.jpg") < page.index(">sure.jpg")
    assert "sure.jpg" not in unsure.visitor.get("/count/review").text.replace("unsure.jpg", "")
    sure.correct("accept")
    assert ">sure.jpg" in unsure.visitor.get("/count/review?show=drafts").text
    assert ">unsure.jpg" in unsure.visitor.get("/count/review?text=UNS").text
    assert "No count fits" in unsure.visitor.get("/count/review?text=other").text


def test_counts_made_again_do_not_ask_for_review(make: Make) -> None:
    first, again = make("first.jpg", needs_review=True), make("again.jpg", needs_review=True)
    made_again(first, again)
    assert ">again.jpg" not in first.visitor.get("/count/review").text
    assert ">again.jpg" in first.visitor.get("/count/review?show=all").text


def test_the_list_goes_on_where_a_page_ends(
    make: Make, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.counting.review.pages.PAGE", 2)
    for number in range(5):
        make(f"{number}.jpg", needs_review=number == 0)
    seen, address = [], "/count/review?show=all"
    while address:
        page = visitor.get(address).text
        seen += [n for n in (name.split("<")[0] for name in page.split("data-item>")[1:])]
        _, _, rest = page.partition('rel="next" href="')
        address = rest.split('"')[0].replace("&amp;", "&")
    assert seen == ["0.jpg", "4.jpg", "3.jpg", "2.jpg", "1.jpg"]


@pytest.mark.parametrize("address", ["after=x", "after=1_2026-01-01_3", "show=none"])
def test_a_damaged_address_of_the_list_is_refused(visitor: Visitor, address: str) -> None:
    assert visitor.get(f"/count/review?{address}").status_code == 400


def test_strangers_see_and_correct_nothing(closed_site: Site, submit: Submit) -> None:
    owner, other = closed_site.user("Ana"), closed_site.user("Bo")
    made = submit(closed_site, owner)
    count(closed_site.database, made.session_id)
    stands(closed_site, made.run_id)
    theirs = Photographed(closed_site, closed_site.signed_in(other), made.session_id)
    for path in (theirs.page, f"{theirs.photo}/review.json"):
        assert theirs.visitor.get(path).status_code == 404
    own = Photographed(closed_site, closed_site.signed_in(owner), made.session_id)
    without_token = own.visitor.client.post(f"{own.photo}/corrections.json", json={})
    assert without_token.status_code == 400
    assert own.correct("remove", plant=own.plants[0]).status_code == 201
    assert "a.jpg" not in theirs.visitor.get("/count/review?show=all").text


def test_viewers_may_look_but_not_correct(closed_site: Site, submit: Submit) -> None:
    made = submit(closed_site, closed_site.user("Ana"))
    count(closed_site.database, made.session_id)
    stands(closed_site, made.run_id)
    viewer = closed_site.signed_in(closed_site.user("Vi", role="viewer"))
    theirs = Photographed(closed_site, viewer, made.session_id)
    assert theirs.visitor.get(theirs.page).status_code == 200
    assert theirs.correct("remove", plant=1).status_code == 403


def test_the_scale_is_one_until_somebody_reviewed(site: Site) -> None:
    with site.database.session() as db:
        assert reading.error_scale(db) == 1.0


def test_a_save_that_is_cut_off_leaves_drafts(counted: Photographed) -> None:
    plants = counted.plants
    counted.correct("remove", plant=plants[0])
    with counted.site.database.session() as db:
        photos = db.get_one(PhotoSession, counted.id)
        service.save(db, photos)
        db.rollback()
    assert counted.state["busy"] is False
    with counted.site.database.session() as db:
        assert db.scalars(select(Detection.id)).all() == plants
