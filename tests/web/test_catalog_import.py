"""Importing articles by the API: a CSV, a ZIP of pictures, and what is wrong with rows."""

import io
import zipfile
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from darkroom.catalog.models import Article, Category, Edit, Version
from darkroom.queue.models import Run, StepRow
from darkroom.storage import sweeping
from darkroom.storage.assets import Asset
from tests.web.conftest import Site, jpeg


def packed(*names: str, **others: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, jpeg((40, 30)).read())
        for name, content in others.items():
            file.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def send(
    site: Site, table: str, archive: bytes | None = None, key: str | None = None, **fields: str
) -> TestResponse:
    data: dict[str, Any] = {"csv": (io.BytesIO(table.encode()), "articulos.csv"), **fields}
    if archive is not None:
        data["zip"] = (io.BytesIO(archive), "fotos.zip")
    headers = {"Idempotency-Key": key} if key else {}
    client = site.app.test_client()
    return client.post("/api/articulos/import", data=data, headers=headers)


def bad_rows(answer: TestResponse) -> list[tuple[int, str]]:
    return [(each["linea"], each["campo"]) for each in answer.json["data"]["filas_malas"]]


def rows(site: Site, table: type) -> list[Any]:
    with site.database.session() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_rows_become_articles_with_their_pictures(site: Site):
    table = "nombre,unidad,activo,imagen\nTuerca,caja,si,a.jpg\nTornillo,,no,\n"
    answer = send(site, table, packed("fotos/a.jpg"))
    assert answer.status_code == 200, answer.json
    data = answer.json["data"]
    assert (data["creados"], data["imagenes"], data["en_cola"]) == (2, 1, 0)
    nut, bolt = rows(site, Article)
    assert (nut.nombre, nut.unidad, nut.activo, bolt.activo) == ("Tuerca", "caja", True, False)
    picture = site.app.test_client().get(nut.imagen_url, follow_redirects=True)
    assert (picture.mimetype, bolt.imagen_url) == ("image/jpeg", None)


def test_import_without_anything_to_do_is_a_run_that_is_over(site: Site):
    send(site, "nombre\nTuerca\n")
    [run] = rows(site, Run)
    assert (run.pipeline, run.status, run.title) == ("catalog", "completed", "articulos.csv")


def test_pictures_are_queued_to_be_edited_in_the_same_call(site: Site):
    table = "nombre,imagen\nTuerca,a.jpg\nTornillo,b.jpg\nClavo,\n"
    data = send(site, table, packed("a.jpg", "b.jpg"), procesar="true").json["data"]
    assert data["en_cola"] == 2
    [run] = rows(site, Run)
    edits = rows(site, Edit)
    assert (str(run.id), run.open_steps, run.status) == (data["run_id"], 2, "pending")
    assert all(edit.run_id == run.id and edit.job_id for edit in edits)


def test_bad_rows_are_reported_with_field_and_reason_and_good_ones_imported(site: Site):
    table = (
        "id,nombre,activo,imagen\n"
        ",Tuerca,si,\n"
        ",,si,\n"
        f",{'x' * 256},si,\n"
        ",Clavo,quizás,\n"
        ",Perno,si,nowhere.jpg\n"
        "77,Tornillo,si,\n"
        "abc,Tornillo,si,\n"
        ",Taco,si,,too,much\n"
    )
    answer = send(site, table, packed("a.jpg"))
    assert bad_rows(answer) == [
        *((3, "nombre"), (4, "nombre"), (5, "activo"), (6, "imagen"), (7, "id"), (8, "id")),
        (9, ""),
    ]
    assert all(each["motivo"] for each in answer.json["data"]["filas_malas"])
    assert [each.nombre for each in rows(site, Article)] == ["Tuerca"]


def test_row_whose_picture_is_no_good_is_left_out_as_a_whole(site: Site):
    table = "nombre,imagen\nA,a.jpg\nB,b.jpg\nC,c.png\n"
    answer = send(site, table, packed("a.jpg", b_jpg=b"no picture", c_png=jpeg((9, 9)).read()))
    assert bad_rows(answer) == [(3, "imagen"), (4, "imagen")]
    assert [each.nombre for each in rows(site, Article)] == ["A"]


def test_picture_that_is_named_without_a_zip_is_reported(site: Site):
    assert bad_rows(send(site, "nombre,imagen\nA,a.jpg\n")) == [(2, "imagen")]


def test_rows_with_a_number_change_that_article_and_leave_what_is_empty(site: Site):
    send(site, "nombre,unidad\nTuerca,caja\n")
    [article] = rows(site, Article)
    data = send(site, f"id,nombre,unidad\n{article.id},,bolsa\n").json["data"]
    assert (data["creados"], data["actualizados"]) == (0, 1)
    [changed] = rows(site, Article)
    assert (changed.nombre, changed.unidad) == ("Tuerca", "bolsa")
    assert changed.updated_at > article.updated_at


def test_new_picture_of_an_article_leaves_the_older_one_as_a_version(site: Site):
    send(site, "nombre,imagen\nTuerca,a.jpg\n", packed("a.jpg"))
    [article] = rows(site, Article)
    send(site, f"id,imagen\n{article.id},a.jpg\n", packed("a.jpg"))
    first, second = rows(site, Version)
    assert (first.articulo_id, second.articulo_id) == (article.id, article.id)
    assert rows(site, Article)[0].imagen_version_id == second.id


def test_same_number_on_two_lines_is_reported_once(site: Site):
    send(site, "nombre\nTuerca\n")
    number = rows(site, Article)[0].id
    assert bad_rows(send(site, f"id,unidad\n{number},a\n{number},b\n")) == [(3, "id")]
    assert rows(site, Article)[0].unidad == "a"


def test_categories_are_found_by_name_and_made_when_missing(site: Site):
    send(site, "nombre,categoria\nA,Tornillería\n")
    data = send(site, "nombre,categoria\nB,TORNILLERÍA\nC,Fijación\n").json["data"]
    assert data["categorias_nuevas"] == ["Fijación"]
    first, second = rows(site, Category)
    a, b, c = rows(site, Article)
    assert (a.categoria_id, b.categoria_id, c.categoria_id) == (first.id, first.id, second.id)


def test_pictures_of_the_web_are_fetched_by_steps_of_the_run(site: Site):
    table = "nombre,imagen\nTuerca,https://example.com/a.jpg\n"
    data = send(site, table, procesar="true").json["data"]
    assert (data["por_descargar"], data["en_cola"]) == (1, 0)
    with site.database.session() as session:
        [step] = session.scalars(select(StepRow)).all()
        assert (step.name, step.label, str(step.run_id)) == (
            "catalog.fetch",
            "Tuerca",
            data["run_id"],
        )


def test_import_that_is_sent_again_with_its_key_is_carried_out_once(site: Site):
    table = "nombre,imagen\nTuerca,a.jpg\n,\n,\nB,nowhere.jpg\n"
    archive = packed("a.jpg")
    first = send(site, table, archive, key="k1", procesar="true")
    again = send(site, table, archive, key="k1", procesar="true")
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (len(rows(site, Article)), len(rows(site, Edit)), len(rows(site, Run))) == (1, 1, 1)


def test_file_that_is_no_csv_names_the_field_in_the_seeds_envelope(site: Site):
    answer = site.app.test_client().post("/api/articulos/import", data={})
    assert (answer.status_code, answer.json["success"]) == (400, False)
    assert answer.json["error"]["field"] == "csv"


def test_what_is_no_zip_names_the_field(site: Site):
    answer = send(site, "nombre,imagen\nA,a.jpg\n", b"no zip")
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "zip")
    assert rows(site, Article) == []


def test_files_of_an_import_without_rows_are_swept(site: Site):
    found = site.services
    send(site, "id,imagen\n77,a.jpg\n", packed("a.jpg"))
    with site.database.session() as session:
        assert session.scalars(select(Asset)).all() == []
    stored = [entry.key for entry in found.store.listing("catalog/")]
    assert len(stored) == 1
    assert any(stored[0].startswith(prefix) for prefix in sweeping.PREFIXES)
