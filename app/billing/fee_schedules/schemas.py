"""Fee schedules and their items as billers keep and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated

from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.billing.fee_schedules.models import FeeKind
from app.billing.x12.hcpcs import AMBULANCE_CODES, RETIRED_CODES
from app.core.schemas import (
    CreateModel,
    Date,
    DecimalText,
    EntityRead,
    ReadModel,
    RequestModel,
    Text,
    Verbatim,
    Version,
    VersionedPatch,
    length,
    scaled,
)

MAX_CSV = 200_000
MAX_ITEMS = 2_000
_MOST = Decimal("999999.99")


def price_code(code: str) -> str:
    """Checks that a code is an ambulance service that is in force today. Raises PydanticCustomError."""
    if code in RETIRED_CODES:
        problem = {"ended": RETIRED_CODES[code].isoformat()}
        raise PydanticCustomError("retired_code", "This code was retired; its last day was {ended}", problem)
    if code not in AMBULANCE_CODES:
        raise PydanticCustomError("unknown_code", "This is no HCPCS code of an ambulance service")
    return code


ServiceCode = Annotated[Text, AfterValidator(price_code), Field(description="HCPCS, such as A0429; per mile for A0425")]
UnitPrice = Annotated[
    Decimal,
    DecimalText,
    Field(ge=0, le=_MOST, decimal_places=2, allow_inf_nan=False, description="Of one unit: of a mile for mileage"),
    scaled(2),
]
ScheduleName = Annotated[Text, length(100), Field(description="What the agency calls it; unique in the agency")]
FirstDay = Annotated[Date, Field(description="The first date of service")]
LastDay = Annotated[Date, Field(description="The last date of service; null for no end")]
ItemFirstDay = Annotated[Date, Field(description="The first date of service; null for the schedule's")]
ItemLastDay = Annotated[Date, Field(description="The last date of service; null for the schedule's")]


class FeeScheduleCreate(CreateModel):
    name: ScheduleName
    kind: FeeKind = Field(description="`gross` for everybody, `contract` for one payer")
    payer_record_id: uuid.UUID | None = Field(None, description="The payer of a contract; null for gross prices")
    effective_from: FirstDay
    effective_to: LastDay | None = None


class FeeSchedulePatch(VersionedPatch):
    name: ScheduleName | MISSING = MISSING
    effective_from: FirstDay | MISSING = MISSING
    effective_to: LastDay | None = None


class FeeScheduleRead(EntityRead):
    name: str = Field(description="What the agency calls it; unique in the agency")
    kind: FeeKind = Field(description="`gross` for everybody, `contract` for one payer")
    payer_record_id: uuid.UUID | None = Field(description="The payer of a contract; null for gross prices")
    effective_from: dt.date = Field(description="The first date of service")
    effective_to: dt.date | None = Field(description="The last date of service; null for no end")


class _ItemFields(RequestModel):
    effective_from: ItemFirstDay | None = None
    effective_to: ItemLastDay | None = None


class FeeItemCreate(_ItemFields, CreateModel):
    hcpcs: ServiceCode
    unit_price: UnitPrice


class FeeItemPatch(_ItemFields, VersionedPatch):
    unit_price: UnitPrice | MISSING = MISSING


class FeeItemRow(_ItemFields):
    """A row of an imported file, by the names of its columns."""

    hcpcs: ServiceCode
    unit_price: UnitPrice


class FeeItemRead(EntityRead):
    schedule_id: uuid.UUID = Field(description="The schedule that it is a price of")
    hcpcs: str = Field(description="HCPCS, such as A0429")
    unit_price: Decimal = Field(description="Of one unit: of a mile for mileage")
    effective_from: dt.date | None = Field(description="The first date of service; null for the schedule's")
    effective_to: dt.date | None = Field(description="The last date of service; null for the schedule's")


class FeeImport(RequestModel):
    """A file from a spreadsheet. Its first line names the columns."""

    version: Version
    csv: Annotated[Verbatim, length(MAX_CSV)] = Field(
        description="Lines of `hcpcs,unit_price,effective_from,effective_to`; the last two may be left out. A price of"
        " the same code and first day is replaced, every other line is added"
    )


class FeeImportRead(ReadModel):
    """What an import has done."""

    schedule: FeeScheduleRead = Field(description="The schedule as it is now")
    added: int = Field(description="Prices that are new")
    revised: int = Field(description="Prices that differ now")
    unchanged: int = Field(description="Lines that say what was there already")
