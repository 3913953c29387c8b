"""All routers of ems."""

from __future__ import annotations

from app.ems.entries.attachments import ATTACHMENTS
from app.ems.entries.element_groups import ELEMENT_GROUPS
from app.ems.entries.interventions import INTERVENTIONS
from app.ems.entries.narratives import NARRATIVES
from app.ems.entries.patients import PATIENTS
from app.ems.entries.routes import child_router
from app.ems.entries.signatures import SIGNATURES
from app.ems.entries.upload_routes import upload_router
from app.ems.entries.vitals import VITALS
from app.ems.incidents.router import router as incidents

KINDS = (PATIENTS, VITALS, INTERVENTIONS, NARRATIVES, ELEMENT_GROUPS)
UPLOADS = (SIGNATURES, ATTACHMENTS)
routers = (
    incidents,
    *(child_router(kind) for kind in KINDS),
    *(upload_router(kind) for kind in UPLOADS),
)
