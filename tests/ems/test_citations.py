"""Citations: the value that stood in a field at a version, why there is none, and what stands there now."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.core.db.columns import Sensitivity
from app.core.errors import NotFound
from app.core.runtime import Runtime
from app.ems.parts import PARTS
from app.ems.public import (
    Citation,
    CitationMiss,
    CitedChange,
    CitedValue,
    MissReason,
    compare_citations,
    resolve_citations,
)
from tests.architecture.queries import counted
from tests.ems.charts import CHILDREN, CREW, INCIDENT, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.uploads import declare
from tests.support.actors import Actor, Agency


def cite(kind: Kind, entry: dict[str, Any], field: str, version: int | None = None) -> Citation:
    return Citation(kind.entity_type, uuid.UUID(entry["id"]), version or entry["version"], field)


class Reader:
    """Resolves citations of one chart as somebody of its agency; `statements` are the reads of the last call."""

    def __init__(self, runtime: Runtime, chart: Chart, who: Actor | None = None) -> None:
        self.runtime = runtime
        self.incident_id = uuid.UUID(chart.id)
        self.principal = runtime.tokens.verify((who or chart.writer).token or "")
        self.statements: list[str] = []

    async def resolve(self, *citations: Citation) -> list[CitedValue | CitationMiss]:
        async with counted(self.runtime.database) as sent, self.runtime.read_unit_of_work(self.principal) as uow:
            found = await resolve_citations(uow, self.incident_id, citations)
        self.statements = [text for text in sent if text.lstrip().startswith(("SELECT", "WITH"))]
        return found

    async def value(self, citation: Citation) -> Any:
        [found] = await self.resolve(citation)
        assert isinstance(found, CitedValue), found
        return found.value

    async def miss(self, citation: Citation) -> MissReason:
        [found] = await self.resolve(citation)
        assert isinstance(found, CitationMiss), found
        assert found.citation == citation
        return found.reason

    async def compare(self, *citations: Citation) -> list[CitedChange]:
        async with counted(self.runtime.database) as sent, self.runtime.read_unit_of_work(self.principal) as uow:
            found = await compare_citations(uow, self.incident_id, citations)
        self.statements = [text for text in sent if text.lstrip().startswith(("SELECT", "WITH"))]
        changes = [one for one in found if isinstance(one, CitedChange)]
        assert len(changes) == len(citations), found
        return changes


@pytest.fixture
def reader(runtime: Runtime, chart: Chart) -> Reader:
    return Reader(runtime, chart)


async def test_a_citation_gives_the_value_of_its_version(chart: Chart, reader: Reader) -> None:
    first = await chart.add(VITAL, systolic_bp=120, temperature_c="36.5")
    second = await chart.revise(VITAL, first, systolic_bp=90)
    assert await reader.value(cite(VITAL, first, "systolic_bp")) == 120
    assert await reader.value(cite(VITAL, second, "systolic_bp")) == 90
    assert await reader.value(cite(VITAL, first, "temperature_c")) == first["temperature_c"] == "36.5"
    assert await reader.value(cite(VITAL, first, "taken_at")) == first["taken_at"]
    assert await reader.value(cite(VITAL, first, "pain_score")) is None
    assert await reader.value(cite(INCIDENT, chart.head, "incident_number")) == "26-000001"


async def test_elements_are_cited_by_id_and_by_item(chart: Chart, reader: Reader) -> None:
    values = [{"value": "9901001"}, {"value": "9901003"}]
    vital = await chart.add(VITAL, elements={"eVitals.03": values})
    assert await reader.value(cite(VITAL, vital, "elements.eVitals.03")) == values
    assert await reader.value(cite(VITAL, vital, "elements.eVitals.03[1]")) == values[1]
    assert await reader.miss(cite(VITAL, vital, "elements.eVitals.03[2]")) is MissReason.NO_SUCH_FIELD
    assert await reader.value(cite(VITAL, vital, "elements.eVitals.30")) is None


async def test_an_element_that_a_column_carries_is_found_by_its_id(chart: Chart, reader: Reader) -> None:
    missing = {"eVitals.12": [{"not_value": "7701003"}]}
    vital = await chart.add(VITAL, systolic_bp=120, elements=missing)
    assert await reader.value(cite(VITAL, vital, "elements.eVitals.06[0]")) == {"value": 120}
    assert await reader.value(cite(VITAL, vital, "elements.eVitals.12")) == missing["eVitals.12"]
    given = await chart.add(
        INTERVENTION, type="medication", procedure_code=None, rxcui="7806", dose="4.000", dose_unit="3706021"
    )
    assert await reader.value(cite(INTERVENTION, given, "elements.eMedications.03[0]")) == {"value": "7806"}
    assert await reader.miss(cite(INTERVENTION, given, "elements.eProcedures.03")) is MissReason.NO_SUCH_FIELD
    head = await chart.revise(INCIDENT, chart.head, location_latitude="44.970000", location_longitude="-93.260000")
    place = await reader.value(cite(INCIDENT, head, "elements.eScene.11"))
    assert place == [{"value": "44.970000,-93.260000"}]


async def test_a_column_that_holds_a_list_is_cited_item_by_item(chart: Chart, reader: Reader) -> None:
    member = await chart.add(CREW)
    assert await reader.value(cite(CREW, member, "response_roles")) == ["2403011", "2403013"]
    assert await reader.value(cite(CREW, member, "response_roles[1]")) == "2403013"
    roles = await reader.value(cite(CREW, member, "elements.eCrew.03"))
    assert roles == [{"value": "2403011"}, {"value": "2403013"}]


async def test_everything_that_answers_show_can_be_cited(chart: Chart, reader: Reader) -> None:
    """Every part, every column of its answer, with the very value that the answer had."""
    entries = [(INCIDENT, chart.head), (PATIENT, chart.patient)]
    entries += [(kind, await chart.add(kind)) for kind in CHILDREN if kind is not PATIENT]
    uploads = [(path, await declare(chart, path)) for path in ("signatures", "attachments")]
    shown = {part.entity_type: part.shown for part in PARTS}
    given = [(kind.entity_type, entry) for kind, entry in entries] + [(path[:-1], entry) for path, entry in uploads]
    assert {entity for entity, _ in given} == set(shown)
    wanted = [
        (Citation(entity, uuid.UUID(entry["id"]), entry["version"], name), entry[name])
        for entity, entry in given
        for name in shown[entity]
    ]
    found = await reader.resolve(*(citation for citation, _ in wanted))
    assert [(one.citation, getattr(one, "value", one)) for one in found] == wanted


@pytest.mark.parametrize(
    "field",
    ["", "heart", "elements", "elements.", "elements.eVitals", "elements.eScene.09", "elements.eVitals.99", "id",
     "version", "tenant_id", "deleted_at", "heart_rate[0]", "heart_rate[", "heart_rate ", "warnings", "HEART_RATE",
     "elements.eVitals.03[99999999999]", "__class__", "carried_elements"],
)  # fmt: skip
async def test_what_is_no_field_is_said_so(chart: Chart, reader: Reader, field: str) -> None:
    vital = await chart.add(VITAL)
    assert await reader.miss(cite(VITAL, vital, field)) is MissReason.NO_SUCH_FIELD


async def test_why_a_citation_has_no_value(chart: Chart, reader: Reader) -> None:
    vital = await chart.add(VITAL)
    nowhere = Citation("vital", uuid.uuid4(), 1, "heart_rate")
    other = await Chart.open(chart.agency)
    elsewhere = await other.add(VITAL)
    for version in (2, 0, -1, 2**31, 2**70):
        assert await reader.miss(Citation("vital", uuid.UUID(vital["id"]), version, "heart_rate")) is (
            MissReason.NO_SUCH_VERSION
        )
    assert await reader.miss(nowhere) is MissReason.NO_SUCH_ENTITY
    assert await reader.miss(cite(NARRATIVE, vital, "narrative_text")) is MissReason.NO_SUCH_ENTITY
    assert await reader.miss(cite(VITAL, elsewhere, "heart_rate")) is MissReason.NOT_IN_CHART
    assert await reader.miss(cite(INCIDENT, other.head, "incident_number")) is MissReason.NOT_IN_CHART
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 1})
    assert await reader.miss(cite(VITAL, vital, "heart_rate", 2)) is MissReason.DELETED


async def test_what_was_cited_before_it_was_deleted_still_says_so(chart: Chart, reader: Reader) -> None:
    vital = await chart.add(VITAL)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 1})
    [found] = await reader.resolve(cite(VITAL, vital, "heart_rate"))
    assert isinstance(found, CitedValue)
    assert (found.value, found.current_version, found.is_deleted, found.is_current) == (80, 2, True, False)
    [change] = await reader.compare(cite(VITAL, vital, "heart_rate"))
    assert (change.value, change.now, change.has_changed) == (80, None, True)


async def test_a_comparison_tells_what_no_longer_stands(chart: Chart, reader: Reader) -> None:
    first = await chart.add(VITAL, systolic_bp=120, elements={"eVitals.03": [{"value": "9901001"}]})
    second = await chart.revise(VITAL, first, heart_rate=96, elements={"eVitals.03": None})
    fields = ("heart_rate", "systolic_bp", "elements.eVitals.03[0]")
    changes = await reader.compare(*(cite(VITAL, first, field) for field in fields))
    assert [(one.value, one.now, one.has_changed) for one in changes] == [
        (80, 96, True),
        (120, 120, False),
        ({"value": "9901001"}, None, True),
    ]
    assert {(one.current_version, one.is_current) for one in changes} == {(2, False)}
    await chart.revise(VITAL, second, heart_rate=80)
    [taken_back] = await reader.compare(cite(VITAL, first, "heart_rate"))
    assert (taken_back.now, taken_back.has_changed, taken_back.current_version) == (80, False, 3)


async def test_the_class_of_each_field_comes_with_it(chart: Chart, reader: Reader) -> None:
    elements = {"eResponse.05": [{"value": "2205001"}], "eResponse.08": [{"value": "2208013", "correlation_id": "Ana"}]}
    head = await chart.revise(INCIDENT, chart.head, location_street="1 Main St", elements=elements)
    named = {
        "incident_number": (Sensitivity.PLAIN, "eResponse.03"),
        "disposition": (Sensitivity.PLAIN, None),
        "location_street": (Sensitivity.PHI, "eScene.15"),
        "elements.eResponse.05": (Sensitivity.PLAIN, "eResponse.05"),
        "elements.eResponse.08": (Sensitivity.PHI, "eResponse.08"),
        "elements.eScene.15": (Sensitivity.PHI, "eScene.15"),
    }
    found = await reader.resolve(*(cite(INCIDENT, head, field) for field in named))
    assert [(one.sensitivity, one.element_id) for one in found if isinstance(one, CitedValue)] == list(named.values())
    assert "Main" not in repr(found)


async def test_many_citations_cost_one_statement(chart: Chart, reader: Reader) -> None:
    vitals = [await chart.add(VITAL) for _ in range(5)]
    for kind, entries in ((VITAL, vitals[:1]), (VITAL, vitals), (PATIENT, [chart.patient])):
        await reader.resolve(*(cite(kind, entry, "heart_rate") for entry in entries for _ in range(3)))
        assert len(reader.statements) == 1
    await reader.compare(*(cite(VITAL, entry, "heart_rate") for entry in vitals))
    assert len(reader.statements) == 1
    assert await reader.resolve() == [] and reader.statements == []


async def test_a_read_is_in_the_access_log_and_a_miss_is_not(
    chart: Chart, reader: Reader, admin_connection: asyncpg.Connection
) -> None:
    async def logged() -> list[tuple[uuid.UUID, list[str]]]:
        rows = await admin_connection.fetch(
            "SELECT incident_id, categories FROM access_log WHERE tenant_id = $1 ORDER BY id", chart.agency.tenant_id
        )
        return [(row["incident_id"], sorted(row["categories"])) for row in rows]

    vital = await chart.add(VITAL)
    before = await logged()
    await reader.resolve(Citation("vital", uuid.uuid4(), 1, "heart_rate"), cite(VITAL, vital, "heart_rate", 9))
    assert await logged() == before
    await reader.resolve(cite(VITAL, vital, "heart_rate"), cite(PATIENT, chart.patient, "last_name"))
    assert (await logged())[len(before) :] == [(uuid.UUID(chart.id), ["patient", "vital"])]


async def test_no_other_agency_resolves_them(
    chart: Chart, runtime: Runtime, found: Callable[[], Awaitable[Agency]]
) -> None:
    vital, other = await chart.add(VITAL), await found()
    stranger = await Chart.open(other)
    with pytest.raises(NotFound):
        await Reader(runtime, chart, other.admin).resolve(cite(VITAL, vital, "heart_rate"))
    assert await Reader(runtime, stranger).miss(cite(VITAL, vital, "heart_rate")) is MissReason.NO_SUCH_ENTITY


async def test_a_deleted_chart_has_no_citations(chart: Chart, reader: Reader) -> None:
    vital = await chart.add(VITAL)
    await chart.writer.expect(204, "DELETE", chart.url, params={"version": chart.version, "reason": "Test call."})
    with pytest.raises(NotFound):
        await reader.resolve(cite(VITAL, vital, "heart_rate"))
