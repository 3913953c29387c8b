"""837P files made of approved claims: what is in them, who gets them, and that a batch goes out whole or not at all."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import uuid
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from app.billing.x12.tokenizer import parse_interchange
from app.core.config import Environment
from app.core.errors import ServiceUnavailable
from app.core.runtime import Runtime
from app.core.storage.gateway import OBJECT_STORE
from tests.architecture.queries import counted
from tests.billing.support.claims import CLAIMS, EXPORTS, approved_claim, export, fire, new_claim
from tests.billing.support.evidence import Evidence
from tests.billing.x12.judge import judge_837p
from tests.core.reference.records import CLEARINGHOUSE, FACILITY
from tests.support.actors import Actor, Agency
from tests.support.charts import add_patient, lock_call, locked_call, open_call, unlock_call
from tests.support.charts import fire as fire_incident


class Store:
    """The runtime's object store, with something happening around `put`."""

    def __init__(
        self,
        inner: Any,
        *,
        before: Callable[[], Awaitable[None]] | None = None,
        after: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.inner = inner
        self.before = before
        self.after = after
        self.keys: list[str] = []

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        if self.before is not None:
            await self.before()
        await self.inner.put(key, content, content_type)
        self.keys.append(key)
        if self.after is not None:
            await self.after()

    async def get(self, key: str) -> bytes:
        found: bytes = await self.inner.get(key)
        return found

    async def exists(self, key: str) -> bool:
        return bool(await self.inner.exists(key))

    async def delete(self, key: str) -> None:
        await self.inner.delete(key)


@pytest.fixture
def store(runtime: Runtime) -> Iterator[Store]:
    watched: Any = Store(runtime.objects)
    with runtime.gateways.replace(OBJECT_STORE, watched):
        yield watched


async def artifact(agency: Agency, made: dict[str, Any]) -> str:
    """The one 837P of an export."""
    answer = await agency.biller.get(f"{EXPORTS}/{made['id']}/artifact")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/edi-x12"
    [file] = made["files"]
    assert answer.headers["content-disposition"] == f'attachment; filename="{file["file_name"]}"'
    assert (file["size_bytes"], file["sha256"]) == (len(answer.content), hashlib.sha256(answer.content).hexdigest())
    return answer.text


async def status_of(agency: Agency, claim: dict[str, Any]) -> str:
    return str((await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}"))["status"])


async def test_a_batch_goes_out_in_one_file(agency: Agency, store: Store, evidence: Evidence) -> None:
    """From charts and claims charted over HTTP to a file that an independent implementation of the guide accepts."""
    pair = await open_call(agency, patient={"last_name": "Müller", "middle_name": "Q", "name_suffix": "Jr"})
    second = await add_patient(agency, pair.incident, first_name="Max", gender="male", home_zip="62701-1234")
    await lock_call(agency, pair)
    accident = {"causes": ["AA"], "state": "IL", "occurred_on": "2026-11-01"}
    claims = [
        await approved_claim(agency, pair, patient_id=pair.patient["id"], patient_count=2),
        await approved_claim(agency, pair, patient_id=second["id"], patient_count=2, accident=accident),
        await approved_claim(agency, group_number="G7", prior_authorization="UTN00000000001", weight_lb=None),
        await approved_claim(agency, certifications={"yes": ["06"]}, stretcher_purpose=None, accepts_assignment=False),
    ]
    made = await export(agency, *claims)
    assert made["claim_ids"] == [claim["id"] for claim in claims]
    [file] = made["files"]
    assert (file["file_number"], file["format"], file["claim_ids"]) == (1, "837P", made["claim_ids"])
    assert file["artifact_key"] == f"tenant/{agency.tenant_id}/billing/837p/{made['id']}-1.edi"
    assert file["file_name"] == f"OATEST_837P_{file['control_number']:09}.txt"
    assert store.keys == [file["artifact_key"]]
    assert await agency.biller.expect(200, "GET", f"{EXPORTS}/{made['id']}") == made
    text = await artifact(agency, made)
    assert judge_837p(text) == []
    interchange = parse_interchange(text)
    [group] = interchange.groups
    [transaction] = group.transaction_sets
    assert int(interchange.header.element(13)) == int(group.header.element(6)) == file["control_number"]
    assert interchange.header.element(15) == "T"
    sent = [segment.element(1) for segment in transaction.segments if segment.tag == "CLM"]
    assert sent == [claim["claim_number"] for claim in claims]
    assert [await status_of(agency, claim) for claim in claims] == ["exported"] * 4
    for claim in claims:
        moved = (await evidence.audit(claim["id"]))[-1]
        assert (moved["action"], moved["metadata_json"]["to"]) == ("claim.exported", "exported")
        assert (await evidence.outbox(claim["id"]))[-1]["payload"]["status"] == "exported"
    recorded, downloaded = await evidence.audit(made["id"])
    assert downloaded["action"] == "claim_export.downloaded"
    assert recorded["metadata_json"] == {"control_numbers": [file["control_number"]], "claims": 4}
    assert "Müller" not in await evidence.records(agency.tenant_id)


async def test_isa15_is_p_in_production_only(agency: Agency, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    for environment, usage in ((Environment.DEVELOPMENT, "T"), (Environment.PRODUCTION, "P")):
        settings = runtime.settings.model_copy(update={"environment": environment})
        monkeypatch.setattr(runtime, "settings", settings)
        made = await export(agency, await approved_claim(agency))
        assert parse_interchange(await artifact(agency, made)).header.element(15) == usage


async def test_payers_learn_where_to_send_the_money(agency: Agency) -> None:
    """2010AB follows 2010AA; without a pay-to address of its own the file has none."""
    plain = await artifact(agency, await export(agency, await approved_claim(agency)))
    assert "NM1*87" not in plain
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    pay_to = {"pay_to_street": "PO Box 7", "pay_to_city": "Chicago", "pay_to_state": "IL", "pay_to_zip": "60601-0007"}
    await agency.admin.expect(200, "PATCH", "tenants/current", json={"version": tenant["version"], **pay_to})
    text = await artifact(agency, await export(agency, await approved_claim(agency)))
    assert judge_837p(text) == []
    assert "NM1*87*2~\nN3*PO BOX 7~\nN4*CHICAGO*IL*606010007~" in text


async def test_control_numbers_are_never_used_twice(agency: Agency, found: Any) -> None:
    other: Agency = await found()
    made = [await export(who, await approved_claim(who)) for who in (agency, other, agency)]
    numbers = [file["control_number"] for export_ in made for file in export_["files"]]
    assert numbers == sorted(set(numbers))


async def test_one_claim_that_is_not_ready_keeps_all_back(agency: Agency, store: Store, evidence: Evidence) -> None:
    """Each is named with its reasons: state, chart, content."""
    call = await locked_call(agency)
    unlocked = await approved_claim(agency, call)
    await unlock_call(agency, call)
    ready, pending, lacking = await approved_claim(agency), await new_claim(agency), await new_claim(agency)
    await agency.biller.expect(
        200, "PATCH", f"{CLAIMS}/{lacking['id']}", json={"version": 1, "signature_on_file": None}
    )
    await evidence.arrange(lacking, "ready_to_export")
    before = await evidence.digest(agency.tenant_id)
    refused = await export(agency, ready, pending, unlocked, lacking, status=409)
    assert refused["error"]["code"] == "CLAIMS_NOT_READY"
    named = {
        claim["claim_id"]: (
            claim["state"],
            [guard["name"] for guard in claim["failed_guards"]],
            [problem["field"] for guard in claim["failed_guards"] for problem in guard.get("problems", [])],
        )
        for claim in refused["error"]["details"]["claims"]
    }
    assert named == {
        pending["id"]: ("pending_review", [], []),
        unlocked["id"]: ("ready_to_export", ["chart_locked"], []),
        lacking["id"]: ("ready_to_export", ["content_valid"], ["signature_on_file"]),
    }
    assert await evidence.digest(agency.tenant_id) == before
    assert store.keys == []


async def test_a_profile_that_cannot_be_sent_keeps_all_back(agency: Agency) -> None:
    claim = await approved_claim(agency)
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    patch = {"version": tenant["version"], "submitter_id": "x" * 16}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=patch)
    refused = await export(agency, claim, status=409)
    [guard] = refused["error"]["details"]["claims"][0]["failed_guards"]
    assert [(p["field"], p["code"]) for p in guard["problems"]] == [("tenant.submitter_id", "length")]


async def test_bad_batches_are_refused(agency: Agency, evidence: Evidence) -> None:
    before = await evidence.digest(agency.tenant_id)
    ids = [str(uuid.UUID(int=n)) for n in range(501)]
    bad_batches: list[Any] = [[], None, "x", ["x"], [7], [None], [ids[1], ids[1]], ids]
    for claim_ids in bad_batches:
        await agency.biller.expect(422, "POST", EXPORTS, json={"claim_ids": claim_ids})
    await agency.biller.expect(422, "POST", EXPORTS, json={})
    body = {"claim_ids": [str(uuid.uuid4())], "id": str(uuid.uuid4())}
    await agency.biller.expect(422, "POST", EXPORTS, json=body)
    assert await evidence.digest(agency.tenant_id) == before


async def test_unknown_and_deleted_claims_are_not_found(agency: Agency, store: Store, evidence: Evidence) -> None:
    ready, deleted = await approved_claim(agency), await new_claim(agency)
    await agency.admin.expect(204, "DELETE", f"{CLAIMS}/{deleted['id']}?version=1")
    before = await evidence.digest(agency.tenant_id)
    for missing in ({"id": str(uuid.uuid4())}, deleted):
        refused = await export(agency, ready, missing, status=404)
        assert refused["error"]["code"] == "NOT_FOUND"
    assert await evidence.digest(agency.tenant_id) == before
    assert store.keys == []


async def test_roles(agency: Agency, anonymous: Actor, evidence: Evidence) -> None:
    claim = await approved_claim(agency)
    made = await export(agency, await approved_claim(agency))
    before = await evidence.digest(agency.tenant_id)
    for method, target, options, allowed in (
        ("POST", EXPORTS, {"json": {"claim_ids": [claim["id"]]}}, {"admin", "biller"}),
        ("GET", f"{EXPORTS}/{made['id']}/artifact", {}, {"admin", "biller"}),
        ("GET", f"{EXPORTS}/{made['id']}", {}, {"admin", "biller", "founder"}),
        ("GET", EXPORTS, {}, {"admin", "biller", "founder"}),
    ):
        await anonymous.expect(401, method, target, **options)
        for who in {"admin", "biller", "founder", "medic", "supervisor"} - allowed:
            refused = await agency.actors[who].expect(403, method, target, **options)
            assert refused["error"]["code"] == "FORBIDDEN"
        for who in allowed if method == "GET" else ():
            assert (await agency.actors[who].get(target)).status_code == 200
    assert await evidence.digest(agency.tenant_id) == before
    assert (await agency.admin.expect(201, "POST", EXPORTS, json={"claim_ids": [claim["id"]]}))["claim_ids"]


async def test_another_agency_sees_nothing_there(agency: Agency, found: Any, evidence: Evidence) -> None:
    stranger: Agency = await found()
    claim = await approved_claim(agency)
    made = await export(agency, await approved_claim(agency))
    before = await evidence.digest(agency.tenant_id), await evidence.digest(stranger.tenant_id)
    trace = {"X-Request-ID": "00000000-0000-4000-8000-000000000000"}
    for method, target, body in (
        ("GET", f"{EXPORTS}/{{export}}", None),
        ("GET", f"{EXPORTS}/{{export}}/artifact", None),
        ("POST", EXPORTS, "claim"),
    ):
        answers = []
        for ids in ({"export": made["id"], "claim": claim["id"]}, {"export": uuid.uuid4(), "claim": uuid.uuid4()}):
            options = {} if body is None else {"json": {"claim_ids": [str(ids[body])]}}
            answer = await stranger.admin.request(method, target.format(**ids), headers=trace, **options)
            answers.append((answer.status_code, answer.content, sorted(answer.headers.items())))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert (await stranger.admin.expect(200, "GET", EXPORTS))["items"] == []
    assert (await evidence.digest(agency.tenant_id), await evidence.digest(stranger.tenant_id)) == before


async def test_exports_are_listed_newest_first(agency: Agency) -> None:
    claims = [await approved_claim(agency) for _ in range(4)]
    made = [await export(agency, *batch) for batch in (claims[:2], claims[2:3], claims[3:])]
    first = await agency.biller.expect(200, "GET", f"{EXPORTS}?limit=2")
    second = await agency.biller.expect(200, "GET", f"{EXPORTS}?limit=2&cursor={first['next_cursor']}")
    assert first["items"] + second["items"] == made[::-1]
    assert second["next_cursor"] is None
    oldest = await agency.biller.expect(200, "GET", f"{EXPORTS}?sort=created_at&limit=1")
    next_oldest = await agency.biller.expect(
        200, "GET", f"{EXPORTS}?sort=created_at&limit=1&cursor={oldest['next_cursor']}"
    )
    assert oldest["items"] + next_oldest["items"] == made[:2]


async def test_a_rejected_claim_goes_out_again_with_its_number(agency: Agency) -> None:
    claim = await approved_claim(agency)
    first = await export(agency, claim)
    rejected = await fire(agency, {**claim, "version": claim["version"] + 1}, "reject")
    second = await export(agency, await fire(agency, rejected, "approve"))
    assert second["claim_ids"] == first["claim_ids"]
    assert second["files"][0]["control_number"] > first["files"][0]["control_number"]
    assert f"CLM*{claim['claim_number']}*" in await artifact(agency, second)


async def test_a_repeated_request_makes_one_file(agency: Agency, store: Store) -> None:
    claim = await approved_claim(agency)
    body, headers = {"claim_ids": [claim["id"]]}, {"Idempotency-Key": "batch-1"}
    first = await agency.biller.expect(201, "POST", EXPORTS, json=body, headers=headers)
    assert await agency.biller.expect(201, "POST", EXPORTS, json=body, headers=headers) == first
    assert len(store.keys) == 1
    other = {"claim_ids": [(await approved_claim(agency))["id"]]}
    refused = await agency.biller.expect(409, "POST", EXPORTS, json=other, headers=headers)
    assert refused["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_refused_request_does_not_use_up_its_key(agency: Agency) -> None:
    claim = await new_claim(agency)
    body, headers = {"claim_ids": [claim["id"]]}, {"Idempotency-Key": "batch-1"}
    await agency.biller.expect(409, "POST", EXPORTS, json=body, headers=headers)
    await fire(agency, claim, "approve")
    await agency.biller.expect(201, "POST", EXPORTS, json=body, headers=headers)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "twin"}])
async def test_of_two_concurrent_exports_one_is_recorded(
    agency: Agency, store: Store, admin_connection: asyncpg.Connection, headers: dict[str, str]
) -> None:
    """Both have stored their file before either records; with one key, both get the one that was recorded."""
    claim = await approved_claim(agency)
    both_stored = asyncio.Barrier(2)

    async def meet() -> None:
        await both_stored.wait()

    store.after = meet
    body = {"claim_ids": [claim["id"]]}
    answers = await asyncio.gather(*(agency.biller.post(EXPORTS, json=body, headers=headers) for _ in range(2)))
    rows = await admin_connection.fetch("SELECT * FROM claim_exports WHERE tenant_id = $1", agency.tenant_id)
    [row] = rows
    assert len(set(store.keys)) == 2
    if headers:
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
    else:
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        [refused] = [answer.json()["error"] for answer in answers if answer.status_code == 409]
        assert refused["code"] == "CLAIMS_NOT_READY"
        assert [named["state"] for named in refused["details"]["claims"]] == ["exported"]
        assert [key for key in store.keys if await store.exists(key)] == [row["artifact_key"]], "the other is deleted"
    [made] = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert str(row["export_id"]) == made
    text = (await store.get(row["artifact_key"])).decode()
    assert int(parse_interchange(text).header.element(13)) == row["control_number"]


async def test_overlapping_batches_do_not_wait_for_each_other_forever(agency: Agency, store: Store) -> None:
    claims = [await approved_claim(agency) for _ in range(4)]
    all_stored = asyncio.Barrier(3)

    async def meet() -> None:
        await all_stored.wait()

    store.after = meet
    batches = (claims[:3], claims[2::-1], claims[:0:-1])
    bodies = [{"claim_ids": [claim["id"] for claim in batch]} for batch in batches]
    answers = await asyncio.gather(*(agency.biller.post(EXPORTS, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


@pytest.mark.parametrize("error", [OSError("disk full"), RuntimeError("killed")])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_around_the_store_leaves_the_claims_alone(
    agency: Agency, store: Store, evidence: Evidence, moment: str, error: Exception
) -> None:
    claims = [await approved_claim(agency) for _ in range(2)]
    before = await evidence.digest(agency.tenant_id)

    async def crash() -> None:
        raise error

    setattr(store, moment, crash)
    body, headers = {"claim_ids": [claim["id"] for claim in claims]}, {"Idempotency-Key": "batch-1"}
    answer = await agency.biller.post(EXPORTS, json=body, headers=headers)
    assert answer.status_code >= 500
    assert await evidence.digest(agency.tenant_id) == before
    setattr(store, moment, None)
    made = await agency.biller.expect(201, "POST", EXPORTS, json=body, headers=headers)
    assert made["claim_ids"] == body["claim_ids"]


async def test_what_changed_while_the_file_was_made_is_not_recorded(
    agency: Agency, store: Store, evidence: Evidence
) -> None:
    """The claim was reopened, changed and approved again; the other one's chart was unlocked and locked again."""
    call = await locked_call(agency)
    edited, amended, steady = (
        await approved_claim(agency),
        await approved_claim(agency, call),
        await approved_claim(agency),
    )

    before = ""

    async def meddle() -> None:
        nonlocal before
        reopened = await fire(agency, edited, "reopen")
        line = reopened["lines"][0]
        path = f"{CLAIMS}/{edited['id']}/lines/{line['id']}"
        await agency.biller.expect(200, "PATCH", path, json={"version": line["version"], "hcpcs": "A0427"})
        current = await agency.biller.expect(200, "GET", f"{CLAIMS}/{edited['id']}")
        await fire(agency, current, "approve")
        await unlock_call(agency, call)
        await fire_incident(agency, call, "lock", "admin")
        before = await evidence.digest(agency.tenant_id)

    store.after = meddle
    refused = await export(agency, steady, edited, amended, status=409)
    named = {
        claim["claim_id"]: (claim["state"], [guard["name"] for guard in claim["failed_guards"]])
        for claim in refused["error"]["details"]["claims"]
    }
    assert named == dict.fromkeys((edited["id"], amended["id"]), ("ready_to_export", ["content_unchanged"]))
    assert await evidence.digest(agency.tenant_id) == before
    store.after = None
    assert len((await export(agency, steady, edited, amended))["claim_ids"]) == 3


async def test_a_chart_that_is_unlocked_meanwhile_keeps_its_claim_back(agency: Agency, store: Store) -> None:
    call = await locked_call(agency)
    claim = await approved_claim(agency, call)

    async def unlock() -> None:
        await unlock_call(agency, call)

    store.after = unlock
    refused = await export(agency, claim, status=409)
    [named] = refused["error"]["details"]["claims"]
    assert [guard["name"] for guard in named["failed_guards"]] == ["chart_locked", "content_unchanged"]
    assert await status_of(agency, claim) == "ready_to_export"


async def test_the_record_of_exports_is_append_only(
    agency: Agency, database: Any, admin_connection: asyncpg.Connection
) -> None:
    made = await export(agency, await approved_claim(agency))
    export_id = uuid.UUID(made["id"])
    owner = await asyncpg.connect(database.owner)
    try:
        for statement in (
            "UPDATE claim_exports SET artifact_key = 'x' WHERE export_id = $1",
            "DELETE FROM claim_exports WHERE export_id = $1",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await owner.execute(statement, export_id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute("TRUNCATE claim_exports")
    finally:
        await owner.close()
    count = await admin_connection.fetchval("SELECT count(*) FROM claim_exports WHERE export_id = $1", export_id)
    assert count == 1


async def test_a_hundred_claims_fit_in_a_file(agency: Agency, evidence: Evidence) -> None:
    """Ten calls with ten patients each."""
    claims = []
    for minute in range(20, 30):
        call = await open_call(agency, depart_scene_time=f"2026-11-01T10:{minute}:00-06:00")
        patients = [call.patient]
        patients += [await add_patient(agency, call.incident, first_name=f"P{n}") for n in range(9)]
        await lock_call(agency, call)
        claims += [await new_claim(agency, call, patient_id=patient["id"]) for patient in patients]
    for claim in claims:
        await evidence.arrange(claim, "ready_to_export")
    text = await artifact(agency, await export(agency, *claims))
    assert text.count("\nCLM*") == 100
    assert judge_837p(text) == []


async def test_a_file_costs_the_same_statements_for_many_claims_as_for_one(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    sent = []
    for size in (1, 1, 7):  # the driver asks a fresh connection about types it has not met
        claims = [await approved_claim(agency) for _ in range(size)]
        async with counted(runtime.database) as statements:
            made = await export(agency, *claims)
        sent.append(len(statements))
    assert sent[1] == sent[2]
    [event] = [event for event in await evidence.audit(made["claim_ids"][6]) if event["action"] == "claim.exported"]
    assert event["changed_fields_json"] == {"status": ["ready_to_export", "exported"]}
    assert event["metadata_json"] == {"action": "export", "from": "ready_to_export", "to": "exported"}


async def test_a_claim_of_a_call_between_two_facilities(agency: Agency) -> None:
    """Nobody types an address: pick-up and drop-off come from the facilities, as they were when they were named."""
    origin = await FACILITY.add(agency.admin, name="Prairie Kidney Center", street="12 Prairie Road", unit="Suite 4")
    destination = await FACILITY.add(agency.admin)
    parts = ("street", "city", "state", "zip")
    nowhere = {f"location_{part}": None for part in parts}
    unsaid = {"destination_name": None, **{f"destination_{part}": None for part in parts}}
    picks = {"origin_facility_id": origin["id"], "destination_facility_id": destination["id"]}
    call = await lock_call(agency, await open_call(agency, patient=unsaid, **nowhere, **picks))
    for facility in (origin, destination):
        path = f"{FACILITY.path}/{facility['id']}"
        await agency.admin.expect(200, "PATCH", path, json={"version": 1, "street": "Moved away", "zip": "60601"})
    text = await artifact(agency, await export(agency, await approved_claim(agency, call)))
    assert judge_837p(text) == []
    text = text.replace("\n", "")
    assert "NM1*PW*2~N3*12 PRAIRIE ROAD*SUITE 4~N4*SPRINGFIELD*IL*627030042~" in text
    assert "NM1*45*2*LINCOLN REGIONAL HOSPITAL~N3*40 LAKESHORE DRIVE~N4*SPRINGFIELD*IL*627030042~" in text


async def test_payers_that_want_paper_get_a_file_each(
    agency: Agency, store: Store, evidence: Evidence, admin_connection: asyncpg.Connection
) -> None:
    """One export: an 837P for those that take it, and forms for the two that do not, all of it or nothing."""
    electronic = await approved_claim(agency)
    paper = []
    for name in ("Prairie Mutual", "County Fund"):
        claim = await approved_claim(agency, payer_name=name, claim_filing_code="CI")
        await admin_connection.execute(
            "WITH payer AS (INSERT INTO payers (id, tenant_id, name, payer_id, claim_filing_code, wants_paper, street,"
            " city, state, zip) VALUES ($1, $2, $3, '00621', 'CI', true, 'PO Box 9', 'Peoria', 'IL', '61601')"
            " RETURNING id) UPDATE claims SET payer_record_id = $1 WHERE id = $4",
            uuid.uuid4(),
            agency.tenant_id,
            name,
            uuid.UUID(claim["id"]),
        )
        paper.append(claim)
    before = await evidence.digest(agency.tenant_id)

    async def full() -> None:
        if len(store.keys) == 2:
            raise ServiceUnavailable

    store.before = full
    body = {"claim_ids": [claim["id"] for claim in (paper[0], electronic, paper[1])]}
    await agency.biller.expect(503, "POST", EXPORTS, json=body)
    assert await evidence.digest(agency.tenant_id) == before
    assert [await store.exists(key) for key in store.keys] == [False, False], "the first two files are taken back"
    store.before = None
    made = await agency.biller.expect(201, "POST", EXPORTS, json=body)
    assert [(file["format"], file["claim_ids"]) for file in made["files"]] == [
        ("CMS-1500", [paper[0]["id"]]),
        ("837P", [electronic["id"]]),
        ("CMS-1500", [paper[1]["id"]]),
    ]
    assert made["claim_ids"] == body["claim_ids"]
    assert len({file["control_number"] for file in made["files"]}) == 3
    path = f"{EXPORTS}/{made['id']}/artifact"
    refused = await agency.biller.expect(422, "GET", path)
    assert refused["error"]["details"]["problems"][0]["field"] == "query.file"
    await agency.biller.expect(404, "GET", f"{path}?file=4")
    forms = await agency.biller.get(f"{path}?file=3")
    assert forms.headers["content-type"] == "text/plain; charset=us-ascii"
    assert "COUNTY FUND" in forms.text and "PEORIA IL 61601" in forms.text and forms.text.count("\f") == 1
    assert judge_837p((await agency.biller.get(f"{path}?file=2")).text) == []
    assert [await status_of(agency, claim) for claim in (electronic, *paper)] == ["exported"] * 3


@pytest.mark.parametrize("format_", ["CMS-1500", "CSV"])
async def test_a_biller_may_choose_the_format(agency: Agency, format_: str) -> None:
    mutual = {"payer_name": "=Mutual", "claim_filing_code": "CI", "member_id": "W1"}
    claims = [await approved_claim(agency), await approved_claim(agency, **mutual)]
    body = {"claim_ids": [claim["id"] for claim in claims], "format": format_}
    made = await agency.biller.expect(201, "POST", EXPORTS, json=body)
    assert {file["format"] for file in made["files"]} == {format_}
    texts = []
    for file in made["files"]:
        answer = await agency.biller.get(f"{EXPORTS}/{made['id']}/artifact?file={file['file_number']}")
        assert file["sha256"] == hashlib.sha256(answer.content).hexdigest()
        texts.append(answer.text)
    if format_ == "CMS-1500":
        assert [text.count("\f") for text in texts] == [1, 1], "each payer gets its own"
        return
    [text] = texts
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["claim_number"] for row in rows] == [claim["claim_number"] for claim in claims for _ in claim["lines"]]
    assert rows[2]["payer_name"] == "'=Mutual", "no spreadsheet takes a name for a formula"
    assert sum(Decimal(row["charge"]) for row in rows[:2]) == Decimal(rows[0]["total_charge"])


async def test_what_does_not_fit_on_paper_stays_back(agency: Agency, store: Store, evidence: Evidence) -> None:
    claim = await approved_claim(agency, claim_filing_code="CI", member_id="1" * 18)
    before = await evidence.digest(agency.tenant_id)
    body = {"claim_ids": [claim["id"]], "format": "CMS-1500"}
    refused = await agency.biller.expect(409, "POST", EXPORTS, json=body)
    [guard] = refused["error"]["details"]["claims"][0]["failed_guards"]
    assert [(one["field"], one["code"]) for one in guard["problems"]] == [("member_id", "too_long_for_paper")]
    assert await evidence.digest(agency.tenant_id) == before
    assert store.keys == []


async def test_a_clearinghouse_says_how_files_are_written(agency: Agency, runtime: Runtime) -> None:
    house = await CLEARINGHOUSE.add(
        agency.admin,
        submitter_id="SUB1",
        receiver_id="RECEIVER1",
        receiver_qualifier="ZZ",
        application_sender_code="APP1",
        acknowledgment_requested=True,
        test_file_name="TEST-{number}.837",
    )
    made = await export(agency, await approved_claim(agency))
    assert made["files"][0]["file_name"] == f"TEST-{made['files'][0]['control_number']:09}.837"
    text = await artifact(agency, made)
    assert judge_837p(text) == []
    header = parse_interchange(text).header
    sent = [header.element(number).strip() for number in (6, 7, 8, 14, 15)]
    assert sent == ["SUB1", "ZZ", "RECEIVER1", "1", "T"]
    assert "GS*HC*APP1*OA*" in text and "NM1*41*2*" in text and "*46*SUB1~" in text
    other = await CLEARINGHOUSE.add(agency.admin)
    claim = await approved_claim(agency)
    for named, code in (({}, "missing"), ({"clearinghouse_id": str(uuid.uuid4())}, "unknown_reference")):
        refused = await agency.biller.expect(422, "POST", EXPORTS, json={"claim_ids": [claim["id"]], **named})
        [problem] = refused["error"]["details"]["problems"]
        assert (problem["field"], problem["code"]) == ("clearinghouse_id", code)
    body = {"claim_ids": [claim["id"]], "clearinghouse_id": other["id"]}
    made = await agency.biller.expect(201, "POST", EXPORTS, json=body)
    assert made["files"][0]["file_name"].startswith("OATEST_837P_")
    assert house["id"] != other["id"]


async def test_a_void_goes_out_and_stays_closed(
    agency: Agency, store: Store, evidence: Evidence, admin_connection: asyncpg.Connection
) -> None:
    """The payer cancels what it has: the file names the payer's number. A claim closed otherwise does not go out."""
    call = await locked_call(agency)
    void, nameless, closed, usual = (
        await approved_claim(agency, call),
        await approved_claim(agency),
        await approved_claim(agency),
        await approved_claim(agency),
    )
    for claim in (void, nameless, closed):
        await evidence.arrange(claim, "closed")
    arrange = "UPDATE claims SET frequency = '8', payer_claim_control_number = $2 WHERE id = $1::text::uuid"
    await admin_connection.execute(arrange, void["id"], "ICN77")
    await admin_connection.execute(arrange, nameless["id"], None)
    await unlock_call(agency, call)
    before = await evidence.digest(agency.tenant_id)
    refused = await export(agency, void, nameless, closed, usual, status=409)
    named = {
        claim["claim_id"]: [guard["name"] for guard in claim["failed_guards"]]
        for claim in refused["error"]["details"]["claims"]
    }
    assert named == {nameless["id"]: ["content_valid"], closed["id"]: []}
    assert await evidence.digest(agency.tenant_id) == before
    assert store.keys == []
    text = await artifact(agency, await export(agency, void, usual))
    assert judge_837p(text) == []
    [cancelled] = [part for part in text.split("CLM*") if part.startswith(void["claim_number"])]
    assert ":B:8*" in cancelled and "REF*F8*ICN77~" in cancelled
    assert [await status_of(agency, claim) for claim in (void, usual)] == ["closed", "exported"]
