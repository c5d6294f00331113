"""The catalog's JSON API, as clients of the seed system call it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from darkroom.accounts import service as accounts
from darkroom.catalog import queueing
from darkroom.catalog.models import Article, Edit
from darkroom.db.sessions import Database
from darkroom.queue import control
from darkroom.queue.models import Run
from tests.web.conftest import Site, jpeg

COLUMNS = [
    *("id", "articulo_id", "estado", "prioridad", "intentos", "max_intentos"),
    *("imagen_url_original", "imagen_url_procesada", "articulo_nombre", "articulo_descripcion"),
    *("articulo_unidad", "error_message", "error_stack", "created_at", "started_at"),
    *("completed_at", "updated_at"),
]


def add_articles(database: Database, count: int, *, pictures: bool = True) -> list[int]:
    with database.session() as session:
        rows = [
            Article(nombre=f"Tornillo {place}", imagen_url=f"/x/{place}" if pictures else None)
            for place in range(count)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def queue(site: Site, ids: list, **more):
    body = {"articuloIds": ids, **more}
    return site.app.test_client().post("/api/articulos/batch-process-images", json=body)


def set_state(database: Database, edit_id: int, estado: str) -> None:
    with database.session() as session:
        session.get_one(Edit, edit_id).estado = estado


def test_batch_queues_articles_in_one_run_and_says_which(site: Site):
    ids = add_articles(site.database, 3)
    answer = queue(site, ids, prioridad=7)
    body = answer.json
    assert answer.status_code == 200
    assert body["success"] is True
    assert body["message"] == "3 artículo(s) agregado(s) a la cola de procesamiento"
    assert body["data"]["agregados"] == 3 and body["data"]["omitidos"] == 0
    assert [each["articuloId"] for each in body["data"]["detalles"]["agregados"]] == ids
    with site.database.session() as session:
        run = session.scalars(select(Run)).one()
        assert (run.pipeline, run.priority, run.open_steps) == ("catalog", 7, 3)


def test_batch_leaves_out_what_has_no_picture_is_queued_or_is_not_there(site: Site):
    [good], [bare] = add_articles(site.database, 1), add_articles(site.database, 1, pictures=False)
    queue(site, [good])
    body = queue(site, [good, bare, 99_999]).json
    reasons = {each["articuloId"]: each["razon"] for each in body["data"]["detalles"]["omitidos"]}
    assert body["data"]["agregados"] == 0
    assert reasons == {
        good: "El artículo ya está en la cola",
        bare: "El artículo no tiene imagen",
        99_999: "El artículo no existe",
    }


def test_batch_that_queues_nothing_makes_no_run(site: Site):
    queue(site, add_articles(site.database, 1, pictures=False))
    with site.database.session() as session:
        assert session.scalars(select(Run)).all() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "articuloIds"),
        ({"articuloIds": []}, "articuloIds"),
        ({"articuloIds": "1,2"}, "articuloIds"),
        ({"articuloIds": [1, "2"]}, "articuloIds"),
        ({"articuloIds": [True]}, "articuloIds"),
        ({"articuloIds": [2**40]}, "articuloIds"),
        ({"articuloIds": [1], "prioridad": "alta"}, "prioridad"),
    ],
)
def test_bad_batch_names_the_field_in_the_seeds_envelope(site: Site, body, field):
    answer = site.app.test_client().post("/api/articulos/batch-process-images", json=body)
    assert answer.status_code == 400
    assert answer.json["success"] is False
    assert field in answer.json["message"]
    assert answer.json["error"]["field"] == field


def test_article_that_is_named_twice_is_queued_once(site: Site):
    [only] = add_articles(site.database, 1)
    assert queue(site, [only, only]).json["data"]["agregados"] == 1


def test_two_clients_that_queue_the_same_thousand_queue_each_once(site: Site):
    ids = add_articles(site.database, 1000)
    with site.database.session() as session:
        owner = accounts.ensure_admin(session).id

    def add(order: list[int]) -> int:
        with site.database.session() as session:
            _, answers = queueing.add(session, order, owner_id=owner)
            return sum(each.edit_id is not None for each in answers)

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(add, [ids, ids[::-1], ids, ids[::-1]]))
    assert sum(added) == 1000
    with site.database.session() as session:
        assert len(session.scalars(select(Edit.articulo_id)).all()) == 1000


def test_status_counts_the_states(site: Site):
    ids = add_articles(site.database, 4)
    edits = [each["queueId"] for each in queue(site, ids).json["data"]["detalles"]["agregados"]]
    set_state(site.database, edits[0], "completed")
    set_state(site.database, edits[1], "failed")
    data = site.app.test_client().get("/api/articulos/processing-queue/status").json["data"]
    assert data["stats"] == {
        "pendientes": 2,
        "procesando": 0,
        "completados": 1,
        "fallidos": 1,
        "total": 4,
    }
    assert data["articuloActual"] is None


def test_status_shows_the_edit_that_goes_on(site: Site):
    [edit] = queue(site, add_articles(site.database, 1)).json["data"]["detalles"]["agregados"]
    with site.database.session() as session:
        row = session.get_one(Edit, edit["queueId"])
        row.estado, row.intentos = "processing", 1
        session.execute(text("UPDATE catalog_edits SET started_at = now() - interval '15.5 s'"))
    now = (
        site.app.test_client()
        .get("/api/articulos/processing-queue/status")
        .json["data"]["articuloActual"]
    )
    assert set(now) == {
        *("id", "articulo_id", "articulo_nombre", "estado", "started_at", "intentos"),
        "segundos_procesando",
    }
    assert 15.4 < now["segundos_procesando"] < 60
    assert now["started_at"].endswith("Z")


def test_history_has_the_seeds_fields_newest_first(site: Site):
    ids = add_articles(site.database, 3)
    queue(site, ids)
    data = (
        site.app.test_client()
        .get("/api/articulos/processing-queue/history?limit=2&offset=1")
        .json["data"]
    )
    assert (data["limit"], data["offset"]) == (2, 1)
    assert [row["articulo_id"] for row in data["historial"]] == ids[1::-1]
    assert set(data["historial"][0]) == {
        *("id", "articulo_id", "articulo_nombre", "estado", "prioridad", "intentos"),
        *("max_intentos", "error_message", "created_at", "started_at", "completed_at"),
        "duracion_segundos",
    }


def test_retry_queues_a_failed_edit_anew_in_a_run_of_its_own(site: Site):
    [edit] = queue(site, add_articles(site.database, 1)).json["data"]["detalles"]["agregados"]
    set_state(site.database, edit["queueId"], "failed")
    answer = site.app.test_client().post(f"/api/articulos/processing-queue/{edit['queueId']}/retry")
    assert answer.status_code == 200
    assert answer.json["data"]["intentos"] == 0
    with site.database.session() as session:
        assert session.get_one(Edit, edit["queueId"]).estado == "pending"
        assert len(session.scalars(select(Run)).all()) == 2


@pytest.mark.parametrize("estado", ["pending", "processing", "completed"])
def test_retry_of_what_has_not_failed_is_a_conflict(site: Site, estado: str):
    [edit] = queue(site, add_articles(site.database, 1)).json["data"]["detalles"]["agregados"]
    set_state(site.database, edit["queueId"], estado)
    answer = site.app.test_client().post(f"/api/articulos/processing-queue/{edit['queueId']}/retry")
    assert answer.status_code == 409
    assert answer.json["success"] is False


def test_retry_of_an_article_that_is_queued_again_already_is_a_conflict(site: Site):
    [article] = add_articles(site.database, 1)
    [edit] = queue(site, [article]).json["data"]["detalles"]["agregados"]
    set_state(site.database, edit["queueId"], "failed")
    queue(site, [article])
    answer = site.app.test_client().post(f"/api/articulos/processing-queue/{edit['queueId']}/retry")
    assert answer.status_code == 409


def test_clean_deletes_what_ended_long_ago(site: Site):
    edits = queue(site, add_articles(site.database, 3)).json["data"]["detalles"]["agregados"]
    with site.database.session() as session:
        for place, age in enumerate([8, 6]):
            session.execute(
                text(
                    "UPDATE catalog_edits SET estado = 'completed', "
                    "completed_at = now() - make_interval(days => :age) WHERE id = :id"
                ),
                {"age": age, "id": edits[place]["queueId"]},
            )
    answer = site.app.test_client().delete("/api/articulos/processing-queue/clean?dias=7")
    assert answer.json["data"]["eliminados"] == 1


def test_run_that_is_cancelled_fails_its_waiting_edits(site: Site):
    queue(site, add_articles(site.database, 2))
    with site.database.session() as session:
        run = session.scalars(select(Run)).one().id
        control.cancel(session, run)
    stats = (
        site.app.test_client().get("/api/articulos/processing-queue/status").json["data"]["stats"]
    )
    assert (stats["pendientes"], stats["fallidos"]) == (0, 2)


def test_view_has_exactly_the_columns_of_the_seeds_table(database: Database):
    query = text(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_name = 'image_processing_queue' ORDER BY ordinal_position"
    )
    with database.session() as session:
        assert list(session.scalars(query)) == COLUMNS


def test_article_is_made_changed_and_listed_by_its_fields(site: Site):
    made = site.app.test_client().post(
        "/api/articulos", json={"nombre": "Tuerca", "unidad": "caja"}
    )
    number = made.json["data"]["articulo"]["id"]
    assert made.status_code == 201
    site.app.test_client().patch(f"/api/articulos/{number}", json={"activo": False})
    add_articles(site.database, 1)
    active = site.app.test_client().get("/api/articulos?activo=true").json["data"]["articulos"]
    idle = site.app.test_client().get("/api/articulos?activo=false").json["data"]["articulos"]
    assert [each["nombre"] for each in active] == ["Tornillo 0"]
    assert [each["nombre"] for each in idle] == ["Tuerca"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "nombre"),
        ({"nombre": " "}, "nombre"),
        ({"nombre": "x" * 256}, "nombre"),
        ({"nombre": "x", "activo": "si"}, "activo"),
        ({"nombre": "x", "categoria_id": 77}, "categoria_id"),
        ({"nombre": "x", "unidad": 3}, "unidad"),
    ],
)
def test_bad_article_names_the_field(site: Site, body, field):
    answer = site.app.test_client().post("/api/articulos", json=body)
    assert answer.status_code == 400
    assert answer.json["error"]["field"] == field


def test_picture_given_to_an_article_is_its_own_and_can_be_fetched(site: Site):
    [article] = add_articles(site.database, 1, pictures=False)
    data = {"imagen": (jpeg((400, 300)), "a.jpg")}
    answer = site.app.test_client().post(f"/api/articulos/{article}/imagen", data=data)
    assert answer.status_code == 201, answer.json
    shown = site.app.test_client().get(f"/api/articulos/{article}").json["data"]["articulo"]
    assert shown["imagen_url"] == answer.json["data"]["version"]["url"]
    picture = site.app.test_client().get(shown["imagen_url"], follow_redirects=True)
    assert picture.mimetype == "image/jpeg"


def test_article_that_is_queued_is_not_deleted(site: Site):
    [article] = add_articles(site.database, 1)
    queue(site, [article])
    assert site.app.test_client().delete(f"/api/articulos/{article}").status_code == 409


def test_login_answers_a_token_that_opens_the_api(closed_site: Site):
    user = closed_site.user("Ana", password="correct horse")
    asked = {"email": user.email, "password": "correct horse"}
    token = closed_site.app.test_client().post("/api/auth/login", json=asked).json["data"]["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert token.count(".") == 2
    assert closed_site.app.test_client().get("/api/articulos", headers=headers).status_code == 200


def test_wrong_password_and_forged_token_are_refused(closed_site: Site):
    user = closed_site.user("Ana", password="correct horse")
    asked = {"email": user.email, "password": "wrong"}
    answer = closed_site.app.test_client().post("/api/auth/login", json=asked)
    assert answer.status_code == 401
    assert answer.json["success"] is False
    forged = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."}
    assert closed_site.app.test_client().get("/api/articulos", headers=forged).status_code == 401


def test_token_ends_with_the_password_it_was_got_with(closed_site: Site):
    user = closed_site.user("Ana", password="correct horse")
    asked = {"email": user.email, "password": "correct horse"}
    token = closed_site.app.test_client().post("/api/auth/login", json=asked).json["data"]["token"]
    with closed_site.database.session() as session:
        accounts.set_password(session, accounts.user_by_uuid(session, user.uuid), "another horse")
    headers = {"Authorization": f"Bearer {token}"}
    assert closed_site.app.test_client().get("/api/articulos", headers=headers).status_code == 401
