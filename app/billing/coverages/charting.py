"""Coverages as a chart tells of them: one for each ePayment.InsuranceGroup of the patient. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from app.billing.charted import date_said, said
from app.billing.coverages.models import Relationship
from app.core.text import name_key
from app.ems.public import ElementGroupRead, PatientChart, PatientRead

_GROUP = "ePayment.InsuranceGroup"
_CHARTED_COVERAGES = uuid.UUID("3f6c2f0a-9a5e-4f0b-8f0e-5d9d5c6b7a21")
"""The namespace of the ids of charted coverages. So a group of elements makes one coverage, however often read."""
SEQUENCES = ("P", "S", "T")
_PRIORITIES = {"2611003": "P", "2611005": "S", "2611007": "T"}
"""ePayment.11. No claim is made to payers after the third."""
_RELATIONSHIPS = {
    "2622001": Relationship.SELF,
    "2622003": Relationship.SPOUSE,
    "2622005": Relationship.CHILD,
    "2622009": Relationship.CADAVER_DONOR,
    "2622011": Relationship.EMPLOYEE,
    "2622013": Relationship.LIFE_PARTNER,
    "2622015": Relationship.ORGAN_DONOR,
    "2622017": Relationship.UNKNOWN,
    "2622019": Relationship.OTHER,
}
"""ePayment.22."""


class ChartedCoverage(NamedTuple):
    """`priority` is the sequence that the crew gave it, if any. `columns` are those of the coverage."""

    id: uuid.UUID
    priority: str | None
    payer_id: str | None
    payer_name: str | None
    member_id: str | None
    columns: dict[str, Any]


def charted_coverages(chart: PatientChart) -> list[ChartedCoverage]:
    """The patient's coverages in the order of their priority. A group that names neither payer nor number is none."""
    groups = [group for group in chart.element_groups if group.group_name == _GROUP]
    found = [_coverage(group, chart.patient) for group in groups]
    told = [one for one in found if one.payer_id or one.payer_name or one.member_id]
    return sorted(told, key=lambda one: SEQUENCES.index(one.priority) if one.priority else len(SEQUENCES))


def allotted(charted: Iterable[ChartedCoverage], taken: Iterable[str]) -> list[tuple[ChartedCoverage, str]]:
    """Each coverage with its sequence: the charted one, or the next that is free. A fourth payer gets none."""
    used, given = set(taken), []
    for one in charted:
        wanted = [*([] if one.priority is None else [one.priority]), *SEQUENCES]
        sequence = next((each for each in wanted if each not in used), None)
        if sequence is not None:
            used.add(sequence)
            given.append((one, sequence))
    return given


def _coverage(group: ElementGroupRead, patient: PatientRead) -> ChartedCoverage:
    elements = group.elements
    relationship = _relationship(elements, patient)
    columns: dict[str, Any] = {
        "group_number": said(elements, "ePayment.17"),
        "group_name": said(elements, "ePayment.58"),
        "relationship": relationship,
    }
    if relationship is not Relationship.SELF:
        columns |= {
            "subscriber_last_name": said(elements, "ePayment.19"),
            "subscriber_first_name": said(elements, "ePayment.20"),
            "subscriber_middle_name": said(elements, "ePayment.21"),
            "subscriber_date_of_birth": date_said(elements, "ePayment.60"),
        }
    return ChartedCoverage(
        id=uuid.uuid5(_CHARTED_COVERAGES, str(group.id)),
        priority=_PRIORITIES.get(said(elements, "ePayment.11") or ""),
        payer_id=said(elements, "ePayment.09"),
        payer_name=said(elements, "ePayment.10"),
        member_id=said(elements, "ePayment.18"),
        columns=columns,
    )


def _relationship(elements: dict[str, Any], patient: PatientRead) -> Relationship:
    """What ePayment.22 says. Without it the patient is insured, unless the insured person has another name."""
    code = said(elements, "ePayment.22")
    if code is not None:
        return _RELATIONSHIPS[code]
    insured = _names(said(elements, "ePayment.19"), said(elements, "ePayment.20"))
    own = _names(patient.last_name, patient.first_name)
    differs = any(one and other and one != other for one, other in zip(insured, own, strict=True))
    return Relationship.UNKNOWN if differs else Relationship.SELF


def _names(*names: str | None) -> Sequence[str]:
    return ["" if name is None else name_key(name) for name in names]
