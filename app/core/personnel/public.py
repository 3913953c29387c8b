"""The parts of personnel that other domains may use."""

from __future__ import annotations

from app.core.personnel.lifecycle import EmploymentStatus
from app.core.personnel.models import LicensureLevel, Person
from app.core.personnel.schemas import Level

__all__ = [
    "EmploymentStatus",
    "Level",
    "LicensureLevel",
    "Person",
]
