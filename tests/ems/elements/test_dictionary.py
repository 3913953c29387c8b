"""The committed dictionary against the official XSDs it came from and an independently derived list of facts."""

import json
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from app.ems.elements import (
    BUILDS,
    TARGET_BUILD,
    Dictionary,
    ElementDefinition,
    PertinentNegativeMode,
    PhiClass,
    SimpleType,
    Usage,
    definition_name,
    load_dictionary,
    phi_class,
)
from app.ems.elements.loading import DICTIONARY_FILE
from scripts.generate_nemsis_dictionary import generate
from tests.nemsis.support.official import NEMSIS, SCHEMA_DIR, needs_official_files

FACETS = {
    "pattern": "pattern",
    "length": "length",
    "minLength": "min_length",
    "maxLength": "max_length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
    "minInclusive": "min_inclusive",
    "maxInclusive": "max_inclusive",
}
COMPARED = ["name", "path", "order", "national", "state", "usage", "deprecated", "minOccurs", "maxOccurs", "nillable"]
COMPARED += ["notValues", "pertinentNegatives", "typeName", "baseType", "constraints", "enumerations"]
ONLY_OLDER = {("ePatient.25", "min_occurs")}


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load_dictionary()


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((NEMSIS / "dictionary.json").read_text(encoding="utf-8"))
    return content


def facets_of(type_: SimpleType) -> dict[str, str]:
    found = {theirs: getattr(type_.facets, ours) for theirs, ours in FACETS.items()}
    return {name: str(value) for name, value in found.items() if value is not None}


@needs_official_files
def test_the_committed_file_is_what_the_generator_makes() -> None:
    assert generate(SCHEMA_DIR, TARGET_BUILD, ["3.5.1.250403CP1"]) == DICTIONARY_FILE.read_text(encoding="utf-8")


@needs_official_files
def test_every_element_agrees_with_the_reference_facts(dictionary: Dictionary, facts: dict[str, Any]) -> None:
    theirs = {e["id"]: e for e in facts["elements"].values() if e["dataset"] == "EMSDataSet"}
    assert list(dictionary.elements) == sorted(theirs, key=lambda name: theirs[name]["order"])
    assert len(theirs) == 453
    for element_id, ours in dictionary.elements.items():
        fact = theirs[element_id]
        assert {
            "name": ours.name,
            "path": [*ours.group_path, ours.id],
            "order": ours.order,
            "national": ours.national,
            "state": ours.state,
            "usage": ours.usage.value,
            "deprecated": ours.deprecated,
            "minOccurs": ours.min_occurs,
            "maxOccurs": ours.max_occurs,
            "nillable": ours.nillable,
            "notValues": dict(ours.not_values),
            "pertinentNegatives": {code: dictionary.pertinent_negatives[code] for code in ours.pertinent_negatives},
            "typeName": ours.type.name,
            "baseType": f"xs:{ours.type.base}",
            "constraints": facets_of(ours.type),
            "enumerations": dict(ours.type.codes),
        } == {key: fact[key] for key in COMPARED}
        assert {code: mode.value for code, mode in ours.pertinent_negatives.items()} == fact.get("schematronPnMode", {})
        assert ours.attributes.keys() == fact["attributes"].keys() - {"NV", "PN"}
        for name, attribute in ours.attributes.items():
            assert attribute.required == (fact["attributes"][name]["use"] == "required")
            assert attribute.type.name == fact["attributes"][name]["type"].removeprefix("xs:")
            codes = [member.codes for member in attribute.type.members] or [attribute.type.codes]
            assert {k: v for part in codes for k, v in part.items()} == fact["attributes"][name].get("enumerations", {})


@needs_official_files
def test_every_group_agrees_with_the_reference_facts(dictionary: Dictionary, facts: dict[str, Any]) -> None:
    theirs = {g["name"]: g for g in facts["groups"].values() if g["dataset"] == "EMSDataSet"}
    assert theirs.keys() - dictionary.groups.keys() == set()
    for name, fact in theirs.items():
        ours = dictionary.groups[name]
        assert list(ours.path) == fact["path"]
        assert (ours.min_occurs, ours.max_occurs) == (fact["minOccurs"], fact["maxOccurs"])
        assert [definition_name(child) for child in ours.children] == fact["children"]
        assert {n: a.required for n, a in ours.attributes.items()} == {
            n: a["use"] == "required" for n, a in fact["attributes"].items()
        }
    assert len(theirs) == facts["counts"]["EMSDataSet"]["groups"] == len(dictionary.groups)


def test_the_standard_has_the_published_counts(dictionary: Dictionary) -> None:
    elements = dictionary.elements.values()
    assert len(elements) == 453
    assert {usage: sum(e.usage is usage for e in elements) for usage in Usage} == {
        Usage.MANDATORY: 24,
        Usage.REQUIRED: 131,
        Usage.RECOMMENDED: 61,
        Usage.OPTIONAL: 237,
    }
    assert sum(e.national for e in elements) == 148
    assert sum(e.nillable for e in elements) == 201
    assert sum(bool(e.not_values) for e in elements) == 194
    assert sum(bool(e.pertinent_negatives) for e in elements) == 64
    assert [e.id for e in elements if e.deprecated] == ["ePatient.13"]


def test_the_older_build_differs_only_where_the_standard_changed() -> None:
    target, older = (load_dictionary(build) for build in BUILDS)
    assert (target.build, older.build) == (TARGET_BUILD, "3.5.1.250403CP1")
    compared = [name for name in ElementDefinition.__dataclass_fields__ if name not in ("type", "attributes")]
    differences = {
        (element_id, field)
        for element_id, ours in target.elements.items()
        for field in compared
        if getattr(ours, field) != getattr(older.elements[element_id], field)
    }
    assert differences == ONLY_OLDER
    assert (target.elements["ePatient.25"].min_occurs, older.elements["ePatient.25"].min_occurs) == (1, 0)


def test_pertinent_negatives_follow_the_national_rules(dictionary: Dictionary) -> None:
    onset = dictionary.elements["eSituation.01"]
    assert dict(onset.pertinent_negatives) == {
        "8801023": PertinentNegativeMode.EMPTY,
        "8801029": PertinentNegativeMode.VALUE,
    }
    assert set(dictionary.elements["eMedications.03"].pertinent_negatives.values()) == {PertinentNegativeMode.VALUE}
    assert set(dictionary.elements["eCustomResults.01"].pertinent_negatives.values()) == {PertinentNegativeMode.EITHER}
    abdomen = dictionary.elements["eExam.12"]
    assert set(abdomen.pertinent_negatives.values()) == {PertinentNegativeMode.EITHER}
    assert abdomen.pertinent_negative_needs_value("8801005")  # it is not nillable, so nothing else would be valid


def test_elements_are_phi_unless_declared_plain(dictionary: Dictionary) -> None:
    plain = {element_id for element_id, element in dictionary.elements.items() if element.phi is PhiClass.PLAIN}
    assert {"eResponse.05", "eDispatch.01", "eRecord.02"} <= plain
    assert {name.partition(".")[0] for name in plain} == {
        "dAgency",
        "eCustomConfiguration",
        "eRecord",
        "eResponse",
        "eDispatch",
    }
    assert dictionary.elements["eRecord.01"].phi is PhiClass.PHI
    assert phi_class("eFuture.99") is PhiClass.PHI


def test_definitions_cannot_be_changed(dictionary: Dictionary) -> None:
    with pytest.raises(FrozenInstanceError):
        dictionary.elements["eVitals.06"].min_occurs = 0  # type: ignore[misc]
    with pytest.raises(TypeError):
        dictionary.elements["eVitals.06"].type.codes["1"] = "x"  # type: ignore[index]


def test_an_unknown_build_is_refused() -> None:
    with pytest.raises(KeyError):
        load_dictionary("3.4.0")
