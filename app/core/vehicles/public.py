"""The parts of vehicles that other domains may use."""

from __future__ import annotations

from app.core.vehicles.lifecycle import VehicleStatus
from app.core.vehicles.models import Vehicle
from app.core.vehicles.schemas import VehicleSnapshot

__all__ = [
    "Vehicle",
    "VehicleSnapshot",
    "VehicleStatus",
]
