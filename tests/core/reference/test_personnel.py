"""Personnel: licences, their expiry by the agency's calendar, and the users behind them."""

from __future__ import annotations

import asyncio
import datetime as dt
import zoneinfo
from typing import Any

import pytest

from app.core.personnel import kind as personnel
from tests.architecture.queries import counted
from tests.core.reference.records import PERSON
from tests.support.actors import Agency


def problems(refused: Any) -> list[tuple[str, str]]:
    return [(problem["field"], problem["code"]) for problem in refused["error"]["details"]["problems"]]


@pytest.mark.parametrize(
    ("licence", "missing"),
    [
        ({"licensure_id": "P-1", "licensure_state": None}, "licensure_state"),
        ({"licensure_id": None, "licensure_state": "IL"}, "licensure_id"),
        ({"licensure_id": None, "licensure_state": "IL", "licensure_expires_on": "2030-01-01"}, "licensure_id"),
    ],
    ids=str,
)
async def test_a_licence_has_a_number_and_a_state(agency: Agency, licence: dict[str, Any], missing: str) -> None:
    refused = await agency.admin.expect(422, "POST", PERSON.path, json=PERSON.fresh() | licence)
    assert problems(refused) == [(missing, "missing")]
    assert (await agency.admin.expect(200, "GET", PERSON.path))["items"] == []
    made = await PERSON.add(agency.admin)
    path = f"{PERSON.path}/{made['id']}"
    assert problems(await agency.admin.expect(422, "PATCH", path, json={"version": 1, missing: None})) == [
        (missing, "missing")
    ]
    assert await agency.admin.expect(200, "GET", path) == made


async def test_drivers_and_students_need_no_licence(agency: Agency) -> None:
    for _ in range(2):
        body = PERSON.fresh(licensure_id=None, licensure_state=None, licensure_level="9925031")
        made = await agency.admin.expect(201, "POST", PERSON.path, json=body)
        assert made["licensure_expired"] is False


async def test_states_number_their_licences_each_for_itself(agency: Agency) -> None:
    made = await PERSON.add(agency.admin)
    other = await PERSON.add(agency.admin, licensure_id=made["licensure_id"], licensure_state="IN")
    assert (other["licensure_id"], other["id"]) != (made["licensure_id"], made["id"])


@pytest.mark.parametrize(
    ("now", "expired"),
    [
        (dt.datetime(2026, 7, 1, 4, 59, tzinfo=dt.UTC), False),  # 23:59 on 30 June in Chicago
        (dt.datetime(2026, 7, 1, 5, 0, tzinfo=dt.UTC), True),
    ],
    ids=["its last minute", "the next day"],
)
async def test_expiry_follows_the_agencys_calendar(
    agency: Agency, monkeypatch: pytest.MonkeyPatch, now: dt.datetime, expired: bool
) -> None:
    monkeypatch.setattr(personnel, "utcnow", lambda: now)
    assert now.astimezone(zoneinfo.ZoneInfo("America/Chicago")).date() >= dt.date(2026, 6, 30)
    made = await PERSON.add(agency.admin, licensure_expires_on="2026-06-30")
    [listed] = (await agency.medic.expect(200, "GET", PERSON.path))["items"]
    assert (made["licensure_expired"], listed["licensure_expired"]) == (expired, expired)


async def test_a_list_of_many_asks_no_more_than_a_list_of_one(agency: Agency, runtime: Any) -> None:
    sent = []
    for _ in range(3):
        await PERSON.add(agency.admin)
        await agency.medic.expect(200, "GET", PERSON.path)
        async with counted(runtime.database) as statements:
            await agency.medic.expect(200, "GET", PERSON.path)
        sent.append(len(statements))
    assert set(sent) == {4}  # begin, the page, the agency's time zone, commit


async def test_one_person_per_user(agency: Agency) -> None:
    user = (await agency.medic.expect(200, "GET", "auth/me"))["id"]
    answers = await asyncio.gather(*(agency.admin.post(PERSON.path, json=PERSON.fresh(user_id=user)) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    [person] = (await agency.admin.expect(200, "GET", PERSON.path, params={"user_id": user}))["items"]
    path = f"{PERSON.path}/{person['id']}"
    await agency.admin.expect(200, "PATCH", path, json={"version": 1, "user_id": None})
    await PERSON.add(agency.admin, user_id=user)


@pytest.mark.parametrize(
    "field",
    [
        {"last_name": ""},
        {"first_name": None},
        {"licensure_level": "paramedic"},
        {"licensure_level": "9925009"},
        {"licensure_id": "1"},
        {"licensure_state": "ZZ"},
        {"licensure_expires_on": "2026-02-30"},
        {"licensure_expires_on": 20260630},
        {"user_id": "me"},
        {"licensure_expired": True},
    ],
    ids=str,
)
async def test_bad_input_is_refused(agency: Agency, field: dict[str, Any]) -> None:
    refused = await agency.admin.expect(422, "POST", PERSON.path, json=PERSON.fresh() | field)
    assert [name for name, _ in problems(refused)] == list(field)
    assert (await agency.admin.expect(200, "GET", PERSON.path))["items"] == []
