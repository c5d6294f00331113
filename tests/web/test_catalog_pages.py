"""The catalog's pages: lists, forms, dry runs, judging and importing, without scripts."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from PIL import Image
from sqlalchemy import select

from darkroom.accounts import service as accounts
from darkroom.accounts.audit import AuditRow
from darkroom.catalog import categories, queueing
from darkroom.catalog.models import Article, CatalogSettings, Category, Edit, Version
from darkroom.settings import Settings
from darkroom.web.app import create_app
from tests.web.conftest import Site, Visitor


def picture(color: str = "grey", size: tuple[int, int] = (320, 320)) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    file.seek(0)
    return file


def add(site: Site, name: str = "Tornillo", *, with_picture: bool = True, **fields: Any) -> int:
    """An article, with a picture of its own."""
    client = site.app.test_client()
    body = {"nombre": name, **fields}
    made = int(client.post("/api/articulos", json=body).json["data"]["articulo"]["id"])
    if with_picture:
        give(site, made)
    return made


def give(site: Site, article_id: int, color: str = "grey") -> None:
    data = {"imagen": (picture(color), "a.jpg")}
    answer = site.app.test_client().post(f"/api/articulos/{article_id}/imagen", data=data)
    assert answer.status_code == 201


def edited(site: Site, name: str = "Tornillo", *, is_sandbox: bool = True) -> tuple[int, int]:
    """An article whose edit is finished: its number and the edit's."""
    article_id = add(site, name)
    edit_id = queued(site, article_id)
    give(site, article_id, "white")
    with site.database.session() as db:
        edit, article = db.get_one(Edit, edit_id), db.get_one(Article, article_id)
        version = db.get_one(Version, article.imagen_version_id)
        version.origen, version.trabajo_id, version.is_sandbox = "edited", edit_id, is_sandbox
        edit.estado, edit.version_procesada_id = "completed", version.id
        edit.prompt, edit.model, edit.is_sandbox = "Fondo blanco", "some-model", is_sandbox
        edit.started_at = edit.completed_at = datetime.now(UTC)
    return article_id, edit_id


def queued(site: Site, article_id: int) -> int:
    with site.database.session() as db:
        owner = accounts.ensure_admin(db)
        _, [answer] = queueing.add(db, [article_id], owner_id=owner.id)
    assert answer.edit_id is not None
    return answer.edit_id


def fail(site: Site, edit_id: int, message: str = "The model refused.") -> None:
    with site.database.session() as db:
        edit = db.get_one(Edit, edit_id)
        edit.estado, edit.error_message = "failed", message


def shown(site: Site, article_id: int) -> int | None:
    with site.database.session() as db:
        return db.get_one(Article, article_id).imagen_version_id


def versions(site: Site, article_id: int) -> list[Version]:
    with site.database.session() as db:
        mine = select(Version).where(Version.articulo_id == article_id).order_by(Version.id)
        return list(db.scalars(mine))


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found.group(1)


# Articles


def test_empty_catalog_says_what_to_do(visitor: Visitor):
    page = visitor.get("/catalog").text
    assert "The catalog is empty." in page
    assert "/catalog/import" in page


def test_list_shows_articles_with_their_newest_edit(site: Site, visitor: Visitor):
    edited(site, "Tornillo")
    add(site, "Tuerca", with_picture=False)
    page = visitor.get("/catalog").text
    assert "Tornillo" in page and "Tuerca" in page
    assert "2 articles" in page
    assert 'data-state="review"' in page and "SANDBOX" in page


def test_filters_of_the_address_narrow_the_list(site: Site, visitor: Visitor):
    add(site, "Tornillo")
    add(site, "Tuerca", with_picture=False)
    assert "Tuerca" not in visitor.get("/catalog?imagen=present").text
    assert "Tornillo" not in visitor.get("/catalog?q=tuer").text
    assert "No article fits this." in visitor.get("/catalog?estado=failed").text


def test_filter_that_is_none_is_said_and_all_is_shown(site: Site, visitor: Visitor):
    add(site, "Tornillo")
    answer = visitor.get("/catalog?activo=quizás")
    assert answer.status_code == 400
    assert "activo must be" in answer.text and "Tornillo" in answer.text


def test_next_page_goes_on_behind_the_last_row(site: Site, visitor: Visitor):
    with site.database.session() as db:
        db.add_all(Article(nombre=f"Pieza {place:03}") for place in range(60))
    page = visitor.get("/catalog").text
    assert "Pieza 049" in page and "Pieza 050" not in page
    [target] = re.findall(r'rel="next" href="([^"]+)"', page)
    assert "Pieza 050" in visitor.get(target).text


def test_article_is_added_changed_and_deleted_by_its_forms(site: Site, visitor: Visitor):
    page = "/catalog/articles/new"
    made = visitor.send(page, page, nombre="Clavo", unidad="caja", activo="true")
    assert made.status_code == 303
    target = made.location
    assert visitor.send(target, target, nombre="Clavo de 2”", unidad="kg").status_code == 303
    with site.database.session() as db:
        [row] = db.scalars(select(Article)).all()
        assert (row.nombre, row.unidad, row.activo) == ("Clavo de 2”", "kg", False)
    assert visitor.send(f"{target}/delete", target).location == "/catalog"
    assert visitor.get(target).status_code == 404


def test_wrong_field_is_named_beside_it_and_what_was_typed_stays(visitor: Visitor):
    page = "/catalog/articles/new"
    answer = visitor.send(page, page, nombre="", unidad="caja")
    assert answer.status_code == 400
    assert 'id="nombre-wrong"' in answer.text and 'value="caja"' in answer.text


def test_picture_is_given_on_the_articles_page(site: Site, visitor: Visitor):
    article_id = add(site, with_picture=False)
    page = f"/catalog/articles/{article_id}"
    answer = visitor.send(f"{page}/picture", page, imagen=(picture(), "a.jpg"))
    assert answer.status_code == 303
    assert f"/catalog/pictures/{shown(site, article_id)}/small" in visitor.get(page).text


def test_file_that_is_no_picture_is_refused_in_words(site: Site, visitor: Visitor):
    article_id = add(site, with_picture=False)
    page = f"/catalog/articles/{article_id}"
    broken = visitor.send(f"{page}/picture", page, imagen=(io.BytesIO(b"text"), "a.jpg"))
    assert broken.status_code == 400
    assert 'id="imagen-wrong"' in broken.text
    assert "Choose a picture first." in visitor.send(f"{page}/picture", page).text


def test_reduced_picture_is_small_and_may_be_kept(site: Site, visitor: Visitor):
    article_id = add(site, with_picture=False)
    large = {"imagen": (picture(size=(1600, 1200)), "a.jpg")}
    site.app.test_client().post(f"/api/articulos/{article_id}/imagen", data=large)
    answer = visitor.get(f"/catalog/pictures/{shown(site, article_id)}/small")
    assert Image.open(io.BytesIO(answer.data)).size == (480, 360)
    assert answer.cache_control.private and answer.cache_control.max_age
    assert visitor.get("/catalog/pictures/999/small").status_code == 404


def test_article_page_shows_before_and_after_and_the_facts_of_its_edit(
    site: Site, visitor: Visitor
):
    article_id, edit_id = edited(site)
    page = visitor.get(f"/catalog/articles/{article_id}").text
    before, after = versions(site, article_id)
    for version in (before, after):
        assert f"/api/articulos/imagenes/{version.id}" in page
    assert "data-pair" in page and "Fondo blanco" in page and "some-model" in page
    assert "SANDBOX" in page and f'id="edit-{edit_id}"' in page


def test_roll_back_shows_the_chosen_version_again(site: Site, visitor: Visitor):
    article_id, _ = edited(site)
    before, _ = versions(site, article_id)
    page = f"/catalog/articles/{article_id}"
    answer = visitor.send(f"{page}/roll-back/{before.id}", page)
    assert shown(site, article_id) == before.id
    assert "Undo" in visitor.get(answer.location).text
    with site.database.session() as db:
        [row] = db.scalars(select(AuditRow)).all()
        assert row.action == "catalog.roll_back"


def test_finished_edit_is_approved_on_the_articles_page(site: Site, visitor: Visitor):
    article_id, edit_id = edited(site)
    page = f"/catalog/articles/{article_id}"
    answer = visitor.send(f"/catalog/review/{edit_id}/approve", page)
    assert answer.location == page
    assert versions(site, article_id)[1].veredicto == "approved"
    again = visitor.send(f"/catalog/review/{edit_id}/approve", page)
    assert again.status_code == 409


def test_rejection_in_the_list_can_be_taken_back(site: Site, visitor: Visitor):
    article_id, edit_id = edited(site)
    _, after = versions(site, article_id)
    review = "/catalog/review?q=torn"
    answer = visitor.send(f"/catalog/review/{edit_id}/reject", review, back=review)
    assert shown(site, article_id) != after.id
    undo = f"/catalog/articles/{article_id}/roll-back/{after.id}"
    assert undo in visitor.get(answer.location).text
    visitor.send(undo, review)
    assert shown(site, article_id) == after.id
    assert versions(site, article_id)[1].veredicto is None


# Dry run and queue


def test_dry_run_says_how_many_what_it_costs_and_what_is_left_out(site: Site, visitor: Visitor):
    chosen = [add(site, "Tornillo"), add(site, "Clavo"), add(site, "Tuerca", with_picture=False)]
    ids = "&".join(f"id={each}" for each in chosen)
    page = visitor.get(f"/catalog/queue/new?scope=selected&{ids}").text
    assert "Edit the pictures of 2 articles?" in page
    assert "$0.08" in page and "$0.04" in page
    assert "It has no picture" in page
    assert "SANDBOX" in page


def test_all_that_match_are_queued_when_confirmed(site: Site, visitor: Visitor):
    chosen = {add(site, "Tornillo 1"), add(site, "Tornillo 2")}
    add(site, "Tuerca")
    plan = "/catalog/queue/new?scope=all&filter=q%3Dtornillo"
    ids = field(visitor.get(plan).text, "ids")
    assert {int(each) for each in ids.split(",")} == chosen
    assert visitor.send("/catalog/queue/new", plan, ids=ids).location == "/catalog/queue"
    with site.database.session() as db:
        assert set(db.scalars(select(Edit.articulo_id))) == chosen


def test_dry_run_without_a_choice_leads_back(visitor: Visitor):
    assert visitor.get("/catalog/queue/new?scope=selected").location == "/catalog"


def test_dry_run_says_how_far_todays_budget_goes(site: Site, visitor: Visitor):
    chosen = [add(site, "Tornillo"), add(site, "Tuerca")]
    assert visitor.send("/catalog/queue/budget", "/catalog/queue", budget_per_day="0.05")
    ids = "&".join(f"id={each}" for each in chosen)
    page = visitor.get(f"/catalog/queue/new?scope=selected&{ids}").text
    assert "Today’s budget is enough for 1 of them." in page


def test_wrong_budget_is_said_and_nothing_changes(site: Site, visitor: Visitor):
    answer = visitor.send("/catalog/queue/budget", "/catalog/queue", budget_per_day="mucho")
    assert answer.status_code == 400
    assert 'id="budget_per_day-wrong"' in answer.text and 'value="mucho"' in answer.text
    with site.database.session() as db:
        assert db.scalars(select(CatalogSettings)).one().budget_per_day is None


def test_queue_page_shows_states_the_edit_that_goes_on_and_batches(site: Site, visitor: Visitor):
    going = queued(site, add(site, "Tornillo"))
    queued(site, add(site, "Tuerca"))
    edited(site, "Clavo")
    with site.database.session() as db:
        edit = db.get_one(Edit, going)
        edit.estado, edit.started_at, edit.intentos = "processing", datetime.now(UTC), 2
    page = visitor.get("/catalog/queue").text
    for name, number in (("pending", 1), ("processing", 1), ("completed", 1), ("failed", 0)):
        assert f'data-stat="{name}">{number}<' in page
    assert "Tornillo" in page and "attempt 2 of 3" in page
    assert "Batches" in page and "Clavo" in page


def test_pause_and_resume_are_said_on_the_page(site: Site, visitor: Visitor):
    visitor.send("/catalog/queue/pause", "/catalog/queue")
    assert "No edit begins until it is resumed" in visitor.get("/catalog/queue").text
    visitor.send("/catalog/queue/resume", "/catalog/queue")
    assert "No edit begins until it is resumed" not in visitor.get("/catalog/queue").text


def test_cancelled_batch_leads_back_to_the_queue(site: Site, visitor: Visitor):
    edit_id = queued(site, add(site))
    with site.database.session() as db:
        run_id = db.get_one(Edit, edit_id).run_id
    target = visitor.send(f"/runs/{run_id}/cancel", "/catalog/queue", next="/catalog/queue")
    assert target.location == "/catalog/queue"


# Judging


def test_review_shows_what_nobody_has_judged(site: Site, visitor: Visitor):
    _, first = edited(site, "Tornillo")
    edited(site, "Tuerca")
    visitor.send(f"/catalog/review/{first}/approve", "/catalog/review")
    page = visitor.get("/catalog/review").text
    assert "Tuerca" in page and "Tornillo" not in page
    assert "Tornillo" in visitor.get("/catalog/review?veredicto=approved").text


def test_rejecting_all_that_match_is_counted_first_and_then_done(site: Site, visitor: Visitor):
    chosen = [edited(site, f"Tornillo {place}") for place in range(3)]
    other, _ = edited(site, "Tuerca")
    asked = "/catalog/review/confirm?action=reject&scope=all&filter=q%3Dtornillo"
    page = visitor.get(asked).text
    assert "Reject: 3 pictures?" in page
    assert all(shown(site, article) == versions(site, article)[1].id for article, _ in chosen)
    visitor.send("/catalog/review/reject", asked, ids=field(page, "ids"))
    assert all(shown(site, article) == versions(site, article)[0].id for article, _ in chosen)
    assert shown(site, other) == versions(site, other)[1].id


def test_confirming_says_what_would_be_left_and_why(site: Site, visitor: Visitor):
    _, done = edited(site)
    waiting = queued(site, add(site, "Tuerca"))
    page = visitor.get(f"/catalog/review/confirm?action=approve&id={done}&id={waiting}").text
    assert "Approve: 1 picture?" in page
    assert "The edit is not finished" in page


def test_failed_edits_are_retried_from_the_history(site: Site, visitor: Visitor):
    edit_id = queued(site, add(site))
    fail(site, edit_id)
    assert "The model refused." in visitor.get("/catalog/history?estado=failed").text
    visitor.send("/catalog/review/retry", "/catalog/history", ids=str(edit_id))
    with site.database.session() as db:
        assert db.get_one(Edit, edit_id).estado == "pending"


def test_ids_that_are_none_are_refused_in_words(visitor: Visitor):
    answer = visitor.send("/catalog/review/approve", "/catalog/review", ids="1,x")
    assert answer.status_code == 400
    assert "not the numbers of rows" in answer.text


# Imports


def sheet(*rows: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO("\n".join(("nombre,unidad,imagen", *rows)).encode()), "lista.csv"


def archive(*names: str) -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in names:
            packed.writestr(name, picture().getvalue())
    file.seek(0)
    return file, "fotos.zip"


def test_import_leads_to_a_report_with_good_and_bad_rows(site: Site, visitor: Visitor):
    page = "/catalog/import"
    sent = {"csv": sheet("Tornillo,caja,a.jpg", "Tuerca,caja,b.jpg"), "zip": archive("a.jpg")}
    answer = visitor.send(page, page, **sent)
    assert answer.status_code == 303
    report = visitor.get(answer.location).text
    assert 'data-report="created">1<' in report and 'data-report="problems">1<' in report
    assert "b.jpg" in report
    rows = list(csv.reader(io.StringIO(visitor.get(f"{answer.location}.csv").text)))
    assert rows[1][:2] == ["3", "imagen"]


def test_import_that_cannot_be_read_is_refused_beside_its_file(visitor: Visitor):
    page = "/catalog/import"
    broken = {"csv": sheet("Tornillo,caja,a.jpg"), "zip": (io.BytesIO(b"no zip"), "fotos.zip")}
    assert 'id="zip-wrong"' in visitor.send(page, page, **broken).text
    empty = visitor.send(page, page, csv=(io.BytesIO(b""), "lista.csv"))
    assert empty.status_code == 400 and 'id="csv-wrong"' in empty.text


def test_template_is_a_file_that_can_be_imported(visitor: Visitor):
    template = visitor.get("/catalog/import/template.csv")
    assert "attachment" in template.headers["Content-Disposition"]
    sent = {"csv": (io.BytesIO(template.data), "articulos.csv"), "zip": archive("tornillo.jpg")}
    report = visitor.get(visitor.send("/catalog/import", "/catalog/import", **sent).location).text
    assert 'data-report="created">2<' in report and 'data-report="problems">0<' in report


def test_run_that_is_no_import_has_no_report(site: Site, visitor: Visitor):
    edit_id = queued(site, add(site))
    with site.database.session() as db:
        run_id: UUID | None = db.get_one(Edit, edit_id).run_id
    assert visitor.get(f"/catalog/import/{run_id}").status_code == 404


# Categories and prompts


def test_category_is_added_with_a_template_and_deleted(site: Site, visitor: Visitor):
    page = "/catalog/prompts/new"
    visitor.send(page, page, nombre="Tornillería", prompt_template="Foto de {nombre}")
    with site.database.session() as db:
        [row] = db.scalars(select(Category)).all()
        assert (row.nombre, row.prompt_template) == ("Tornillería", "Foto de {nombre}")
    assert "Tornillería" in visitor.get("/catalog/prompts").text
    visitor.send(f"/catalog/prompts/{row.id}/delete", "/catalog/prompts")
    assert visitor.get(f"/catalog/prompts/{row.id}").status_code == 404


def test_wrong_template_is_said_and_stays_in_the_form(visitor: Visitor):
    page = "/catalog/prompts/general"
    answer = visitor.send(page, page, prompt_template="Foto de {precio}")
    assert answer.status_code == 400
    assert 'id="template-wrong"' in answer.text and "Foto de {precio}" in answer.text


def test_template_is_previewed_on_one_article_and_not_kept(site: Site, visitor: Visitor):
    article_id = add(site, "Tornillo")
    page = "/catalog/prompts/general"
    answer = visitor.send(
        f"{page}/preview", page, prompt_template="Foto de {nombre}!", articulo_id=str(article_id)
    )
    assert "Foto de Tornillo!" in answer.text
    with site.database.session() as db:
        assert categories.general(db) != "Foto de {nombre}!"


def test_trial_picture_is_queued_and_does_not_count_as_the_articles_edit(
    site: Site, visitor: Visitor
):
    article_id = add(site, "Tornillo")
    page = "/catalog/prompts/general"
    answer = visitor.send(
        f"{page}/try", page, prompt_template="Foto de {nombre}!", articulo_id=str(article_id)
    )
    assert answer.status_code == 303
    trial = visitor.get(answer.location).text
    assert "Foto de {nombre}!" in trial and "Tried out lately" in trial
    assert "Tornillo" not in visitor.get("/catalog/history").text


# Who may do what


def test_viewer_looks_and_changes_nothing(closed_site: Site):
    member = closed_site.signed_in(closed_site.user("Ana"))
    page = "/catalog/articles/new"
    target = member.send(page, page, nombre="Clavo").location
    viewer = closed_site.signed_in(closed_site.user("Eva", role="viewer"))
    shown_page = viewer.get(target).text
    assert "Clavo" in shown_page and "Delete" not in shown_page
    assert viewer.send(f"{target}/delete", "/account").status_code == 403


def test_budget_is_the_administrators_to_set(closed_site: Site):
    member = closed_site.signed_in(closed_site.user("Ana"))
    assert "budget_per_day" not in member.get("/catalog/queue").text
    answer = member.send("/catalog/queue/budget", "/catalog/queue", budget_per_day="1")
    assert answer.status_code == 403


def test_stranger_is_led_to_sign_in(closed_site: Site):
    assert "/sign-in" in closed_site.visitor().get("/catalog").location


def test_real_provider_brings_no_sandbox_notice(settings: Settings, site: Site):
    gemini = replace(settings.providers.gemini, is_sandbox=False)
    real = replace(settings, providers=replace(settings.providers, gemini=gemini))
    real_site = Site(create_app(real, site.database))
    add(real_site)
    assert "SANDBOX" not in real_site.visitor().get("/catalog/queue").text
    assert "SANDBOX" in site.visitor().get("/catalog/queue").text
