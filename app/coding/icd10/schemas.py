"""ICD-10-CM codes as clients read them."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from app.coding.icd10.models import Icd10Kind
from app.coding.releases.schemas import ReleaseRead
from app.core.schemas import ReadModel


class Icd10Found(ReadModel):
    """`valid_from` is 2015-10-01 for what was in the first release that was imported here."""

    code: str = Field(examples=["I21.3"])
    description: str = Field(examples=["ST elevation (STEMI) myocardial infarction of unspecified site"])
    billable: bool
    valid_from: dt.date
    valid_to: dt.date | None = Field(description="The last day on which it may be used; null while it is in force")
    suggested_for: list[str] = Field(
        description="NEMSIS defined lists that have it, or a heading above it", examples=[["impression"]]
    )


class Icd10Results(ReadModel):
    release: str | None = Field(description="Null before a code set was imported", examples=["2026-04-01"])
    items: list[Icd10Found]


class Icd10Heading(ReadModel):
    """A line above or below a code."""

    code: str
    kind: Icd10Kind
    description: str
    billable: bool


class Icd10Detail(ReadModel):
    """`valid`: on the day asked for. `inclusion_terms`: further names from the tabular list."""

    code: str
    kind: Icd10Kind
    description: str
    short_description: str | None
    inclusion_terms: list[str]
    billable: bool
    category: str | None
    chapter: str | None
    valid: bool
    valid_from: dt.date
    valid_to: dt.date | None
    suggested_for: list[str]
    ancestors: list[Icd10Heading] = Field(description="From the chapter down")
    children: list[Icd10Heading] = Field(description="Directly below, as valid on that day")
    release: ReleaseRead
