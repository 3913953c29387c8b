"""Payers as clients create, change and read them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import MISSING, Field

from app.billing.party_fields import FilingCode, PayerId, PayerName
from app.core.geography import State, Zip
from app.core.schemas import CreateModel, EntityRead, RequestModel, Text, VersionedPatch, length, whole


class EditSwitch(StrEnum):
    """What becomes of a claim edit for one payer."""

    OFF = "off"
    WARNING = "warning"
    BLOCKING = "blocking"


EditId = Annotated[str, Field(pattern=r"^E\d\d$", strict=True)]
Edits = Annotated[
    dict[EditId, EditSwitch],
    Field(
        max_length=99,
        description="Claim edits that this payer judges otherwise than the rest, by id: off, warning or blocking",
        examples=[{"E16": "off", "E48": "blocking"}],
    ),
]
Days = Annotated[int, whole(1, 3650)]
Replacements = Annotated[
    bool, Field(strict=True, description="Whether CLM05-3 may be 7 or 8. Medicare Part B takes neither: it reopens")
]
PriorAuthorizationRule = Annotated[bool, Field(strict=True, description="Whether claims need a number in REF*G1")]
Paper = Annotated[bool, Field(strict=True, description="Whether claims go on paper (CMS-1500)")]


class _PayerFields(RequestModel):
    timely_filing_days: Days | None = Field(
        None, description="Days from the date of service within which a claim must arrive"
    )
    appeal_days: Days | None = Field(None, description="Days from a denial within which an appeal must arrive")
    street: Annotated[Text, length(55)] | None = Field(None, description="Where paper claims go (2010BB N301)")
    unit: Annotated[Text, length(55)] | None = Field(None, description="Room, suite or box (2010BB N302)")
    city: Annotated[Text, length(30, 2)] | None = Field(None, description="Name of the city (2010BB N401)")
    state: State | None = Field(None, description="Two letters (2010BB N402)")
    zip: Zip | None = Field(None, description="Five digits, or nine with a hyphen (2010BB N403)")
    phone: Annotated[Text, Field(pattern=r"^[0-9]{10}$")] | None = Field(
        None, description="Of the payer's provider service", examples=["8005550142"]
    )


class PayerCreate(_PayerFields, CreateModel):
    name: PayerName = Field(description="Name of the payer as on its cards (2010BB NM103); unique in the agency")
    payer_id: PayerId
    claim_filing_code: FilingCode
    takes_replacements: Replacements = False
    requires_prior_authorization: PriorAuthorizationRule = False
    wants_paper: Paper = False
    edits: Edits = Field(default_factory=dict)


class PayerPatch(_PayerFields, VersionedPatch):
    """`edits` are given as a whole."""

    name: PayerName | MISSING = MISSING
    payer_id: PayerId | MISSING = MISSING
    claim_filing_code: FilingCode | MISSING = MISSING
    takes_replacements: Replacements | MISSING = MISSING
    requires_prior_authorization: PriorAuthorizationRule | MISSING = MISSING
    wants_paper: Paper | MISSING = MISSING
    edits: Edits | MISSING = MISSING


class PayerRead(EntityRead):
    name: str
    payer_id: str = Field(description="The clearinghouse's id of the payer (2010BB NM109)")
    claim_filing_code: str
    timely_filing_days: int | None
    appeal_days: int | None
    takes_replacements: bool
    requires_prior_authorization: bool
    wants_paper: bool
    edits: dict[str, EditSwitch]
    street: str | None
    unit: str | None
    city: str | None
    state: str | None
    zip: str | None
    phone: str | None
