"""The dictionary's verdict on documents: equal to the official XSD's, and worded for the person who must mend it."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from app.ems.elements import BUILDS, NATIONAL_RULES, TARGET_BUILD, ElementValue, load_dictionary
from app.nemsis.content import DocumentContent, GroupInstance
from app.nemsis.document import build_document
from app.nemsis.findings import FindingSource, Severity, ValidationFinding
from app.nemsis.tree import XSI_NIL
from app.nemsis.validator import FindingCode, validate_tree
from tests.nemsis.support.charts import document, recorded
from tests.nemsis.support.full_document import full_document
from tests.nemsis.support.mutations import MUTATIONS, mutate
from tests.nemsis.support.official import (
    SAMPLES,
    ems_documents,
    needs_official_files,
    official_schema,
    parse,
)

DICTIONARY = load_dictionary()
NAMESPACE = {"n": DICTIONARY.namespace}
ERRORS = frozenset(rule.id for rule in NATIONAL_RULES)
MUTANTS = 1600
BATCH = 100
FULL_DOCUMENTS = 4
SCHEMATRON_CASES = SAMPLES / "schematron_cases" / "ems"


def schema_findings(root: etree._Element, build: str = TARGET_BUILD) -> list[ValidationFinding]:
    return [f for f in validate_tree(root, load_dictionary(build)) if f.source is FindingSource.SCHEMA]


def agrees(root: etree._Element, build: str) -> bool:
    return official_schema(build).validate(root.getroottree()) == (not schema_findings(root, build))


@needs_official_files
@pytest.mark.parametrize("build", BUILDS)
def test_official_documents_are_judged_as_by_the_xsd(build: str) -> None:
    paths = ems_documents()
    assert len(paths) == 127
    assert [path.name for path in paths if not agrees(parse(path), build)] == []


@needs_official_files
def test_official_documents_are_accepted_and_refused_where_they_should_be() -> None:
    refused = {path.name for path in ems_documents() if schema_findings(parse(path))}
    without_sex = {path.name for path in ems_documents("ems")}
    assert len(without_sex) == 12
    assert refused == without_sex | {"2025-EMS-FailXsd_v351.xml"}
    for path in ems_documents("ems"):
        assert [(f.element_id, f.code) for f in schema_findings(parse(path))] == [("ePatient.25", FindingCode.MISSING)]


@cache
def bases() -> list[etree._Element]:
    """Valid documents to damage: official national and full ones, and some that hold every element there is."""
    official = ems_documents("example_ems.xml", "pretesting_2025/national", "pretesting_2025/full")
    return [parse(path) for path in official] + [full_document(DICTIONARY, seed) for seed in range(FULL_DOCUMENTS)]


@needs_official_files
@pytest.mark.parametrize("build", BUILDS)
def test_the_documents_to_mutate_are_valid_and_hold_every_element(build: str) -> None:
    for base in bases():
        assert official_schema(build).validate(base.getroottree())
        assert schema_findings(base, build) == []
    held = {etree.QName(node).localname for base in bases() for node in base.iter("*")}
    assert held == DICTIONARY.elements.keys() | DICTIONARY.groups.keys()


@needs_official_files
@pytest.mark.parametrize("batch", range(MUTANTS // BATCH))
def test_mutations_are_judged_as_by_the_xsd(batch: int) -> None:
    disagreements = []
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        name, root = mutate(bases()[seed % len(bases())], DICTIONARY, seed)
        disagreements += [(seed, name, build) for build in BUILDS if not agrees(root, build)]
    assert disagreements == []


@needs_official_files
def test_mutations_reach_both_verdicts() -> None:
    verdicts: Counter[bool] = Counter()
    kinds = set()
    for seed in range(300):
        name, root = mutate(bases()[seed % len(bases())], DICTIONARY, seed)
        kinds.add(name)
        verdicts[not schema_findings(root)] += 1
    assert kinds == {mutation.__name__ for mutation in MUTATIONS}
    assert min(verdicts[True], verdicts[False]) >= 50


def schematron_verdicts() -> list[Path]:
    folder = SCHEMATRON_CASES / "svrl"
    return sorted(folder.glob("*.xml")) if folder.is_dir() else []


@needs_official_files
@pytest.mark.parametrize("verdict", schematron_verdicts(), ids=lambda path: path.stem)
def test_errors_are_found_where_the_official_schematron_finds_them(verdict: Path) -> None:
    """The official regression cases state what the national rules report: an ERROR refuses, a WARNING does not."""
    asserts = etree.parse(str(verdict)).iter("{http://purl.oclc.org/dsdl/svrl}failed-assert")
    expected = Counter(str(node.get("id")) for node in asserts if node.get("id") in ERRORS)
    found = validate_tree(parse(SCHEMATRON_CASES / "xml" / verdict.name), DICTIONARY)
    assert Counter(finding.code for finding in found) == expected
    assert {(finding.source, finding.severity) for finding in found} <= {(FindingSource.NATIONAL, Severity.ERROR)}


@needs_official_files
def test_the_official_cases_reach_both_verdicts() -> None:
    refused = {
        path.stem
        for path in schematron_verdicts()
        if validate_tree(parse(path.parents[1] / "xml" / path.name), DICTIONARY)
    }
    failing = {"e001", "e003", "e005", "e007", "e143", "e145", "e189", "e191"}
    assert refused == {f"EMSDataSet-nemSch_{rule}_A" for rule in failing}
    assert len(schematron_verdicts()) == 102


@needs_official_files
def test_the_document_that_must_fail_the_national_rules_fails() -> None:
    found = validate_tree(parse(SAMPLES / "pretesting_2025" / "fail" / "2025-EMS-FailSchematron_v351.xml"), DICTIONARY)
    assert found and {finding.source for finding in found} == {FindingSource.NATIONAL}


def chart() -> etree._Element:
    vital = GroupInstance("eVitals.VitalGroup", recorded(eVitals_06="120"))
    elements = {"eResponse.08": [ElementValue(value="2208001"), ElementValue(value="2208003")]}
    return build_document(document(elements, (vital, vital)), DICTIONARY)


def find(root: etree._Element, name: str, index: int = 0) -> etree._Element:
    return list(root.iter(f"{{{DICTIONARY.namespace}}}{name}"))[index]


def only_finding(root: etree._Element) -> ValidationFinding:
    (finding,) = validate_tree(root, DICTIONARY)
    return finding


def test_a_complete_chart_has_no_findings() -> None:
    assert validate_tree(chart(), DICTIONARY) == []


def test_a_wrong_value_is_located_and_explained_without_being_repeated() -> None:
    root = chart()
    find(root, "eVitals.06", 1).text = "1200"
    assert only_finding(root) == ValidationFinding(
        element_id="eVitals.06",
        path="PatientCareReport[1]/eVitals/eVitals.VitalGroup[2]/eVitals.BloodPressureGroup/eVitals.06",
        severity=Severity.ERROR,
        code="out_of_range",
        message="SBP (Systolic Blood Pressure) must be a whole number from 0 to 500.",
        source=FindingSource.SCHEMA,
    )


def test_a_repeated_element_is_numbered() -> None:
    root = chart()
    find(root, "eResponse.08", 1).text = "x"
    assert only_finding(root).path == "PatientCareReport[1]/eResponse/eResponse.08[2]"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("eResponse.13", "EMS Vehicle (Unit) Number is missing."),
        ("eArrest.01", "Cardiac Arrest is missing: record it, or mark it Not Applicable or Not Recorded."),
        ("eOutcome", "eOutcome is missing."),
    ],
)
def test_a_missing_element_is_named_where_it_belongs(name: str, message: str) -> None:
    root = chart()
    node = find(root, name)
    parent = node.getparent()
    assert parent is not None
    parent.remove(node)
    finding = only_finding(root)
    assert (finding.element_id, finding.code, finding.message) == (name, FindingCode.MISSING, message)
    assert finding.path.endswith(f"/{name}")


def test_several_headers_are_told_apart() -> None:
    root = chart()
    second = chart()[0]
    root.append(second)
    find(second, "eVitals.06").text = "x"
    assert only_finding(root).path.startswith("Header[2]/PatientCareReport[1]/eVitals/")


def damage_wrong_root(root: etree._Element) -> None:
    root.tag = "{http://www.nemsis.org}DEMDataSet"


def damage_foreign_element(root: etree._Element) -> None:
    etree.SubElement(find(root, "eVitals"), "{urn:other}JonesMary")


def damage_order(root: etree._Element) -> None:
    find(root, "eResponse").append(find(root, "eResponse.13"))


def damage_repeat(root: etree._Element) -> None:
    node = find(root, "eResponse.13")
    node.addnext(etree.fromstring(etree.tostring(node)))


def damage_text(root: etree._Element) -> None:
    find(root, "eVitals").text = "Mary Jones"


def damage_attribute(root: etree._Element) -> None:
    find(root, "eVitals.06").set("note", "Mary Jones")


def damage_uuid(root: etree._Element) -> None:
    del find(root, "PatientCareReport").attrib["UUID"]


def damage_uuid_value(root: etree._Element) -> None:
    find(root, "PatientCareReport").set("UUID", "Mary Jones")


def damage_not_value(root: etree._Element) -> None:
    find(root, "eArrest.01").set("NV", "7701005")


def damage_pertinent_negative(root: etree._Element) -> None:
    find(root, "eVitals.10").set("PN", "8801031")


def damage_nil_mandatory(root: etree._Element) -> None:
    node = find(root, "eResponse.13")
    node.set(XSI_NIL, "true")
    node.text = None


def damage_nil_content(root: etree._Element) -> None:
    find(root, "eArrest.01").text = " "


def damage_type(root: etree._Element) -> None:
    find(root, "eVitals").set("{http://www.w3.org/2001/XMLSchema-instance}type", "eLabs")


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (damage_wrong_root, FindingCode.WRONG_ROOT),
        (damage_foreign_element, FindingCode.UNEXPECTED_ELEMENT),
        (damage_order, FindingCode.OUT_OF_ORDER),
        (damage_repeat, FindingCode.TOO_MANY),
        (damage_text, FindingCode.UNEXPECTED_TEXT),
        (damage_attribute, FindingCode.UNEXPECTED_ATTRIBUTE),
        (damage_uuid, FindingCode.MISSING_ATTRIBUTE),
        (damage_uuid_value, FindingCode.INVALID_ATTRIBUTE),
        (damage_not_value, FindingCode.NOT_VALUE_NOT_PERMITTED),
        (damage_pertinent_negative, FindingCode.PERTINENT_NEGATIVE_NOT_PERMITTED),
        (damage_nil_mandatory, FindingCode.NIL_NOT_PERMITTED),
        (damage_nil_content, FindingCode.NIL_WITH_CONTENT),
        (damage_type, FindingCode.WRONG_TYPE),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_each_kind_of_damage_has_its_code_and_no_finding_quotes_the_document(damage, code: FindingCode) -> None:  # type: ignore[no-untyped-def]
    root = chart()
    damage(root)
    findings = validate_tree(root, DICTIONARY)
    assert code in {finding.code for finding in findings}
    assert not re.search("Mary|Jones", repr(findings))


def with_medication(value: str, code_type: str) -> etree._Element:
    entry = ElementValue(value=value, attributes={"CodeType": code_type})
    return build_document(
        document({}, (GroupInstance("eMedications.MedicationGroup", {"eMedications.03": [entry]}),)), DICTIONARY
    )


@pytest.mark.parametrize(
    ("value", "code_type", "rule"),
    [("12345678", "9924003", "nemSch_e143"), ("387458008", "9924005", "nemSch_e144")],
)
def test_a_drug_that_the_state_would_refuse(value: str, code_type: str, rule: str) -> None:
    finding = only_finding(with_medication(value, code_type))
    assert (finding.element_id, finding.code, finding.source) == ("eMedications.03", rule, FindingSource.NATIONAL)
    assert value not in finding.message


def test_a_correlation_id_that_stands_twice_is_found_at_each_place_beside_everything_else() -> None:
    vital = GroupInstance("eVitals.VitalGroup", recorded(eVitals_06="1200"), "c1")
    delays = [ElementValue(value="2208001"), ElementValue(value="2208003", correlation_id="c1")]
    found = validate_tree(build_document(document({"eResponse.08": delays}, (vital,)), DICTIONARY), DICTIONARY)
    assert [(finding.code, finding.path.removeprefix("PatientCareReport[1]/")) for finding in found] == [
        ("out_of_range", "eVitals/eVitals.VitalGroup[1]/eVitals.BloodPressureGroup/eVitals.06"),
        ("correlation_id_repeated", "eResponse/eResponse.08[2]"),
        ("correlation_id_repeated", "eVitals/eVitals.VitalGroup[1]"),
    ]


def test_two_reports_may_share_a_correlation_id() -> None:
    content = document({}, (GroupInstance("eVitals.VitalGroup", correlation_id="c1"),))
    root = build_document(DocumentContent(content.demographic, [*content.reports] * 2), DICTIONARY)
    assert validate_tree(root, DICTIONARY) == []


def test_a_result_names_a_custom_element_of_the_header() -> None:
    result = GroupInstance("eCustomResults.ResultsGroup", recorded(eCustomResults_01="yes", eCustomResults_02="dog"))
    finding = only_finding(build_document(document({}, (result,)), DICTIONARY))
    assert (finding.element_id, finding.code) == ("eCustomResults.02", "unknown_custom_element")
    assert finding.source is FindingSource.REFERENCES and "dog" not in finding.message


def replace(node: etree._Element, attributes: dict[str, str], text: str | None) -> None:
    node.attrib.clear()
    for name, value in attributes.items():
        node.set(name, value)
    node.text = text


@pytest.mark.parametrize(
    ("name", "attributes", "text", "rule"),
    [
        ("eArrest.01", {XSI_NIL: "true"}, None, "nemSch_e001"),
        ("eArrest.01", {"NV": "7701003"}, "3001001", "nemSch_e002"),
        ("eArrest.01", {"NV": "7701003", XSI_NIL: "1"}, None, "nemSch_e002"),
        ("eSituation.01", {"PN": "8801023"}, "2025-03-09T14:05:00-05:00", "nemSch_e003"),
        ("eSituation.01", {"PN": "8801029", XSI_NIL: "true"}, None, "nemSch_e004"),
        ("eSituation.10", {"PN": "8801031", XSI_NIL: "true"}, None, "nemSch_e005"),
        ("eMedications.03", {"PN": "8801001", XSI_NIL: "true"}, None, "nemSch_e006"),
        ("eProcedures.03", {"PN": "8801001", XSI_NIL: "true"}, None, "nemSch_e007"),
        ("eVitals.06", {"PN": "8801019"}, "120", "nemSch_e008"),
        ("eVitals.06", {"PN": "8801019", "NV": "7701001", XSI_NIL: "true"}, None, "nemSch_e008"),
        ("eSituation.18", {"PN": "8801023"}, "2025-03-09T14:05:00-05:00", "nemSch_e188"),
        ("eArrest.14", {"PN": "8801023"}, "2025-03-09T14:05:00-05:00", "nemSch_e189"),
        ("ePatient.15", {"PN": "8801029", XSI_NIL: "true"}, None, "nemSch_e190"),
        ("eSituation.18", {"PN": "8801029", XSI_NIL: "true"}, None, "nemSch_e191"),
        ("eArrest.14", {"PN": "8801029", XSI_NIL: "true"}, None, "nemSch_e192"),
    ],
)
def test_what_the_xsd_cannot_see_is_a_national_finding(
    name: str, attributes: dict[str, str], text: str | None, rule: str
) -> None:
    root = chart()
    node = find(root, name)
    replace(node, attributes, text)
    finding = only_finding(root)
    assert (finding.element_id, finding.code, finding.source) == (name, rule, FindingSource.NATIONAL)


@pytest.mark.parametrize(
    ("name", "attributes", "text"),
    [
        ("eVitals.06", {"PN": "8801019", XSI_NIL: "true"}, None),
        ("eMedications.03", {"PN": "8801001"}, "1191"),
        ("ePatient.15", {"PN": "8801029"}, "40"),
        ("eArrest.01", {"NV": "7701001", XSI_NIL: "true"}, None),
    ],
)
def test_pertinent_negatives_in_their_right_form_pass(name: str, attributes: dict[str, str], text: str | None) -> None:
    root = chart()
    node = find(root, name)
    replace(node, attributes, text)
    assert validate_tree(root, DICTIONARY) == []
