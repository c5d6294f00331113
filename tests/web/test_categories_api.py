"""Categories and their templates by the API."""

from typing import Any

import pytest
from sqlalchemy import select

from darkroom.catalog import prompts
from darkroom.catalog.models import Article, Edit, Version
from tests.web.conftest import Site

PATH = "/api/categorias"


def make(site: Site, **fields: Any) -> Any:
    return site.app.test_client().post(PATH, json={"nombre": "Tuercas", **fields})


def add_article(site: Site, **fields: Any) -> int:
    with site.database.session() as session:
        article = Article(nombre="Tuerca M8", descripcion="Acero", **fields)
        session.add(article)
        session.flush()
        version = Version(articulo_id=article.id, url="/x", origen="imported")
        session.add(version)
        session.flush()
        article.imagen_version_id, article.imagen_url = version.id, version.url
        return article.id


def preview(site: Site, article: int, **more: Any) -> Any:
    return site.app.test_client().post(f"{PATH}/preview", json={"articulo_id": article, **more})


def test_category_is_made_changed_listed_and_deleted(site: Site):
    client = site.app.test_client()
    number = make(site).json["data"]["categoria"]["id"]
    client.put(f"{PATH}/{number}", json={"prompt_template": "Foto de {nombre}."})
    [listed] = client.get(PATH).json["data"]["categorias"]
    assert (listed["nombre"], listed["prompt_template"], listed["articulos"]) == (
        "Tuercas",
        "Foto de {nombre}.",
        0,
    )
    assert client.delete(f"{PATH}/{number}").status_code == 200
    assert client.get(PATH).json["data"]["total"] == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"nombre": " "}, "nombre"),
        ({"nombre": "x" * 101}, "nombre"),
        ({"nombre": 3}, "nombre"),
        ({"prompt_template": "{precio}"}, "prompt_template"),
        ({"prompt_template": "{"}, "prompt_template"),
        ({"prompt_template": 7}, "prompt_template"),
    ],
)
def test_bad_category_names_the_field(site: Site, fields: dict[str, Any], field: str):
    answer = make(site, **fields)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, field)
    assert answer.json["success"] is False


def test_name_that_is_taken_is_a_conflict(site: Site):
    make(site)
    assert make(site).status_code == 409


def test_category_with_articles_is_not_deleted(site: Site):
    number = make(site).json["data"]["categoria"]["id"]
    add_article(site, categoria_id=number)
    assert site.app.test_client().delete(f"{PATH}/{number}").status_code == 409


def test_general_template_is_the_codes_own_until_it_is_changed_and_after_null(site: Site):
    client = site.app.test_client()
    assert client.get(f"{PATH}/general").json["data"]["prompt_template"] == prompts.DEFAULT
    client.put(f"{PATH}/general", json={"prompt_template": "Solo {nombre}"})
    assert client.get(f"{PATH}/general").json["data"]["prompt_template"] == "Solo {nombre}"
    client.put(f"{PATH}/general", json={"prompt_template": None})
    assert client.get(f"{PATH}/general").json["data"]["prompt_template"] == prompts.DEFAULT


def test_preview_fills_the_given_template_with_the_article(site: Site):
    answer = preview(site, add_article(site), prompt_template="{nombre}, {descripcion}")
    assert answer.json["data"] == {"prompt": "Tuerca M8, Acero"}


def test_preview_without_a_template_takes_the_one_of_the_category(site: Site):
    number = make(site, prompt_template="De {categoria}").json["data"]["categoria"]["id"]
    answer = preview(site, add_article(site, categoria_id=number))
    assert answer.json["data"]["prompt"] == "De Tuercas"


def test_generating_queues_an_edit_that_is_not_the_articles(site: Site):
    article = add_article(site)
    answer = preview(site, article, prompt_template="Solo {nombre}", generar=True)
    assert answer.status_code == 200, answer.json
    with site.database.session() as session:
        [edit] = session.scalars(select(Edit)).all()
        assert (edit.id, edit.is_preview) == (answer.json["data"]["trabajo_id"], True)
    client = site.app.test_client()
    stats = client.get("/api/articulos/processing-queue/status").json["data"]["stats"]
    assert stats["total"] == 0
    queued = client.post("/api/articulos/batch-process-images", json={"articuloIds": [article]})
    assert queued.json["data"]["agregados"] == 1


def test_preview_of_an_article_that_is_not_there_is_not_found(site: Site):
    assert preview(site, 99).status_code == 404
