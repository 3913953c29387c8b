"""Acknowledgements move exactly the claims that they name, and say what to mend."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.support.acknowledgements import claim_acknowledgement, office_ally_status, set_acknowledgement
from tests.billing.support.claims import EXPORTS, approved_claim, export, fire
from tests.billing.support.evidence import Evidence
from tests.billing.support.remittances import claim_of, exported_claim, ledger_of, submitted_claim
from tests.support.actors import Agency

PATH, CLAIMS = "billing/acknowledgements", "billing/claim-acknowledgements"


async def send(agency: Agency, text: str, *, status: int = 201, who: str = "biller") -> Any:
    headers = {"Content-Type": "application/octet-stream"}
    answer = await agency.actors[who].expect(status, "POST", PATH, content=text.encode(), headers=headers)
    return answer["files"][0] if status == 201 else answer


async def said_about(agency: Agency, claim: dict[str, Any]) -> list[dict[str, Any]]:
    page = await agency.biller.expect(200, "GET", CLAIMS, params={"claim_id": claim["id"]})
    return list(page["items"])


async def sent(agency: Agency, *claims: dict[str, Any]) -> int:
    """The control number of the file with these claims."""
    [file] = (await export(agency, *claims))["files"]
    return int(file["control_number"])


async def statuses(agency: Agency, *claims: dict[str, Any]) -> list[str]:
    return [(await claim_of(agency, claim))["status"] for claim in claims]


async def test_a_999_confirms_the_file_that_it_names(agency: Agency) -> None:
    first, second = await approved_claim(agency), await approved_claim(agency)
    number, _ = await sent(agency, first), await sent(agency, second)
    taken = await send(agency, set_acknowledgement(number, {"0001": ("A", [])}, verdict="A"))
    assert (taken["file"]["kind"], taken["submitted_count"], taken["rejected_count"]) == ("999", 1, 0)
    assert await statuses(agency, first, second) == ["submitted", "exported"]
    assert (await ledger_of(agency, first))["outstanding"] == "1015.60"
    [said] = await said_about(agency, first)
    assert (said["authority"], said["verdict"], said["effect"]) == ("receiver", "accepted", "submitted")


async def test_a_999_refuses_the_file_and_says_what_to_mend(agency: Agency, evidence: Evidence) -> None:
    first, second, other = [await approved_claim(agency) for _ in range(3)]
    number, _ = await sent(agency, first, second), await sent(agency, other)
    faults = ["IK3*CR1*22*2300*8", f"CTX*CLM01:{first['claim_number']}", "IK4*4*1317*7*Z"]
    taken = await send(agency, set_acknowledgement(number, {"0001": ("R", faults)}, verdict="R"))
    assert taken["rejected_count"] == 2
    assert await statuses(agency, first, second, other) == ["pending_review", "pending_review", "exported"]
    [said] = await said_about(agency, first)
    assert said["advice"] == [
        "CR1, the ambulance transport (weight, reason, miles) of the claim, has an error:"
        " element 4 holds a code that is not allowed."
    ]
    assert said["codes"] == ["IK5 5", "CR1 22 2300 8 4 7"]
    [beside] = await said_about(agency, second)
    assert beside["advice"] == ["The file was refused because of another claim in it."]
    moved = (await evidence.audit(first["id"]))[-1]
    assert (moved["action"], moved["metadata_json"]["reason"]) == ("claim.rejected", "IK5 5, CR1 22 2300 8 4 7")


async def test_a_999_may_refuse_one_set_of_a_file(agency: Agency) -> None:
    """A file has a set for each payer. The claims of the other sets are taken."""
    medicare, other = await approved_claim(agency), await approved_claim(agency, payer_id="00621", payer_name="Blue")
    number = await sent(agency, medicare, other)
    taken = await send(agency, set_acknowledgement(number, {"0001": ("A", []), "0002": ("R", [])}, verdict="P"))
    assert (taken["submitted_count"], taken["rejected_count"]) == (1, 1)
    assert await statuses(agency, medicare, other) == ["submitted", "pending_review"]
    assert (await ledger_of(agency, medicare))["outstanding"] == "1015.60"
    assert (await ledger_of(agency, other))["entries"] == []


async def test_a_277ca_moves_claim_by_claim(agency: Agency) -> None:
    taken_in, refused, passed_on, silent = [await approved_claim(agency) for _ in range(4)]
    number = await sent(agency, taken_in, refused, passed_on, silent)
    said = {
        taken_in["claim_number"]: "A2:20:PR",
        refused["claim_number"]: "A7:453:85",
        passed_on["claim_number"]: "A0:16",
        "NOT-OURS": "A7:21",
    }
    taken = await send(agency, claim_acknowledgement(said, batch=str(number)))
    assert (taken["submitted_count"], taken["rejected_count"]) == (1, 1)
    found = await statuses(agency, taken_in, refused, passed_on, silent)
    assert found == ["submitted", "pending_review", "exported", "exported"]
    [mend] = await said_about(agency, refused)
    assert mend["advice"] == [
        "Something is wrong. Correct it and send the claim as a new one.",
        "A modifier is missing or not valid for this code. It is about the billing provider.",
    ]
    assert (mend["messages"], mend["codes"], mend["authority"]) == (
        ["MODIFIER MISSING"],
        ["A7:453:85"],
        "clearinghouse",
    )
    page = await agency.biller.expect(200, "GET", CLAIMS, params={"effect": "unknown_claim"})
    assert [one["claim_number"] for one in page["items"]] == ["NOT-OURS"]


async def test_payer_and_clearinghouse_are_kept_apart(agency: Agency) -> None:
    claim = await submitted_claim(agency)
    await send(agency, claim_acknowledgement({claim["claim_number"]: "A1:20"}))
    await send(agency, claim_acknowledgement({claim["claim_number"]: "A3:24:85"}, sender="PR"))
    assert await statuses(agency, claim) == ["pending_review"]
    told = [(one["authority"], one["effect"]) for one in await said_about(agency, claim)]
    assert told == [("payer", "rejected"), ("clearinghouse", "none")]


@pytest.mark.parametrize("kind", ["999", "277CA"])
async def test_what_is_about_an_earlier_file_moves_nothing(agency: Agency, kind: str) -> None:
    claim = await approved_claim(agency)
    number = await sent(agency, claim)
    rejected = await fire(agency, await claim_of(agency, claim), "reject")
    await sent(agency, await fire(agency, rejected, "approve"))
    late = {
        "999": set_acknowledgement(number, {"0001": ("R", [])}, verdict="R"),
        "277CA": claim_acknowledgement({claim["claim_number"]: "A7:21"}, batch=str(number)),
    }
    await send(agency, late[kind])
    assert await statuses(agency, claim) == ["exported"]
    assert [one["effect"] for one in await said_about(agency, claim)] == ["outdated"]


async def test_a_ta1_refuses_the_whole_file(agency: Agency) -> None:
    claim = await approved_claim(agency)
    number = await sent(agency, claim)
    head = set_acknowledgement(number, {}, verdict="A").partition("GS*")[0]
    await send(agency, head + f"TA1*{number:09}*261105*1030*R*022~IEA*0*000000201~")
    assert await statuses(agency, claim) == ["pending_review"]
    assert (await said_about(agency, claim))[0]["codes"] == ["TA1 022"]


async def test_office_allys_status_file(agency: Agency) -> None:
    good, bad = await exported_claim(agency), await exported_claim(agency)
    text = office_ally_status(
        accepted=[good["claim_number"]], errors={bad["claim_number"]: "ABC123"}, pending=[], wording="NPI IS MISSING"
    )
    await send(agency, text)
    assert await statuses(agency, good, bad) == ["submitted", "pending_review"]
    assert (await said_about(agency, bad))[0]["messages"] == ["ABC123: NPI IS MISSING"]


async def test_the_same_file_again_and_others_files(agency: Agency, evidence: Evidence, found: Any) -> None:
    claim = await approved_claim(agency)
    number = await sent(agency, claim)
    text = set_acknowledgement(number, {"0001": ("R", [])}, verdict="R")
    strangers: Agency = await found()
    before = await evidence.digest(agency.tenant_id)
    assert (await send(strangers, text))["rejected_count"] == 0
    assert await evidence.digest(agency.tenant_id) == before
    await send(agency, text)
    approved = await fire(agency, await claim_of(agency, claim), "approve")
    await agency.biller.expect(201, "POST", EXPORTS, json={"claim_ids": [approved["id"]]})
    before = await evidence.digest(agency.tenant_id)
    again = await send(agency, text)
    assert again["repeated"]
    assert await evidence.digest(agency.tenant_id) == before
    await send(agency, text + "x", status=201)  # other bytes, the same file number: known as outdated
    assert await statuses(agency, claim) == ["exported"]


async def test_what_cannot_be_read_moves_nothing(agency: Agency, evidence: Evidence) -> None:
    claim = await exported_claim(agency)
    before = await evidence.digest(agency.tenant_id)
    text = claim_acknowledgement({claim["claim_number"]: "A7:21"})
    refused = await send(agency, text[: text.index("SE*")], status=422)
    assert refused["error"]["code"] == "UNREADABLE_FILE"
    for who in ("medic", "founder"):
        await send(agency, text, status=403, who=who)
    assert await evidence.digest(agency.tenant_id) == before
    unknown = await send(agency, "Dear biller,\nall is well.\n")
    assert unknown["file"]["kind"] == "unknown"
    page = await agency.biller.expect(200, "GET", PATH, params={"kind": "unknown"})
    assert [one["id"] for one in page["items"]] == [unknown["file"]["id"]]
    assert await agency.biller.expect(200, "GET", f"{PATH}/{unknown['file']['id']}") == page["items"][0]
