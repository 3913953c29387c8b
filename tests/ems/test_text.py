"""Text at the door of a chart: what looks the same is stored the same, and blanks are nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.schemas import _nullable_texts
from app.ems.entries.kinds import KINDS
from app.ems.incidents.schemas import IncidentPatch
from tests.ems.charts import ELEMENT_GROUP, INCIDENT, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.support.actors import Agency

INVISIBLE = "\u200b\u00ad\ufeff\u202e"
FILLED: list[tuple[Kind, dict[str, Any]]] = [
    (INCIDENT, {"location_street": "1 Main St", "location_zip": "62701", "location_state": "IL"}),
    (PATIENT, {"last_name": "Rivers", "home_city": "Springfield", "home_county": "17167", "ems_patient_id": "P1"}),
    (NARRATIVE, {"narrative_text": "Found sitting."}),
    (VITAL, {"correlation_id": "v1"}),
]


@pytest.fixture
async def chart(agency: Agency) -> Chart:
    return await Chart.open(agency)


def entry_of(chart: Chart, kind: Kind) -> dict[str, Any]:
    return chart.head if kind is INCIDENT else chart.patient


@pytest.mark.parametrize(("kind", "fields"), FILLED, ids=[kind.noun for kind, _ in FILLED])
async def test_blanks_take_a_text_away(chart: Chart, kind: Kind, fields: dict[str, Any]) -> None:
    entry = entry_of(chart, kind) if kind in (INCIDENT, PATIENT) else await chart.add(kind)
    for blank in ("", "   ", f"\u00a0{INVISIBLE}\n"):
        entry = await chart.revise(kind, entry, **fields)
        assert {name: entry[name] for name in fields} == fields
        blanks: dict[str, Any] = dict.fromkeys(fields, blank)
        entry = await chart.revise(kind, entry, **blanks)
        assert {name: entry[name] for name in fields} == dict.fromkeys(fields)


def test_every_text_of_a_chart_may_be_taken_away() -> None:
    texts = {name for kind in KINDS for name in _nullable_texts(kind.part.patch)} | _nullable_texts(IncidentPatch)
    assert {name for _, fields in FILLED for name in fields} < texts
    assert {"location_county", "destination_zip", "dose_unit", "rxcui", "narrative_text"} < texts


async def test_what_shows_nothing_is_dropped_and_letters_are_composed(chart: Chart) -> None:
    typed = f" \u202bZoe\u0308{INVISIBLE} R\u0131vers\u202c "
    patient = await chart.revise(PATIENT, chart.patient, last_name=typed)
    assert patient["last_name"] == "Zo\u00eb R\u0131vers"
    same = await chart.revise(PATIENT, patient, last_name="Zo\u00eb R\u0131vers")
    assert same["version"] == patient["version"]


async def test_elements_are_texts_too(chart: Chart) -> None:
    elements = {"ePatient.19": [{"value": f" ann@example.org{INVISIBLE} ", "correlation_id": " mail "}]}
    patient = await chart.revise(PATIENT, chart.patient, elements=elements)
    assert patient["elements"] == {"ePatient.19": [{"value": "ann@example.org", "correlation_id": "mail"}]}
    group: dict[str, Any] = {"group_name": "ePayment.InsuranceGroup", "correlation_id": " i1 "}
    made = await chart.add(ELEMENT_GROUP, **group, elements={"ePayment.18": [{"value": "\u2067M\u00fcller\u2069"}]})
    assert (made["correlation_id"], made["elements"]["ePayment.18"]) == ("i1", [{"value": "M\u00fcller"}])


@pytest.mark.parametrize("blank", ["", "  ", INVISIBLE, "\u3164"])
async def test_a_value_of_blanks_is_no_value(chart: Chart, evidence: Evidence, blank: str) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await chart.revise(PATIENT, chart.patient, status=422, elements={"ePatient.19": [{"value": blank}]})
    problems = [(each["field"], each["code"]) for each in refused["error"]["details"]["problems"]]
    assert problems == [("elements.ePatient.19[0]", "nothing_given")]
    body = {"version": chart.version, "incident_number": blank}
    refused = await chart.writer.expect(422, "PATCH", chart.url, json=body)
    [problem] = refused["error"]["details"]["problems"]
    assert problem["message"] == "incident_number must be text of 3 to 50 characters."
    assert await evidence.digest(chart.agency.tenant_id) == before
