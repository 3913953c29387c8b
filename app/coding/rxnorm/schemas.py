"""Medications as clients read them."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from app.coding.releases.schemas import ReleaseRead
from app.core.schemas import ReadModel


class RxNormFound(ReadModel):
    """Exactly one of `rxcui` and `snomed` is given: NEMSIS lists a few things that RxNorm has no code for."""

    rxcui: str | None = Field(examples=["7242"])
    snomed: str | None = Field(None, description="SNOMED CT code")
    name: str = Field(description="Normalised display name", examples=["naloxone"])
    term_type: str | None = Field(description="IN, MIN, PIN, BN, SCD, SBD…", examples=["IN"])
    strength: str | None
    ingredients: list[str]
    brands: list[str] = Field(examples=[["Narcan"]])
    suppressed: bool
    suggested: bool = Field(description="Whether NEMSIS's medication list has it")


class RxNormResults(ReadModel):
    release: str | None = Field(description="Null before a code set was imported")
    items: list[RxNormFound]


class RelatedConcept(ReadModel):
    relation: str = Field(examples=["has_ingredient"])
    rxcui: str
    name: str
    term_type: str | None


class RxNormDetail(RxNormFound):
    """`retired_on`: the day from which a release no longer has it."""

    retired_on: dt.date | None
    related: list[RelatedConcept] = Field(description="At most 200")
    release: ReleaseRead
