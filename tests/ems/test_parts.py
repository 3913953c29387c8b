"""What a chart consists of is declared once, and every list of its kinds is what the declaration says."""

from __future__ import annotations

import typing

from app.core.facilities.schemas import FacilitySnapshot
from app.ems.chart.columns import ChartEntry
from app.ems.coverage import SCOPES
from app.ems.entries.kinds import CHILD_KINDS, KINDS, UPLOAD_KINDS, UPLOADS
from app.ems.entries.patients import PATIENTS
from app.ems.history.schemas import WholeChart
from app.ems.parts import CHARTED, CHARTED_ENTRIES, ENTRIES, INCIDENT, PART_OF, PARTS, PATIENT, ChartEntity
from app.ems.patient_charts import PatientChart
from app.ems.readiness.port import LoadedChart
from app.ems.router import routers
from app.ems.sync.schemas import SyncEntity, SyncRecord
from app.ems.timeline.schemas import TimelineKind
from tests.architecture.scratch import mapped_classes


def test_every_entity_of_a_chart_is_declared_exactly_once() -> None:
    declared = [part.entity for part in PARTS]
    assert len(declared) == len(set(declared)) == len(PART_OF)
    assert set(declared) == {mapped for mapped in mapped_classes() if issubclass(mapped, ChartEntry)}


def test_every_part_below_the_incident_has_rules_and_routes() -> None:
    assert [part.entity_type for part in PARTS if part.path is None] == ["incident"]
    assert len(KINDS) == len(CHILD_KINDS) and len(UPLOADS) == len(UPLOAD_KINDS)
    assert [*CHILD_KINDS, *UPLOAD_KINDS] == [part.entity_type for part in ENTRIES]
    for part in ENTRIES:
        assert (part.entity_type in CHILD_KINDS) == (part.patch is not None), part.noun
        assert any(router.prefix == f"/ems/incidents/{{incident_id}}/{part.path}" for router in routers), part.noun


def test_every_part_can_be_saved_by_a_sync_and_a_charted_one_revised() -> None:
    assert {part.entity_type for part in PARTS if part.patch is not None} == CHARTED
    assert {word.value for word in ChartEntity} == CHARTED
    assert {word.value for word in SyncEntity} == {part.entity_type for part in PARTS}
    assert set(typing.get_args(SyncRecord)) == {part.read for part in PARTS}


def test_a_whole_chart_lists_every_part_in_order() -> None:
    assert list(WholeChart.model_fields) == ["incident", *(part.list_name for part in ENTRIES)]
    for part in ENTRIES:
        assert WholeChart.model_fields[part.list_name].annotation == list[part.read]  # type: ignore[name-defined]


def test_a_patients_chart_has_a_list_of_every_charted_part() -> None:
    """Its fields are written out, because documents and claims read them by name; they are these and no others."""
    lists = {part.list_name: list[part.read] for part in CHARTED_ENTRIES if part is not PATIENT}  # type: ignore[name-defined]
    fields = {name: field.annotation for name, field in PatientChart.model_fields.items()}
    beside = {"destination": FacilitySnapshot | None, "alone": bool, "of_call": bool}
    assert fields == {"incident": INCIDENT.read, "patient": PATIENT.read, **lists, **beside}


def test_the_chart_of_readiness_holds_what_stands_beside() -> None:
    assert {part.list_name for part in ENTRIES if not part.charted} <= set(LoadedChart.__dataclass_fields__)


def test_who_names_a_patient_keeps_the_patient_from_being_deleted() -> None:
    assert {use.repository for use in PATIENTS.used_by} == {part.repository for part in PARTS if part.names_patient}


def test_an_attestation_covers_every_charted_part() -> None:
    assert set(SCOPES["crew_attestation"]) == CHARTED  # type: ignore[index]


def test_columns_of_a_declaration_are_columns() -> None:
    for part in PARTS:
        columns = set(part.entity.__table__.columns.keys())
        assert part.uncharted <= columns, part.noun
        if part.timeline is not None:
            named = {part.timeline.at, *part.timeline.shows, part.timeline.begins_with} - {None}
            assert named <= columns, part.noun
            assert part.entity_type in {kind.value for kind in TimelineKind}
