"""Vehicles as clients create, change and read them."""

from __future__ import annotations

from typing import Annotated

from pydantic import MISSING, Field

from app.core.reference.schemas import TransitionRequest, coded
from app.core.schemas import CreateModel, EntityRead, ReadModel, RequestModel, Text, VersionedPatch, length, whole
from app.core.vehicles.lifecycle import VehicleStatus, VehicleTransition
from app.core.vehicles.models import UnitCapability, VehicleType
from app.core.vehicles.vin import Vin

UnitNumber = Annotated[Text, length(25), Field(description="dVehicle.01 and eResponse.13; unique in the fleet")]
CodedType = Annotated[VehicleType, coded("dVehicle.04", VehicleType)]
CodedCapability = Annotated[UnitCapability, coded("eResponse.07", UnitCapability)]


class _VehicleFields(RequestModel):
    call_sign: Annotated[Text, length(50)] | None = Field(None, description="dVehicle.03 and eResponse.14")
    capability: CodedCapability | None = None
    vin: Vin | None = Field(None, description="dVehicle.02, with its check digit (49 CFR 565.15)")
    license_plate: Annotated[Text, length(15)] | None = None
    state_permit_number: Annotated[Text, length(50)] | None = Field(
        None, description="Under which the state permits it as an EMS vehicle"
    )
    model_year: Annotated[int, whole(1900, 2050)] | None = Field(None, description="dVehicle.10")


class VehicleCreate(_VehicleFields, CreateModel):
    """In service from the start."""

    unit_number: UnitNumber
    vehicle_type: CodedType


class VehiclePatch(_VehicleFields, VersionedPatch):
    unit_number: UnitNumber | MISSING = MISSING
    vehicle_type: CodedType | MISSING = MISSING


class VehicleTransitionRequest(TransitionRequest):
    action: VehicleTransition


class VehicleRead(EntityRead):
    status: VehicleStatus
    allowed_actions: list[str] = Field(description="Transitions that this user may fire now")
    unit_number: str
    call_sign: str | None
    vehicle_type: CodedType
    capability: CodedCapability | None
    vin: str | None
    license_plate: str | None
    state_permit_number: str | None
    model_year: int | None


class VehicleSnapshot(ReadModel):
    """A vehicle as it was when a chart named it."""

    unit_number: str
    call_sign: str | None
    vehicle_type: CodedType
    capability: CodedCapability | None
