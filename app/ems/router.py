"""All routers of ems."""

from __future__ import annotations

from app.core.tags import Tag
from app.ems.admission.router import router as admission
from app.ems.charting.router import router as incidents
from app.ems.entries.kinds import KINDS, UPLOADS
from app.ems.entries.routes import child_router
from app.ems.entries.upload_routes import upload_router
from app.ems.history.router import router as history
from app.ems.identifiers.router import router as identifiers
from app.ems.moves.router import router as moves
from app.ems.readiness.router import router as readiness
from app.ems.report.router import router as report
from app.ems.review_queue.router import router as review_queue
from app.ems.search.router import router as search
from app.ems.sync.router import router as sync
from app.ems.timeline.router import router as timeline

TAG = Tag("ems", "Charting: incidents, patients, vitals, interventions, narratives, crew.")
routers = (
    incidents,
    search,
    *(child_router(kind) for kind in KINDS),
    *(upload_router(kind) for kind in UPLOADS),
    moves,
    admission,
    identifiers,
    review_queue,
    history,
    timeline,
    report,
    readiness,
    sync,
)
