"""The tenant's profile as clients see and change it."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.geography import State, Zip
from app.core.identifiers import InterchangeQualifier, Npi
from app.core.schemas import EntityRead, RequestModel, Text, VersionedPatch, length
from app.core.tenants.models import TenantStatus


@cache
def _time_zones() -> frozenset[str]:
    """The time zones, listed once, because this reads the whole zone database. `localtime` depends on the host."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


_WITHOUT_SUMMER_TIME = {
    "EST": "America/New_York",
    "MST": "America/Denver or America/Phoenix",
    "HST": "Pacific/Honolulu",
    "GMT+5": "America/New_York",
    "GMT+6": "America/Chicago",
    "GMT+7": "America/Denver or America/Phoenix",
    "GMT+8": "America/Los_Angeles",
    "GMT+9": "America/Anchorage",
    "GMT+10": "Pacific/Honolulu",
    "GMT+4": "America/Puerto_Rico",
    "GMT-10": "Pacific/Guam",
}
"""Fixed offsets from UTC, and the zones of places that are meant by them. (`Etc/GMT+6` is UTC-06:00.)"""


_OFFSETS = frozenset(
    {"EST", "MST", "HST", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "UCT", "UTC", "Universal", "Zulu"}
)


def _is_fixed(name: str) -> bool:
    """True if the zone is an offset from UTC and not a place. Such a zone never has summer time."""
    return name.startswith("Etc/") or name in _OFFSETS


def _time_zone(value: str) -> str:
    if value not in _time_zones():
        raise PydanticCustomError("time_zone", "Give an IANA time zone, such as America/Chicago")
    if _is_fixed(value):
        meant = _WITHOUT_SUMMER_TIME.get(value.removeprefix("Etc/"), "America/Chicago")
        problem = {"meant": meant}
        raise PydanticCustomError(
            "time_zone", "This is an offset without summer time. Give the zone of a place, such as {meant}", problem
        )
    return value


Ein = Annotated[Text, Field(pattern=r"^[0-9]{9}$", examples=["371234567"])]
Taxonomy = Annotated[Text, Field(pattern=r"^[0-9A-Z]{9}X$", examples=["3416L0300X"])]
Phone = Annotated[Text, Field(pattern=r"^[0-9]{10}$", examples=["2175550100"])]
TimeZone = Annotated[Text, AfterValidator(_time_zone)]
Slug = Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Email = Annotated[Text, length(100, 3), Field(pattern=r"^[^@\s]+@[^@\s]+$")]
Street = Annotated[Text, length(55)]
City = Annotated[Text, length(30)]
PlaceOfService = Literal["41", "42"]
Name: Any = Annotated[Text, length(60)]


class _ProfileFields(RequestModel):
    """Every field of the profile but those that provisioning alone decides."""

    legal_name: Name | MISSING = Field(MISSING, description="NM103 of the billing provider")
    trade_name: Name | None = None
    state: State | MISSING = Field(MISSING, description="USPS state of the service address; becomes dAgency.04")
    time_zone: TimeZone | MISSING = Field(MISSING, description="IANA zone; its offset goes into NEMSIS times")
    agency_state_id: Annotated[Text, length(50)] | MISSING = Field(
        MISSING, description="dAgency.01, EMS agency unique state id"
    )
    agency_number: Annotated[Text, length(15)] | MISSING = Field(MISSING, description="dAgency.02, EMS agency number")
    software_creator: Annotated[Text, length(50)] | MISSING = Field(MISSING, description="eRecord.02")
    software_name: Annotated[Text, length(50)] | MISSING = Field(MISSING, description="eRecord.03")
    software_version: Annotated[Text, length(50)] | MISSING = Field(MISSING, description="eRecord.04")
    npi: Npi | None = None
    ein: Ein | None = None
    taxonomy: Taxonomy | None = Field(None, description="PRV03; 3416L0300X is ground ambulance")
    street: Street | None = Field(None, description="Of the service address (2010AA); with city and zip, or not at all")
    city: City | None = None
    zip: Zip | None = Field(None, description="837P needs nine digits")
    phone: Phone | None = Field(None, description="Of the billing contact (1000A PER04)")
    pay_to_street: Street | None = Field(
        None,
        description="Where payers send money, a PO box perhaps (2010AB, written when it is not the service address);"
        " with pay_to_city, pay_to_state and pay_to_zip, or not at all",
    )
    pay_to_city: City | None = None
    pay_to_state: State | None = None
    pay_to_zip: Zip | None = None
    billing_contact_name: Name | None = Field(None, description="Whom clearinghouse and payers call (1000A PER02)")
    billing_contact_email: Email | None = Field(None, description="For people: an 837P cannot carry the sign @")
    administrative_contact_name: Name | None = Field(None, description="Whom the operator of the service turns to")
    administrative_contact_phone: Phone | None = None
    administrative_contact_email: Email | None = None
    submitter_qualifier: InterchangeQualifier | MISSING = Field(
        MISSING, description="ISA05; what kind of number submitter_id is"
    )
    submitter_id: Annotated[Text, length(80, 2)] | None = Field(
        None, description="ETIN at the clearinghouse (1000A NM109)"
    )
    receiver_name: Name | None = None
    receiver_qualifier: InterchangeQualifier | MISSING = Field(
        MISSING, description="ISA07; clearinghouses differ, 30 is a tax id"
    )
    receiver_id: Annotated[Text, length(80, 2)] | None = Field(
        None, description="Clearinghouse id (1000B NM109, ISA08)"
    )
    default_place_of_service: PlaceOfService | MISSING = Field(
        MISSING, description="CLM05-1 of new claims that do not say: 41 land, 42 air or water"
    )
    default_accepts_assignment: Annotated[bool, Field(strict=True)] | MISSING = Field(
        MISSING, description="CLM07 of new claims that do not say"
    )
    auto_lock_hours: Annotated[int, Field(strict=True, ge=1, le=720)] | MISSING = Field(
        MISSING, description="Completed charts are locked by the system after this many hours"
    )
    require_crew_signature: Annotated[bool, Field(strict=True)] | MISSING = Field(
        MISSING, description="A chart is completed only while a crew attestation covers all of it"
    )
    authors_may_review: Annotated[bool, Field(strict=True)] | MISSING = Field(
        MISSING,
        description="For an agency too small for four eyes: who wrote a chart may review it. Counts for charts that are"
        " submitted from then on",
    )
    device_idle_minutes: Annotated[int, Field(strict=True, ge=15, le=720)] | None = Field(
        None,
        description="Sessions on devices that lock themselves may rest for so long without a refresh; null means no"
        " longer than others. The absolute end of a session stays",
    )


class TenantPatch(_ProfileFields, VersionedPatch):
    """The profile that NEMSIS headers (dAgency) and the 837P billing provider loop (2010AA) are written from."""


class TenantProfile(_ProfileFields):
    """A new tenant. What is not given keeps the entity's default."""

    slug: Slug
    legal_name: Name
    state: State
    time_zone: TimeZone
    agency_state_id: Annotated[Text, length(50)]
    agency_number: Annotated[Text, length(15)]

    def values(self) -> dict[str, Any]:
        """The given fields, for the entity's constructor."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class TenantRead(EntityRead):
    slug: str
    status: TenantStatus
    legal_name: str
    trade_name: str | None
    state: str
    time_zone: str
    agency_state_id: str
    agency_number: str
    software_creator: str
    software_name: str
    software_version: str
    npi: str | None
    ein: str | None
    taxonomy: str | None
    street: str | None
    city: str | None
    zip: str | None
    phone: str | None
    pay_to_street: str | None
    pay_to_city: str | None
    pay_to_state: str | None
    pay_to_zip: str | None
    billing_contact_name: str | None
    billing_contact_email: str | None
    administrative_contact_name: str | None
    administrative_contact_phone: str | None
    administrative_contact_email: str | None
    submitter_qualifier: str
    submitter_id: str | None
    receiver_name: str | None
    receiver_qualifier: str
    receiver_id: str | None
    default_place_of_service: str
    default_accepts_assignment: bool
    auto_lock_hours: int
    require_crew_signature: bool
    authors_may_review: bool
    device_idle_minutes: int | None
