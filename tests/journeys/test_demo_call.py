"""The demo's call, over HTTP: what `make demo` plays is valid for the state and for the payer."""

from __future__ import annotations

from pathlib import Path

from app.core.outbox.relay import OutboxRelay
from scripts.demo_call import PEOPLE, Player
from scripts.demo_chart import CALL
from tests.billing.x12.judge import judge_837p
from tests.journeys.judges import xsd_errors
from tests.support.actors import Agency


async def test_the_demo_call_plays_to_the_end(agency: Agency) -> None:
    told: list[str] = []
    played = await Player({who: agency.actors[who].request for who in PEOPLE}, told.append).play(CALL)
    assert played.incident["status"] == "locked"
    assert played.export["status"] == "exported"
    assert played.claim["status"] == "exported"
    assert played.claim["charge_amount"] == "776.00"
    assert judge_837p(played.claim_document.decode()) == []
    assert len(told) == len(played.steps) + 1


async def test_its_document_passes_the_official_schema(agency: Agency, shared: Path) -> None:
    played = await Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None).play(CALL)
    assert xsd_errors(played.nemsis_document, shared) == []


async def test_the_demo_call_completes_the_claim_that_its_chart_drafted(agency: Agency, relay: OutboxRelay) -> None:
    player = Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)
    await player.open_books()
    incident = await player.review((await player.chart(CALL))[0])
    await relay.drain()
    claim, _, document = await player.bill(CALL, incident)
    assert (claim["status"], claim["charge_amount"], claim["level_of_service"]) == (
        "exported",
        "576.00",
        "bls_emergency",
    )
    assert [(line["hcpcs"], line["modifiers"], line["units"]) for line in claim["lines"]] == [
        ("A0429", ["RH"], "1.0"),
        ("A0425", ["RH"], "8.4"),
    ]
    assert not any("make the claim" in step for step in player.steps)
    assert judge_837p(document.decode()) == []
    listed = await agency.biller.expect(200, "GET", f"billing/claims?incident_id={incident['id']}")
    assert [one["id"] for one in listed["items"]] == [claim["id"]]
