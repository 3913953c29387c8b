"""Charts over HTTP, in the rooms that every domain has, and a route that fails in every way that there is."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

import asyncpg
import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, EmailStr, Field
from starlette.exceptions import HTTPException

from app.core.auth.permissions import SELF_READ
from app.core.db.sql import CompiledStatement
from app.core.dependencies import ReadUow, Uow, requires
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, Paging, PagingQuery
from app.core.repository import require_version
from app.core.schemas import (
    CreateModel,
    EntityRead,
    Instant,
    Money,
    ReadModel,
    RequestModel,
    Text,
    VersionedPatch,
    length,
)
from tests.core.charts import CHART_CHANGED, Chart, ChartAction, ChartNote, ChartRepository

CANARY = "CANARYquill7731"


def _picky(value: str) -> str:
    """A validator of the kind that quotes what it was given."""
    if value:
        raise ValueError(f"{value} is not to my taste")
    return value


class Cat(RequestModel):
    kind: Literal["cat"]
    lives: int = Field(strict=True)


class Dog(RequestModel):
    kind: Literal["dog"]


class ChartCreate(CreateModel):
    incident_id: uuid.UUID
    number: Annotated[Text, length(40)]
    charge: Money | None = None
    seen_at: Instant | None = None
    patient_name: Annotated[Text, length(60)] | None = None
    vitals: dict[str, Any] | None = None
    count: Annotated[int, Field(strict=True, ge=0, le=300)] | None = None
    flag: Annotated[bool, Field(strict=True)] | None = None
    picky: Annotated[str, AfterValidator(_picky)] | None = None
    email: EmailStr | None = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    coded: Annotated[Text, Field(pattern=r"^[a-z]{3}$")] | None = None


class ChartPatch(VersionedPatch):
    number: Annotated[Text, length(40)] = Field("")
    patient_name: Annotated[Text, length(60)] | None = None
    vitals: dict[str, Any] | None = None


class ChartRead(EntityRead):
    incident_id: uuid.UUID
    number: str
    charge: Decimal | None
    seen_at: dt.datetime | None
    vitals: dict[str, Any] | None


class Found(ReadModel):
    count: int


router = APIRouter(prefix="/probe", tags=["operations"], dependencies=[requires(SELF_READ)])


@router.post("/charts", status_code=201, response_model=ChartRead)
async def create_chart(given: ChartCreate, uow: Uow, creation: CreationDependency) -> Chart:
    """Create a chart as any domain creates things."""
    reservation = await creation.reserve(uow, given)
    if reservation.repeated:
        return await ChartRepository(uow).get(uow.tenant_id, reservation.entity_id)
    columns = ("incident_id", "number", "charge", "seen_at", "patient_name", "vitals")
    made = Chart(id=reservation.entity_id, tenant_id=uow.tenant_id, **{name: getattr(given, name) for name in columns})
    return await uow.create(made, ChartAction.OPENED, event=CHART_CHANGED)


@router.get("/charts", response_model=Page[ChartRead])
async def list_charts(
    uow: ReadUow,
    paging: PagingQuery,
    number: Annotated[str | None, Query()] = None,
) -> Page[Any]:
    """A page of charts."""
    return await ChartRepository(uow).list_page(uow.tenant_id, paging, number=number)


@router.get("/charts/{chart_id}", response_model=ChartRead)
async def read_chart(chart_id: uuid.UUID, uow: ReadUow) -> Chart:
    """One chart."""
    return await ChartRepository(uow).get(uow.tenant_id, chart_id)


@router.patch("/charts/{chart_id}", response_model=ChartRead)
async def revise_chart(chart_id: uuid.UUID, patch: ChartPatch, uow: Uow) -> Chart:
    """Change a chart."""
    found = await ChartRepository(uow).get(uow.tenant_id, chart_id)
    require_version(found, patch.version)
    async with uow.change(found, ChartAction.REVISED, event=CHART_CHANGED):
        for name, value in patch.changes().items():
            setattr(found, name, value)
    return found


@router.put("/charts/{chart_id}/twin")
async def unused_twin(chart_id: uuid.UUID) -> Found:
    """Another method on a path of its own."""
    return Found(count=0)


@router.get("/lookup/{number}")
async def look_up(number: str, uow: ReadUow) -> Found:
    """A text of the path that goes into a query."""
    page = await ChartRepository(uow).list_page(uow.tenant_id, Paging(limit=1), number=number)
    return Found(count=len(page.items))


@router.get("/integers/{number}")
async def integers(number: int, uow: ReadUow, version: Annotated[int, Query()] = 1) -> Found:
    """Integers of path and query that go into a query unchecked."""
    bound = sa.bindparam("number", type_=sa.Integer), sa.bindparam("version", type_=sa.BigInteger)
    row = await uow.fetch_row(CompiledStatement(sa.select(*bound)), {"number": number, "version": version})
    return Found(count=row[0])


@router.get("/stream", response_class=StreamingResponse, responses={200: {"content": {"text/plain": {}}}})
async def stream() -> StreamingResponse:
    """Fails after its first piece."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError(CANARY)

    return StreamingResponse(pieces(), media_type="text/plain")


@router.post("/charts/{chart_id}/unserialisable")
async def change_and_answer_nonsense(chart_id: uuid.UUID, uow: Uow) -> Found:
    """Changes a chart and then answers what its schema does not allow."""
    found = await ChartRepository(uow).get(uow.tenant_id, chart_id)
    async with uow.change(found, ChartAction.REVISED, event=CHART_CHANGED):
        found.number = "unserialisable"
    answer: Any = {"count": CANARY}
    return answer  # type: ignore[no-any-return]


@router.post("/charts/{chart_id}/raise/{failure}")
async def change_and_raise(chart_id: uuid.UUID, failure: str, uow: Uow) -> Found:
    """Changes a chart and then fails."""
    found = await ChartRepository(uow).get(uow.tenant_id, chart_id)
    async with uow.change(found, ChartAction.REVISED, event=CHART_CHANGED):
        found.number = "half"
    await FAILURES[failure](uow)
    return Found(count=0)


async def _raise(error: BaseException) -> None:
    raise error


async def _statement(uow: Any, sql: str) -> None:
    await (await uow.session()).execute(sa.text(sql))


async def _raw(uow: Any, sql: str, *arguments: Any) -> None:
    await (await uow._connection()).execute(sql, *arguments)


FAILURES: dict[str, Callable[[Any], Any]] = {
    "exception": lambda uow: _raise(RuntimeError(f"{CANARY} in an exception")),
    "chained": lambda uow: _raise(ExceptionGroup(CANARY, [ValueError(CANARY)])),
    "key": lambda uow: _raise(KeyError(CANARY)),
    "assertion": lambda uow: _raise(AssertionError(CANARY)),
    "recursion": lambda uow: _raise(RecursionError(CANARY)),
    "http 418": lambda uow: _raise(HTTPException(418, CANARY)),
    "http 502": lambda uow: _raise(HTTPException(502, CANARY)),
    "foreign key": lambda uow: uow.create(
        ChartNote(tenant_id=uow.tenant_id, chart_id=uuid.uuid4(), text=CANARY), ChartAction.REVISED
    ),
    "check": lambda uow: uow.create(
        Chart(tenant_id=uow.tenant_id, incident_id=uuid.uuid4(), number="forbidden", patient_name=CANARY),
        ChartAction.OPENED,
    ),
    "not null": lambda uow: uow.create(
        Chart(tenant_id=uow.tenant_id, incident_id=uuid.uuid4(), number=None, patient_name=CANARY),  # type: ignore[arg-type]
        ChartAction.OPENED,
    ),
    "unique in the session": lambda uow: _statement(
        uow,
        "INSERT INTO idempotency_keys (id, tenant_id, key, fingerprint, entity_id)"
        f" SELECT gen_random_uuid(), tenant_id, '{CANARY}', '', id FROM tenants, generate_series(1, 2)",
    ),
    "syntax": lambda uow: _raw(uow, f"SELEKT '{CANARY}'"),
    "division": lambda uow: _statement(uow, "SELECT 1 / 0"),
    "text for a number": lambda uow: _raw(uow, f"SELECT '{CANARY}'::int"),
    "argument of another type": lambda uow: _raw(uow, "SELECT $1::int", CANARY),
    "too many arguments": lambda uow: _raw(uow, "SELECT $1::int", 1, 2),
    "row-level security": lambda uow: _raw(
        uow, "INSERT INTO users (id, tenant_id) VALUES (gen_random_uuid(), gen_random_uuid())"
    ),
    "statement timeout": lambda uow: _raw(uow, "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)"),
    "serialisation": lambda uow: _raw(uow, _raising("40001")),
    "deadlock": lambda uow: _raw(uow, _raising("40P01")),
    "lock timeout": lambda uow: _raw(uow, _raising("55P03")),
    "read only": lambda uow: _raw(uow, _raising("25006")),
    "too many connections": lambda uow: _raw(uow, _raising("53300")),
    "killed": lambda uow: _raw(uow, "SELECT pg_terminate_backend(pg_backend_pid())"),
    "connection refused": lambda uow: _raise(ConnectionRefusedError(CANARY)),
    "connect timeout": lambda uow: _raise(TimeoutError(CANARY)),
    "database starting": lambda uow: _raise(asyncpg.CannotConnectNowError(CANARY)),
    "connection closed": lambda uow: _raise(asyncpg.InterfaceError(f"connection is closed {CANARY}")),
    "pool": lambda uow: _raise(sa.exc.TimeoutError(CANARY)),
    "dawdle": lambda uow: _dawdle(uow),
    "cancelled by hand": lambda uow: _cancelled_query(uow),
}


def _raising(sqlstate: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION '{CANARY}' USING ERRCODE = '{sqlstate}'; END $$"


async def _dawdle(uow: Any) -> None:
    """Stands idle in its transaction, then goes on."""
    await asyncio.sleep(0.2)
    await _raw(uow, f"SELECT '{CANARY}'::int")


async def _cancelled_query(uow: Any) -> None:
    connection = await uow._connection()
    await connection.execute("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)")


def canary_values() -> list[Any]:
    """Bodies that carry the canary to every place of a request model where something may be wrong with it."""
    whole = {"incident_id": str(uuid.uuid4()), "number": "1"}
    wrong: list[dict[str, Any]] = [
        {**whole, name: value}
        for name, value in {
            "incident_id": CANARY,
            "number": CANARY * 9,
            "charge": CANARY,
            "seen_at": CANARY,
            "patient_name": {CANARY: CANARY},
            "vitals": CANARY,
            "count": CANARY,
            "flag": CANARY,
            "picky": CANARY,
            "email": f"{CANARY} {CANARY}",
            "pet": {"kind": CANARY},
            "coded": CANARY,
            "id": CANARY,
            CANARY: 1,
            f"{CANARY}, born 1980-01-01": CANARY,
        }.items()
    ]
    wrong += [
        {**whole, "pet": {"kind": "cat", "lives": CANARY}},
        {**whole, "pet": {"kind": "cat", "lives": 9, CANARY: CANARY}},
        {**whole, "pet": [CANARY]},
        {**whole, "vitals": {CANARY: "\x00"}},
        {**whole, "number": f"{CANARY}\x01"},
        {CANARY: CANARY},
    ]
    return [*wrong, CANARY, [CANARY], 17, None]
