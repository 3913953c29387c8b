"""Two billers and an amendment at once, in real concurrency.

No state is skipped, no override is lost, and no claim goes out from evidence that the chart no longer says.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any

import asyncpg
import orjson
import pytest

from app.billing.claims.lifecycle import claim_lifecycle
from app.core.outbox.relay import OutboxRelay
from tests.billing.derivation.driver import INCIDENTS, Locked
from tests.billing.derivation.test_derivation import claim_of, derivation_of, sendable, valued
from tests.billing.support.claims import CLAIMS, EXPORTS
from tests.billing.support.evidence import Evidence
from tests.support.actors import Actor, Agency

ARROWS = {
    (source.value, transition.target.value)
    for transition in claim_lifecycle.transitions
    for source in transition.sources
}
BUSY = 503
SETTLED = {200, 201, 409, BUSY}
"""A lock that is held for too long answers 503: nothing was stored, and the request may be sent again."""
_TRIES = 5
_AGAIN = ("derivation", "approve", "export", "derivation", "approve", "export")
REASONS = ("A", "B", "C", "D", "E")


async def _pause(rng: random.Random) -> None:
    """A moment at another point of every request of the others."""
    await asyncio.sleep(rng.random() / 50)


async def _overrides(agency: Agency, locked: Locked, biller: Actor, name: str, value: str, rng: random.Random) -> int:
    """Overrides one value, and tries again where somebody was faster; how often it was told that it succeeded."""
    made = 0
    for _ in range(4):
        await _pause(rng)
        claim = await claim_of(agency, locked)
        body = {"version": claim["version"], "name": name, "value": value, "reason": f"As {name} was told."}
        answer = await biller.post(f"{CLAIMS}/{claim['id']}/overrides", json=body)
        assert answer.status_code in SETTLED, answer.text
        made += answer.status_code == 200
    return made


async def _sends(agency: Agency, locked: Locked, biller: Actor, rng: random.Random) -> None:
    """Derives, approves and exports whenever it may."""
    for action in ("approve", "export", "derivation", "approve", "export", "reopen", *_AGAIN):
        await _pause(rng)
        claim = await claim_of(agency, locked)
        if action == "export":
            answer = await biller.post(EXPORTS, json={"claim_ids": [claim["id"]]})
        elif action == "derivation":
            answer = await biller.post(f"{CLAIMS}/{claim['id']}/derivation", json={"version": claim["version"]})
        else:
            body = {"action": action, "version": claim["version"]}
            answer = await biller.post(f"{CLAIMS}/{claim['id']}/transitions", json=body)
        assert answer.status_code in SETTLED, answer.text


async def _amends(agency: Agency, locked: Locked, rng: random.Random) -> None:
    """Unlocks the chart, changes the reason of the transport, and locks it again, three times."""
    at = f"{INCIDENTS}/{locked.incident['id']}"
    patient = f"{at}/patients/{locked.patients[0]['id']}"
    for reason in rng.sample(REASONS, 3):
        await _pause(rng)
        await _moves(agency, at, "unlock")
        version = (await agency.admin.expect(200, "GET", patient))["version"]
        elements = {"ePayment.44": [{"value": reason}]}
        body = {"version": version, "elements": elements, "reason": "Charted wrongly."}
        await agency.admin.expect(200, "PATCH", patient, json=body)
        await _moves(agency, at, "lock")


async def _moves(agency: Agency, at: str, action: str) -> None:
    version = (await agency.admin.expect(200, "GET", at))["version"]
    body = {"action": action, "version": version, "reason": "Charted wrongly."}
    for _ in range(_TRIES):
        answer = await agency.admin.post(f"{at}/transitions", json=body)
        if answer.status_code != BUSY:
            break
    assert answer.status_code == 200, answer.text


async def _relays(relay: OutboxRelay, done: asyncio.Event, rng: random.Random) -> None:
    while not done.is_set():
        await _pause(rng)
        await relay.drain()


@pytest.mark.parametrize("seed", range(4))
async def test_two_billers_and_an_amendment(
    agency: Agency, relay: OutboxRelay, evidence: Evidence, admin_connection: asyncpg.Connection, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # a seed that can be named again
    locked, claim = await sendable(agency, relay)
    done = asyncio.Event()
    relaying = asyncio.create_task(_relays(relay, done, rng))
    try:
        made, also_made, *_ = await asyncio.gather(
            _overrides(agency, locked, agency.biller, "weight_lb", "150", rng),
            _overrides(agency, locked, agency.admin, "stretcher_purpose", "Cannot sit", rng),
            _sends(agency, locked, agency.biller, rng),
            _amends(agency, locked, rng),
        )
    finally:
        done.set()
        await relaying
    await relay.drain()
    claim = await claim_of(agency, locked)
    await _assert_no_state_was_skipped(evidence, claim)
    await _assert_no_override_was_lost(agency, claim, made, also_made)
    await _assert_exports_said_what_the_chart_said(admin_connection, locked, claim)


async def _assert_no_state_was_skipped(evidence: Evidence, claim: dict[str, Any]) -> None:
    moves = [event["metadata_json"] for event in await evidence.audit(claim["id"]) if event["metadata_json"]]
    path = [(move["from"], move["to"]) for move in moves if "from" in move]
    assert set(path) <= ARROWS
    states = ["pending_review", *(target for _, target in path)]
    assert [source for source, _ in path] == states[:-1] and claim["status"] == states[-1]


async def _assert_no_override_was_lost(agency: Agency, claim: dict[str, Any], *told: int) -> None:
    shown = await derivation_of(agency, claim)
    for name, value, times in zip(("weight_lb", "stretcher_purpose"), ("150", "Cannot sit"), told, strict=True):
        one = valued(shown, name)
        assert (one["override"] is not None) is (times > 0)
        if times:
            assert (one["value"].removesuffix(".00"), one["status"]) == (value, "overridden")
            assert (claim[name] or "").removesuffix(".00") == value


async def _assert_exports_said_what_the_chart_said(
    connection: asyncpg.Connection, locked: Locked, claim: dict[str, Any]
) -> None:
    """At the moment of each export, the reason of the transport on the claim is the one in the chart."""
    exported = await connection.fetch(
        "SELECT created_at FROM audit_events WHERE entity_id = $1 AND action = 'claim.exported'", uuid.UUID(claim["id"])
    )
    revisions = await connection.fetch(
        "SELECT created_at, snapshot FROM chart_revisions WHERE entity_id = $1 ORDER BY version",
        uuid.UUID(locked.patients[0]["id"]),
    )
    charted = [(row["created_at"], _reason_in(row["snapshot"])) for row in revisions]
    assert len(exported) <= 1
    for event in exported:
        assert claim["transport_reason"] == [reason for at, reason in charted if at <= event["created_at"]][-1]


def _reason_in(snapshot: Any) -> Any:
    content = orjson.loads(snapshot) if isinstance(snapshot, str) else snapshot
    return content["elements"]["ePayment.44"][0]["value"]
