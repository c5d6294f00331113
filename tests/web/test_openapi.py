"""`/openapi.json`: valid, true to the app, and its examples true to themselves."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import validate

from darkroom.db.sessions import Database
from darkroom.settings import Settings, WebSettings
from darkroom.web.app import create_app
from darkroom.web.openapi import document, merged

from .conftest import Site

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")


def fits(value: Any, schema: Json) -> None:
    whole = {"components": document()["components"], **schema}
    OAS31Validator(whole, format_checker=oas31_format_checker).validate(value)


def contents(part: Any) -> Iterator[Json]:
    """Everything in the document that has a schema and an example."""
    if isinstance(part, list):
        for each in part:
            yield from contents(each)
    elif isinstance(part, dict):
        if {"schema", "example"} <= part.keys():
            yield part
        for each in part.values():
            yield from contents(each)


def described() -> set[tuple[str, str]]:
    return {
        (method, path)
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    }


def served(site: Site) -> set[tuple[str, str]]:
    """The app's calls, their parameters named as the document does."""
    return {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in site.app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def nameless(calls: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(method, re.sub(r"{\w+}", "{}", path)) for method, path in calls}


def test_the_document_is_valid_openapi(site: Site) -> None:
    answer = site.visitor().get("/openapi.json")
    assert answer.status_code == 200
    validate(answer.json)


def test_every_call_described_is_served(site: Site) -> None:
    assert nameless(described()) <= nameless(served(site))


def test_every_call_of_v41_is_described(site: Site) -> None:
    v41 = {call for call in served(site) if call[1].startswith("/api/v41/") and call[0] in METHODS}
    assert nameless(v41) <= nameless(described())


def test_every_example_fits_its_schema() -> None:
    found = list(contents(document()))
    assert len(found) >= 8
    for part in found:
        fits(part["example"], part["schema"])


def test_answers_are_as_described(site: Site) -> None:
    calls = document()["paths"]
    for path in ("/api/v41/balance", "/api/v41/ledger"):
        answer = site.visitor().get(path)
        content = calls[path]["get"]["responses"]["200"]["content"]
        fits(answer.json, content["application/json"]["schema"])


def test_the_answer_to_a_grant_is_as_described(site: Site) -> None:
    ana = site.user("Ana")
    path = f"/api/v41/users/{ana.uuid}/grant"
    answer = site.visitor().client.post(path, json={"tokens": 5})
    responses = document()["paths"]["/api/v41/users/{user}/grant"]["post"]["responses"]
    fits(answer.json, responses["201"]["content"]["application/json"]["schema"])


@pytest.mark.parametrize("tag", [each["name"] for each in document()["tags"]])
def test_a_part_is_a_valid_document_that_an_agent_takes(site: Site, tag: str) -> None:
    found = site.visitor().get(f"/openapi.json?tag={tag}").json
    validate(found)
    calls = [call for item in found["paths"].values() for call in item if call in METHODS]
    assert 0 < len(calls) <= 30
    assert [each["name"] for each in found["tags"]] == [tag]


def test_a_part_has_its_calls_and_nothing_that_they_do_not_refer_to(site: Site) -> None:
    found = site.visitor().get("/openapi.json?tag=publishing").json
    ids = {call["operationId"] for item in found["paths"].values() for call in item.values()}
    assert {"createAndAttachImage", "getUploadStatus"} <= ids and "shoot" not in ids
    schemas = found["components"]["schemas"]
    assert {"ImageWish", "Error"} <= schemas.keys() and "CatalogAnswer" not in schemas


def test_a_part_that_there_is_not_is_a_404(site: Site) -> None:
    answer = site.visitor().get("/openapi.json?tag=nothing")
    assert (answer.status_code, answer.json["error"]["field"]) == (404, "tag")


def test_the_server_is_where_people_reach_it(settings: Settings, database: Database) -> None:
    there = replace(settings, web=WebSettings(public_url="https://darkroom.example"))
    for chosen, url in ((settings, "http://localhost"), (there, "https://darkroom.example")):
        answer = Site(create_app(chosen, database)).visitor().get("/openapi.json?tag=publishing")
        assert answer.json["servers"] == [{"url": url}]


def test_fragments_join_and_say_nothing_twice() -> None:
    one, other = {"paths": {"/a": 1}, "tags": [1]}, {"paths": {"/b": 2}, "tags": [2]}
    assert merged(one, other) == {"paths": {"/a": 1, "/b": 2}, "tags": [1, 2]}
    with pytest.raises(ValueError, match="/a is described twice"):
        merged(one, {"paths": {"/a": 3}})
