"""What the domains bring to the composition root: routers, event subscriptions, jobs."""

from __future__ import annotations

from fastapi import APIRouter

import app.billing.router
import app.core.auth.router
import app.core.tenants.router
import app.ems.router
import app.nemsis.dictionary.router
import app.nemsis.exports.router
from app.billing.exports.documents import CLAIM_DOCUMENTS
from app.core.audit.partitions import ENSURE_PARTITIONS
from app.core.jobs.queue import Job, Schedule
from app.core.outbox.subscriptions import Subscription
from app.ems.incidents.service import AUTO_LOCK
from app.ems.public import ExportSource
from app.nemsis import handlers as nemsis_handlers
from app.nemsis.exports.documents import NEMSIS_DOCUMENTS

ROUTERS: tuple[APIRouter, ...] = (
    app.core.auth.router.router,
    app.core.tenants.router.router,
    *app.ems.router.routers,
    app.nemsis.dictionary.router.router,
    app.nemsis.exports.router.router,
    *app.billing.router.routers,
)
SUBSCRIPTIONS: tuple[Subscription, ...] = (*nemsis_handlers.SUBSCRIPTIONS,)
EXPORT_SOURCES: tuple[ExportSource, ...] = (NEMSIS_DOCUMENTS, CLAIM_DOCUMENTS)  # registered by being made
JOBS: tuple[Job, ...] = (AUTO_LOCK,)
SCHEDULES: tuple[Schedule, ...] = (ENSURE_PARTITIONS,)
