"""Payers: what a record may hold, who keeps it, and how a crew's words find it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.billing.medicare import member_number
from app.billing.payers.service import charted_payers, find_payer
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.billing.support.evidence import Evidence
from tests.billing.support.parties import commercial, medicare, problems
from tests.core.reference.records import PAYER
from tests.support.actors import Agency


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, ("name", "characters")),
        ({"name": "X" * 61}, ("name", "too_long")),
        ({"payer_id": "0"}, ("payer_id", "length")),
        ({"payer_id": "00*52"}, ("payer_id", "characters")),
        ({"claim_filing_code": "XX"}, ("claim_filing_code", "code")),
        ({"timely_filing_days": 0}, ("timely_filing_days", "greater_than_equal")),
        ({"appeal_days": "120"}, ("appeal_days", "int_type")),
        ({"edits": {"E4": "off"}}, ("edits.E4.[key]", "string_pattern_mismatch")),
        ({"edits": {"X48": "off"}}, ("edits.X48.[key]", "string_pattern_mismatch")),
        ({"edits": {"E48": "maybe"}}, ("edits.E48", "enum")),
        ({"edits": None}, ("edits", "dict_type")),
        ({"state": "XX"}, ("state", "us_state")),
        ({"zip": "6278"}, ("zip", "string_pattern_mismatch")),
        ({"phone": "555-0142"}, ("phone", "string_pattern_mismatch")),
    ],
)
async def test_what_no_payer_has(
    agency: Agency, evidence: Evidence, fields: dict[str, Any], problem: tuple[str, str]
) -> None:
    made = await PAYER.add(agency.biller)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", PAYER.path, json=PAYER.fresh(**fields))
    assert problems(refused) == [problem]
    refused = await agency.biller.expect(422, "PATCH", f"{PAYER.path}/{made['id']}", json={"version": 1, **fields})
    assert problems(refused) == [problem]
    assert await evidence.digest(agency.tenant_id) == before


async def test_who_keeps_payers_and_who_reads_them(agency: Agency, evidence: Evidence) -> None:
    made = await PAYER.add(agency.biller)
    path = f"{PAYER.path}/{made['id']}"
    for who in ("admin", "biller", "founder"):
        assert await agency.actors[who].expect(200, "GET", path) == made
    before = await evidence.digest(agency.tenant_id)
    for who in ("medic", "supervisor"):
        await agency.actors[who].expect(403, "GET", path)
    for who in ("medic", "supervisor", "founder"):
        await agency.actors[who].expect(403, "POST", PAYER.path, json=PAYER.fresh())
        await agency.actors[who].expect(403, "PATCH", path, json={"version": 1, "appeal_days": 90})
        await agency.actors[who].expect(403, "DELETE", path, params={"version": 1})
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_crews_words_find_the_payer(agency: Agency, runtime: Runtime) -> None:
    one = await medicare(agency, name="Medicare Part B (IL)", payer_id="00952")
    other = await commercial(agency, name="Aetna Life & Casualty")
    for name in ("Gate Health North", "Gate Health South"):
        await PAYER.add(agency.biller, name=name, payer_id="77777", claim_filing_code="HM")
    gone = await PAYER.add(agency.biller, name="Gone Insurance", payer_id="11111")
    await agency.biller.expect(204, "DELETE", f"{PAYER.path}/{gone['id']}", params={"version": 1})
    async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
        found = await find_payer(uow, uuid.UUID(one["id"]))
        assert found is not None and found.claim_filing_code == "MB"
        assert await find_payer(uow, uuid.UUID(gone["id"])) is None
        payers = await charted_payers(uow)
    for charted, wanted in (
        (("00952", None), one["name"]),
        ((None, "MEDICARE PART B IL"), one["name"]),
        (("99999", "aetna life and casualty"), None),
        (("99999", "Aetna Life Casualty"), other["name"]),
        (("77777", None), None),
        (("77777", "Gate Health South"), "Gate Health South"),
        (("11111", "Gone Insurance"), None),
        ((None, "--"), None),
        ((None, None), None),
    ):
        payer = payers.find(*charted)
        assert (None if payer is None else payer.name) == wanted, charted


@pytest.mark.parametrize(
    ("typed", "filing_code", "kept"),
    [
        ("1EG4-TE5-MK73", "MB", "1EG4TE5MK73"),
        ("1eg4 te5 mk73", "MA", "1EG4TE5MK73"),
        ("1EG4TE5MK73", "MB", "1EG4TE5MK73"),
        ("W123-45", "CI", "W123-45"),
        ("1EG4-TE5-MK73", "16", "1EG4-TE5-MK73"),
        ("1EG4-TE5-MK73", None, "1EG4-TE5-MK73"),
        ("--", "MB", "--"),
        (None, "MB", None),
    ],
)
def test_numbers_of_medicare_have_no_dashes(typed: str | None, filing_code: str | None, kept: str | None) -> None:
    assert member_number(typed, filing_code) == kept
