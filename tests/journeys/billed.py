"""What billers write about people: accounts, coverages, papers, refusals and appeals. It is told in protected words."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.core.runtime import Runtime
from tests.billing.support.acknowledgements import claim_acknowledgement
from tests.billing.support.denials import denials_of, refused_claim
from tests.billing.support.parties import cover, insured_call, join, medicare, new_account
from tests.support.actors import Agency

PERSON: dict[str, Any] = {
    "last_name": "Quackenbush-Payer",
    "first_name": "Quintessa",
    "middle_name": "Quenby",
    "name_suffix": "QUACKJR",
    "date_of_birth": "1951-05-19",
    "date_of_death": "2026-02-19",
    "phone": "2175550177",
    "email": "quintessa@quackenbush.example",
    "language": "spa",
    "street": "77 Quackenbush Court",
    "unit": "Unit Quack 7",
    "city": "Quackenburg",
    "state": "IL",
    "zip": "62777",
    "country": "US",
}
INSURED: dict[str, Any] = {
    "member_id": "QUACK7777",
    "group_number": "QUACK-GROUP-7",
    "group_name": "Quackenbush Sons",
    "relationship": "19",
    "subscriber_last_name": "Quackenbush-Subscriber",
    "subscriber_first_name": "Quigley",
    "subscriber_middle_name": "Quince",
    "subscriber_name_suffix": "QUACKSR",
    "subscriber_date_of_birth": "1953-03-13",
    "subscriber_sex": "F",
    "subscriber_street": "78 Quackenbush Court",
    "subscriber_unit": "Unit Quack 8",
    "subscriber_city": "Quackenham",
    "subscriber_state": "IL",
    "subscriber_zip": "62778",
    "subscriber_country": "US",
}


async def bill(agency: Agency, runtime: Runtime) -> None:
    """One call with its account, coverages and papers, and one claim that is refused and appealed."""
    biller = agency.biller
    call = await insured_call(agency, {"10": "Mutual of the Prairie", "18": "QUACK8888"})
    await join(agency, await new_account(agency, **PERSON), call)
    await cover(agency, call, sequence="S", payer_record_id=(await medicare(agency))["id"], **INSURED)
    about = {"incident_id": call.incident["id"], "patient_id": call.patient["id"], "signer_name": "Dr. Quackenbush"}
    departed = dt.datetime.fromisoformat(call.incident["depart_scene_time"]).date()
    before, after = str(departed - dt.timedelta(days=1)), str(departed + dt.timedelta(days=1))
    certified = {**about, "signer_role": "physician", "attempt": "Certified letter to Quackenbush"}
    certified |= {"signed_on": after, "attempted_on": after}
    await biller.expect(201, "POST", "billing/certificates", json=certified)
    warned = {**about, "signed_on": before, "option": "1", "reason": "Quackenbush wants the farther hospital"}
    await biller.expect(201, "POST", "billing/notices", json=warned)
    spared = {"incident_id": (await insured_call(agency)).incident["id"], "reason": "charity"}
    await biller.expect(201, "POST", "billing/exemptions", json={**spared, "note": "Quackenbush is the mayor's aunt"})
    await _dependent(agency)
    claim = await refused_claim(agency, runtime, note="Quackenbush was found at home")
    [denial] = await denials_of(agency, claim)
    letter = {"denial_id": denial["id"]}
    await biller.expect(201, "POST", "billing/appeals", json=letter)


async def _dependent(agency: Agency) -> None:
    """A claim for a child, with a service that needs words; the clearinghouse answers in words."""
    biller, call = agency.biller, await insured_call(agency)
    await cover(agency, call, payer_record_id=(await medicare(agency, name="Quack Life"))["id"], **INSURED)
    started = {"incident_id": call.incident["id"], "patient_id": call.patient["id"]}
    claim = await biller.expect(201, "POST", "billing/claims", json=started)
    path = f"billing/claims/{claim['id']}"
    derived = await biller.expect(200, "POST", f"{path}/derivation", json={"version": claim["version"]})
    assert derived["claim_version"] > claim["version"]
    told = {"hcpcs": "A0999", "units": "1", "charge": "50.00", "description": "Quackenbush's bariatric stretcher"}
    await biller.expect(201, "POST", f"{path}/lines", json=told)
    answer = claim_acknowledgement({claim["claim_number"]: "A7:562"}).replace("MODIFIER MISSING", "QUACKENBUSH UNKNOWN")
    headers = {"Content-Type": "application/octet-stream"}
    await biller.expect(201, "POST", "billing/acknowledgements", content=answer.encode(), headers=headers)
