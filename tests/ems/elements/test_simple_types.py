"""Verdicts on values, against libxml2 as the independent judge, and against a table of the fine print."""

from functools import cache
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from app.ems.elements import Facets, SimpleType, Violation, has_illegal_character, load_dictionary
from app.ems.elements.simple_types import compiled_pattern
from tests.nemsis.support.full_document import PATTERN_EXAMPLES
from tests.nemsis.support.mutations import DAYS, MOMENTS, NUMBERS, TEXTS

TYPES = load_dictionary().types
XSD_FACETS = {
    "pattern": "pattern",
    "length": "length",
    "minLength": "min_length",
    "maxLength": "max_length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
    "minInclusive": "min_inclusive",
    "maxInclusive": "max_inclusive",
}


@cache
def libxml2_schema(name: str) -> etree.XMLSchema:
    """A one-element schema of the type, shaped as in NEMSIS: a restriction inside simple content."""
    type_ = TYPES[name]
    present = {theirs: getattr(type_.facets, ours) for theirs, ours in XSD_FACETS.items()}
    facets = "".join(f"<xs:{k} value={quoteattr(str(v))}/>" for k, v in present.items() if v is not None)
    facets += "".join(f"<xs:enumeration value={quoteattr(code)}/>" for code in type_.codes)
    return etree.XMLSchema(
        etree.fromstring(
            f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
            <xs:simpleType name="T"><xs:restriction base="xs:{type_.base}">{facets}</xs:restriction></xs:simpleType>
            <xs:element name="e"><xs:complexType><xs:simpleContent><xs:extension base="T"/></xs:simpleContent>
            </xs:complexType></xs:element></xs:schema>"""
        )
    )


def libxml2_accepts(name: str, value: str) -> bool:
    node = etree.Element("e")
    node.text = value
    return libxml2_schema(name).validate(node)


def moments() -> st.SearchStrategy[str]:
    number = st.sampled_from
    return st.builds(
        "{}{}-{}-{}T{}:{}:{}{}{}{}".format,
        number(["", " ", "\n"]),
        number(["1949", "1950", "2024", "2049", "2050", "0000", "02024", "-2024"]),
        number(["01", "02", "12", "13", "1"]),
        number(["01", "28", "29", "30", "31", "00"]),
        number(["00", "05", "12", "19", "23", "24"]),
        number(["00", "59", "60"]),
        number(["00", "59", "60"]),
        number(["", ".5", ".0", ".", ".9999999999999999999"]),
        number(["", "Z", "+00:00", "-00:00", "+01:00", "-05:00", "+14:00", "-14:01", "+00:01"]),
        number(["", " "]),
    )


def values_for(type_: SimpleType) -> st.SearchStrategy[str]:
    numeric = st.from_regex(r"[ \n]?[+-]?[0-9]{0,5}(\.[0-9]{0,4})?[ \t]?", fullmatch=True)
    anything = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
    tables = st.sampled_from([*NUMBERS, *MOMENTS, *DAYS, *TEXTS, *(v for vs in PATTERN_EXAMPLES.values() for v in vs)])
    own = [numeric] if type_.base in ("integer", "decimal", "positiveInteger") else [anything]
    if type_.base in ("dateTime", "date"):
        own = [moments()]
    if type_.codes:
        own.append(st.sampled_from(list(type_.codes)))
    if type_.facets.pattern is not None and type_.base == "string":
        own.append(st.from_regex(compiled_pattern(type_.facets.pattern), fullmatch=True))
    if type_.base == "base64Binary":
        own.append(st.text(alphabet="AQgwIU+/= \n!", max_size=10))
    longest = type_.facets.max_length or type_.facets.length
    if longest is not None and longest < 1000:
        own.append(st.sampled_from(["x" * (longest + change) for change in (-1, 0, 1)]))
    return st.one_of(tables, *own)


CASES = st.sampled_from(sorted(TYPES)).flatmap(lambda name: st.tuples(st.just(name), values_for(TYPES[name])))


@settings(max_examples=1500, deadline=None)
@given(CASES)
def test_verdicts_equal_libxml2(case: tuple[str, str]) -> None:
    name, value = case
    if not has_illegal_character(value):  # such a value cannot even be put into a document
        assert (TYPES[name].violation(value) is None) == libxml2_accepts(name, value)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_type_agrees_with_libxml2_on_the_tables(name: str) -> None:
    type_ = TYPES[name]
    pool = [*NUMBERS, *MOMENTS, *DAYS, *TEXTS, *(value for values in PATTERN_EXAMPLES.values() for value in values)]
    pool += [*list(type_.codes)[:3], *(f" {code}" for code in list(type_.codes)[:1])]
    disagreements = [v for v in pool if (type_.violation(v) is None) != libxml2_accepts(name, v)]
    assert disagreements == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DateTimeType", "2024-01-01T00:00:00Z", Violation.WRONG_FORM),
        ("DateTimeType", "2024-01-01T00:00:00", Violation.WRONG_FORM),
        ("DateTimeType", "2024-02-30T00:00:00-05:00", Violation.WRONG_FORM),
        ("DateTimeType", "2016-12-31T23:59:60+00:00", Violation.WRONG_FORM),
        ("DateTimeType", "2024-01-01T24:00:00+00:00", None),
        ("DateTimeType", "2050-01-01T00:00:00-00:00", None),
        ("DateTimeType", "2050-01-01T00:00:00-05:00", Violation.OUT_OF_RANGE),
        ("DateTimeType", "2049-12-31T19:00:00-05:00", None),
        ("DateTimeType", "1949-12-31T23:59:59+00:00", Violation.OUT_OF_RANGE),
        ("DateOfBirth", "1890-01-01", None),
        ("DateOfBirth", "1889-12-31", Violation.OUT_OF_RANGE),
        ("DateOfBirth", "2050-01-01Z", Violation.OUT_OF_RANGE),
        ("SBP", "500", None),
        ("SBP", "501", Violation.OUT_OF_RANGE),
        ("SBP", "120.0", Violation.WRONG_FORM),
        ("MedicationDosage", "0.1255", Violation.TOO_MANY_DIGITS),
        ("MedicationDosage", "0.1250", None),
        ("MedicationDosage", "1,000", Violation.WRONG_FORM),
        ("BodyTemperature", "37.25", Violation.TOO_MANY_DIGITS),
        ("ZIP", "06810\n", Violation.WRONG_FORM),
        ("YesNoValues", " 9923001", Violation.NOT_IN_LIST),
        ("PersonLastName", "", Violation.WRONG_LENGTH),
        ("PersonLastName", "😀" * 60, None),
        ("PersonLastName", "x" * 61, Violation.WRONG_LENGTH),
        ("UUID", "01933b2e-2b4d-7e6f-9a0b-1c2d3e4f5a6b", Violation.WRONG_FORM),
        ("WaveformGraphic", "QUJ", Violation.WRONG_FORM),
    ],
)
def test_the_fine_print(name: str, value: str, expected: Violation | None) -> None:
    assert TYPES[name].violation(value) is expected


def test_a_union_takes_what_any_member_takes() -> None:
    code_type = load_dictionary().elements["eMedications.03"].attributes["CodeType"].type
    assert code_type.violation("9924003") is None
    assert code_type.violation("9924005") is None
    assert code_type.violation("9924001") is Violation.NOT_IN_LIST


def test_xsd_patterns_are_anchored_and_literal_where_python_is_not() -> None:
    assert compiled_pattern(".+@.+").fullmatch("a@b\rc") is None
    assert compiled_pattern("a^b$[.]").fullmatch("a^b$.")
    assert compiled_pattern(r"\.").fullmatch("x") is None


@pytest.mark.parametrize("pattern", [r"\c+", r"\p{L}", "[a-z-[aeiou]]", r"\w"])
def test_an_untranslatable_pattern_is_refused_when_the_type_is_made(pattern: str) -> None:
    with pytest.raises(ValueError, match="no translation"):
        SimpleType("Odd", facets=Facets(pattern=pattern))


def test_a_base_without_a_judge_is_refused_when_the_type_is_made() -> None:
    with pytest.raises(ValueError, match="no judge"):
        SimpleType("Odd", base="gYear")


@pytest.mark.parametrize("text", ["a\x00b", "\x0b", "\ud800", "\ufffe", "\x1f"])
def test_characters_that_xml_cannot_carry(text: str) -> None:
    assert has_illegal_character(text)


def test_ordinary_text_can_be_carried() -> None:
    assert not has_illegal_character("Ünïcode 😀\t\r\n\u2028\x85")
