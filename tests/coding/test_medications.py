"""Medications of a chart are judged by the loaded RxNorm: its review warns, and saving refuses nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.coding.public import RxNormExtract
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.ems.charts import INTERVENTION, Chart
from tests.ems.findings import findings, readiness
from tests.support.actors import Agency

NALOXONE, UNHEARD_OF, OUT_OF_USE, GONE = "7242", "9999999", "8888881", "8888882"
EVE, AUTUMN_DAY = "2026-10-01T04:59:00Z", "2026-10-01T05:00:00Z"
"""Either side of midnight of October 1 where the agency is (America/Chicago): the day on which GONE was retired."""
FAULTS = ("unknown_code", "code_retired", "code_suppressed")


@pytest.fixture(autouse=True)
async def concepts(coding_admin: asyncpg.Connection) -> AsyncIterator[None]:
    """Beside the shipped medications, one that is suppressed and one that is retired."""
    await coding_admin.execute(
        "INSERT INTO rxnorm_concepts (release_id, terminology, code, name, suppressed, retired_on)"
        " SELECT id, 'rxnorm', code, 'a sample', suppressed, retired_on::date FROM code_releases,"
        " (VALUES ($1, true, NULL), ($2, false, '2026-10-01')) AS sample (code, suppressed, retired_on)"
        " WHERE code_system = 'rxnorm'",
        OUT_OF_USE,
        GONE,
    )
    yield
    await coding_admin.execute("DELETE FROM rxnorm_concepts WHERE name = 'a sample'")
    await coding_admin.execute("UPDATE code_releases SET whole = false WHERE code_system = 'rxnorm'")


async def treated(agency: Agency, *rxcuis: str, **fields: Any) -> tuple[Chart, dict[str, str]]:
    """A chart with these medications, and {id of the intervention: rxcui}."""
    chart = await Chart.open(agency, **fields)
    return chart, {rxcui_id: rxcui for rxcui in rxcuis for rxcui_id in [await medicate(chart, rxcui)]}


async def medicate(chart: Chart, rxcui: str) -> str:
    body = {"patient_id": chart.patient["id"], "type": "medication", "rxcui": rxcui}
    return str((await chart.writer.expect(201, "POST", chart.at(INTERVENTION), json=body))["id"])


async def said_of(chart: Chart, given: dict[str, str]) -> dict[str, str]:
    """{rxcui: code of the finding}."""
    answer = await readiness(chart.writer, chart.id)
    found = [each for each in answer["findings"] if each["code"] in FAULTS]
    assert {(each["stage"], each["severity"], each["entity"], each["field"]) for each in found} <= {
        ("review", "warning", "intervention", "rxcui")
    }
    assert {(each["patient_id"], each["rule"]) for each in found} <= {(chart.patient["id"], "eMedications.03")}
    assert not [each for each in found if any(rxcui in each["message"] for rxcui in given.values())]
    return {given[each["entity_id"]]: each["code"] for each in found}


async def test_a_selection_makes_no_other_code_unknown_or_retired(coders: Agency) -> None:
    """What ships with the service is NEMSIS's list of what is suggested."""
    chart, given = await treated(coders, NALOXONE, UNHEARD_OF, OUT_OF_USE, GONE, dispatch_time=AUTUMN_DAY)
    assert await said_of(chart, given) == {OUT_OF_USE: "code_suppressed"}


async def test_rxnorm_itself_does(coders: Agency, coding_admin: asyncpg.Connection) -> None:
    await coding_admin.execute("UPDATE code_releases SET whole = true WHERE code_system = 'rxnorm'")
    chart, given = await treated(coders, NALOXONE, UNHEARD_OF, dispatch_time=AUTUMN_DAY)
    assert await said_of(chart, given) == {UNHEARD_OF: "unknown_code"}
    answer = await readiness(chart.writer, chart.id)
    review = next(stage for stage in answer["stages"] if stage["stage"] == "review")
    assert review["blocking"] == 1, "only that it is a draft"


async def test_a_code_that_was_retired_later_was_right_on_its_day(
    coders: Agency, coding_admin: asyncpg.Connection
) -> None:
    await coding_admin.execute("UPDATE code_releases SET whole = true WHERE code_system = 'rxnorm'")
    chart, given = await treated(coders, GONE, dispatch_time=EVE)
    assert await said_of(chart, given) == {}
    body = {"version": chart.version, "dispatch_time": AUTUMN_DAY}
    chart.head = await chart.writer.expect(200, "PATCH", chart.url, json=body)
    assert await said_of(chart, given) == {GONE: "code_retired"}


async def test_nothing_is_said_without_a_date_or_without_a_code_set(coders: Agency, agency: Agency) -> None:
    undated, given = await treated(coders, OUT_OF_USE)
    assert await said_of(undated, given) == {}
    unjudged, given = await treated(agency, UNHEARD_OF, dispatch_time=EVE)
    assert await said_of(unjudged, given) == {}


async def test_a_reviewed_chart_is_not_judged_any_more(coders: Agency) -> None:
    chart, given = await treated(coders, OUT_OF_USE, dispatch_time=EVE)
    await chart.advance("ready_for_review")
    assert await said_of(chart, given) == {OUT_OF_USE: "code_suppressed"}
    await chart.advance("completed")
    assert findings(await readiness(coders.medic, chart.id), stage="review") == []


async def test_medications_cost_one_statement_however_many(coders: Agency, coding_runtime: Runtime) -> None:
    chart = await Chart.open(coders, dispatch_time=EVE)
    sent = []
    for count in (0, 1, 12):
        for _ in range(count):
            await medicate(chart, OUT_OF_USE)
        await readiness(coders.medic, chart.id)
        async with counted(coding_runtime.database) as statements:
            await readiness(coders.medic, chart.id)
        sent.append(len(statements))
        assert sum("rxnorm_concepts" in statement for statement in statements) == 1
    assert len(set(sent)) == 1, sent


def test_without_a_release_there_is_nothing_to_judge_by() -> None:
    assert RxNormExtract(known=False).fault(UNHEARD_OF, dt.date(2026, 10, 1)) is None
