"""What is found, planned and paused by the API: filters, the dry run, the pause, the budget."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from darkroom.catalog.models import Article, Edit
from darkroom.queue import control, runs
from darkroom.queue.models import Run
from tests.web.conftest import Site
from tests.web.test_catalog_deciding import add_edited, decide

ARTICLES = "/api/articulos"
QUEUE = f"{ARTICLES}/processing-queue"


def listed(site: Site, query: str) -> list[str]:
    answer = site.app.test_client().get(f"{ARTICLES}?{query}")
    return [each["nombre"] for each in answer.json["data"]["articulos"]]


def add(site: Site, *names: str, picture: str | None = "/x") -> list[int]:
    with site.database.session() as session:
        rows = [Article(nombre=name, imagen_url=picture) for name in names]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def preview(site: Site, **body: Any) -> dict[str, Any]:
    answer = site.app.test_client().post(f"{ARTICLES}/batch-preview", json=body)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def test_articles_are_found_by_their_picture_and_their_newest_edit(site: Site):
    add(site, "Bare", picture=None)
    add(site, "Plain")
    (_, edit), _ = add_edited(site.database, 2)
    decide(site, "reject", edit)
    assert listed(site, "imagen=none") == ["Bare"]
    assert listed(site, "estado=none") == ["Bare", "Plain"]
    assert listed(site, "estado=completed") == ["Tornillo 0", "Tornillo 1"]
    assert listed(site, "veredicto=rejected") == ["Tornillo 0"]
    assert listed(site, "veredicto=undecided&q=nillo") == ["Tornillo 1"]


@pytest.mark.parametrize("query", ["estado=x", "imagen=x", "veredicto=x", "categoria_id=x"])
def test_filter_that_is_not_known_is_refused(site: Site, query: str):
    answer = site.app.test_client().get(f"{ARTICLES}?{query}")
    assert answer.json["error"]["field"] == query.partition("=")[0]


def test_dry_run_counts_costs_and_times_and_queues_nothing(site: Site):
    good = add(site, "A", "B", "C")
    bare = add(site, "D", picture=None)
    queued = add(site, "E")
    site.app.test_client().post(f"{ARTICLES}/batch-process-images", json={"articuloIds": queued})
    data = preview(site, articuloIds=[*good, *bare, *queued, 99_999])
    assert data["articulos"] == 3
    assert data["omitidos"] == {
        "El artículo no tiene imagen": 1,
        "El artículo ya está en la cola": 1,
        "El artículo no existe": 1,
    }
    assert (data["costo_por_imagen"], data["costo"]) == ("0.04", "0.12")
    # One is queued before them; each is thought to take 15 s, and 2 s lie between two.
    assert data["segundos"] == 4 * 17.0
    assert (data["is_sandbox"], data["presupuesto"]) == (True, None)
    with site.database.session() as session:
        assert len(session.scalars(select(Edit)).all()) == 1


def test_dry_run_goes_by_what_edits_took_lately(site: Site):
    add_edited(site.database, 3)
    with site.database.session() as session:
        session.execute(
            text(
                "UPDATE catalog_edits SET started_at = now(), "
                "completed_at = now() + make_interval(secs => 3)"
            )
        )
    assert preview(site, filtro={})["segundos"] == 3 * (3.0 + 2.0)


def test_all_that_fit_a_filter_are_queued(site: Site):
    add(site, "A", "B")
    with site.database.session() as session:
        session.execute(text("UPDATE articulos SET activo = false WHERE nombre = 'B'"))
    body = {"filtro": {"activo": True}, "prioridad": 3}
    answer = site.app.test_client().post(f"{ARTICLES}/batch-process-images", json=body)
    assert answer.json["data"]["agregados"] == 1


def test_dry_run_says_how_many_fit_into_what_is_left_of_the_day(site: Site):
    client = site.app.test_client()
    client.put(f"{QUEUE}/budget", json={"budget_per_day": "0.20"})
    spend(site, Decimal("0.05"))
    add(site, "A")
    assert preview(site, filtro={})["presupuesto"] == {
        "limite": "0.200000",
        "gastado": "0.050000",
        "restante": "0.150000",
        "articulos": 3,
    }


def spend(site: Site, amount: Decimal) -> None:
    """As a run of the catalog does."""
    with site.database.session() as session:
        run = runs.create(session, pipeline="catalog", title="x", owner_id=1)
        session.execute(
            text(
                "INSERT INTO charges (call_id, provider, operation, run_id, amount) "
                "VALUES (gen_random_uuid(), 'gemini', 'edit', :run, :amount)"
            ),
            {"run": run.id, "amount": amount},
        )


@pytest.mark.parametrize("given", ["much", -1, True, "NaN", []])
def test_budget_that_is_no_amount_is_refused(site: Site, given: object):
    answer = site.app.test_client().put(f"{QUEUE}/budget", json={"budget_per_day": given})
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "budget_per_day")


def test_budget_is_the_administrators_to_set(closed_site: Site):
    member = closed_site.user("Ana")
    answer = closed_site.app.test_client().put(
        f"{QUEUE}/budget", json={"budget_per_day": "1"}, headers=closed_site.token_of(member)
    )
    assert answer.status_code == 403


def test_budget_can_be_taken_away(site: Site):
    client = site.app.test_client()
    client.put(f"{QUEUE}/budget", json={"budget_per_day": 1})
    client.put(f"{QUEUE}/budget", json={"budget_per_day": None})
    assert client.get(f"{QUEUE}/budget").json["data"]["limite"] is None


def test_pause_and_resume_happen_once_each(site: Site):
    client = site.app.test_client()
    answers = [client.post(f"{QUEUE}/{verb}").status_code for verb in ("pause", "pause")]
    answers += [client.post(f"{QUEUE}/{verb}").status_code for verb in ("resume", "resume")]
    assert answers == [200, 409, 200, 409]


def test_runs_of_the_catalog_are_what_is_counted(site: Site):
    with site.database.session() as session:
        run = runs.create(session, pipeline="counting", title="x", owner_id=1)
        session.execute(
            text(
                "INSERT INTO charges (call_id, provider, operation, run_id, amount) "
                "VALUES (gen_random_uuid(), 'gemini', 'edit', :run, 5)"
            ),
            {"run": run.id},
        )
        assert session.get_one(Run, run.id).pipeline == "counting"
    data = site.app.test_client().get(f"{QUEUE}/budget").json["data"]
    assert Decimal(data["gastado"]) == 0


def test_run_that_is_retried_brings_its_edits_back(site: Site):
    body = {"articuloIds": add(site, "A", "B")}
    site.app.test_client().post(f"{ARTICLES}/batch-process-images", json=body)
    with site.database.session() as session:
        run = session.scalars(select(Run)).one().id
        control.cancel(session, run)
    with site.database.session() as session:
        assert set(session.scalars(select(Edit.estado))) == {"failed"}
        control.retry(session, run)
    with site.database.session() as session:
        assert set(session.scalars(select(Edit.estado))) == {"pending"}
