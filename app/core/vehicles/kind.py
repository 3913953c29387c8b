"""Vehicles as a kind of reference record."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.schemas import Filter
from app.core.vehicles.lifecycle import VehicleStatus, vehicle_lifecycle
from app.core.vehicles.models import Vehicle, VehicleType
from app.core.vehicles.permissions import VEHICLE_READ, VEHICLE_WRITE
from app.core.vehicles.schemas import VehicleCreate, VehiclePatch, VehicleRead, VehicleTransitionRequest


class VehicleAction(AuditAction):
    CREATED = "vehicle.created"
    REVISED = "vehicle.revised"
    DELETED = "vehicle.deleted"
    RESTORED = "vehicle.restored"


VEHICLES = ReferenceKind(
    noun="vehicle",
    plural="vehicles",
    path="tenants/current/vehicles",
    tag="tenants",
    about="The agency's vehicles.",
    entity=Vehicle,
    create=VehicleCreate,
    patch=VehiclePatch,
    read=VehicleRead,
    may_read=VEHICLE_READ,
    may_write=VEHICLE_WRITE,
    actions={
        Verb.CREATE: VehicleAction.CREATED,
        Verb.REVISE: VehicleAction.REVISED,
        Verb.DELETE: VehicleAction.DELETED,
        Verb.RESTORE: VehicleAction.RESTORED,
    },
    lifecycle=vehicle_lifecycle,
    transition=VehicleTransitionRequest,
    filters={"status": VehicleStatus, "unit_number": Filter, "vehicle_type": VehicleType},
)
