"""Judgements that several kinds of chart entry share."""

from __future__ import annotations

import datetime as dt

from app.core.errors import ValidationFailed
from app.ems.patients.models import Patient


def not_before_birth(field: str, moment: dt.datetime | None, patient: Patient | None) -> None:
    """Raises ValidationFailed for a time before the patient was born; a day of grace for time zones."""
    if moment is None or patient is None or patient.date_of_birth is None:
        return
    if moment.date() < patient.date_of_birth - dt.timedelta(days=1):
        raise ValidationFailed.of(field, "before_birth", "This time lies before the patient's birth.")
