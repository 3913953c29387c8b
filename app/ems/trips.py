"""Locked charts by patient, as rows that other domains may join to: what has become of each is theirs to say."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.ems.incidents.models import Incident
from app.ems.lifecycle import IncidentStatus
from app.ems.patients.models import Patient

_incidents: Any = Incident.__table__
_patients: Any = Patient.__table__

LOCKED_TRIPS: Any = (
    sa.select(
        _incidents.c.tenant_id,
        _incidents.c.id.label("incident_id"),
        _patients.c.id.label("patient_id"),
        sa.case((_patients.c.id.is_(None), _incidents.c.id), else_=_patients.c.id).label("trip_id"),
        _incidents.c.incident_number,
        _incidents.c.dispatch_time,
        _incidents.c.created_at,
    )
    .select_from(
        _incidents.outerjoin(
            _patients,
            sa.and_(
                _patients.c.tenant_id == _incidents.c.tenant_id,
                _patients.c.incident_id == _incidents.c.id,
                _patients.c.deleted_at.is_(None),
            ),
        )
    )
    .where(_incidents.c.status == IncidentStatus.LOCKED.value, _incidents.c.deleted_at.is_(None))
    .subquery("trips")
)
"""A row for each live patient of a locked chart, and one for a chart without patients. `trip_id` tells them apart."""
