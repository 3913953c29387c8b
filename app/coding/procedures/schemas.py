"""Procedures as clients read them."""

from __future__ import annotations

from pydantic import Field

from app.coding.procedures.listed import ProcedureCategory
from app.core.schemas import ReadModel


class ProcedureFound(ReadModel):
    code: str = Field(description="SNOMED CT, for eProcedures.03", examples=["392230005"])
    name: str = Field(description="A short name in plain clinical English", examples=["IV insertion"])
    category: ProcedureCategory = Field(description="Of NEMSIS's list of procedures", examples=["vascular_access"])
    suggested: bool = Field(description="Whether NEMSIS's list of procedures has it under this very code")
    replaced_by: str | None = Field(
        description="The code that NEMSIS's list has for this; null for a suggested one", examples=[None]
    )


class ProcedureResults(ReadModel):
    release: str = Field(description="The date of NEMSIS's list", examples=["2025-01-14"])
    items: list[ProcedureFound]


class ProcedureDetail(ProcedureFound):
    synonyms: list[str] = Field(description="How crews say it", examples=[["iv start", "peripheral iv"]])
    replaces: list[str] = Field(description="Codes that NEMSIS's list has under this one", examples=[["392231009"]])
    release: str = Field(description="The date of NEMSIS's list", examples=["2025-01-14"])
