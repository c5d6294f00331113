"""Deciding on new pictures by the API: approve, reject, roll back, retry; one and in bulk."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text

from darkroom.accounts import service as accounts
from darkroom.accounts.audit import Actor, AuditRow
from darkroom.catalog import articles, reviewing
from darkroom.catalog.models import Article, Edit, Version
from darkroom.catalog.selection import EditSelection
from darkroom.db.sessions import Database
from darkroom.queue.models import Run
from tests.web.conftest import Site

QUEUE = "/api/articulos/processing-queue"


def add_version(session: Any, article: Article, origen: str = "edited") -> Version:
    made = Version(articulo_id=article.id, url="", origen=origen)
    session.add(made)
    session.flush()
    made.url = f"/x/{made.id}"
    article.imagen_version_id, article.imagen_url = made.id, made.url
    session.flush()
    return made


def add_edited(database: Database, count: int = 1, *, times: int = 1) -> list[tuple[int, int]]:
    """Articles whose pictures were edited so often: the numbers of article and newest edit."""
    with database.session() as session:
        found = []
        for place in range(count):
            article = Article(nombre=f"Tornillo {place}")
            session.add(article)
            session.flush()
            before = add_version(session, article, "imported")
            for _ in range(times):
                after = add_version(session, article)
                edit = Edit(
                    articulo_id=article.id,
                    articulo_nombre=article.nombre,
                    estado="completed",
                    version_original_id=before.id,
                    version_procesada_id=after.id,
                )
                session.add(edit)
                session.flush()
                before = after
            found.append((article.id, edit.id))
        return found


def shown(database: Database, article_id: int) -> int | None:
    with database.session() as session:
        return session.get_one(Article, article_id).imagen_version_id


def versions(database: Database, article_id: int) -> list[Version]:
    """Oldest first."""
    with database.session() as session:
        return list(articles.versions(session, article_id))[::-1]


def decide(site: Site, verb: str, *ids: int, **more: Any) -> dict[str, Any]:
    body = {"ids": list(ids), **more} if ids else more
    answer = site.app.test_client().post(f"{QUEUE}/{verb}", json=body)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def test_approved_picture_stays_and_bears_the_verdict(site: Site):
    [(article, edit)] = add_edited(site.database)
    assert decide(site, "approve", edit)["cambiados"] == 1
    before, after = versions(site.database, article)
    assert (before.veredicto, after.veredicto) == (None, "approved")
    assert shown(site.database, article) == after.id


def test_rejected_picture_gives_way_to_the_one_it_was_made_from(site: Site):
    [(article, edit)] = add_edited(site.database)
    assert decide(site, "reject", edit)["cambiados"] == 1
    before, after = versions(site.database, article)
    assert after.veredicto == "rejected"
    with site.database.session() as session:
        row = session.get_one(Article, article)
        assert (row.imagen_version_id, row.imagen_url) == (before.id, before.url)


def test_rejecting_all_edits_of_an_article_at_once_shows_the_first_picture(site: Site):
    [(article, edit)] = add_edited(site.database, times=2)
    decide(site, "reject", edit - 1, edit)
    assert shown(site.database, article) == versions(site.database, article)[0].id


def test_rejecting_an_older_picture_leaves_the_newer_one_shown(site: Site):
    [(article, edit)] = add_edited(site.database, times=2)
    decide(site, "reject", edit - 1)
    _, middle, newest = versions(site.database, article)
    assert (middle.veredicto, shown(site.database, article)) == ("rejected", newest.id)


def test_approving_what_was_rejected_shows_it_again(site: Site):
    [(article, edit)] = add_edited(site.database)
    decide(site, "reject", edit)
    decide(site, "approve", edit)
    after = versions(site.database, article)[1]
    assert (after.veredicto, shown(site.database, article)) == ("approved", after.id)


def test_what_is_left_as_it_is_bears_its_reason(site: Site):
    [(_, done), (article, other)] = add_edited(site.database, 2)
    decide(site, "reject", done)
    with site.database.session() as session:
        waits = Edit(
            articulo_id=article,
            articulo_nombre="x",
            version_original_id=session.get_one(Article, article).imagen_version_id,
        )
        session.add(waits)
        session.flush()
        waiting = waits.id
    left = decide(site, "reject", done, other, waiting, 99_999)["detalles"]["omitidos"]
    assert {each["id"]: each["razon"] for each in left} == {
        done: "Ya estaba así",
        other: "El artículo ya está en la cola",
        waiting: "El trabajo no está completado",
        99_999: "El trabajo no existe",
    }


def test_picture_without_an_earlier_one_is_not_rejected(site: Site):
    [(article, edit)] = add_edited(site.database)
    with site.database.session() as session:
        session.execute(
            text("UPDATE imagen_versiones SET removed_at = now() WHERE origen = 'imported'")
        )
    data = decide(site, "reject", edit)
    assert data["cambiados"] == 0
    assert shown(site.database, article) == versions(site.database, article)[1].id


def test_rolling_back_shows_the_earlier_picture_without_a_verdict(site: Site):
    [(article, edit)] = add_edited(site.database)
    assert decide(site, "rollback", edit)["cambiados"] == 1
    before, after = versions(site.database, article)
    assert (shown(site.database, article), after.veredicto) == (before.id, None)
    assert decide(site, "rollback", edit)["cambiados"] == 0


def test_article_goes_back_to_the_picture_before_and_to_a_given_one(site: Site):
    [(article, _)] = add_edited(site.database, times=2)
    first, middle, newest = (each.id for each in versions(site.database, article))
    client = site.app.test_client()
    assert client.post(f"/api/articulos/{article}/rollback").status_code == 200
    assert shown(site.database, article) == middle
    client.post(f"/api/articulos/{article}/rollback", json={"version_id": newest})
    assert shown(site.database, article) == newest
    client.post(f"/api/articulos/{article}/rollback", json={"version_id": first})
    again = client.post(f"/api/articulos/{article}/rollback")
    assert (shown(site.database, article), again.status_code) == (first, 409)


def test_going_back_to_a_rejected_picture_takes_the_verdict_away(site: Site):
    [(article, edit)] = add_edited(site.database)
    decide(site, "reject", edit)
    after = versions(site.database, article)[1]
    site.app.test_client().post(f"/api/articulos/{article}/rollback", json={"version_id": after.id})
    assert versions(site.database, article)[1].veredicto is None


@pytest.mark.parametrize(("version", "status"), [(99_999, 404), ("x", 400), (0, 400)])
def test_going_back_to_what_is_not_there_is_refused(site: Site, version: object, status: int):
    [(article, _)] = add_edited(site.database)
    answer = site.app.test_client().post(
        f"/api/articulos/{article}/rollback", json={"version_id": version}
    )
    assert answer.status_code == status


def test_all_that_fit_a_filter_are_decided_on(site: Site):
    edited = add_edited(site.database, 3)
    decide(site, "approve", edited[0][1])
    data = decide(site, "reject", filtro={"veredicto": "undecided"})
    assert data["detalles"]["cambiados"] == [edit for _, edit in edited[1:]]


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": [1], "filtro": {}}, {"filtro": {"estdo": "completed"}}]
)
def test_what_names_nothing_or_both_is_refused(site: Site, body: dict[str, Any]):
    answer = site.app.test_client().post(f"{QUEUE}/reject", json=body)
    assert (answer.status_code, answer.json["success"]) == (400, False)


def test_each_decision_is_audited_with_its_filter_and_count(site: Site):
    add_edited(site.database, 2)
    decide(site, "approve", filtro={"estado": "completed"})
    with site.database.session() as session:
        [row] = session.scalars(select(AuditRow)).all()
        assert (row.action, row.count) == ("catalog.approve", 2)
        assert row.filter == {"filtro": {"estado": "completed"}}


def test_of_two_who_reject_the_same_at_once_one_changes_each(site: Site):
    edits = [edit for _, edit in add_edited(site.database, 100)]
    with site.database.session() as session:
        actor = Actor.of(accounts.ensure_admin(session))

    def reject(order: list[int]) -> int:
        with site.database.session() as session:
            return len(reviewing.reject(session, EditSelection(ids=tuple(order)), actor).changed)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(reject, [edits, edits[::-1], edits, edits[::-1]])) == 100


def test_failed_edits_are_queued_again_in_one_run(site: Site):
    edits = [edit for _, edit in add_edited(site.database, 3)]
    with site.database.session() as session:
        session.execute(
            text("UPDATE catalog_edits SET estado = 'failed', intentos = 3 WHERE id <> :id"),
            {"id": edits[0]},
        )
    data = decide(site, "retry", *edits)
    assert data["detalles"]["cambiados"] == edits[1:]
    assert data["detalles"]["omitidos"] == [{"id": edits[0], "razon": "El trabajo no ha fallado"}]
    with site.database.session() as session:
        [run] = session.scalars(select(Run)).all()
        rows = session.scalars(select(Edit).where(Edit.id.in_(edits[1:]))).all()
        assert (str(run.id), run.open_steps) == (data["run_id"], 2)
        assert {(row.estado, row.intentos) for row in rows} == {("pending", 0)}


def test_of_one_article_the_newest_failed_edit_is_queued_again(site: Site):
    [(_, edit)] = add_edited(site.database, times=2)
    with site.database.session() as session:
        session.execute(text("UPDATE catalog_edits SET estado = 'failed'"))
    assert decide(site, "retry", edit - 1, edit)["detalles"]["cambiados"] == [edit]


def test_retry_of_nothing_that_failed_makes_no_run(site: Site):
    [(_, edit)] = add_edited(site.database)
    assert decide(site, "retry", edit)["run_id"] is None


def test_retry_that_is_sent_again_with_its_key_is_answered_from_its_run(site: Site):
    edits = [edit for _, edit in add_edited(site.database, 3)]
    with site.database.session() as session:
        failed = text("UPDATE catalog_edits SET estado = 'failed' WHERE id <> :id")
        session.execute(failed, {"id": edits[0]})

    def send(*ids: int) -> Any:
        headers = {"Idempotency-Key": "once"}
        return site.app.test_client().post(f"{QUEUE}/retry", json={"ids": ids}, headers=headers)

    first, second = send(*edits), send(*edits)
    assert (second.status_code, second.json) == (200, first.json)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.json["data"]["detalles"]["cambiados"] == edits[1:]
    assert send(edits[1]).status_code == 409
    with site.database.session() as session:
        assert len(session.scalars(select(Run)).all()) == 1
