"""Rows of the table over HTTP: charted by a crew, locked, and drafted by the service as the rules say."""

from __future__ import annotations

import pytest

from app.billing.exemptions.models import ExemptionReason
from app.core.outbox.relay import OutboxRelay
from tests.billing.derivation.driver import Derived, chart_and_lock, disagreements
from tests.billing.derivation.facts import Due, NoClaimBecause, Transport
from tests.billing.derivation.test_rules import ABOUT_EDITS
from tests.billing.derivation.transports import TRANSPORTS
from tests.billing.support.claims import CLAIMS
from tests.support.actors import Agency

_OVER_HTTP = (
    *("T01", "T03", "T08", "T11", "T14", "T18", "T24", "T32", "T38", "T40", "T41", "T44", "T45", "T47", "T48"),
    *("T50", "T51", "T53", "T54", "T57", "T60", "T61", "T62", "T63", "T69", "T72", "T74", "T82", "T96", "T101"),
    *("T104", "T106", "T108", "T109", "T110", "T111", "T112", "T113", "T114", "T115", "T116", "T117", "T119"),
)
ROWS = [row for row in TRANSPORTS if row.id in _OVER_HTTP]
REASONS = {
    NoClaimBecause.CANCELLED: ExemptionReason.CANCELLED,
    NoClaimBecause.NO_PATIENT: ExemptionReason.NO_PATIENT,
    NoClaimBecause.OTHER_UNIT: ExemptionReason.OTHER_UNIT,
    NoClaimBecause.REFUSED: ExemptionReason.NO_TRANSPORT,
    NoClaimBecause.DEAD_BEFORE_DISPATCH: ExemptionReason.NO_TRANSPORT,
    NoClaimBecause.NOT_TRANSPORTED: ExemptionReason.NO_TRANSPORT,
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_a_locked_chart_drafts_what_the_table_says(row: Transport, agency: Agency, relay: OutboxRelay) -> None:
    locked = await chart_and_lock(agency, row)
    await relay.drain()
    listed = await agency.biller.expect(200, "GET", f"{CLAIMS}?incident_id={locked.incident['id']}")
    claims = {claim["patient_id"]: claim for claim in listed["items"]}
    asked = f"billing/exemptions?incident_id={locked.incident['id']}"
    exempt = {one["patient_id"]: one["reason"] for one in (await agency.biller.expect(200, "GET", asked))["items"]}
    patients = [patient["id"] for patient in locked.patients] or [None]
    due = {patient: one for patient, one in zip(patients, row.expected, strict=True) if isinstance(one, Due)}
    because = {
        patient: REASONS[one.because].value
        for patient, one in zip(patients, row.expected, strict=True)
        if not isinstance(one, Due)
    }
    assert (claims.keys(), exempt) == (due.keys(), because)
    for charted, patient in zip(row.patients, patients, strict=bool(row.patients)):
        if patient in due:
            path = f"{CLAIMS}/{claims[patient]['id']}/derivation"
            derivation = await agency.biller.expect(200, "GET", path)
            assert (derivation["stale"], derivation["changed"]) == (False, [])
            found = Derived(claims[patient], derivation, frozenset(), frozenset())
            told = disagreements(charted, due[patient], found)
            assert [one for one in told if not one.endswith(ABOUT_EDITS)] == []
            assert claims[patient]["service_date"] == due[patient].date_of_service
