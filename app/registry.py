"""Every declaration of the domains is listed here. Only listed declarations take effect.

The composition root reads the lists. Code below it gets what it needs from the runtime, as `COMPOSITION`.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

import app.billing.accounts.service
import app.billing.als_acts.kind
import app.billing.certificates.kind
import app.billing.claims.account
import app.billing.claims.lifecycle
import app.billing.claims.service
import app.billing.clearinghouses.kind
import app.billing.coverages.service
import app.billing.delivery.lifecycle
import app.billing.derivation.service
import app.billing.events
import app.billing.exemptions.service
import app.billing.exports.service
import app.billing.fee_schedules.service
import app.billing.matching.service
import app.billing.notices.kind
import app.billing.payers.kind
import app.billing.permissions
import app.billing.repricing.service
import app.billing.router
import app.billing.worklists.service
import app.coding.lookup.book
import app.coding.permissions
import app.coding.router
import app.coding.vocabulary.service
import app.core.account_tokens.lifecycle
import app.core.audit.actions
import app.core.audit.permissions
import app.core.audit.refusals
import app.core.audit.router
import app.core.audit.service
import app.core.auth.permissions
import app.core.auth.proxies
import app.core.auth.router
import app.core.auth.service
import app.core.extensions.api_keys
import app.core.extensions.kinds
import app.core.extensions.permissions
import app.core.facilities.kind
import app.core.facilities.permissions
import app.core.health
import app.core.inbox.lifecycle
import app.core.inbox.permissions
import app.core.inbox.router
import app.core.inbox.tags
import app.core.jobs.queue
import app.core.logging
import app.core.outbox.relay
import app.core.personnel.kind
import app.core.personnel.lifecycle
import app.core.personnel.permissions
import app.core.secrets.permissions
import app.core.secrets.router
import app.core.secrets.service
import app.core.sessions.lifecycle
import app.core.sessions.router
import app.core.storage.router
import app.core.tenants.events
import app.core.tenants.lifecycle
import app.core.tenants.permissions
import app.core.tenants.router
import app.core.tenants.service
import app.core.users.events
import app.core.users.lifecycle
import app.core.users.permissions
import app.core.users.router
import app.core.vehicles.kind
import app.core.vehicles.lifecycle
import app.core.vehicles.permissions
import app.email.messages.lifecycle
import app.email.messages.router
import app.email.messages.sending
import app.email.notices.router
import app.email.permissions
import app.email.suppressions.router
import app.email.suppressions.service
import app.ems.amendments.service
import app.ems.attachments.lifecycle
import app.ems.charting.service
import app.ems.custom_elements.kind
import app.ems.entries.attachments
import app.ems.entries.crew
import app.ems.entries.element_groups
import app.ems.entries.interventions
import app.ems.entries.narratives
import app.ems.entries.patients
import app.ems.entries.signatures
import app.ems.entries.vitals
import app.ems.events
import app.ems.identifiers.service
import app.ems.late_entries.lifecycle
import app.ems.lifecycle
import app.ems.permissions
import app.ems.report.service
import app.ems.review.lifecycle
import app.ems.router
import app.ems.search.service
import app.ems.signatures.lifecycle
import app.nemsis.dictionary.router
import app.nemsis.events
import app.nemsis.exports.lifecycle
import app.nemsis.exports.router
import app.nemsis.exports.service
import app.nemsis.permissions
from app.billing.als_acts.kind import ALS_ACTS
from app.billing.claims import handlers as claim_handlers
from app.billing.claims.readiness import PAYMENT
from app.billing.clearinghouses.kind import CLEARINGHOUSES
from app.billing.delivery.gateway import SFTP
from app.billing.delivery.login import CLEARINGHOUSE_LOGIN
from app.billing.delivery.settings import DeliverySettings
from app.billing.derivation import handlers as derivation_handlers
from app.billing.exports.delivering import DELIVERIES, SENT_FILE
from app.billing.exports.documents import CLAIM_DOCUMENTS
from app.billing.payers.kind import PAYERS
from app.billing.repricing import handlers as repricing_handlers
from app.billing.scrubbing import handlers as scrub_handlers
from app.coding.icd10.index import ICD10_BOOK
from app.coding.procedures.index import PROCEDURE_BOOK
from app.coding.rxnorm.index import RXNORM_BOOK
from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure
from app.core.audit.partitions import KEEP_PARTITIONS
from app.core.audit.router import audit_router
from app.core.bodies import BodyRule
from app.core.composition import Composition
from app.core.config import Settings
from app.core.events import Topic
from app.core.extensions.kinds import ASSETS, EXTERNAL_API_KEYS, INTEGRATIONS, INVENTORY_ITEMS, STATIONS
from app.core.facilities.kind import FACILITIES
from app.core.gateways import Gateway, Held
from app.core.inbox.providers import WebhookProvider
from app.core.inbox.settling import finishing
from app.core.jobs.queue import Job, Schedule
from app.core.outbound.kind import OutboundKind
from app.core.outbound.service import job_of, sweep_of
from app.core.outbox.subscriptions import Subscription
from app.core.permissions import Permission
from app.core.personnel.kind import PERSONNEL
from app.core.reference.kinds import ReferenceKind
from app.core.reference.routes import reference_router
from app.core.secrets.gateway import SECRET_KEYS
from app.core.secrets.kinds import SecretKind
from app.core.settings import read_settings
from app.core.storage.gateway import OBJECT_STORE
from app.core.tags import Tag
from app.core.vehicles.kind import VEHICLES
from app.email import handlers as email_handlers
from app.email.gateway import MAIL
from app.email.messages.sending import MESSAGES
from app.email.notices.gateway import SNS
from app.email.notices.service import SES
from app.email.settings import EmailSettings
from app.ems.charting.service import AUTO_LOCK
from app.ems.custom_elements.kind import CUSTOM_ELEMENTS
from app.ems.public import EXPORTS, READINESS, ExportSource, ReadinessSource
from app.ems.readiness.review import REVIEW
from app.ems.readiness.signing import SIGNATURES
from app.nemsis import handlers as nemsis_handlers
from app.nemsis.exports.documents import NEMSIS_DOCUMENTS
from app.nemsis.readiness import SUBMISSION
from app.nemsis.settings import NemsisSettings

REFERENCE_KINDS: tuple[ReferenceKind[Any], ...] = (
    VEHICLES,
    PERSONNEL,
    FACILITIES,
    STATIONS,
    ASSETS,
    INVENTORY_ITEMS,
    INTEGRATIONS,
    EXTERNAL_API_KEYS,
    CUSTOM_ELEMENTS,
    PAYERS,
    ALS_ACTS,
    CLEARINGHOUSES,
)
AUDIT_ACTIONS: tuple[type[AuditAction], ...] = (
    app.billing.accounts.service.AccountAction,
    app.billing.als_acts.kind.AlsActAction,
    app.billing.claims.account.ClaimAccountAction,
    app.billing.certificates.kind.CertificateAction,
    app.billing.claims.lifecycle.ClaimStatusAction,
    app.billing.claims.service.ClaimAction,
    app.billing.claims.service.LineAction,
    app.billing.coverages.service.CoverageAction,
    app.billing.derivation.service.DerivationAction,
    app.billing.exemptions.service.ExemptionAction,
    app.billing.clearinghouses.kind.ClearinghouseAction,
    app.billing.delivery.lifecycle.DeliveryAction,
    app.billing.exports.service.ExportAction,
    app.billing.fee_schedules.service.FeeItemAction,
    app.billing.fee_schedules.service.FeeScheduleAction,
    app.billing.matching.service.AccountPatientAction,
    app.billing.payers.kind.PayerAction,
    app.billing.notices.kind.NoticeAction,
    app.billing.repricing.service.PricingAction,
    app.billing.worklists.service.ClaimWorkAction,
    app.coding.vocabulary.service.VocabularyAction,
    app.core.account_tokens.lifecycle.AccountTokenAction,
    app.core.audit.refusals.AccessAction,
    app.core.audit.service.LogAction,
    app.core.auth.service.AuthAction,
    app.core.extensions.api_keys.ApiKeyAction,
    app.core.extensions.kinds.ExtensionAction,
    app.core.facilities.kind.FacilityAction,
    app.core.inbox.lifecycle.ReceiptAuditAction,
    app.core.personnel.kind.PersonAction,
    app.core.personnel.lifecycle.EmploymentStatusAction,
    app.core.secrets.service.SecretAction,
    app.core.sessions.lifecycle.SessionAction,
    app.core.tenants.lifecycle.TenantStatusAction,
    app.core.tenants.service.TenantAction,
    app.core.users.lifecycle.UserAction,
    app.core.vehicles.kind.VehicleAction,
    app.core.vehicles.lifecycle.VehicleStatusAction,
    app.email.messages.lifecycle.EmailStatusAction,
    app.email.messages.sending.MessageAction,
    app.email.suppressions.service.SuppressionAction,
    app.ems.amendments.service.AmendmentAction,
    app.ems.attachments.lifecycle.AttachmentAction,
    app.ems.charting.service.IncidentAction,
    app.ems.custom_elements.kind.CustomElementAction,
    app.ems.entries.crew.CrewMemberAction,
    app.ems.entries.element_groups.ElementGroupAction,
    app.ems.entries.interventions.InterventionAction,
    app.ems.entries.narratives.NarrativeAction,
    app.ems.entries.patients.PatientAction,
    app.ems.entries.vitals.VitalAction,
    app.ems.identifiers.service.IdentifierAction,
    app.ems.late_entries.lifecycle.LateEntryAction,
    app.ems.lifecycle.IncidentStatusAction,
    app.ems.report.service.ReportAction,
    app.ems.search.service.SearchAction,
    app.ems.review.lifecycle.ReviewAction,
    app.ems.signatures.lifecycle.SignatureAction,
    app.nemsis.exports.lifecycle.ExportStatusAction,
    app.nemsis.exports.service.NemsisExportAction,
)
"""The closed vocabulary of the audit log."""
ROUTERS: tuple[APIRouter, ...] = (
    app.core.auth.router.router,
    *app.core.sessions.router.routers,
    app.core.users.router.router,
    app.core.tenants.router.router,
    app.core.secrets.router.router,
    app.core.storage.router.router,
    audit_router(AUDIT_ACTIONS),
    app.core.inbox.router.router,
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
TAGS: tuple[Tag, ...] = (
    app.core.auth.router.TAG,
    app.core.users.router.TAG,
    app.core.tenants.router.TAG,
    app.core.extensions.kinds.TAG,
    app.core.audit.router.TAG,
    app.ems.router.TAG,
    app.coding.router.TAG,
    app.nemsis.exports.router.TAG,
    app.billing.router.TAG,
    app.core.storage.router.TAG,
    app.email.messages.router.TAG,
    app.core.inbox.tags.WEBHOOKS,
    app.core.health.TAG,
)
"""The chapters of the OpenAPI document, in its order."""
PERMISSIONS: tuple[Permission, ...] = (
    *app.core.auth.permissions.PERMISSIONS,
    *app.core.users.permissions.PERMISSIONS,
    *app.core.tenants.permissions.PERMISSIONS,
    *app.core.secrets.permissions.PERMISSIONS,
    *app.core.audit.permissions.PERMISSIONS,
    *app.core.inbox.permissions.PERMISSIONS,
    *app.core.vehicles.permissions.PERMISSIONS,
    *app.core.personnel.permissions.PERMISSIONS,
    *app.core.facilities.permissions.PERMISSIONS,
    *app.core.extensions.permissions.PERMISSIONS,
    *app.coding.permissions.PERMISSIONS,
    *app.ems.permissions.PERMISSIONS,
    *app.nemsis.permissions.PERMISSIONS,
    *app.billing.permissions.PERMISSIONS,
    *app.email.permissions.PERMISSIONS,
)
DISCLOSURES: tuple[Disclosure, ...] = (
    app.core.audit.service.LOG_EXPORT,
    app.ems.entries.attachments.ATTACHMENT_LINK,
    app.ems.entries.signatures.SIGNATURE_LINK,
    app.ems.report.service.PATIENT_CARE_REPORT,
    app.ems.search.service.SEARCH,
    app.nemsis.exports.service.DOCUMENT,
    app.billing.exports.service.FILE,
    SENT_FILE,
)
"""Every way by which protected health information leaves, apart from reads of entities."""
TOPICS: tuple[Topic, ...] = (
    *app.core.users.events.TOPICS,
    *app.core.tenants.events.TOPICS,
    *app.ems.events.TOPICS,
    *app.nemsis.events.TOPICS,
    *app.billing.events.TOPICS,
)
LOG_KEYS: tuple[str, ...] = (
    *app.core.logging.LOG_KEYS,
    *app.core.auth.proxies.LOG_KEYS,
    *app.core.outbox.relay.LOG_KEYS,
    *app.core.jobs.queue.LOG_KEYS,
    *app.coding.lookup.book.LOG_KEYS,
)
"""The keys that log lines may hold. Every other key is redacted."""
BODIES: tuple[BodyRule, ...] = (
    app.core.storage.router.UPLOADS,
    app.email.notices.router.BODY,
)
"""Routes whose bodies are not JSON of the usual size. Any other route answers such a body with 415 or 413."""
SUBSCRIPTIONS: tuple[Subscription, ...] = (
    *nemsis_handlers.SUBSCRIPTIONS,
    *claim_handlers.SUBSCRIPTIONS,
    *scrub_handlers.SUBSCRIPTIONS,
    *repricing_handlers.SUBSCRIPTIONS,
    *derivation_handlers.SUBSCRIPTIONS,
    *email_handlers.SUBSCRIPTIONS,
)
EXPORT_SOURCES: tuple[ExportSource, ...] = (NEMSIS_DOCUMENTS, CLAIM_DOCUMENTS)
READINESS_SOURCES: tuple[ReadinessSource, ...] = (REVIEW, SUBMISSION, PAYMENT, SIGNATURES)
"""One source for each stage, in the order of the stages."""
OUTBOUND: tuple[OutboundKind[Any, Any, Any], ...] = (MESSAGES, DELIVERIES)
"""Kinds of outbound attempts: each has its job, and all of them have one sweep."""
JOBS: tuple[Job, ...] = (AUTO_LOCK, *map(job_of, OUTBOUND))
WEBHOOKS: tuple[WebhookProvider[Any], ...] = (SES,)
"""Outside systems that send webhooks; each domain has a route that hands its deliveries to the inbox."""
SCHEDULES: tuple[Schedule, ...] = (KEEP_PARTITIONS, sweep_of(OUTBOUND), finishing(WEBHOOKS))
GATEWAYS: tuple[Gateway[Any], ...] = (
    OBJECT_STORE,
    MAIL,
    SNS,
    SECRET_KEYS,
    SFTP,
)
"""Clients of outside systems."""
CODE_BOOKS: tuple[Held[Any], ...] = (PROCEDURE_BOOK, RXNORM_BOOK, ICD10_BOOK)
"""The indexes that a web process holds in memory."""
SECRET_KINDS: tuple[SecretKind, ...] = (CLEARINGHOUSE_LOGIN,)
"""The secrets that an agency may set. A kind is listed with the domain that uses it, never before."""


class ServiceSettings(Settings, EmailSettings, NemsisSettings, DeliverySettings):
    """Every setting of the service. A domain's group is listed here as a base."""


def load_settings() -> ServiceSettings:
    """Read the environment. Raises UnusableSettings, which names every missing or bad variable and ends the process."""
    return read_settings(ServiceSettings)


COMPOSITION = Composition(
    held=(*GATEWAYS, *CODE_BOOKS),
    ports=(EXPORTS.brought(*EXPORT_SOURCES), READINESS.brought(*READINESS_SOURCES)),
    permissions=PERMISSIONS,
    secret_kinds=SECRET_KINDS,
)
