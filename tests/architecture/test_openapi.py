"""The document says what an operation can answer, in standard keywords, and names its models shortly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from app.meanings import MEANINGS, PARAMETERS

PYDANTICS_OWN = {"ge", "le", "gt", "lt", "max_digits", "decimal_places", "multiple_of"}


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()}


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for below in value.values():
            yield from _parts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _parts(below)


def test_keywords_are_those_of_json_schema(document: dict[str, Any]) -> None:
    for name, model in document["components"]["schemas"].items():
        for part in _parts(model):
            if "type" in part or "anyOf" in part:
                assert not PYDANTICS_OWN & part.keys(), name


def test_bounds_of_a_decimal_are_those_of_its_number_and_told_in_words(document: dict[str, Any]) -> None:
    field = document["components"]["schemas"]["VitalCreate"]["properties"]["etco2"]
    decimal = next(branch for branch in field["anyOf"] if "anyOf" in branch)
    number = next(branch for branch in decimal["anyOf"] if branch["type"] == "number")
    assert (number["minimum"], number["maximum"]) == (0, 760)
    assert decimal["description"] == "From 0, to 760, decimal places: 1 at most"


def test_names_of_models_are_short_and_plain(document: dict[str, Any]) -> None:
    names = list(document["components"]["schemas"])
    assert "StationPage" in names
    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name) or len(name) > 32] == []


def test_every_reference_leads_somewhere_and_every_model_is_used(document: dict[str, Any]) -> None:
    named = {part["$ref"].rsplit("/", 1)[-1] for part in _parts(document) if "$ref" in part}
    assert named == set(document["components"]["schemas"])


def test_a_patch_publishes_no_default(document: dict[str, Any]) -> None:
    """A generated client sends defaults: a patch of one field would overwrite the others."""
    patches = {name: model for name, model in document["components"]["schemas"].items() if "Patch" in name}
    assert len(patches) > 10
    for name, model in patches.items():
        assert [field for field, part in model["properties"].items() if "default" in part] == [], name


def test_only_what_can_happen_is_declared(document: dict[str, Any]) -> None:
    operations = _operations(document)
    assert set(operations["logout"]["responses"]) == {"204", "401", "403", "422", "500", "503"}
    assert set(operations["read_current_tenant"]["responses"]) == {"200", "401", "403", "422", "500", "503"}
    assert set(operations["live"]["responses"]) == {"200", "500", "503"}
    assert set(operations["get_station"]["responses"]) == {"200", "401", "403", "404", "422", "500", "503"}
    assert {"409", "413", "415", "422"} <= set(operations["revise_incident"]["responses"])
    assert "404" in operations["create_claim"]["responses"] and "404" in operations["create_claim_export"]["responses"]
    values_only = ("create_asset", "create_person", "create_custom_element", "revise_current_tenant")
    assert [name for name in values_only if "404" in operations[name]["responses"]] == []
    assert "409" in operations["create_secret"]["responses"]
    throttled = {name for name, operation in operations.items() if "429" in operation["responses"]}
    assert throttled == {"login", "refresh", "change_password", "request_password_reset", "reset_password"}


def test_answers_that_are_no_json_are_declared_as_what_they_are(document: dict[str, Any]) -> None:
    for name, operation in _operations(document).items():
        contents = [answer.get("content", {}) for answer in operation["responses"].values()]
        for content in [*contents, operation.get("requestBody", {}).get("content", {})]:
            for media_type, described in content.items():
                assert "*" not in media_type and described["schema"], name


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def test_every_field_says_more_than_its_name(document: dict[str, Any]) -> None:
    for name, model in document["components"]["schemas"].items():
        for field, described in model.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"
            assert _words(described["description"]) != _words(field), f"{name}.{field}"


def test_every_parameter_says_more_than_its_name(document: dict[str, Any]) -> None:
    for name, operation in _operations(document).items():
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), f"{name}: {parameter['name']}"
            assert _words(parameter["description"]) != _words(parameter["name"]), f"{name}: {parameter['name']}"


def test_no_meaning_is_told_for_nothing(document: dict[str, Any]) -> None:
    """A meaning that no field takes is one that a field has of its own by now."""
    schemas = document["components"]["schemas"]
    fields = {
        told
        for name, model in schemas.items()
        for field in model.get("properties", {})
        for told in (f"{name}.{field}", field)
    }
    taken = {
        described["description"] for model in schemas.values() for described in model.get("properties", {}).values()
    }
    assert [key for key, meaning in MEANINGS.items() if key not in fields or meaning not in taken] == []
    parameters = {
        (parameter["name"], parameter["description"].partition(". Give it several times")[0])
        for operation in _operations(document).values()
        for parameter in operation.get("parameters", ())
    }
    assert set(PARAMETERS.items()) <= parameters


def test_a_coded_field_is_described_by_its_element(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]
    for schema in ("InterventionCreate", "InterventionPatch", "InterventionRead"):
        assert fields[schema]["properties"]["dose_unit"]["description"].startswith("eMedications.06 ")
        assert fields[schema]["properties"]["route"]["description"].startswith("eMedications.04 ")
    assert fields["IncidentRead"]["properties"]["location_street"]["description"].startswith("eScene.15 ")
