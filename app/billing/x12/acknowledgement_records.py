"""What comes back before a payer decides: TA1, 999 and 277CA, and a clearinghouse's own status file. Pure records.

No record keeps a value of the claim that was refused, nor the name of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class InterchangeVerdict:
    """A TA1. `control_number` is ISA13 of the file that we sent; `note` is TA105."""

    control_number: int
    verdict: Verdict
    note: str


@dataclass(frozen=True, slots=True)
class SegmentFault:
    """An IK3 with one of its IK4, if it has some. `element` counts from 1, `component` within the element.

    `claim_number` is the claim around the segment, where the sender says so (CTX CLM01).
    """

    segment: str
    position: int | None
    loop: str | None
    code: str
    element: int | None = None
    component: int | None = None
    element_code: str | None = None
    claim_number: str | None = None


@dataclass(frozen=True, slots=True)
class SetVerdict:
    """One AK2 loop of a 999. `group_control_number` is GS06 and `set_control_number` ST02 of what we sent.

    `set_control_number` is None for a group that was judged as a whole.
    """

    group_control_number: int
    set_control_number: str | None
    verdict: Verdict
    codes: tuple[str, ...] = ()
    faults: tuple[SegmentFault, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """One code set of an STC: category, status, entity."""

    category: str
    status: str
    entity: str | None = None


class Source(StrEnum):
    """Who judged the claim. A clearinghouse answers first, then the payer."""

    CLEARINGHOUSE = "clearinghouse"
    PAYER = "payer"


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """What a sender says about one claim. `claim_number` is our CLM01; `is_cut` if the layout has no room for all.

    `batch` is BHT03 of the file that we sent, where the sender repeats it.
    """

    claim_number: str
    verdict: Verdict
    source: Source
    statuses: tuple[ClaimStatus, ...] = ()
    messages: tuple[str, ...] = ()
    payer_control_number: str | None = None
    clearinghouse_number: str | None = None
    amount: Decimal | None = None
    batch: str | None = None
    is_cut: bool = False


Acknowledgement = InterchangeVerdict | SetVerdict | ClaimVerdict
