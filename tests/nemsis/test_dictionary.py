"""GET nemsis/dictionary: enough of the standard for a device to judge values while it is offline."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from app.ems.public import TARGET_BUILD, load_dictionary
from app.nemsis.dictionary.service import read_elements
from tests.support.actors import Agency
from tests.support.every_element import CANDIDATES

ODD = (
    "",
    "x",
    "0",
    "1",
    "-1",
    "501",
    "1.5",
    "1.55",
    "0.0001",
    "9" * 14,
    "A" * 51,
    "A" * 256,
    "A" * 10_001,
    "P",
    "High",
)


async def test_dictionary_by_section(agency: Agency) -> None:
    answer = await agency.medic.expect(200, "GET", "nemsis/dictionary?section=eVitals")
    heart_rate = next(element for element in answer["elements"] if element["id"] == "eVitals.10")
    assert heart_rate["internal_field"] == "vital.heart_rate"
    assert heart_rate["owner"] == "vital"
    whole = await agency.medic.expect(200, "GET", "nemsis/dictionary")
    assert len(whole["elements"]) == 453
    assert (await agency.medic.expect(200, "GET", "nemsis/dictionary?section=eNothing"))["elements"] == []


async def test_an_answer_is_asked_about_again(agency: Agency) -> None:
    first = await agency.medic.get("nemsis/dictionary?section=eVitals")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    again = await agency.medic.get("nemsis/dictionary?section=eVitals", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await agency.medic.get("nemsis/dictionary?section=eVitals", headers={"If-None-Match": '"older"'})
    assert other.status_code == 200 and other.json() == first.json()


async def test_pertinent_negatives_and_attributes_are_labelled(agency: Agency) -> None:
    answer = await agency.medic.expect(200, "GET", "nemsis/dictionary")
    elements = {element["id"]: element for element in answer["elements"]}
    assert elements["eVitals.10"]["pertinent_negatives"] == [
        {"code": "8801005", "label": "Exam Finding Not Present", "beside": "empty"},
        {"code": "8801019", "label": "Refused", "beside": "empty"},
        {"code": "8801023", "label": "Unable to Complete", "beside": "empty"},
    ]
    assert elements["eVitals.10"]["constraints"]["maximum"] == "500"
    [etco2_type] = elements["eVitals.16"]["attributes"]
    assert etco2_type["name"] == "ETCO2Type" and set(etco2_type["codes"]) == {"3340001", "3340003", "3340005"}


def _accepts(element: Any, value: str) -> bool:
    """What a device makes of the published constraints of a text or a number."""
    asked = element.constraints
    if element.codes:
        return value in element.codes
    if asked.base == "string":
        return (
            (asked.length is None or len(value) == asked.length)
            and (asked.min_length is None or len(value) >= asked.min_length)
            and (asked.max_length is None or len(value) <= asked.max_length)
            and (asked.pattern is None or re.fullmatch(asked.pattern, value) is not None)
        )
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    if asked.base != "decimal" and "." in value:
        return False
    whole, _, fraction = value.lstrip("-").partition(".")
    return (
        (asked.base != "positiveInteger" or number >= 1)
        and (asked.minimum is None or number >= Decimal(asked.minimum))
        and (asked.maximum is None or number <= Decimal(asked.maximum))
        and (asked.fraction_digits is None or len(fraction.rstrip("0")) <= asked.fraction_digits)
        and (asked.total_digits is None or len(whole.lstrip("0")) + len(fraction.rstrip("0")) <= asked.total_digits)
    )


@pytest.mark.parametrize("base", ["string", "integer", "positiveInteger", "decimal"])
def test_published_constraints_judge_as_the_service_does(base: str) -> None:
    definitions = load_dictionary(TARGET_BUILD).elements
    elements = [element for element in read_elements(None).elements if element.constraints.base == base]
    verdicts = set()
    for element in elements:
        type_ = definitions[element.id].type
        assert not type_.members, f"{element.id}: a union needs more than one set of constraints"
        for value in (*CANDIDATES, *ODD):
            verdict = type_.violation(value) is None
            verdicts.add(verdict)
            assert _accepts(element, value) is verdict, f"{element.id} {value!r}"
    assert verdicts == {True, False}
