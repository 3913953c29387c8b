"""The official 2025 pre-testing motor-vehicle collision, from the first keystroke to the state and to the payer.

Over HTTP with real tokens, two agencies present: the other one sees nothing at any step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from lxml import etree

from app.ems.elements import TARGET_BUILD, load_dictionary
from app.nemsis.content import ReportContent
from app.nemsis.reader import read_document
from scripts.demo_call import PEOPLE, Player
from tests.billing.x12.judge import judge_837p
from tests.journeys.judges import xsd_errors
from tests.support.actors import Actor, Agency
from tests.support.official_case import OfficialCase, comparable

CASE = "nemsis/samples/pretesting_2025/national/2025-EMS-3-MVC_v351.xml"
# The official case names nobody and no street; a claim needs both. Payer and charges are ours too.
SYNTHETIC_SCENE = {"location_street": "12 Fictional Avenue", "location_city": "Danbury"}
SYNTHETIC_PATIENT = {
    "first_name": "Testor",
    "last_name": "Mockington",
    "date_of_birth": "1956-05-02",
    "home_street": "7 Imaginary Road",
    "home_city": "New York",
    "destination_name": "Fictional General Hospital",
    "destination_street": "24 Invented Street",
    "destination_city": "Danbury",
}
CLAIM = {
    "payer_name": "Synthetic Mutual",
    "payer_id": "SYN01",
    "claim_filing_code": "CI",
    "member_id": "SYN123456789",
    "diagnoses": ["S09.90XA", "S19.9XXA"],
    "lines": [
        {"hcpcs": "A0427", "modifiers": ["SH"], "units": "1", "charge": "890.00", "diagnosis_pointers": [1, 2]},
        {"hcpcs": "A0425", "modifiers": ["SH"], "units": "6.2", "charge": "93.00", "diagnosis_pointers": [1]},
    ],
    "loaded_miles": "6.2",
    "weight_lb": "180",
    "transport_reason": "A",
    "certifications": {"yes": ["06"], "no": []},
    "accident": {"causes": ["AA"], "state": "CT", "occurred_on": "2024-10-11"},
    "signature_on_file": True,
}
# What the software writes itself, and what the synthetic additions bring.
NOT_COMPARED = {"eRecord.01", "eScene.15", "ePatient.02", "ePatient.03", "ePatient.05", "ePatient.17"}
NOT_COMPARED |= {"eDisposition.01", "eDisposition.03"}


def _official(shared: Path) -> tuple[OfficialCase, ReportContent]:
    root = etree.parse(str(shared / CASE)).getroot()
    content = read_document(root, load_dictionary(TARGET_BUILD))
    (report,) = content.reports
    return OfficialCase(content.demographic, report), report


class Onlooker:
    """Another agency's admin, who looks for everything after every step."""

    LISTS = ("ems/incidents", "nemsis/exports", "billing/claims", "billing/exports", "tenants/current/personnel")

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.looked = 0

    def beside(self, request: Callable[..., Awaitable[httpx.Response]]) -> Callable[..., Awaitable[httpx.Response]]:
        async def watched(method: str, path: str, **options: Any) -> httpx.Response:
            response = await request(method, path, **options)
            await self._look(path if method == "GET" else f"{path}/{_id(response)}")
            return response

        return watched

    async def _look(self, path: str) -> None:
        self.looked += 1
        for listing in self.LISTS:
            assert (await self._actor.expect(200, "GET", listing))["items"] == []
        if path.partition("?")[0] in self.LISTS:
            return
        answer = await self._actor.get(path)
        assert answer.status_code in (404, 405), f"{path} answered {answer.status_code} to another agency"


def _id(response: httpx.Response) -> str:
    return str(response.json().get("id", ""))


async def test_whole_call(found: Callable[[], Awaitable[Agency]], shared: Path) -> None:
    case, original = _official(shared)
    agency, other = await found(), await found()
    profile = await agency.admin.expect(200, "GET", "tenants/current")
    await agency.admin.expect(200, "PATCH", "tenants/current", json=case.tenant | {"version": profile["version"]})
    onlooker = Onlooker(other.admin)
    player = Player({who: onlooker.beside(agency.actors[who].request) for who in PEOPLE}, lambda _: None)

    played = await player.play(case.call(scene=SYNTHETIC_SCENE, patient=SYNTHETIC_PATIENT, claim=CLAIM))

    assert onlooker.looked == len(player.steps)
    assert xsd_errors(played.nemsis_document, shared) == []
    assert judge_837p(played.claim_document.decode()) == []
    _same_content(played.nemsis_document, original, case)


def _same_content(document: bytes, original: ReportContent, case: OfficialCase) -> None:
    """Every element of the official case stands in our document with the same values, NOT values and negatives."""
    content = read_document(etree.fromstring(document), load_dictionary(TARGET_BUILD))
    (report,) = content.reports
    assert content.demographic["dAgency.02"] == case.tenant["agency_number"]
    compared = original.elements.keys() - NOT_COMPARED
    assert {name: comparable(report.elements[name]) for name in compared} == {
        name: comparable(original.elements[name]) for name in compared
    }
    assert [_group(group) for group in report.groups] == [_group(group) for group in original.groups]


def _group(group: Any) -> tuple[str, dict[str, Any]]:
    """Without the total GCS, which the case leaves out and we derive."""
    return group.name, {name: comparable(entries) for name, entries in group.elements.items() if name != "eVitals.23"}
