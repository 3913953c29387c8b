"""The words of the table of transports: what is charted, who pays, and what the rules make of it.

Bodies are those of the chart's API. Codes are NEMSIS's, SNOMED CT's and RxNorm's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Body = dict[str, Any]
DAY = "2026-11-20"
NO, YES = "9923001", "9923003"


class Level(StrEnum):
    """Levels of service, air and ground, and what is billed where nobody was transported."""

    BLS = "BLS"
    BLS_EMERGENCY = "BLS-E"
    ALS1 = "ALS1"
    ALS1_EMERGENCY = "ALS1-E"
    ALS2 = "ALS2"
    SPECIALTY_CARE = "SCT"
    PARAMEDIC_INTERCEPT = "PI"
    FIXED_WING = "FW"
    ROTARY_WING = "RW"
    TREATED_NOT_TRANSPORTED = "TNT"


BASE_CODES: Mapping[Level, str] = {
    Level.BLS: "A0428",
    Level.BLS_EMERGENCY: "A0429",
    Level.ALS1: "A0426",
    Level.ALS1_EMERGENCY: "A0427",
    Level.ALS2: "A0433",
    Level.SPECIALTY_CARE: "A0434",
    Level.PARAMEDIC_INTERCEPT: "A0432",
    Level.FIXED_WING: "A0430",
    Level.ROTARY_WING: "A0431",
    Level.TREATED_NOT_TRANSPORTED: "A0998",
}
"""Reference 2.1."""
_AIR_MILES: Mapping[Level, str] = {Level.FIXED_WING: "A0435", Level.ROTARY_WING: "A0436"}
_WITHOUT_MILES = frozenset({Level.PARAMEDIC_INTERCEPT, Level.TREATED_NOT_TRANSPORTED})
BEYOND_NEAREST, BEYOND_NEAREST_MODIFIER = "A0888", "GY"
"""Miles beyond the nearest facility, and the modifier after the pair (reference 2.2)."""
STATED = "ePayment.50"
STATED_LEVELS: Mapping[str, Level] = {
    "2650001": Level.ALS1,
    "2650003": Level.ALS1_EMERGENCY,
    "2650005": Level.ALS2,
    "2650007": Level.BLS,
    "2650009": Level.BLS_EMERGENCY,
    "2650011": Level.FIXED_WING,
    "2650013": Level.PARAMEDIC_INTERCEPT,
    "2650015": Level.SPECIALTY_CARE,
    "2650017": Level.ROTARY_WING,
}
"""The level by the code that the crew states."""


class PayerKind(StrEnum):
    """Who pays first. The value is the claim filing code, SBR09."""

    MEDICARE = "MB"
    MEDICAID = "MC"
    COMMERCIAL = "CI"
    NOBODY = "none"


@dataclass(frozen=True)
class Payer:
    """A coverage as the crew charts it (ePayment). `relation` is ePayment.22, the subscriber's where it is not Self."""

    kind: PayerKind
    name: str = ""
    member_id: str = ""
    relation: str = "2622001"
    subscriber: Body = field(default_factory=dict)
    method: str = "2601001"

    @property
    def elements(self) -> Body:
        """What the patient's row says of the payer."""
        return values(ePayment_01=self.method) | (
            {} if self.kind is PayerKind.NOBODY else values(ePayment_57=self.kind.value)
        )

    @property
    def groups(self) -> list[Body]:
        """The group of the insurance. None for a patient whom nobody insures."""
        if self.kind is PayerKind.NOBODY:
            return []
        insured = values(
            ePayment_10=self.name, ePayment_11="2611003", ePayment_18=self.member_id, ePayment_22=self.relation
        )
        return [{"group_name": "ePayment.InsuranceGroup", "elements": insured | self.subscriber}]


class Abn(StrEnum):
    """An advance beneficiary notice on file: required before a denial for necessity, or voluntary for an exclusion."""

    REQUIRED = "required"
    VOLUNTARY = "voluntary"


class Provider(StrEnum):
    """How the agency bills. The first is a supplier; the others are institutional providers."""

    SUPPLIER = "supplier"
    DIRECT = "institution, furnished directly"
    ARRANGED = "institution, under arrangement"


@dataclass(frozen=True)
class Charted:
    """One patient: the row, what was done, the groups of elements, who pays, and the notice that a biller has filed."""

    body: Body
    payer: Payer
    interventions: tuple[Body, ...] = ()
    abn: Abn | None = None


class Why(StrEnum):
    """Why a value cannot be derived."""

    ORIGIN = "the place of origin has no letter"
    DESTINATION = "the destination has no letter"
    NO_DESTINATION = "the patient was not taken anywhere"
    ODOMETER = "the odometer was not read"
    ODOMETER_BACKWARDS = "the odometer ran backwards"
    TRANSPORT_REASON = "no transport reason is charted"
    WEIGHT = "no weight is charted"
    CREW = "nobody is charted on the crew"
    TIME_OF_DEATH = "the time of the pronouncement is not charted"
    NO_COVERAGE = "no coverage is charted"


class NoClaimBecause(StrEnum):
    """Why a locked chart makes no claim."""

    CANCELLED = "the call was cancelled"
    NO_PATIENT = "no patient was met"
    OTHER_UNIT = "another unit transported the patient"
    REFUSED = "the patient refused"
    DEAD_BEFORE_DISPATCH = "death was pronounced before the dispatch"
    NOT_TRANSPORTED = "the payer pays for transports only"


@dataclass(frozen=True)
class Due:
    """The claim that is due for a patient.

    A value of None is not derivable; `why` gives the reason by the name of the field. `pair` is the modifier of origin
    and destination, the first; `further` are those after it. `beyond` are the miles after the nearest facility.
    `blocks` are edits (reference 6) that must block, `flags` those that must be found as an error or a warning. Where
    `blocks` is empty, no edit about transports may block, unless `open_edits` says that the rules leave that open.
    """

    level: Level | None
    pair: str | None
    miles: str | None
    further: tuple[str, ...] = ()
    beyond: str | None = None
    reason: str | None = "A"
    weight_lb: str | None = "140"
    conditions: tuple[str, ...] = ("06",)
    date_of_service: str = DAY
    relation: str = "18"
    member_id: str | None = None
    authorization: str | None = None
    patients_transported: int = 1
    blocks: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    open_edits: bool = False
    why: Mapping[str, Why] = field(default_factory=dict)

    @property
    def hcpcs(self) -> str | None:
        return None if self.level is None else BASE_CODES[self.level]

    @property
    def place_of_service(self) -> str | None:
        """CLM05-1: 42 in the air, 41 on land (edit E19). Not known without a level."""
        return None if self.level is None else "42" if self.level in _AIR_MILES else "41"

    @property
    def mileage_due(self) -> bool:
        """True if the base code has a line of miles beside it (edits E31 and E38)."""
        if self.level in _WITHOUT_MILES or "QL" in self.further:
            return False
        return self.why.get("level") is not Why.TIME_OF_DEATH

    @property
    def mileage_hcpcs(self) -> str | None:
        return None if self.level is None or not self.mileage_due else _AIR_MILES.get(self.level, "A0425")

    @property
    def modifiers(self) -> tuple[str, ...] | None:
        """All modifiers in order. None if the pair is not known, because the rest may not stand alone."""
        return None if self.pair is None else (self.pair, *self.further)

    def differs_from(self, charted: Charted) -> bool:
        """True if the crew stated another level (ePayment.50)."""
        stated = [entry["value"] for entry in charted.body["elements"].get(STATED, [])]
        return bool(stated) and STATED_LEVELS[stated[0]] is not self.level


@dataclass(frozen=True)
class NoClaim:
    """No claim is due."""

    because: NoClaimBecause


Expected = Due | NoClaim


@dataclass(frozen=True)
class Transport:
    """One row. `expected` has one entry a patient; for a call without a patient, the one entry is the call's.

    `crew` are levels (eCrew.02). `origin` and `destination` are facility records that the incident picks.
    """

    id: str
    name: str
    source: tuple[str, ...]
    incident: Body
    crew: tuple[str, ...]
    patients: tuple[Charted, ...]
    expected: tuple[Expected, ...]
    origin: Body | None = None
    destination: Body | None = None
    state: str = "IL"
    provider: Provider = Provider.SUPPLIER


def values(**codes: str | list[str] | tuple[str, ...]) -> Body:
    """`eResponse_05="2205001"` gives `{"eResponse.05": [{"value": "2205001"}]}`."""
    listed = {name: [code] if isinstance(code, str) else list(code) for name, code in codes.items()}
    return {name.replace("_", "."): [{"value": code} for code in given] for name, given in listed.items()}


def at(clock: str, day: str = DAY) -> str:
    """An instant of the agency's day: `at("10:05")`."""
    return f"{day}T{clock}:00-06:00"
