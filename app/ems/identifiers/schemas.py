"""A patient's Social Security number as the few who may see it read it."""

from __future__ import annotations

from pydantic import Field

from app.core.schemas import ReadModel


class SocialSecurityNumber(ReadModel):
    social_security_number: str = Field(description="ePatient.12, nine digits", examples=["123456789"], repr=False)
