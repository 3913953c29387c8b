"""What the domains bring to the composition root: routers, event subscriptions, jobs, warm-ups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI

import app.billing.router
import app.coding.router
import app.core.audit.router
import app.core.auth.router
import app.core.tenants.router
import app.ems.router
import app.nemsis.dictionary.router
import app.nemsis.exports.router
from app.core.audit.partitions import KEEP_PARTITIONS
from app.core.jobs.queue import Job, Schedule
from app.core.outbox.subscriptions import Subscription
from app.ems.incidents.service import AUTO_LOCK
from app.nemsis import handlers as nemsis_handlers

ROUTERS: tuple[APIRouter, ...] = (
    app.core.auth.router.router,
    app.core.tenants.router.router,
    app.core.audit.router.router,
    *app.coding.router.routers,
    *app.ems.router.routers,
    app.nemsis.dictionary.router.router,
    app.nemsis.exports.router.router,
    *app.billing.router.routers,
)
SUBSCRIPTIONS: tuple[Subscription, ...] = (*nemsis_handlers.SUBSCRIPTIONS,)
JOBS: tuple[Job, ...] = (AUTO_LOCK,)
SCHEDULES: tuple[Schedule, ...] = (KEEP_PARTITIONS,)
WARM_UPS: tuple[Callable[[FastAPI], Awaitable[None]], ...] = (app.coding.router.load_code_sets,)
"""Run beside the first requests of a web process."""
