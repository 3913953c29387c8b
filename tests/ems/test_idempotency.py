"""Creates that are sent twice: client-made ids and Idempotency-Keys, one after the other and all at once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.ems.charts import CHILDREN, CREW, INCIDENT, INCIDENTS, KINDS, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.support.actors import Agency


def url_of(chart: Chart, kind: Kind) -> str:
    return INCIDENTS if kind is INCIDENT else chart.at(kind)


async def create(chart: Chart, kind: Kind, key: str | None = None, **fields: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await chart.writer.post(url_of(chart, kind), json=chart.body(kind, **fields), headers=headers)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_a_client_made_id(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    """Created under it; the same body again answers 200 with the resource as it stands; another body 409."""
    await chart.ready(kind)
    made = str(uuid.uuid4())
    first = await create(chart, kind, id=made)
    assert (first.status_code, first.json()["id"]) == (201, made)
    before = await evidence.digest(chart.agency.tenant_id)
    again = await create(chart, kind, id=made)
    assert (again.status_code, again.json()) == (200, first.json())
    others: list[dict[str, Any]] = [dict(kind.change), {"elements": {"eVitals.26": []}}]
    for fields in others:
        other = await create(chart, kind, **{"id": made, **fields})
        assert other.status_code == 409
        assert other.json()["error"]["code"] == "ID_TAKEN"
    assert await evidence.digest(chart.agency.tenant_id) == before
    url = f"{url_of(chart, kind)}/{made}"
    revised = await chart.writer.expect(200, "PATCH", url, json={"version": 1, **kind.change})
    replayed = await create(chart, kind, id=made)
    assert (replayed.status_code, replayed.json()) == (200, revised)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_an_idempotency_key(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    """The same body again answers the first status with the resource as it stands; another body 409."""
    await chart.ready(kind)
    first = await create(chart, kind, "key-1")
    assert first.status_code == 201
    before = await evidence.digest(chart.agency.tenant_id)
    again = await create(chart, kind, "key-1")
    assert (again.status_code, again.json()) == (201, first.json())
    other = await create(chart, kind, "key-1", **kind.change)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert await evidence.digest(chart.agency.tenant_id) == before
    url = f"{url_of(chart, kind)}/{first.json()['id']}"
    revised = await chart.writer.expect(200, "PATCH", url, json={"version": 1, **kind.change})
    replayed = await create(chart, kind, "key-1")
    assert (replayed.status_code, replayed.json()) == (201, revised)
    await chart.ready(kind)
    assert (await create(chart, kind, "key-2")).json()["id"] != first.json()["id"]


@pytest.mark.parametrize("with_key", [True, False], ids=["key", "id"])
@pytest.mark.parametrize("kind", [INCIDENT, VITAL], ids=lambda kind: kind.noun)
async def test_thirty_at_once_make_one(chart: Chart, evidence: Evidence, kind: Kind, with_key: bool) -> None:
    fields: dict[str, Any] = {} if with_key else {"id": str(uuid.uuid4())}
    key = "key-1" if with_key else None
    answers = await asyncio.gather(*(create(chart, kind, key, **fields) for _ in range(30)))
    wanted = [201] * 30 if with_key else [200] * 29 + [201]
    assert sorted(answer.status_code for answer in answers) == wanted
    assert len({answer.text for answer in answers}) == 1
    assert (await evidence.records(answers[0].json()["id"])).counts() == (1, 1, 1)
    listed = await chart.writer.expect(200, "GET", url_of(chart, kind))
    assert [item["id"] for item in listed["items"]].count(answers[0].json()["id"]) == 1


async def test_two_bodies_at_once_under_one_key_make_one(chart: Chart) -> None:
    answers = await asyncio.gather(*(create(chart, VITAL, "key-1", heart_rate=60 + n) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len((await chart.writer.expect(200, "GET", chart.at(VITAL)))["items"]) == 1


async def test_a_refused_create_does_not_use_up_its_key_or_id(chart: Chart) -> None:
    made = str(uuid.uuid4())
    assert (await create(chart, VITAL, "key-1", id=made, heart_rate=501)).status_code == 422
    assert (await create(chart, VITAL, "key-1", id=made)).status_code == 201


async def test_a_replay_is_answered_after_the_chart_was_closed(chart: Chart, evidence: Evidence) -> None:
    """The client lost the first answer; it must learn that its vital is there."""
    made = str(uuid.uuid4())
    first = await create(chart, VITAL, id=made)
    keyed = await create(chart, VITAL, "key-1")
    await chart.advance("locked")
    before = await evidence.digest(chart.agency.tenant_id)
    assert (await create(chart, VITAL, id=made)).json() == first.json()
    assert (await create(chart, VITAL, "key-1")).json() == keyed.json()
    assert (await create(chart, VITAL, id=str(uuid.uuid4()))).status_code == 409
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_replay_of_what_was_deleted_since_says_how_to_have_it_back(chart: Chart, evidence: Evidence) -> None:
    made = str(uuid.uuid4())
    for given in ({"id": made}, {"key": "key-1"}):
        entry = (await create(chart, VITAL, **given)).json()
        await chart.writer.expect(204, "DELETE", chart.at(VITAL, entry), params={"version": 1})
        before = await evidence.digest(chart.agency.tenant_id)
        refused = await create(chart, VITAL, **given)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (409, "ENTRY_DELETED")
        assert (error["details"]["id"], error["details"]["version"]) == (entry["id"], 2)
        assert await evidence.digest(chart.agency.tenant_id) == before
        url = f"{chart.at(VITAL, entry)}/restore"
        await chart.writer.expect(200, "POST", url, json={"version": error["details"]["version"]})
        again = await create(chart, VITAL, **given)
        assert (again.status_code, again.json()["version"]) == (200 if "id" in given else 201, 3)


async def test_a_chart_that_was_deleted_since_is_not_said_to_be_unknown(agency: Agency, evidence: Evidence) -> None:
    body = {**INCIDENT.body, "id": str(uuid.uuid4())}
    await agency.medic.expect(201, "POST", INCIDENTS, json=body)
    params = {"version": 1, "reason": "Opened twice."}
    await agency.medic.expect(204, "DELETE", f"{INCIDENTS}/{body['id']}", params=params)
    before = await evidence.digest(agency.tenant_id)
    error = (await agency.medic.expect(409, "POST", INCIDENTS, json=body))["error"]
    assert (error["code"], error["details"]["id"], error["details"]["version"]) == ("ENTRY_DELETED", body["id"], 2)
    assert await evidence.digest(agency.tenant_id) == before
    await agency.admin.expect(200, "POST", f"{INCIDENTS}/{body['id']}/restore", json={"version": 2})
    assert (await agency.medic.expect(200, "POST", INCIDENTS, json=body))["version"] == 3


async def test_an_id_in_use_for_something_else(chart: Chart, evidence: Evidence) -> None:
    """Whoever made the id, and whatever the other thing is: a second thing is never made under it."""
    entries = [(kind, await chart.add(kind)) for kind in CHILDREN]
    second = await Chart.open(chart.agency)
    await second.ready(CREW)
    before = await evidence.digest(chart.agency.tenant_id)
    for kind, entry in entries:
        assert (await create(chart, kind, id=entry["id"])).status_code == 409
        assert (await create(second, kind, id=entry["id"])).status_code == 409
    assert (await create(chart, VITAL, id=chart.id)).status_code == 409
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_the_same_id_under_another_incident_is_another_request(chart: Chart) -> None:
    second = await Chart.open(chart.agency)
    made = str(uuid.uuid4())
    body = {"id": made, "last_name": "Rivers"}
    await chart.writer.expect(201, "POST", f"{chart.url}/patients", json=body)
    await chart.writer.expect(409, "POST", f"{second.url}/patients", json=body)
    key = {"Idempotency-Key": "key-1"}
    await chart.writer.expect(201, "POST", f"{chart.url}/patients", json={}, headers=key)
    reused = await chart.writer.expect(409, "POST", f"{second.url}/patients", json={}, headers=key)
    assert reused["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_keys_are_the_agencys_own(chart: Chart, found: Callable[[], Awaitable[Agency]]) -> None:
    other = await Chart.open(await found())
    mine, theirs = await create(chart, INCIDENT, "key-1"), await create(other, INCIDENT, "key-1")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"a b", "schl\xfcssel".encode("latin-1")])
async def test_what_is_no_key(chart: Chart, key: bytes) -> None:
    answer = await chart.writer.client.post(
        f"/api/v1/{chart.at(VITAL)}",
        json=chart.body(VITAL),
        headers={b"Authorization": f"Bearer {chart.writer.token}".encode(), b"Idempotency-Key": key},
    )
    assert answer.status_code == 422, answer.text
