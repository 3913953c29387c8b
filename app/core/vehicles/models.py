"""vehicles."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live
from app.core.vehicles.lifecycle import VehicleStatus, vehicle_lifecycle


class VehicleType(StrEnum):
    """dVehicle.04."""

    AMBULANCE = "1404001"
    ATV = "1404003"
    BICYCLE = "1404005"
    FIRE_APPARATUS = "1404007"
    FIXED_WING = "1404009"
    MOTORCYCLE = "1404011"
    OTHER = "1404013"
    PERSONAL_VEHICLE = "1404015"
    QUICK_RESPONSE_VEHICLE = "1404017"
    RESCUE = "1404019"
    ROTOR_CRAFT = "1404021"
    SNOW_VEHICLE = "1404023"
    WATERCRAFT = "1404025"


class UnitCapability(StrEnum):
    """eResponse.07: what the unit can transport and with which equipment."""

    AIR_HELICOPTER = "2207011"
    AIR_FIXED_WING = "2207013"
    GROUND_ALS = "2207015"
    GROUND_BLS = "2207017"
    GROUND_CRITICAL_CARE = "2207019"
    NON_TRANSPORT_ALS = "2207021"
    NON_TRANSPORT_BLS = "2207023"
    WHEELCHAIR_VAN = "2207025"
    NON_TRANSPORT_WITHOUT_EQUIPMENT = "2207027"


class Vehicle(TenantEntity):
    """A vehicle that answers calls. Another vehicle may take the `unit_number` of a retired one."""

    __tablename__ = "vehicles"
    entity_type: ClassVar[str] = "vehicle"

    unit_number: Mapped[str] = plain()
    call_sign: Mapped[str | None] = plain(default=None)
    vehicle_type: Mapped[VehicleType] = plain(EnumText(VehicleType))
    capability: Mapped[UnitCapability | None] = plain(EnumText(UnitCapability), default=None)
    vin: Mapped[str | None] = plain(default=None)
    license_plate: Mapped[str | None] = plain(default=None)
    state_permit_number: Mapped[str | None] = plain(default=None)
    model_year: Mapped[int | None] = plain(default=None)
    status: Mapped[VehicleStatus] = plain(EnumText(VehicleStatus), default=VehicleStatus.IN_SERVICE)

    __table_args__ = (
        *standard_constraints("vehicles", "status"),
        unique_among_live("uq_vehicles_unit_number", "unit_number", also=sa.text("status <> 'retired'")),
        values_check("vehicle_type", VehicleType),
        values_check("capability", UnitCapability),
        vehicle_lifecycle.check(),
    )
