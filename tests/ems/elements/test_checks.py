"""What may be saved: one test per rule, and the promise that no message repeats what was sent."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ems.elements import (
    ElementProblem,
    ElementValue,
    Owner,
    ProblemCode,
    Violation,
    check_elements,
    check_group_attributes,
    load_dictionary,
    owner_of,
    repeating_group_of,
)

DICTIONARY = load_dictionary()
Code = ProblemCode | Violation


def check(
    values: Mapping[str, Sequence[ElementValue]],
    owner: Owner | None = None,
    group: str | None = None,
    columns: frozenset[str] = frozenset(),
) -> list[ElementProblem]:
    return check_elements(values, dictionary=DICTIONARY, owner=owner, group=group, columns=columns)


def check_at_home(
    element_id: str, *entries: ElementValue, columns: frozenset[str] = frozenset()
) -> list[ElementProblem]:
    group = repeating_group_of(element_id)
    owner = owner_of(element_id) if group is None else None
    return check({element_id: list(entries)}, owner, group, columns)


def codes(problems: Sequence[ElementProblem]) -> list[Code]:
    return [problem.code for problem in problems]


VALID = [
    ("eResponse.08", [ElementValue(value="2208001"), ElementValue(value="2208003", correlation_id="d1")]),
    ("eResponse.03", [ElementValue(not_value="7701003")]),
    ("eVitals.06", [ElementValue(pertinent_negative="8801019")]),
    ("eVitals.16", [ElementValue(value="35", attributes={"ETCO2Type": "3340001"})]),
    ("eMedications.03", [ElementValue(value="1191", pertinent_negative="8801001")]),
    ("eMedications.03", [ElementValue(value="71493000", attributes={"CodeType": "9924005"})]),
    ("eSituation.01", [ElementValue(value="2025-03-09T14:05:00-05:00", pertinent_negative="8801029")]),
    ("eSituation.01", [ElementValue(pertinent_negative="8801023")]),
    ("eExam.12", [ElementValue(value="3512001", pertinent_negative="8801005")]),
    ("eCustomResults.01", [ElementValue(value="anything", pertinent_negative="8801005")]),
    ("eCustomResults.01", [ElementValue(pertinent_negative="8801005")]),
    ("eCustomConfiguration.03", [ElementValue(value="9902009")]),
]


@pytest.mark.parametrize(("element_id", "entries"), VALID)
def test_what_may_be_saved(element_id: str, entries: list[ElementValue]) -> None:
    assert check_at_home(element_id, *entries) == []


REFUSED: list[tuple[str, list[ElementValue], Code, str]] = [
    (
        "eMedications.03",
        [ElementValue(value="387458008", attributes={"CodeType": "9924005"})],
        ProblemCode.NATIONAL_RULE,
        "eMedications.03[0].value",
    ),
    ("eResponse.08", [], ProblemCode.EMPTY_LIST, "eResponse.08"),
    ("eResponse.03", [ElementValue(value="123")] * 2, ProblemCode.TOO_MANY, "eResponse.03"),
    ("eResponse.03", [ElementValue()], ProblemCode.NOTHING_GIVEN, "eResponse.03[0]"),
    (
        "eResponse.08",
        [ElementValue(value="2208001"), ElementValue(value="2208001", not_value="7701001")],
        ProblemCode.NOT_VALUE_NOT_ALONE,
        "eResponse.08[1].not_value",
    ),
    (
        "eVitals.06",
        [ElementValue(not_value="7701001", pertinent_negative="8801019")],
        ProblemCode.NOT_VALUE_NOT_ALONE,
        "eVitals.06[0].not_value",
    ),
    (
        "eResponse.03",
        [ElementValue(not_value="7701005")],
        ProblemCode.NOT_VALUE_NOT_PERMITTED,
        "eResponse.03[0].not_value",
    ),
    ("eTimes.03", [ElementValue(not_value="7701003")], ProblemCode.NOT_VALUE_NOT_PERMITTED, "eTimes.03[0].not_value"),
    (
        "eVitals.01",
        [ElementValue(pertinent_negative="8801019")],
        ProblemCode.PERTINENT_NEGATIVE_NOT_PERMITTED,
        "eVitals.01[0].pertinent_negative",
    ),
    (
        "eVitals.06",
        [ElementValue(value="120", pertinent_negative="8801019")],
        ProblemCode.PERTINENT_NEGATIVE_EXCLUDES_VALUE,
        "eVitals.06[0].pertinent_negative",
    ),
    (
        "eMedications.03",
        [ElementValue(pertinent_negative="8801001")],
        ProblemCode.PERTINENT_NEGATIVE_NEEDS_VALUE,
        "eMedications.03[0].pertinent_negative",
    ),
    (
        "eExam.12",
        [ElementValue(pertinent_negative="8801005")],
        ProblemCode.PERTINENT_NEGATIVE_NEEDS_VALUE,
        "eExam.12[0].pertinent_negative",
    ),
    ("eVitals.06", [ElementValue(value="501")], Violation.OUT_OF_RANGE, "eVitals.06[0].value"),
    ("eResponse.03", [ElementValue(value="12\x003")], Violation.ILLEGAL_CHARACTER, "eResponse.03[0].value"),
    ("eResponse.03", [ElementValue(value="12\ud8003")], Violation.ILLEGAL_CHARACTER, "eResponse.03[0].value"),
    ("eResponse.08", [ElementValue(value="9999999")], Violation.NOT_IN_LIST, "eResponse.08[0].value"),
    (
        "eVitals.06",
        [ElementValue(value="120", attributes={"CodeType": "9924003"})],
        ProblemCode.ATTRIBUTE_UNKNOWN,
        "eVitals.06[0].attributes",
    ),
    (
        "eResponse.08",
        [ElementValue(value="2208001", attributes={"CorrelationID": "d1"})],
        ProblemCode.ATTRIBUTE_UNKNOWN,
        "eResponse.08[0].attributes",
    ),
    (
        "eMedications.03",
        [ElementValue(value="1191", attributes={"CodeType": "9924001"})],
        Violation.NOT_IN_LIST,
        "eMedications.03[0].attributes.CodeType",
    ),
    (
        "eResponse.03",
        [ElementValue(value="123", correlation_id="d1")],
        ProblemCode.CORRELATION_ID_NOT_PERMITTED,
        "eResponse.03[0].correlation_id",
    ),
    (
        "eResponse.08",
        [ElementValue(value="2208001", correlation_id="d")],
        Violation.WRONG_LENGTH,
        "eResponse.08[0].correlation_id",
    ),
]


@pytest.mark.parametrize(("element_id", "entries", "code", "path"), REFUSED)
def test_what_may_not(element_id: str, entries: list[ElementValue], code: Code, path: str) -> None:
    problems = check_at_home(element_id, *entries)
    assert [(problem.element_id, problem.code, problem.path) for problem in problems] == [(element_id, code, path)]
    assert problems[0].message.startswith(DICTIONARY.elements[element_id].name)


def test_every_rule_has_a_case() -> None:
    elsewhere = {ProblemCode.UNKNOWN_ELEMENT, ProblemCode.WRONG_OWNER, ProblemCode.VALUE_HAS_A_FIELD}
    assert {code for _, _, code, _ in REFUSED} | elsewhere >= set(ProblemCode)


def test_an_unknown_element_is_named_only_when_it_looks_like_one() -> None:
    problems = check({"eVitals.99": [], "Mrs Jones": []}, Owner.VITAL)
    assert [(problem.element_id, problem.code) for problem in problems] == [
        ("eVitals.99", ProblemCode.UNKNOWN_ELEMENT),
        ("unknown", ProblemCode.UNKNOWN_ELEMENT),
    ]


@pytest.mark.parametrize(
    ("element_id", "owner", "group", "named"),
    [
        ("eVitals.06", Owner.INCIDENT, None, "vital signs"),
        ("eScene.08", Owner.INCIDENT, None, "the patient"),
        ("eCrew.01", Owner.INCIDENT, None, "the crew"),
        ("eLabs.04", None, "eLabs.LabGroup", "eLabs.LabResultGroup"),
        ("ePatient.02", None, "ePayment.InsuranceGroup", "the patient"),
        ("eCustomConfiguration.03", Owner.TENANT, None, "eCustomConfiguration.CustomGroup"),
    ],
)
def test_an_element_away_from_home_is_sent_there(
    element_id: str, owner: Owner | None, group: str | None, named: str
) -> None:
    value = ElementValue(value=next(iter(DICTIONARY.elements[element_id].type.codes), "120"))
    (problem,) = check({element_id: [value]}, owner, group)
    assert problem.code is ProblemCode.WRONG_OWNER
    assert named in problem.message


COLUMNS = frozenset({"eVitals.06", "eVitals.07", "eVitals.16", "eMedications.03", "ePatient.15"})


@pytest.mark.parametrize(
    ("element_id", "entry"),
    [
        ("eVitals.06", ElementValue(not_value="7701003")),
        ("eVitals.06", ElementValue(pertinent_negative="8801019")),
        ("ePatient.15", ElementValue(pertinent_negative="8801029")),
        ("eVitals.16", ElementValue(attributes={"ETCO2Type": "3340001"})),
        ("eMedications.03", ElementValue(value="71493000", attributes={"CodeType": "9924005"})),
        ("eVitals.07", ElementValue(value="P")),
    ],
)
def test_beside_a_column_only_what_the_column_cannot_say_may_stand(element_id: str, entry: ElementValue) -> None:
    assert check_at_home(element_id, entry, columns=COLUMNS) == []


@pytest.mark.parametrize(
    ("element_id", "entry", "expected"),
    [
        ("eVitals.06", ElementValue(value="120"), ProblemCode.VALUE_HAS_A_FIELD),
        ("eVitals.07", ElementValue(value="80"), ProblemCode.VALUE_HAS_A_FIELD),
        ("eMedications.03", ElementValue(value="1191"), ProblemCode.VALUE_HAS_A_FIELD),
        (
            "eMedications.03",
            ElementValue(value="1191", attributes={"CodeType": "9924003"}),
            ProblemCode.VALUE_HAS_A_FIELD,
        ),
        ("eVitals.06", ElementValue(), ProblemCode.NOTHING_GIVEN),
    ],
)
def test_a_value_that_has_a_column_belongs_there(element_id: str, entry: ElementValue, expected: Code) -> None:
    assert codes(check_at_home(element_id, entry, columns=COLUMNS)) == [expected]


@pytest.mark.parametrize("arguments", [{}, {"owner": Owner.VITAL, "group": "eLabs.LabGroup"}])
def test_the_caller_says_whose_elements_they_are(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="owner or for a group"):
        check_elements({}, dictionary=DICTIONARY, **arguments)  # type: ignore[arg-type]


def test_a_groups_own_attributes() -> None:
    group = "eAirway.ConfirmationGroup"
    good = {"CorrelationID": "c1", "ProcedureGroupCorrelationID": "c2"}
    assert check_group_attributes(group, good, dictionary=DICTIONARY) == []
    problems = check_group_attributes(group, {"CorrelationID": "c", "Other": "1"}, dictionary=DICTIONARY)
    assert codes(problems) == [Violation.WRONG_LENGTH, ProblemCode.ATTRIBUTE_UNKNOWN]


SECRET = "Zx" + "q" * 40


@given(
    element_id=st.sampled_from(list(DICTIONARY.elements)),
    field=st.sampled_from(["value", "not_value", "pertinent_negative", "correlation_id", "attribute", "key"]),
)
def test_no_problem_repeats_what_was_sent(element_id: str, field: str) -> None:
    if field == "key":
        problems = check({SECRET: [ElementValue(value="1")]}, Owner.PATIENT)
    elif field == "attribute":
        problems = check_at_home(element_id, ElementValue(attributes={SECRET: SECRET, "CodeType": SECRET}))
    else:
        problems = check_at_home(element_id, ElementValue.model_validate({field: SECRET}))
    assert SECRET not in repr(problems)
