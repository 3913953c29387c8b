"""Claims are approved and exported only with diagnoses that are billable on the date of service."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.coding.public import CodeFault, CodePeriod, Icd10Extract, extract_icd10
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.billing.support.claims import CLAIMS, approved_claim, export, fire, new_claim
from tests.coding.sample import ADDED, AUTUMN, RETIRED
from tests.support.actors import Agency


async def refusal(agency: Agency, claim: dict[str, Any]) -> dict[str, str]:
    """{field: code} of what keeps the claim from approval."""
    answer = await fire(agency, claim, "approve", status=409)
    [guard] = answer["error"]["details"]["failed_guards"]
    assert guard["name"] == "content_valid"
    return {problem["field"]: problem["code"] for problem in guard["problems"]}


async def test_a_claim_of_good_codes_goes_out(coders: Agency) -> None:
    claim = await approved_claim(coders, diagnoses=["I63.9", "R4701"])
    assert claim["status"] == "ready_to_export"
    await export(coders, claim)


async def test_every_diagnosis_is_judged_by_the_date_of_service(coders: Agency) -> None:
    """A heading, a code that is none, one retired a month before; named by their places, not by their values."""
    claim = await new_claim(coders, diagnoses=["I63.9", "I21", "I63.99", RETIRED, ADDED])
    assert await refusal(coders, claim) == {
        "diagnoses[1]": "code_not_billable",
        "diagnoses[2]": "unknown_code",
        "diagnoses[3]": "code_not_in_force",
    }
    patched = await coders.biller.expect(
        200, "PATCH", f"{CLAIMS}/{claim['id']}", json={"version": 1, "diagnoses": ["I63.9", "I21.3"]}
    )
    assert (await fire(coders, patched, "approve"))["status"] == "ready_to_export"


async def test_a_code_that_is_retired_today_was_right_on_its_day(coders: Agency, coding_runtime: Runtime) -> None:
    async with coding_runtime.read_unit_of_work(Principal.system(coders.tenant_id)) as uow:
        codes = await extract_icd10(uow, [RETIRED, ADDED.replace(".", ""), "I21"])
    eve = AUTUMN - dt.timedelta(days=1)
    assert codes.fault(RETIRED, eve) is None
    assert codes.fault(RETIRED, AUTUMN) is CodeFault.NOT_IN_FORCE
    assert codes.fault(ADDED, eve) is CodeFault.NOT_IN_FORCE
    assert codes.fault(ADDED, AUTUMN) is None
    assert codes.fault("I21", eve) is CodeFault.NOT_BILLABLE
    assert codes.fault("I99.99", eve) is CodeFault.UNKNOWN


async def test_nothing_is_judged_before_a_code_set_is_loaded(agency: Agency, runtime: Runtime) -> None:
    async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
        codes = await extract_icd10(uow, ["I99.99"])
    assert codes.fault("I99.99", AUTUMN) is None


@pytest.mark.parametrize("day", [AUTUMN, AUTUMN + dt.timedelta(days=400)])
def test_a_code_that_came_back_is_judged_by_its_periods(day: dt.date) -> None:
    gap = dt.date(2020, 1, 1)
    periods = [CodePeriod(dt.date(2015, 10, 1), gap, billable=True), CodePeriod(AUTUMN, None, billable=False)]
    codes = Icd10Extract(known=True, periods={"A00": periods})
    assert codes.fault("A00", gap) is None
    assert codes.fault("A00", gap + dt.timedelta(days=1)) is CodeFault.NOT_IN_FORCE
    assert codes.fault("A00", day) is CodeFault.NOT_BILLABLE
