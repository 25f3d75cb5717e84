"""The description: what is served is what is committed, it is valid OpenAPI 3.1, and the API keeps to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.api.caller import Caller
from tests.harness import api_fuzz
from tests.harness.result import Result
from tools import openapi


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found = json.loads(openapi.FILE.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in set(item) - {"parameters"}:
            yield f"{method.upper()} {path}", item[method]


def test_what_is_served_is_what_is_committed(app: Flask) -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.written(), "run: python tools/openapi.py"
    assert Caller(app, None, None).ok("GET", "/openapi.json") == json.loads(openapi.written())


def test_it_is_openapi(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    validate(described)


def test_every_operation_says_what_it_does_and_how_it_refuses(described: dict[str, Any]) -> None:
    wrong, ids = [], []
    tags = {tag["name"] for tag in described["tags"]}
    for name, operation in operations(described):
        ids.append(operation.get("operationId"))
        if not (operation.get("summary", "").endswith(".") and set(operation.get("tags", [])) <= tags and operation["tags"]):
            wrong.append(f"{name}: summary or tags")
        if "security" not in operation:
            wrong.append(f"{name}: security")
        needed = {"401"} if operation["security"] else set()
        needed |= {"400", "413", "415", "422"} if "requestBody" in operation else set()
        needed |= {"404"} if "{" in name else set()
        if not needed <= set(operation["responses"]):
            wrong.append(f"{name}: {needed - set(operation['responses'])}")
        for status, response in operation["responses"].items():
            if status >= "400" and not response.get("$ref", "").startswith("#/components/responses/"):
                wrong.append(f"{name}: {status} is no problem document")
            if status < "300" and status != "204" and not response.get("content"):
                wrong.append(f"{name}: {status} has no content")
    assert wrong == []
    assert None not in ids and len(ids) == len(set(ids))


def test_every_refusal_is_a_problem_document(described: dict[str, Any]) -> None:
    for name, response in described["components"]["responses"].items():
        assert set(response["content"]) == {"application/problem+json"}, name


def test_no_component_is_left_over(described: dict[str, Any]) -> None:
    used = set(re.findall(r'"#/components/(\w+/\w+)"', json.dumps(described)))
    there = {f"{kind}/{name}" for kind in ("schemas", "responses") for name in described["components"][kind]}
    assert used == there
    schemes = {name for _, operation in operations(described) for asked in operation["security"] for name in asked}
    assert schemes == set(described["components"]["securitySchemes"])
    tagged = {tag for _, operation in operations(described) for tag in operation["tags"]}
    assert tagged == {tag["name"] for tag in described["tags"]}


def test_bodies_have_examples_that_are_right(described: dict[str, Any]) -> None:
    for name, operation in operations(described):
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            schema = {**content["schema"], "components": described["components"]}
            assert "example" in content, name
            Draft202012Validator(schema).validate(content["example"])


def test_bodies_name_every_field_and_take_no_other(described: dict[str, Any]) -> None:
    bodies = {name: schema for name, schema in described["components"]["schemas"].items() if name.endswith("Body")}
    assert bodies and all(schema["additionalProperties"] is False for schema in bodies.values())


def test_the_api_keeps_to_its_description(app: Flask) -> None:
    """The same examples each time; the proof of the harness draws others, and many more."""
    result = Result("api_fuzz", api_fuzz.MUST_BE, 20261121, 4)
    api_fuzz.fuzz(app, result.rounds, result.seed, lambda _words: None, result)
    assert result.failures == []
    assert result.counts["requests"] > 150 and result.counts["2xx"] > 30 and result.counts["4xx"] > 30
