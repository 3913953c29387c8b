"""Facilities as a kind of reference record."""

from __future__ import annotations

from app.core.addresses import address_problems, position_problems
from app.core.audit.actions import AuditAction
from app.core.errors import refuse
from app.core.facilities.models import BillingLetter, Facility, FacilityType
from app.core.facilities.permissions import FACILITY_READ, FACILITY_WRITE
from app.core.facilities.schemas import FacilityCreate, FacilityPatch, FacilityRead
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.schemas import Filter


class FacilityAction(AuditAction):
    CREATED = "facility.created"
    REVISED = "facility.revised"
    DELETED = "facility.deleted"
    RESTORED = "facility.restored"


def _check(facility: Facility) -> None:
    refuse([*address_problems(facility), *position_problems(facility)])


FACILITIES = ReferenceKind(
    noun="facility",
    plural="facilities",
    path="tenants/current/facilities",
    tag="tenants",
    about="The places that the agency's patients come from and go to.",
    entity=Facility,
    create=FacilityCreate,
    patch=FacilityPatch,
    read=FacilityRead,
    may_read=FACILITY_READ,
    may_write=FACILITY_WRITE,
    actions={
        Verb.CREATE: FacilityAction.CREATED,
        Verb.REVISE: FacilityAction.REVISED,
        Verb.DELETE: FacilityAction.DELETED,
        Verb.RESTORE: FacilityAction.RESTORED,
    },
    filters={
        "name": Filter,
        "facility_type": FacilityType,
        "location_code": Filter,
        "billing_letter": BillingLetter,
        "npi": Filter,
    },
    check=_check,
)
