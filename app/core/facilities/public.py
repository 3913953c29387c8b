"""The parts of facilities that other domains may use."""

from __future__ import annotations

from app.core.facilities.models import Facility, FacilityType
from app.core.facilities.schemas import FacilitySnapshot

__all__ = [
    "Facility",
    "FacilitySnapshot",
    "FacilityType",
]
