"""Worklists: which claims each has, in which order, page by page; assigning a claim, and letting it rest."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from app.core.clock import utcnow
from app.core.outbox.relay import OutboxRelay
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.claims import CLAIMS, new_claim
from tests.billing.support.evidence import Evidence
from tests.billing.support.fees import new_payer
from tests.support.actors import Agency

LISTS = "billing/worklists"
_ADD = """
WITH author AS (SELECT id FROM users WHERE tenant_id = $1 ORDER BY id LIMIT 1), call AS (
  INSERT INTO incidents (id, tenant_id, created_by, status, incident_number)
  SELECT gen_random_uuid(), $1, author.id, 'locked', $2 FROM author RETURNING id
), person AS (
  INSERT INTO patients (id, tenant_id, incident_id, pcr_uuid)
  SELECT gen_random_uuid(), $1, call.id, gen_random_uuid() FROM call RETURNING id, incident_id
)
INSERT INTO claims (id, tenant_id, incident_id, patient_id, claim_number, status, diagnoses, charge_amount,
  certifications, service_date, created_at, payer_record_id, stale_since, assigned_to_user_id, snoozed_until,
  deleted_at, blocking_edits, submitted_at, paid_at, denial_reason)
SELECT gen_random_uuid(), $1, person.incident_id, person.id, $2, $3, '[]', 100, '{}', $4, $5, $6, $7, $8, $9, $10,
  $11, now(), now(), 'CO-50' FROM person RETURNING id
"""
_MORE = ("payer", "stale_since", "assignee", "snoozed_until", "deleted_at", "blocking")
BEGUN = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)


class Rows:
    """Claims as rows: worklists read nothing else."""

    def __init__(self, connection: asyncpg.Connection, agency: Agency) -> None:
        self._connection = connection
        self._agency = agency
        self._made = 0

    async def add(self, status: str, day: str | dt.date | None = "2026-11-01", **more: Any) -> str:
        self._made += 1
        at = BEGUN + dt.timedelta(minutes=self._made)
        served = dt.date.fromisoformat(day) if isinstance(day, str) else day
        given = [more.pop(name, None) for name in _MORE]
        assert not more
        values = [uuid.UUID(value) if isinstance(value, str) else value for value in given]
        number = f"W{uuid.uuid4().hex[:12]}"
        return str(await self._connection.fetchval(_ADD, self._agency.tenant_id, number, status, served, at, *values))


@pytest.fixture
def rows(agency: Agency, admin_connection: asyncpg.Connection) -> Rows:
    return Rows(admin_connection, agency)


async def listed(agency: Agency, name: str, **params: Any) -> list[str]:
    page = await agency.biller.expect(200, "GET", f"{LISTS}/{name}", params=params)
    return [item["id"] for item in page["items"]]


async def counts(agency: Agency, who: str = "biller") -> dict[str, tuple[int, int]]:
    found = await agency.actors[who].expect(200, "GET", LISTS)
    return {item["name"]: (item["claims"], item["mine"]) for item in found["items"]}


async def me(agency: Agency, who: str = "biller") -> str:
    return str((await agency.actors[who].expect(200, "GET", "auth/me"))["id"])


def in_days(days: int) -> dt.date:
    return (utcnow() + dt.timedelta(days=days)).date()


async def test_each_list_has_the_claims_that_wait_for_it(
    agency: Agency, other_agency: Agency, admin_connection: asyncpg.Connection, rows: Rows
) -> None:
    payer, biller = await new_payer(admin_connection, agency, days=90), await me(agency)
    pending = await rows.add("pending_review", in_days(-80), payer=payer)
    ready = await rows.add("ready_to_export", in_days(-70), payer=payer, assignee=biller)
    failed = await rows.add("pending_review", blocking=2, assignee=biller)
    await rows.add("pending_review", blocking=0, assignee=biller)
    refused = await rows.add("denied", blocking=1, assignee=biller)
    exported = await rows.add("exported", in_days(-10), payer=payer)
    submitted = await rows.add("submitted", stale_since=BEGUN)
    denied = await rows.add("denied", assignee=biller)
    await rows.add("paid")
    await rows.add("closed", stale_since=BEGUN)
    await rows.add("ready_to_export", stale_since=BEGUN, payer=payer, deleted_at=BEGUN)
    await Rows(admin_connection, other_agency).add("ready_to_export")
    assert await listed(agency, "ready") == [ready]
    assert await listed(agency, "scrub_failed") == [failed]
    assert set(await listed(agency, "awaiting_ack")) == {exported, submitted}
    assert await listed(agency, "stale_evidence") == [submitted]
    assert await listed(agency, "unassigned") == [pending]
    assert set(await listed(agency, "denied")) == {denied, refused}
    assert await listed(agency, "timely_filing") == [pending, ready]
    assert await listed(agency, "timely_filing", due_before=str(in_days(81))) == [pending, ready, exported]
    assert await counts(agency) == {
        "ready": (1, 1),
        "scrub_failed": (1, 1),
        "awaiting_ack": (2, 0),
        "timely_filing": (2, 1),
        "stale_evidence": (1, 0),
        "unassigned": (1, 0),
        "rejected": (0, 0),
        "denied": (2, 2),
        "appeal_due": (0, 0),
    }
    assert (await counts(agency, "founder"))["ready"] == (1, 0)
    assert denied not in await listed(agency, "unassigned")
    await agency.biller.expect(422, "GET", f"{LISTS}/paid")


async def test_a_claim_that_an_edit_blocks_waits_for_correction(agency: Agency, relay: OutboxRelay) -> None:
    await new_claim(agency)
    unsigned = await new_claim(agency, signature_on_file=None)
    await relay.drain()
    assert await listed(agency, "scrub_failed") == [unsigned["id"]]
    body = {"version": unsigned["version"], "signature_on_file": True}
    await agency.biller.expect(200, "PATCH", f"{CLAIMS}/{unsigned['id']}", json=body)
    await relay.drain()
    assert await listed(agency, "scrub_failed") == []


async def test_a_line_tells_who_pays_who_works_and_by_when(
    agency: Agency, admin_connection: asyncpg.Connection, rows: Rows
) -> None:
    payer, biller = await new_payer(admin_connection, agency, days=365), await me(agency)
    claim = await rows.add("ready_to_export", "2026-03-01", payer=payer, assignee=biller)
    await rows.add("ready_to_export", None)
    with_limit, without = (await agency.founder.expect(200, "GET", f"{LISTS}/ready"))["items"]
    assert (with_limit["id"], with_limit["file_by"], with_limit["assignee_name"]) == (claim, "2027-03-01", "Biller")
    assert (without["service_date"], without["file_by"], without["assignee_name"]) == (None, None, None)
    assert not {"member_id", "diagnoses", "prior_authorization"} & set(with_limit)


async def pages(agency: Agency, name: str, **params: Any) -> list[list[str]]:
    """All pages, each by the cursor of the one before."""
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await agency.biller.expect(200, "GET", f"{LISTS}/{name}", params={"limit": 2, **params, **cursor})
        found.append([item["id"] for item in page["items"]])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def paged(ids: Sequence[str]) -> list[list[str]]:
    return [list(ids[at : at + 2]) for at in range(0, len(ids), 2)]


async def test_pages_follow_the_day_of_service_or_the_entry(agency: Agency, rows: Rows) -> None:
    days = ["2026-11-03", "2026-11-01", None, "2026-11-02", "2026-11-02"]
    made = [await rows.add("ready_to_export", day) for day in days]
    same = sorted(made[3:5], key=uuid.UUID)
    by_day = [made[1], *same, made[0], made[2]]
    assert await pages(agency, "ready") == paged(by_day)
    assert await pages(agency, "ready", sort="-service_date") == paged(by_day[::-1])
    assert await pages(agency, "ready", sort="created_at") == paged(made)
    assert await pages(agency, "ready", sort="-created_at") == paged(made[::-1])
    first = await agency.biller.expect(200, "GET", f"{LISTS}/ready", params={"limit": 2})
    crossed = {"cursor": first["next_cursor"], "sort": "created_at"}
    await agency.biller.expect(422, "GET", f"{LISTS}/ready", params=crossed)
    for name, params in (
        ("ready", {"sort": "file_by"}),
        ("ready", {"due_before": "2026-12-01"}),
        ("timely_filing", {"sort": "service_date"}),
        ("timely_filing", {"sort": "-file_by"}),
    ):
        await agency.biller.expect(422, "GET", f"{LISTS}/{name}", params=params)


async def test_deadlines_of_several_payers_are_in_one_order(
    agency: Agency, admin_connection: asyncpg.Connection, rows: Rows
) -> None:
    short = await new_payer(admin_connection, agency, "Short", 90)
    long = await new_payer(admin_connection, agency, "Long", 365)
    endless = await new_payer(admin_connection, agency, "Endless", None)
    left = [(short, 5), (long, 3), (short, -4), (long, 20), (short, 3), (long, -400)]
    due = {}
    for payer, days in left:
        served = in_days(days - (90 if payer == short else 365))
        due[await rows.add("pending_review", served, payer=payer)] = (days, served)
    await rows.add("pending_review", in_days(-3000), payer=endless)
    await rows.add("pending_review", in_days(-3000))
    await rows.add("pending_review", None, payer=short)
    expected = sorted(due, key=lambda claim: (due[claim][0], uuid.UUID(claim)))
    assert await pages(agency, "timely_filing") == paged(expected)
    shown = (await agency.biller.expect(200, "GET", f"{LISTS}/timely_filing"))["items"]
    assert [item["file_by"] for item in shown] == [str(in_days(due[item["id"]][0])) for item in shown]
    assert (await counts(agency))["timely_filing"] == (6, 0)
    only = await listed(agency, "timely_filing", payer_record_id=long)
    assert only == [claim for claim in expected if due[claim][0] in (3, 20, -400) and claim in only]
    assert len(only) == 3


async def test_lists_are_narrowed(agency: Agency, admin_connection: asyncpg.Connection, rows: Rows) -> None:
    payer, biller, admin = await new_payer(admin_connection, agency), await me(agency), await me(agency, "admin")
    ours = await rows.add("ready_to_export", "2026-10-01", payer=payer, assignee=biller)
    theirs = await rows.add("ready_to_export", "2026-10-02", assignee=admin)
    resting = await rows.add("ready_to_export", "2026-10-03", snoozed_until=utcnow() + dt.timedelta(days=1))
    awake = await rows.add("ready_to_export", "2026-10-04", snoozed_until=utcnow() - dt.timedelta(days=1))
    assert await listed(agency, "ready", payer_record_id=payer) == [ours]
    assert await listed(agency, "ready", assigned_to_user_id=[biller, admin]) == [ours, theirs]
    assert await listed(agency, "ready") == [ours, theirs, awake]
    assert await listed(agency, "ready", snoozed=True) == [ours, theirs, resting, awake]
    assert (await counts(agency))["ready"] == (3, 1)
    between = {"service_date_from": "2026-10-02", "service_date_to": "2026-10-04"}
    assert await listed(agency, "ready", **between) == [theirs]
    await agency.biller.expect(422, "GET", f"{LISTS}/ready", params={"payer_id": "00952"})


async def test_pages_and_counts_cost_the_same_for_many_claims(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, rows: Rows
) -> None:
    payers = [await new_payer(admin_connection, agency, f"Payer {n}", 90) for n in range(3)]
    for payer in payers * 4:
        await rows.add("ready_to_export", in_days(-80), payer=payer)
    asked = {LISTS: {}, f"{LISTS}/ready": {"limit": 12}, f"{LISTS}/timely_filing": {"limit": 12}}
    for path, params in asked.items():
        await agency.biller.expect(200, "GET", path, params=params)
        async with counted(runtime.database) as statements:
            await agency.biller.expect(200, "GET", path, params=params)
        reads = [one for one in statements if "FROM" in one and "access_log" not in one]
        assert len(reads) == (1 if path.endswith("ready") else 2), path


async def test_a_claim_is_given_to_a_biller(agency: Agency, evidence: Evidence) -> None:
    claim, biller = await new_claim(agency), await me(agency)
    path = f"{CLAIMS}/{claim['id']}/assignment"
    given = await agency.admin.expect(200, "POST", path, json={"version": 1, "user_id": biller})
    assert (given["assigned_to_user_id"], given["version"]) == (biller, 2)
    before = await evidence.digest(agency.tenant_id)
    for user in (await me(agency, "medic"), await me(agency, "founder"), str(uuid.uuid4())):
        refused = await agency.biller.expect(422, "POST", path, json={"version": 2, "user_id": user})
        assert [problem["code"] for problem in refused["error"]["details"]["problems"]] == ["unknown_biller"]
    await agency.biller.expect(409, "POST", path, json={"version": 1, "user_id": biller})
    await agency.founder.expect(403, "POST", path, json={"version": 2, "user_id": biller})
    await agency.biller.expect(422, "POST", path, json={"version": 2})
    assert await evidence.digest(agency.tenant_id) == before
    back = await agency.biller.expect(200, "POST", path, json={"version": 2, "user_id": None})
    assert back["assigned_to_user_id"] is None
    actions = [event["action"] for event in await evidence.audit(claim["id"])]
    assert actions == ["claim.created", "claim.assigned", "claim.assigned"]


async def test_a_claim_rests_until_it_is_time(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    path = f"{CLAIMS}/{claim['id']}/snooze"
    assert await listed(agency, "unassigned") == [claim["id"]]
    resting = await agency.biller.expect(200, "POST", path, json={"version": 1, "until": "2099-01-01T00:00:00Z"})
    assert resting["snoozed_until"] == "2099-01-01T00:00:00Z"
    assert await listed(agency, "unassigned") == []
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", path, json={"version": 2, "until": "2020-01-01T00:00:00Z"})
    assert [problem["code"] for problem in refused["error"]["details"]["problems"]] == ["in_the_past"]
    await agency.founder.expect(403, "POST", path, json={"version": 2, "until": None})
    await agency.biller.expect(409, "POST", path, json={"version": 1, "until": None})
    assert await evidence.digest(agency.tenant_id) == before
    await agency.biller.expect(200, "POST", path, json={"version": 2, "until": None})
    assert await listed(agency, "unassigned") == [claim["id"]]


async def test_nobody_else_works_on_the_claim(agency: Agency, other_agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    before = await evidence.digest(agency.tenant_id)
    stranger = await me(other_agency)
    path = f"{CLAIMS}/{claim['id']}"
    await other_agency.biller.expect(404, "POST", f"{path}/assignment", json={"version": 1, "user_id": stranger})
    await other_agency.biller.expect(404, "POST", f"{path}/snooze", json={"version": 1, "until": None})
    await agency.biller.expect(422, "POST", f"{path}/assignment", json={"version": 1, "user_id": stranger})
    await agency.medic.expect(403, "GET", LISTS)
    await agency.medic.expect(403, "GET", f"{LISTS}/ready")
    await agency.medic.expect(403, "GET", f"{LISTS}/timely_filing")
    assert await evidence.digest(agency.tenant_id) == before
