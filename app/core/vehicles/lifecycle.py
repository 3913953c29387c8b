"""A vehicle is in service or out of it, for repair or restocking, until it is retired for good."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition
from app.core.vehicles.permissions import VEHICLE_WRITE


class VehicleStatus(StrEnum):
    IN_SERVICE = "in_service"
    OUT_OF_SERVICE = "out_of_service"
    RETIRED = "retired"


class VehicleTransition(StrEnum):
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    RETURN_TO_SERVICE = "return_to_service"
    RETIRE = "retire"


class VehicleStatusAction(AuditAction):
    TAKEN_OUT_OF_SERVICE = "vehicle.taken_out_of_service"
    RETURNED_TO_SERVICE = "vehicle.returned_to_service"
    RETIRED = "vehicle.retired"


vehicle_lifecycle: Lifecycle[VehicleStatus, None] = Lifecycle(
    name="vehicle",
    states=VehicleStatus,
    initial=VehicleStatus.IN_SERVICE,
    transitions=(
        Transition(
            VehicleTransition.TAKE_OUT_OF_SERVICE,
            frozenset({VehicleStatus.IN_SERVICE}),
            VehicleStatus.OUT_OF_SERVICE,
            VEHICLE_WRITE,
            audit_action=VehicleStatusAction.TAKEN_OUT_OF_SERVICE,
        ),
        Transition(
            VehicleTransition.RETURN_TO_SERVICE,
            frozenset({VehicleStatus.OUT_OF_SERVICE}),
            VehicleStatus.IN_SERVICE,
            VEHICLE_WRITE,
            audit_action=VehicleStatusAction.RETURNED_TO_SERVICE,
        ),
        Transition(
            VehicleTransition.RETIRE,
            frozenset({VehicleStatus.OUT_OF_SERVICE}),
            VehicleStatus.RETIRED,
            VEHICLE_WRITE,
            audit_action=VehicleStatusAction.RETIRED,
        ),
    ),
)
