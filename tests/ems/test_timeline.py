"""The timeline: everything that happened, in the order in which it happened."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.ems.charts import INTERVENTION, NARRATIVE, VITAL, Chart
from tests.support.actors import Agency

ELEMENTS = {"eTimes.07": [{"value": "2026-03-01T10:07:00-06:00"}]}


def said(summary: dict[str, Any]) -> Any:
    """What the test tells items of one kind by."""
    return next(summary[name] for name in ("field", "heart_rate", "type", "beginning", "action") if name in summary)


async def test_order_and_content(agency: Agency) -> None:
    chart = await Chart.open(
        agency, dispatch_time="2026-03-01T09:55:00-06:00", arrival_time="2026-03-01T16:05:00Z", elements=ELEMENTS
    )
    late = await chart.add(VITAL, taken_at="2026-03-01T10:10:00-06:00")
    same = await chart.add(INTERVENTION, performed_at="2026-03-01T10:10:00-06:00")
    unknown = await chart.add(
        VITAL, taken_at=None, elements={"eVitals.01": [{"not_value": "7701003"}]}, temperature_c="36.6"
    )
    early = await chart.add(VITAL, taken_at="2026-03-01T10:06:00-06:00")
    note = await chart.add(NARRATIVE, narrative_text="x" * 300)
    gone = await chart.add(VITAL)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, gone), params={"version": 1})
    await chart.advance("completed")
    answer = await agency.biller.expect(200, "GET", f"{chart.url}/timeline")
    assert [(item["kind"], item["entity_id"], said(item["summary"])) for item in answer["items"]] == [
        ("time", chart.id, "dispatch_time"),
        ("time", chart.id, "arrival_time"),
        ("vital", early["id"], 80),
        ("time", chart.id, "elements.eTimes.07"),
        ("vital", late["id"], 80),
        ("intervention", same["id"], "procedure"),
        ("narrative", note["id"], "x" * 200),
        ("transition", chart.id, "start"),
        ("transition", chart.id, "submit_for_review"),
        ("transition", chart.id, "complete"),
        ("vital", unknown["id"], 80),
    ]
    items = answer["items"]
    assert items[3]["at"] == "2026-03-01T16:07:00Z" and items[-1]["at"] is None
    assert items[-1]["summary"] == {"heart_rate": 80, "temperature_c": "36.6"}
    supervisor = (await agency.supervisor.expect(200, "GET", "auth/me"))["id"]
    assert items[-2]["summary"] == {
        "action": "complete", "from": "ready_for_review", "to": "completed", "actor_user_id": supervisor,
    }  # fmt: skip
    assert items[4]["patient_id"] == chart.patient["id"] and items[0]["patient_id"] is None


async def test_the_same_instant_keeps_the_order_of_charting(chart: Chart) -> None:
    at = dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC).isoformat()
    made = [(await chart.add(VITAL, taken_at=at))["id"] for _ in range(6)]
    for _ in range(2):
        answer = await chart.writer.expect(200, "GET", f"{chart.url}/timeline")
        assert [item["entity_id"] for item in answer["items"]] == made
