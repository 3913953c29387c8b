"""What the domains bring to the composition root: routers, event subscriptions, jobs."""

from __future__ import annotations

from fastapi import APIRouter

import app.billing.router
import app.core.auth.router
import app.core.tenants.router
import app.ems.router
from app.core.jobs.queue import Job
from app.core.outbox.subscriptions import Subscription
from app.ems.incidents.service import AUTO_LOCK

ROUTERS: tuple[APIRouter, ...] = (
    app.core.auth.router.router,
    app.core.tenants.router.router,
    *app.ems.router.routers,
    *app.billing.router.routers,
)
SUBSCRIPTIONS: tuple[Subscription, ...] = ()
JOBS: tuple[Job, ...] = (AUTO_LOCK,)
