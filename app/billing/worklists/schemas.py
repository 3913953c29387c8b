"""Worklists and their claims as billers see them, and what they may say about one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import Field

from app.billing.claims.lifecycle import ClaimStatus
from app.billing.claims.models import LevelOfService
from app.core.errors import ValidationFailed
from app.core.pagination import Paging, encode_cursor
from app.core.schemas import EntityRead, Instant, ReadModel, RequestModel, Version

# Any: a subclass may not narrow what the base declares, and the lists of days have other orders than those of times.
_ORDERS: Any = Literal["service_date", "-service_date", "created_at", "-created_at", "file_by", "appeal_by"] | None


class Worklist(StrEnum):
    """`ready`: approved, to go into a file. `scrub_failed`: under review, and a blocking edit found something.
    `awaiting_ack`: in a file, without an answer. `timely_filing`: unsent, and the payer's time for filing runs out.
    `stale_evidence`: the chart has changed under it. `unassigned`: it wants work, and nobody has it. `rejected`: a
    receiver refused it, and nobody has approved it since. `denied`: the payer pays nothing. `appeal_due`: a refusal
    waits, and the time for its appeal runs out.
    """

    READY = "ready"
    SCRUB_FAILED = "scrub_failed"
    AWAITING_ACK = "awaiting_ack"
    TIMELY_FILING = "timely_filing"
    STALE_EVIDENCE = "stale_evidence"
    UNASSIGNED = "unassigned"
    REJECTED = "rejected"
    DENIED = "denied"
    APPEAL_DUE = "appeal_due"


DEADLINES: Mapping[Worklist, str] = {Worklist.TIMELY_FILING: "file_by", Worklist.APPEAL_DUE: "appeal_by"}
"""The lists in the order of a last day, and what it is called. They have no other order."""


class WorklistPaging(Paging):
    """Which page of a worklist is asked for. Each list has an order of its own; `of` gives it."""

    sort: _ORDERS = Field(
        None,
        description="`timely_filing` has `file_by` alone and `appeal_due` `appeal_by`, the nearest first; the others"
        " take the rest, by default"
        " `service_date`. `-` sorts newest first. A claim without a day of service stands last",
    )

    def of(self, name: Worklist) -> Self:
        """The same page in the order of the list. Raises ValidationFailed for an order that it does not have."""
        deadline = DEADLINES.get(name)
        sort = self.sort or deadline or "service_date"
        if (sort in DEADLINES.values() or deadline is not None) and sort != deadline:
            raise ValidationFailed.of("sort", "not_of_this_list", "This list is not sorted so.")
        return self.model_copy(update={"sort": sort})

    def values(self) -> dict[str, Any]:
        return _with_days(super().values(), is_day=self.sorted_by != "created_at")

    def split(self, rows: Sequence[Any], entity_id: str = "id") -> tuple[Sequence[Any], str | None]:
        shown = rows[: self.limit]
        if len(rows) <= self.limit:
            return shown, None
        last = shown[-1]
        at = last["created_at"] if self.sorted_by == "created_at" else _midnight(last["sort_day"])
        return shown, encode_cursor(at, last[entity_id], self.sorted_by)


def _with_days(values: dict[str, Any], *, is_day: bool) -> dict[str, Any]:
    """A cursor holds a time. In an order of days it is the beginning of one, in UTC."""
    if is_day and "after_at" in values:
        values["after_at"] = values["after_at"].date()
    return values


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


class WorklistClaimRead(EntityRead):
    """A claim as a line of a worklist: nothing of it tells about the patient."""

    incident_id: uuid.UUID
    patient_id: uuid.UUID
    claim_number: str = Field(description="CLM01; payers return it in the 835 and 277CA")
    status: ClaimStatus
    payer_sequence: str = Field(description="SBR01: P, S or T")
    payer_record_id: uuid.UUID | None = Field(description="The payer among billing/payers; null for none")
    payer_name: str | None = Field(description="Null where nobody has said who pays")
    level_of_service: LevelOfService | None = Field(description="42 CFR 414.605; null if not derivable")
    charge_amount: Decimal = Field(description="The sum of the lines' charges")
    service_date: dt.date | None = Field(description="The agency-local day of the service; null if not charted")
    file_by: dt.date | None = Field(description="The last day for filing; null if payer or day is unknown")
    appeal_by: dt.date | None = Field(description="Of `appeal_due`: the last day for an appeal; null in other lists")
    stale_since: dt.datetime | None = Field(description="Since when the chart differs from what the claim cites")
    assigned_to_user_id: uuid.UUID | None = Field(description="Who works on it; null for nobody")
    assignee_name: str | None = Field(description="Name of who works on it; null for nobody")
    snoozed_until: dt.datetime | None = Field(description="Until when worklists leave it out; null for no longer")


class WorklistCount(ReadModel):
    name: Worklist = Field(description="The list")
    claims: int = Field(description="How many claims it has, without those that rest")
    mine: int = Field(description="How many of them this user works on")


class WorklistCounts(ReadModel):
    items: list[WorklistCount] = Field(description="Every list, with its claims")


class AssignmentRequest(RequestModel):
    version: Version
    user_id: uuid.UUID | None = Field(description="Who is to work on the claim; null gives it back to everybody")


class SnoozeRequest(RequestModel):
    version: Version
    until: Instant | None = Field(description="Until when worklists leave the claim out; null wakes it")
