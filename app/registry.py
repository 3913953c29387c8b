"""What the domains bring to the composition root: routers, request bodies, event subscriptions, jobs, holdings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI

import app.billing.router
import app.coding.router
import app.core.audit.router
import app.core.auth.router
import app.core.storage.router
import app.core.tenants.router
import app.core.users.router
import app.email.messages.router
import app.email.notices.router
import app.email.suppressions.router
import app.ems.router
import app.nemsis.dictionary.router
import app.nemsis.exports.router
from app.billing.claims.readiness import PAYMENT
from app.billing.exports.documents import CLAIM_DOCUMENTS
from app.core.audit.partitions import KEEP_PARTITIONS
from app.core.bodies import BodyRule
from app.core.extensions.kinds import ASSETS, EXTERNAL_API_KEYS, INTEGRATIONS, INVENTORY_ITEMS, STATIONS
from app.core.jobs.queue import Job, Schedule
from app.core.outbox.subscriptions import Subscription
from app.core.personnel.kind import PERSONNEL
from app.core.reference.kinds import ReferenceKind
from app.core.reference.routes import reference_router
from app.core.vehicles.kind import VEHICLES
from app.email import handlers as email_handlers
from app.email.messages.sending import SEND, TAKE_UP_EXPIRED
from app.email.notices.router import SNS_MEDIA_TYPE
from app.ems.charting.service import AUTO_LOCK
from app.ems.custom_elements.kind import CUSTOM_ELEMENTS
from app.ems.public import ExportSource, ReadinessSource
from app.ems.readiness.service import OWN_SOURCES
from app.nemsis import handlers as nemsis_handlers
from app.nemsis.exports.documents import NEMSIS_DOCUMENTS
from app.nemsis.readiness import SUBMISSION

REFERENCE_KINDS: tuple[ReferenceKind[Any], ...] = (
    VEHICLES,
    PERSONNEL,
    STATIONS,
    ASSETS,
    INVENTORY_ITEMS,
    INTEGRATIONS,
    EXTERNAL_API_KEYS,
    CUSTOM_ELEMENTS,
)
ROUTERS: tuple[APIRouter, ...] = (
    app.core.auth.router.router,
    app.core.users.router.router,
    app.core.tenants.router.router,
    app.core.storage.router.router,
    app.core.audit.router.router,
    *(reference_router(kind) for kind in REFERENCE_KINDS),
    *app.coding.router.routers,
    *app.ems.router.routers,
    app.nemsis.dictionary.router.router,
    app.nemsis.exports.router.router,
    *app.billing.router.routers,
    app.email.messages.router.router,
    app.email.suppressions.router.router,
    app.email.notices.router.router,
)
BODIES: tuple[BodyRule, ...] = (
    app.core.storage.router.UPLOADS,
    BodyRule("/api/v1/webhooks/ses", frozenset({"application/json", SNS_MEDIA_TYPE})),
)
"""Routes whose bodies are something else than JSON of the usual size; everywhere else that answers 415 or 413."""
SUBSCRIPTIONS: tuple[Subscription, ...] = (*nemsis_handlers.SUBSCRIPTIONS, *email_handlers.SUBSCRIPTIONS)
EXPORT_SOURCES: tuple[ExportSource, ...] = (NEMSIS_DOCUMENTS, CLAIM_DOCUMENTS)  # registered by being made
READINESS_SOURCES: tuple[ReadinessSource, ...] = (*OWN_SOURCES, SUBMISSION, PAYMENT)  # as the export sources
JOBS: tuple[Job, ...] = (AUTO_LOCK, SEND)
SCHEDULES: tuple[Schedule, ...] = (KEEP_PARTITIONS, TAKE_UP_EXPIRED)
HOLDINGS: tuple[Callable[[FastAPI], AbstractAsyncContextManager[None]], ...] = (app.coding.router.code_books,)
"""What a web process holds in memory, from before its first request to after its last."""
