"""Content to document and back: what was recorded is written where it belongs, and what was not is never invented."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from app.ems.elements import (
    BUILDS,
    NOT_APPLICABLE,
    NOT_RECORDED,
    ElementValue,
    GroupDefinition,
    Usage,
    load_dictionary,
)
from app.nemsis.blanks import NOT_APPLICABLE_RULES
from app.nemsis.content import DocumentContent, DocumentContentError, GroupInstance, ReportContent
from app.nemsis.document import build_document, nemsis_datetime, serialize
from app.nemsis.reader import read_document
from app.nemsis.tree import XSI_NIL, attributes, parse_document
from app.nemsis.validator import FindingCode, validate_tree
from tests.nemsis.support.charts import DEMOGRAPHIC, MANDATORY, REPORT_UUID, document, mandatory_elements, recorded
from tests.nemsis.support.full_document import full_document
from tests.nemsis.support.official import ems_documents, needs_official_files, official_schema, parse

DICTIONARY = load_dictionary()
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def facts(root: etree._Element) -> list[tuple[str, str, dict[str, str]]]:
    """Every element with its text and attributes, in order; the layout and the schema's address are not content."""
    return [
        (
            str(node.tag),
            "" if len(node) else node.text or "",
            {name: value for name, value in attributes(node) if name != SCHEMA_LOCATION},
        )
        for node in root.iter("*")
    ]


def find(root: etree._Element, name: str) -> list[etree._Element]:
    return list(root.iter(f"{{{DICTIONARY.namespace}}}{name}"))


def not_value_of(root: etree._Element, name: str) -> str | None:
    (node,) = find(root, name)
    assert (node.get(XSI_NIL), node.text) == ("true", None)
    return node.get("NV")


@needs_official_files
@pytest.mark.parametrize(
    "path",
    ems_documents("example_ems.xml", "pretesting_2025/national", "pretesting_2025/full"),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_official_documents_survive_the_round_trip(path) -> None:  # type: ignore[no-untyped-def]
    original = parse(path)
    content = read_document(original, DICTIONARY)
    built = build_document(content, DICTIONARY)
    assert facts(built) == facts(original)
    assert read_document(built, DICTIONARY) == content
    assert official_schema(DICTIONARY.build).validate(built.getroottree())
    assert validate_tree(built, DICTIONARY) == validate_tree(original, DICTIONARY)


@needs_official_files
def test_an_older_chart_gets_what_the_target_build_added() -> None:
    """The official 3.5.0-era samples lack ePatient.25, which 3.5.1.251001CP2 requires; rebuilding marks it."""
    paths = ems_documents("ems")
    assert len(paths) == 12
    for path in paths:
        built = build_document(read_document(parse(path), DICTIONARY), DICTIONARY)
        assert official_schema(DICTIONARY.build).validate(built.getroottree())
        assert not_value_of(built, "ePatient.25") in (NOT_RECORDED, NOT_APPLICABLE)
        assert len(facts(built)) == len(facts(parse(path))) + 1


@pytest.mark.parametrize("seed", range(5))
def test_a_document_with_every_element_survives_the_round_trip(seed: int) -> None:
    original = full_document(DICTIONARY, seed)
    built = build_document(read_document(original, DICTIONARY), DICTIONARY)
    assert facts(built) == facts(original)


@pytest.mark.parametrize("build", BUILDS)
def test_a_report_of_nothing_but_mandatory_elements_is_valid(build: str) -> None:
    dictionary = load_dictionary(build)
    needed = {e.id for e in dictionary.elements.values() if e.usage is Usage.MANDATORY and e.min_occurs}
    chart_level = {name for name in needed if not name.startswith(("dAgency", "eCustom"))}
    assert chart_level == MANDATORY.keys()
    root = build_document(document(), dictionary)
    assert validate_tree(root, dictionary) == []


@needs_official_files
@pytest.mark.parametrize("build", BUILDS)
def test_the_xsd_accepts_the_same_report(build: str) -> None:
    root = build_document(document(), load_dictionary(build))
    schema = official_schema(build)
    assert schema.validate(parse_document(serialize(root)).getroottree()), schema.error_log


def test_required_blanks_are_marked_and_always_present_groups_stand_empty() -> None:
    root = build_document(document(), DICTIONARY)
    for element in DICTIONARY.elements.values():
        within = [DICTIONARY.groups[name] for name in element.group_path[3:]]
        always_present = all(group.min_occurs for group in within)
        if element.usage is Usage.REQUIRED and element.min_occurs and always_present:
            assert not_value_of(root, element.id) in (NOT_RECORDED, NOT_APPLICABLE)
        elif element.usage in (Usage.RECOMMENDED, Usage.OPTIONAL):
            assert find(root, element.id) == []
    for group in ("eVitals.VitalGroup", "eProtocols.ProtocolGroup", "eMedications.MedicationGroup"):
        assert len(find(root, group)) == 1
    for section in ("eCrew", "eLabs", "eExam", "eAirway", "eDevice", "eCustomResults", "eOther", "eNarrative"):
        assert find(root, section) == []


@pytest.mark.parametrize("missing", sorted(MANDATORY))
def test_a_blank_mandatory_element_is_left_out_and_reported(missing: str) -> None:
    elements = {name: entries for name, entries in mandatory_elements().items() if name != missing}
    root = build_document(DocumentContent(DEMOGRAPHIC, [ReportContent(REPORT_UUID, elements)]), DICTIONARY)
    assert find(root, missing) == []
    assert [(f.element_id, f.code) for f in validate_tree(root, DICTIONARY)] == [(missing, FindingCode.MISSING)]


def test_an_entry_that_says_nothing_is_a_blank() -> None:
    root = build_document(document({"eArrest.01": [ElementValue()], "eNarrative.01": [ElementValue()]}), DICTIONARY)
    assert not_value_of(root, "eArrest.01") == NOT_RECORDED
    assert find(root, "eNarrative") == []


@pytest.mark.parametrize(
    ("condition", "covered", "untouched"),
    [
        (("eArrest.01", "3001001"), ["eArrest.02", "eArrest.22"], ["eInjury.01", "eHistory.01"]),
        (("eSituation.02", "9922001"), ["eInjury.01", "eInjury.04"], ["eArrest.02"]),
        (("eScene.07", "9923001"), ["eScene.08"], ["eScene.09"]),
        (("eResponse.05", "2205001"), ["eSituation.20"], ["eSituation.09"]),
        (
            ("eDisposition.30", "4230013"),
            ["eDisposition.21", "eDisposition.24", "eTimes.11", "eOutcome.12"],
            ["eTimes.06"],
        ),
        (
            ("eDisposition.27", "4227009"),
            ["ePatient.25", "eVitals.06", "eMedications.03", "eDisposition.28"],
            ["eScene.09"],
        ),
        (("eDisposition.27", "4227005"), ["eScene.09", "eTimes.06", "eOutcome.01"], ["eResponse.08", "eTimes.05"]),
    ],
)
def test_what_the_call_rules_out_is_not_applicable(
    condition: tuple[str, str], covered: list[str], untouched: list[str]
) -> None:
    element_id, code = condition
    assert code in DICTIONARY.elements[element_id].type.codes
    root = build_document(document({element_id: [ElementValue(value=code)]}), DICTIONARY)
    assert {name: not_value_of(root, name) for name in covered} == dict.fromkeys(covered, NOT_APPLICABLE)
    assert {name: not_value_of(root, name) for name in untouched} == dict.fromkeys(untouched, NOT_RECORDED)
    assert validate_tree(root, DICTIONARY) == []


def test_a_rule_inside_a_group_looks_at_its_own_instance() -> None:
    name = "eDisposition.HospitalTeamActivationGroup"
    alerts = [GroupInstance(name, recorded(eDisposition_24=code)) for code in ("4224001", "4224013")]
    root = build_document(document(groups=tuple(alerts)), DICTIONARY)
    assert [node.get("NV") for node in find(root, "eDisposition.25")] == [NOT_APPLICABLE, NOT_RECORDED]


def test_every_rule_speaks_of_codes_and_elements_that_exist() -> None:
    sections = {element.section for element in DICTIONARY.elements.values()}
    for rule in NOT_APPLICABLE_RULES:
        asked = DICTIONARY.elements[rule.element_id]
        assert rule.codes <= asked.type.codes.keys() | asked.pertinent_negatives.keys()
        assert rule.sections <= sections
        for element_id in rule.elements:
            assert NOT_APPLICABLE in DICTIONARY.elements[element_id].not_values


def test_recorded_answers_outweigh_the_rules() -> None:
    root = build_document(document(recorded(eArrest_01="3001001", eArrest_02="3002001")), DICTIONARY)
    assert [node.text for node in find(root, "eArrest.02")] == ["3002001"]


def test_values_not_values_and_pertinent_negatives_take_their_form() -> None:
    vital = GroupInstance(
        "eVitals.VitalGroup",
        {
            "eVitals.06": [ElementValue(pertinent_negative="8801019")],
            "eVitals.16": [ElementValue(value="35", attributes={"ETCO2Type": "3340001"})],
        },
        correlation_id="v1",
    )
    medication = GroupInstance(
        "eMedications.MedicationGroup",
        {
            "eMedications.03": [
                ElementValue(value="1191", pertinent_negative="8801001", attributes={"CodeType": "9924003"})
            ]
        },
    )
    elements = {
        "eResponse.03": [ElementValue(not_value="7701001")],
        "eResponse.08": [ElementValue(value="2208001", correlation_id="d1")],
    }
    root = build_document(document(elements, (medication, vital)), DICTIONARY)
    assert validate_tree(root, DICTIONARY) == []
    assert dict(attributes(find(root, "eVitals.VitalGroup")[0])) == {"CorrelationID": "v1"}
    assert dict(attributes(find(root, "eVitals.06")[0])) == {XSI_NIL: "true", "PN": "8801019"}
    assert dict(attributes(find(root, "eVitals.16")[0])) == {"ETCO2Type": "3340001"}
    assert dict(attributes(find(root, "eMedications.03")[0])) == {"PN": "8801001", "CodeType": "9924003"}
    assert find(root, "eMedications.03")[0].text == "1191"
    assert dict(attributes(find(root, "eResponse.03")[0])) == {XSI_NIL: "true", "NV": "7701001"}
    assert dict(attributes(find(root, "eResponse.08")[0])) == {"CorrelationID": "d1"}


def test_nested_groups_and_custom_elements_stand_where_they_belong() -> None:
    result = GroupInstance("eLabs.LabResultGroup", recorded(eLabs_03="3403001", eLabs_04="1.2"))
    lab = GroupInstance("eLabs.LabGroup", recorded(eLabs_02="9923003"), children=(result, result))
    seat = GroupInstance("eInjury.SeatGroup", recorded(eInjury_27="Y"))
    custom = GroupInstance(
        "eCustomConfiguration.CustomGroup",
        recorded(
            eCustomConfiguration_01="Stretcher",
            eCustomConfiguration_02="Which stretcher",
            eCustomConfiguration_03="9902009",
            eCustomConfiguration_04="9923001",
            eCustomConfiguration_05="9903007",
        ),
        attributes={"CustomElementID": "custom.1"},
    )
    content = document(groups=(seat, lab))
    root = build_document(DocumentContent(DEMOGRAPHIC, content.reports, (custom,)), DICTIONARY)
    assert validate_tree(root, DICTIONARY) == []
    assert [str(node.getparent().tag).partition("}")[2] for node in find(root, "eLabs.LabResultGroup")] == [  # type: ignore[union-attr]
        "eLabs.LabGroup"
    ] * 2
    assert str(find(root, "eInjury.SeatGroup")[0].getparent().tag).endswith("eInjury.CollisionGroup")  # type: ignore[union-attr]
    assert read_document(root, DICTIONARY).custom_configuration == (custom,)


SECRET = "Jones"


@pytest.mark.parametrize(
    ("elements", "groups"),
    [
        ({"eVitals.99": [ElementValue(value=SECRET)]}, ()),
        (recorded(eVitals_06=SECRET), ()),
        (recorded(dAgency_01=SECRET), ()),
        ({}, (GroupInstance("eVitals.VitalGroup", recorded(eArrest_01=SECRET)),)),
        ({}, (GroupInstance("eLabs.LabResultGroup", recorded(eLabs_04=SECRET)),)),
        ({}, (GroupInstance("eVitals.BloodPressureGroup", recorded(eVitals_06=SECRET)),)),
        ({}, (GroupInstance(SECRET),)),
        ({}, (GroupInstance("PatientCareReport"),)),
        ({}, (GroupInstance("eVitals.VitalGroup", attributes={"Note": SECRET}),)),
        ({"eArrest.01": [ElementValue(value="1", attributes={"Note": SECRET})]}, ()),
        (recorded(eNarrative_01=f"{SECRET}\x00"), ()),
    ],
)
def test_content_that_cannot_be_written_is_refused_and_not_quoted(
    elements: dict[str, list[ElementValue]], groups: tuple[GroupInstance, ...]
) -> None:
    with pytest.raises(DocumentContentError) as caught:
        build_document(document(elements, groups), DICTIONARY)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "custom", [GroupInstance("PatientCareReport"), GroupInstance("Header"), GroupInstance("eVitals.VitalGroup")]
)
def test_the_header_takes_only_custom_configuration(custom: GroupInstance) -> None:
    with pytest.raises(DocumentContentError):
        build_document(DocumentContent(DEMOGRAPHIC, document().reports, (custom,)), DICTIONARY)


@pytest.mark.parametrize(
    ("uuid", "accepted"),
    [
        ("8a3f1c9e-2b4d-4e6f-9a0b-1c2d3e4f5a6b", True),
        ("01933b2e-2b4d-7e6f-9a0b-1c2d3e4f5a6b", False),
        ("8a3f1c9e-2b4d-4e6f-ca0b-1c2d3e4f5a6b", False),
    ],
)
def test_a_report_has_a_uuid_that_nemsis_takes(uuid: str, accepted: bool) -> None:
    content = DocumentContent(DEMOGRAPHIC, [ReportContent(UUID(uuid), mandatory_elements())])
    if accepted:
        assert find(build_document(content, DICTIONARY), "PatientCareReport")[0].get("UUID") == uuid
    else:
        with pytest.raises(DocumentContentError, match="version 1 to 5"):
            build_document(content, DICTIONARY)


def test_serialised_documents_are_stable_and_say_which_build_they_follow() -> None:
    data = serialize(build_document(document(), DICTIONARY))
    assert data == serialize(build_document(document(), DICTIONARY))
    assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<EMSDataSet xmlns=\"http://www.nemsis.org\"")
    assert parse_document(data).get(SCHEMA_LOCATION) == (
        "http://www.nemsis.org https://nemsis.org/media/nemsis_v3/3.5.1.251001CP2/XSDs/NEMSIS_XSDs/EMSDataSet_v3.xsd"
    )


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (datetime(2025, 3, 9, 6, 59, 59, tzinfo=UTC), "America/New_York", "2025-03-09T01:59:59-05:00"),
        (datetime(2025, 3, 9, 7, 0, 0, tzinfo=UTC), "America/New_York", "2025-03-09T03:00:00-04:00"),
        (datetime(2025, 7, 1, 12, 0, 0, 250000, tzinfo=UTC), "UTC", "2025-07-01T12:00:00.250000+00:00"),
    ],
)
def test_moments_carry_the_agencys_numeric_offset(moment: datetime, zone: str, text: str) -> None:
    written = nemsis_datetime(moment, ZoneInfo(zone))
    assert written == text
    assert DICTIONARY.types["DateTimeType"].violation(written) is None


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        nemsis_datetime(datetime(2025, 3, 9), ZoneInfo("America/New_York"))


def unreadable() -> list[etree._Element]:
    namespace = DICTIONARY.namespace

    def changed(change) -> etree._Element:  # type: ignore[no-untyped-def]
        root = build_document(document(), DICTIONARY)
        change(root)
        return root

    return [
        etree.Element("EMSDataSet"),
        changed(lambda root: root.append(build_document(document(), DICTIONARY)[0])),
        changed(lambda root: etree.SubElement(find(root, "eVitals")[0], f"{{{namespace}}}{SECRET}")),
        changed(lambda root: find(root, "eArrest.01")[0].set(SECRET, SECRET)),
        changed(lambda root: setattr(find(root, "eVitals")[0], "text", SECRET)),
        changed(lambda root: setattr(find(root, "eArrest.01")[0], "text", SECRET)),
        changed(lambda root: etree.SubElement(find(root, "eArrest.01")[0], f"{{{namespace}}}eArrest.02")),
        changed(lambda root: find(root, "PatientCareReport")[0].set("UUID", SECRET)),
    ]


@pytest.mark.parametrize("root", unreadable())
def test_a_document_that_the_dictionary_has_no_place_for_is_refused(root: etree._Element) -> None:
    with pytest.raises(DocumentContentError) as caught:
        read_document(root, DICTIONARY)
    assert SECRET not in str(caught.value)


def instances(draw: st.DrawFn, group: GroupDefinition) -> GroupInstance:
    """An instance with some recorded codes; only coded elements, so that every drawn value is valid."""
    coded = [
        definition
        for definition in group.walk()
        if not isinstance(definition, GroupDefinition)
        and definition.type.codes
        and next(name for name in reversed(definition.group_path) if DICTIONARY.groups[name].repeats) == group.name
    ]
    chosen = draw(st.lists(st.sampled_from(coded), unique_by=lambda d: d.id, max_size=4)) if coded else []
    elements = {d.id: [ElementValue(value=draw(st.sampled_from(sorted(d.type.codes))))] for d in chosen}
    return GroupInstance(group.name, elements)


OUTERMOST = [
    group
    for group in DICTIONARY.groups.values()
    if group.repeats
    and "PatientCareReport" in group.path[:-1]
    and not any(DICTIONARY.groups[name].repeats for name in group.path[3:-1])
    and group.name != "eCustomResults.ResultsGroup"  # its eCustomResults.02 is Mandatory free text
]


@st.composite
def contents(draw: st.DrawFn) -> DocumentContent:
    report = instances(draw, DICTIONARY.groups["PatientCareReport"])
    groups = [instances(draw, draw(st.sampled_from(OUTERMOST))) for _ in range(draw(st.integers(0, 5)))]
    order = {group.name: position for position, group in enumerate(OUTERMOST)}
    groups.sort(key=lambda instance: order[instance.name])
    return document({name: list(entries) for name, entries in report.elements.items()}, tuple(groups))


@settings(max_examples=60, deadline=None)
@given(contents())
def test_whatever_is_recorded_the_document_is_valid_and_holds_it(content: DocumentContent) -> None:
    root = build_document(content, DICTIONARY)
    assert validate_tree(root, DICTIONARY) == []
    (read,) = read_document(root, DICTIONARY).reports
    (report,) = content.reports
    for element_id, entries in report.elements.items():
        assert list(read.elements[element_id]) == list(entries)
    for instance in report.groups:
        matching = [other for other in read.groups if other.name == instance.name]
        assert any(dict(other.elements).items() >= dict(instance.elements).items() for other in matching)
