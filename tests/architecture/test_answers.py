"""The example of every success answer is accepted by its own schema, and follows from the example of the request."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from app.core.answers import Answers
from app.core.lifecycle import registered_lifecycles
from app.ems.elements import TARGET_BUILD, check_elements, from_json, load_dictionary
from app.ems.elements.ownership import Owner
from app.examples import EXAMPLES, VALUES
from tests.architecture.routes import operations

OWNERS = {
    "IncidentRead": Owner.INCIDENT,
    "PatientRead": Owner.PATIENT,
    "VitalRead": Owner.VITAL,
    "InterventionRead": Owner.INTERVENTION_MEDICATION,
    "NarrativeRead": Owner.NARRATIVE,
    "CrewMemberRead": Owner.CREW_MEMBER,
}
NOT_SHOWN = {"id", "version", "action", "reason", "comments", "password", "value", "current_password", "new_password"}


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def _answers(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    """Operation, status and content of every success answer in JSON."""
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json")
                if status < "300" and content is not None:
                    yield operation, status, content


def test_every_answer_has_an_example_that_its_own_schema_accepts(document: dict[str, Any]) -> None:
    shown = list(_answers(document))
    assert len(shown) > 150
    for operation, status, content in shown:
        schema = {**content["schema"], "components": document["components"]}
        problems = [
            f"{problem.instance_path}: {problem.message}"
            for problem in jsonschema_rs.Draft202012Validator(schema).iter_errors(content["example"])
        ]
        assert problems == [], f"{operation['operationId']} {status}"


def test_the_model_of_every_answer_reads_its_example(app: FastAPI, document: dict[str, Any]) -> None:
    for route in operations(app):
        answers = document["paths"][route.path].get(route.method.lower(), {}).get("responses", {})
        content = answers.get(str(route.status), {}).get("content", {}).get("application/json")
        if content is None or route.response is None:
            continue
        read = TypeAdapter(route.response).validate_json(json.dumps(content["example"]))
        written = TypeAdapter(route.response).dump_python(read, mode="json")
        assert _names(written) == _names(content["example"]), str(route)


def _names(value: Any) -> Any:
    """The example without its values: a field that a model does not know would be missing."""
    if isinstance(value, dict):
        return {name: _names(held) for name, held in value.items()}
    return [_names(item) for item in value] if isinstance(value, list) else None


def test_no_text_of_an_example_is_made_up_of_its_name(document: dict[str, Any]) -> None:
    answers = Answers(document, EXAMPLES, VALUES, registered_lifecycles())
    for operation, _, _ in list(_answers(document)):
        answers.show(copy.deepcopy(operation))
    assert answers.untold == set()


def test_every_told_value_has_a_place(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    names = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    fields = {field for schema in schemas.values() for field in schema.get("properties", {})}
    for key in VALUES:
        owner, _, field = key.partition(".")
        if " " in key:
            assert key.split(" ")[0] in names, key
        elif not field:
            assert key in fields or key in schemas, key
        else:
            assert owner in names or field in schemas[owner]["properties"], key


def test_answers_say_what_the_request_sent(document: dict[str, Any]) -> None:
    checked = 0
    for operation, _, content in _answers(document):
        sent = EXAMPLES.get(operation["operationId"], {})
        answer = content["example"]
        for field in sent.keys() & answer.keys() - NOT_SHOWN:
            assert _same(sent[field], answer[field]), f"{operation['operationId']}: {field}"
            checked += 1
    assert checked > 100


def _same(sent: Any, shown: Any) -> bool:
    """True if the answer shows what was sent: times in UTC, parts with the fields that the service adds."""
    if isinstance(sent, dict) and isinstance(shown, dict):
        return all(_same(value, shown.get(name)) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(shown, list):
        return len(sent) == len(shown) and all(map(_same, sent, shown))
    if isinstance(sent, str) and isinstance(shown, str) and "T" in sent and shown.endswith("Z"):
        return dt.datetime.fromisoformat(sent) == dt.datetime.fromisoformat(shown)
    return bool(sent == shown)


def test_a_change_raises_the_version_and_a_transition_reaches_its_state(document: dict[str, Any]) -> None:
    shown: dict[str, Any] = {}
    for operation, _, content in _answers(document):
        shown.setdefault(operation["operationId"], content["example"])
    for name, sent in EXAMPLES.items():
        if "version" in sent and isinstance(shown[name].get("version"), int):
            assert shown[name]["version"] == sent["version"] + 1, name
    assert (shown["create_incident"]["status"], shown["create_incident"]["allowed_actions"]) == ("draft", ["start"])
    assert shown["transition_incident"]["status"] == "in_progress"
    assert "submit_for_review" in shown["transition_incident"]["allowed_actions"]
    assert shown["transition_vehicle"]["status"] == "out_of_service"
    assert shown["transition_claim"]["status"] == "ready_to_export"
    assert shown["get_chart"]["vitals"] == [shown["create_vital"]]
    assert shown["create_vital"]["patient_id"] == shown["create_patient"]["id"]


def test_elements_of_every_example_fit_their_owner(document: dict[str, Any]) -> None:
    found = 0
    dictionary = load_dictionary(TARGET_BUILD)
    for name in ("Incident", "Patient", "Vital", "Intervention"):
        for form in ("Create", "Patch"):
            field = document["components"]["schemas"][name + form]["properties"]["elements"]
            [example] = field["examples"]
            given = from_json(example)
            assert given and check_elements(given, dictionary=dictionary, owner=OWNERS[f"{name}Read"]) == [], name
    for operation, _, content in _answers(document):
        owner = OWNERS.get(content["schema"].get("$ref", "").rsplit("/", 1)[-1])
        if owner is not None:
            given = from_json(content["example"]["elements"])
            assert check_elements(given, dictionary=dictionary, owner=owner) == [], operation["operationId"]
            found += bool(given)
    assert found
