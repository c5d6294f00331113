"""The studio's frame: requests begun, followed, listed, deleted, whoever's they are."""

from uuid import UUID

import psycopg

from darkroom.media import requests
from darkroom.media.requests import Wish

from .conftest import Site


def begin(site: Site, owner_id: int, service: str = "enhancing", title: str = "a pot") -> UUID:
    """A request of a step that no worker takes here."""
    wish = Wish(service, title, {"scale": 4})
    with site.database.session() as session:
        run_id = requests.begin(session, owner_id, wish, "nobody.works", "cpu", lambda *_: None)
        return requests.of_run(session, run_id).row.id


def end(site: Site, request_id: UUID, status: str) -> None:
    with psycopg.connect(site.database.url) as connection:
        connection.execute(
            "UPDATE runs SET status = %s, finished_at = now(), error = %s::jsonb WHERE id ="
            " (SELECT run_id FROM media_requests WHERE id = %s)",
            (status, '{"class": "Invalid", "message": "There is no face."}', request_id),
        )


def test_the_pages_show_what_was_asked_for(site: Site) -> None:
    ana = site.user("Ana")
    request_id = begin(site, ana.id)
    client = site.signed_in(ana).client
    for path in ("/studio", "/studio/history", "/studio/history?service=enhancing"):
        assert "a pot" in client.get(path).text
    assert "a pot" not in client.get("/studio/history?service=videos").text
    assert "Cancel the run" in client.get(f"/studio/{request_id}").text


def test_a_request_follows_its_run(site: Site) -> None:
    ana = site.user("Ana")
    request_id = begin(site, ana.id)
    client = site.signed_in(ana).client
    assert client.get(f"/api/media/{request_id}").json["status"] == "processing"
    end(site, request_id, "failed")
    answer = client.get(f"/api/media/{request_id}").json
    assert (answer["status"], answer["message"]) == ("error", "There is no face.")


def test_nobody_sees_what_others_asked_for(site: Site) -> None:
    ana, eva = site.user("Ana"), site.user("Eva")
    request_id = begin(site, ana.id)
    client = site.signed_in(eva).client
    assert client.get(f"/studio/{request_id}").status_code == 404
    assert client.get(f"/api/media/{request_id}").status_code == 404
    assert client.delete(f"/api/media/{request_id}").status_code in (400, 404)
    assert client.get("/api/media").json["requests"] == []


def test_requests_come_in_pages(site: Site) -> None:
    ana = site.user("Ana")
    made = [str(begin(site, ana.id, title=str(number))) for number in range(5)]
    client = site.signed_in(ana).client
    found, path = [], "/api/media?limit=2"
    while path:
        page = client.get(path).json
        found += [each["id"] for each in page["requests"]]
        path = page["next"] and f"/api/media?limit=2&before={page['next']}"
    assert found == made[::-1]


def test_only_what_is_over_is_deleted(site: Site) -> None:
    admin = site.visitor().client
    owner = site.user("Ana")
    request_id = begin(site, owner.id)
    assert admin.delete(f"/api/media/{request_id}").status_code == 409
    end(site, request_id, "cancelled")
    assert admin.delete(f"/api/media/{request_id}").status_code == 204
    assert admin.get(f"/api/media/{request_id}").status_code == 404


def test_retry_and_cancel_lead_back_to_the_page_they_were_pressed_on(site: Site) -> None:
    ana = site.user("Ana")
    request_id = begin(site, ana.id)
    with site.database.session() as session:
        run_id = requests.of(session, ana.id, request_id).row.run_id
    here = f"/studio/{request_id}"
    answer = site.signed_in(ana).send(f"/runs/{run_id}/cancel", page=here, next=here)
    assert (answer.status_code, answer.headers["Location"]) == (303, here)
