"""The edits of the table of transports: each claim that a locked chart drafts is blocked by what its row names."""

from __future__ import annotations

import pytest

from app.core.outbox.relay import OutboxRelay
from tests.billing.derivation.driver import Derived, chart_and_lock, disagreements
from tests.billing.derivation.facts import Due, Transport
from tests.billing.derivation.transports import TRANSPORTS
from tests.billing.support.claims import CLAIMS
from tests.support.actors import Agency

_ABOUT_EDITS = ("does not block", "is not found", "blocks, and nothing is wrong")
_CLEAN = ("T01", "T50", "T74", "T93", "T95", "T96", "T104", "T109")
"""Rows in which nothing about the transport blocks, or whose chart is unlike the usual one."""


def _is_judged(row: Transport) -> bool:
    return row.id in _CLEAN or any(isinstance(one, Due) and (one.blocks or one.flags) for one in row.expected)


ROWS = [row for row in TRANSPORTS if _is_judged(row)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_the_edits_find_what_the_table_says(row: Transport, agency: Agency, relay: OutboxRelay) -> None:
    locked = await chart_and_lock(agency, row)
    await relay.drain()
    listed = await agency.biller.expect(200, "GET", f"{CLAIMS}?incident_id={locked.incident['id']}")
    claims = {claim["patient_id"]: claim for claim in listed["items"]}
    for charted, expected, patient in zip(row.patients, row.expected, locked.patients, strict=True):
        if not isinstance(expected, Due):
            continue
        claim = claims[patient["id"]]
        derivation = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}/derivation")
        verdict = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}/scrub")
        found = {
            severity: frozenset(one["id"] for one in verdict["findings"] if one["severity"] == severity)
            for severity in ("blocking", "warning")
        }
        told = disagreements(charted, expected, Derived(claim, derivation, found["blocking"], found["warning"]))
        assert [one for one in told if one.endswith(_ABOUT_EDITS)] == []
