"""Request fields that say who pays and who is insured. The records of the 837P declare their rules."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from app.billing.sendable import Sendable
from app.billing.x12.parties import Payer, PersonName, Subscriber
from app.core.schemas import Text

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def _plain_dashes(value: str) -> str:
    """`value` with the dashes that word processors write as hyphens, which alone an 837P can carry."""
    return value.translate(_DASHES)


PayerName = Annotated[Text, Sendable(Payer, "name")]
PayerId = Annotated[
    Text, Sendable(Payer, "id"), Field(description="The clearinghouse's id of the payer (2010BB NM109)")
]
FilingCode = Annotated[
    Text, Sendable(Subscriber, "claim_filing_code"), Field(description="SBR09, such as MB for Medicare Part B")
]
MemberId = Annotated[Text, AfterValidator(_plain_dashes), Sendable(Subscriber, "member_id")]
GroupNumber = Annotated[Text, Sendable(Subscriber, "group_number")]
InsuranceType = Annotated[
    Text,
    Sendable(Subscriber, "insurance_type"),
    Field(description="SBR05: why Medicare is not the primary payer, such as 12 for the working aged"),
]
LastName = Annotated[Text, Sendable(PersonName, "last")]
FirstName = Annotated[Text, Sendable(PersonName, "first")]
MiddleName = Annotated[Text, Sendable(PersonName, "middle")]
NameSuffix = Annotated[Text, Sendable(PersonName, "suffix")]
Sex = Annotated[Text, Sendable(Subscriber, "sex"), Field(description="DMG03: F, M or U")]
