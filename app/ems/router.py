"""All routers of ems."""

from __future__ import annotations

from app.ems.chart.routes import child_router
from app.ems.element_groups.kind import ELEMENT_GROUPS
from app.ems.incidents.router import router as incidents
from app.ems.interventions.kind import INTERVENTIONS
from app.ems.narratives.kind import NARRATIVES
from app.ems.patients.kind import PATIENTS
from app.ems.vitals.kind import VITALS

KINDS = (PATIENTS, VITALS, INTERVENTIONS, NARRATIVES, ELEMENT_GROUPS)
routers = (incidents, *(child_router(kind) for kind in KINDS))
