"""A claim's signature on file against the assignments of benefits that the chart itself holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.support.claims import approved_claim, fire, new_claim
from tests.ems.charts import Chart
from tests.ems.uploads import sign
from tests.support.actors import Agency
from tests.support.charts import Call, lock_call, open_call

ASSIGNED = {"statement_code": "assignment_of_benefits", "statement": "I assign my benefits to the agency."}


async def renamed_after_signing(agency: Agency, **signed: Any) -> Call:
    """Locked; the patient's name was corrected after the signature."""
    call = await open_call(agency)
    await sign(Chart(agency, "medic", call.incident, call.patient), **ASSIGNED | signed)
    path = f"ems/incidents/{call.incident['id']}/patients/{call.patient['id']}"
    call.patient = await agency.medic.expect(200, "PATCH", path, json={"version": 1, "last_name": "Mustermann"})
    return await lock_call(agency, call)


async def test_an_outdated_assignment_of_benefits_is_no_signature_on_file(agency: Agency) -> None:
    claim = await new_claim(agency, await renamed_after_signing(agency))
    refused = await fire(agency, claim, "approve", status=409)
    [guard] = refused["error"]["details"]["failed_guards"]
    problems = [(problem["field"], problem["code"]) for problem in guard["problems"]]
    assert (guard["name"], problems) == ("content_valid", [("signature_on_file", "outdated")])


async def test_a_claim_that_claims_no_signature_is_not_doubted(agency: Agency) -> None:
    call = await renamed_after_signing(agency)
    assert (await approved_claim(agency, call, signature_on_file=False))["status"] == "ready_to_export"


@pytest.mark.parametrize("signed", [{}, {"statement_code": "consent_to_treat"}], ids=["assigned", "only consented"])
async def test_a_current_assignment_or_one_on_paper_is_enough(agency: Agency, signed: dict[str, Any]) -> None:
    if signed:  # an outdated consent says nothing about benefits: the assignment is on paper
        call = await renamed_after_signing(agency, **signed)
    else:
        call = await open_call(agency)
        await sign(Chart(agency, "medic", call.incident, call.patient), **ASSIGNED)
        call = await lock_call(agency, call)
    assert (await approved_claim(agency, call))["status"] == "ready_to_export"
