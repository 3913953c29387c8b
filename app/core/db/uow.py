"""The unit of work: one tenant, one actor, one transaction, one committer."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, Self

import asyncpg
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.core.audit.access import RECORD_ACCESS, PhiRead, Purpose
from app.core.audit.actions import AuditAction
from app.core.context import current_request_id
from app.core.db.columns import Digest
from app.core.db.entity import E
from app.core.db.guard import refuse_unaudited
from app.core.db.plan import EntityPlan, plan_of
from app.core.db.pool import ConnectionSource, Lease
from app.core.db.sql import CompiledStatement
from app.core.errors import LostRace, NotFound, ServiceUnavailable
from app.core.events import Topic
from app.core.ids import TenantId, new_id
from app.core.keys import Keyring
from app.core.logging import get_logger
from app.core.permissions import Principal

# InternalClientError: the server's closing message is being read while BEGIN is about to be sent.
_DEAD = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.InternalClientError,
    OSError,
)
_log = get_logger(__name__)


class Transaction:
    """A lazily opened transaction on one pooled connection. Statements run only through `fetch` and `fetch_row`."""

    __slots__ = ("_lease", "_session", "_source", "_task")
    unaudited_writes: frozenset[str] = frozenset()

    def __init__(self, source: ConnectionSource) -> None:
        self._source = source
        self._lease: Lease | None = None
        self._session: AsyncSession | None = None
        self._task: asyncio.Task[Any] | None = None

    def _opening(self) -> str:
        return "BEGIN"

    async def _connection(self) -> Any:
        if self._lease is None:
            self._lease = await self._open()
        return self._lease.conn

    async def _open(self) -> Lease:
        """Sends BEGIN on a live connection. If a pooled one is dead, nothing was sent yet, so another one is tried."""
        for _ in range(self._source.size + 1):
            lease = await self._source.acquire()
            try:
                await lease.conn.execute(self._opening())
            except _DEAD:
                await self._source.discard(lease)
            except BaseException:
                await asyncio.shield(self._source.discard(lease))
                raise
            else:
                return lease
        raise ServiceUnavailable

    async def fetch_row(self, statement: CompiledStatement, values: Mapping[str, Any]) -> Any:
        """The first row, or None. Refuses writes to audited tables."""
        if statement.writes:
            refuse_unaudited(statement.writes - self.unaudited_writes)
        conn = await self._connection()
        return await conn.fetchrow(statement.sql, *statement.arguments(values))

    async def fetch(self, statement: CompiledStatement, values: Mapping[str, Any]) -> list[Any]:
        """All rows. Refuses writes to audited tables."""
        if statement.writes:
            refuse_unaudited(statement.writes - self.unaudited_writes)
        conn = await self._connection()
        rows: list[Any] = await conn.fetch(statement.sql, *statement.arguments(values))
        return rows

    async def session(self) -> AsyncSession:
        """A SQLAlchemy session on this transaction. It only reads: reports and joins."""
        if self._session is None:
            await self._connection()
            assert self._lease is not None  # noqa: S101  # _connection set it
            engine = self._source.engine
            sync = Connection(engine.sync_engine, connection=self._lease.fairy)
            self._session = AsyncSession(bind=AsyncConnection(engine, sync), autoflush=True, expire_on_commit=False)
        return self._session

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        _ENTERED.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.commit()
            else:
                await self.rollback()
        finally:
            _ENTERED.discard(self)

    async def commit(self) -> None:
        """Raises ServiceUnavailable if PostgreSQL answered COMMIT with ROLLBACK, because the transaction had failed."""
        lease = self._lease
        if lease is None:
            return
        try:
            if self._session is not None:
                await self._session.flush()
            status = await lease.conn.execute("COMMIT")
        except BaseException:
            await self.rollback()
            raise
        self._lease = None
        await self._source.release(lease)
        if status != "COMMIT":
            _log.error("commit answered with rollback")
            await self.rollback()
            raise ServiceUnavailable("The change could not be stored; try again.")

    async def rollback(self) -> None:
        """A rollback is never interrupted. So a cancelled request leaves no transaction or tenant on a connection."""
        lease, self._lease = self._lease, None
        if lease is not None:
            await asyncio.shield(asyncio.ensure_future(_scrub(self._source, lease)))


_ENTERED: set[Transaction] = set()


def refuse_open_transaction() -> None:
    """Checks that an outside system may be called now. Raises AssertionError inside a unit of work of the same task."""
    task = asyncio.current_task()
    if any(transaction._task is task for transaction in _ENTERED):
        raise AssertionError("an outside system is called inside a unit of work")


async def _scrub(source: ConnectionSource, lease: Lease) -> None:
    try:
        async with asyncio.timeout(5):
            await lease.conn.execute("ROLLBACK")
        clean = not lease.conn.is_closed() and not lease.conn.is_in_transaction()
    except Exception as error:
        _log.warning("rollback failed; connection discarded", exc_info=error)
        clean = False
    await (source.release(lease) if clean else source.discard(lease))


class ReadUnitOfWork(Transaction):
    """A unit of work of one tenant and one principal. It cannot write.

    Before its transaction ends, it writes one row of the access log about the charts that it read.
    """

    __slots__ = ("_read", "principal", "tenant_id")

    def __init__(self, source: ConnectionSource, principal: Principal) -> None:
        super().__init__(source)
        self.principal = principal
        self.tenant_id: TenantId = principal.tenant_id
        self._read: PhiRead | None = None

    def note_phi(self, category: str, incident_id: uuid.UUID | None, purpose: Purpose | None = None) -> None:
        """Repositories and disclosures note here which protected health information a person sees.

        `category` is the entity's type, or the name that a disclosure gives. `incident_id` is the chart.
        """
        if self._read is None:
            self._read = PhiRead()
        self._read.note(category, incident_id, purpose)

    def _unaudited_read(self) -> PhiRead | None:
        return self._read

    async def commit(self) -> None:
        """Raises ServiceUnavailable if the row of the access log cannot be stored. Then nothing is shown."""
        read = self._unaudited_read()
        if read is not None and self.principal.is_reader:
            conn = await self._connection()
            try:
                await conn.execute(RECORD_ACCESS.sql, *RECORD_ACCESS.arguments(read.row(self.principal)))
            except BaseException:
                await self.rollback()
                raise
        await super().commit()

    def _opening(self) -> str:
        tenant = self.tenant_id
        if not isinstance(tenant, uuid.UUID):  # the whitelist: str(UUID) is hex and dashes
            raise TypeError("tenant_id must be a UUID")
        # One message, one round trip. Inside a CTE the row filter would run first and find nothing.
        return f"BEGIN;SELECT set_config('app.tenant_id','{tenant}',true)"


class UnitOfWork(ReadUnitOfWork):
    """A unit of work that writes only through `change`. Row, audit event and outbox event are one statement."""

    __slots__ = ("_after_commit", "_audited", "_keys", "_on_publish", "_poisoned")

    def __init__(
        self,
        source: ConnectionSource,
        principal: Principal,
        keys: Keyring,
        on_publish: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(source, principal)
        self._keys = keys
        self._audited: set[uuid.UUID] = set()
        self._poisoned = False
        self._on_publish = on_publish
        self._after_commit: list[Callable[[], None]] | None = None

    def change(
        self, entity: E, action: AuditAction, *, event: Topic | None = None, metadata: dict[str, Any] | None = None
    ) -> Change[E]:
        """The block may assign to `entity`; a clean exit writes it with its audit (and outbox) row.

        A new object is created. An unchanged object is not written. Raises Conflict for a stale version.
        `metadata` is stored with the audit event and may hold no PHI.
        """
        return Change(self, entity, action, event, metadata)

    async def create(self, entity: E, action: AuditAction, *, event: Topic | None = None) -> E:
        """Store a new entity with its audit (and outbox) row."""
        async with self.change(entity, action, event=event):
            pass
        return entity

    async def change_all(
        self,
        entities: Sequence[E],
        action: AuditAction,
        assign: Callable[[E], None],
        *,
        event: Topic | None = None,
        metadata: Callable[[E], dict[str, Any]] | None = None,
    ) -> None:
        """Changes several entities of one kind as `change` changes one. One round trip for all with the same columns.

        `assign` is called once for each entity. An unchanged entity is not written. Raises Conflict if one is stale.
        """
        poisoned, self._poisoned = self._poisoned, True
        due: dict[CompiledStatement, list[tuple[Change[E], dict[str, Any]]]] = {}
        for entity in entities:
            change = Change(self, entity, action, event, None if metadata is None else metadata(entity))
            change.begin()
            assign(entity)
            update = change.pending_update()
            if update is not None:
                due.setdefault(update[0], []).append((change, update[1]))
        for statement, updates in due.items():
            rows = await self._write_all(statement, [values for _, values in updates])
            if len(rows) < len(updates):
                raise await _first_lost([change for change, _ in updates], rows)
            for (change, _), row in zip(updates, rows, strict=True):
                change.written(row)
        self._poisoned = poisoned

    async def commit(self) -> None:
        """Raises ServiceUnavailable if a change failed in this unit, even if its error was caught."""
        if self._poisoned:
            await self.rollback()
            raise ServiceUnavailable("A change failed and nothing was stored.")
        await super().commit()
        if self._after_commit is not None:
            self._run_after_commit()

    async def rollback(self) -> None:
        """Also drops the work that was registered for after the commit."""
        self._after_commit = None
        await super().rollback()

    def after_commit(self, work: Callable[[], None]) -> None:
        """Runs `work` once, in this process, after the commit. Several run in the order of registration.

        The connection is free again by then. `work` cannot await. `work` does not run after a rollback or a failed
        commit. Its error is logged; the request succeeds and the others run.

        A process that dies after its COMMIT runs none of them. So `work` may only be something that this process needs
        (a mark in its memory, a poke to another one). Work that must happen is an outbox event or a job.
        """
        if self._after_commit is None:
            self._after_commit = []
        self._after_commit.append(work)

    def _run_after_commit(self) -> None:
        registered, self._after_commit = self._after_commit or (), None
        for work in registered:
            try:
                work()
            except Exception as error:
                _log.error("work after a commit failed", exc_info=error)

    def _unaudited_read(self) -> PhiRead | None:
        """The charts that were read and not changed. The audit event of a change already shows the access."""
        return None if self._read is None else self._read.without(self._audited)

    def seal(self, purpose: str, message: bytes) -> bytes:
        """The service's own seal (Keyring.seal). A person with write access to the database alone cannot make it."""
        return self._keys.seal(purpose, message)

    async def _write(self, statement: CompiledStatement, values: dict[str, Any]) -> Any:
        """The audited path past `fetch_row`'s refusal. Only Change calls it."""
        conn = await self._connection()
        row = await conn.fetchrow(statement.sql, *statement.arguments(values))
        if row is not None and values["o_topic"] is not None:
            self._published()
        return row

    async def _write_all(self, statement: CompiledStatement, values: list[dict[str, Any]]) -> list[Any]:
        """As `_write`, for several rows in one round trip. A row that was not written is missing in the answer."""
        conn = await self._connection()
        rows: list[Any] = await conn.fetchmany(statement.sql, [statement.arguments(each) for each in values])
        if rows and values[0]["o_topic"] is not None:
            self._published()
        return rows

    def _published(self) -> None:
        if self._on_publish is not None:
            self.after_commit(self._on_publish)
            self._on_publish = None  # one poke, however many events

    def _digest(self, entity_id: uuid.UUID) -> Digest:
        return self._keys.value_digest(self.tenant_id, entity_id)


class Change(Generic[E]):
    """A slotted class and not a generator, because every autosave runs it."""

    __slots__ = ("_action", "_before", "_entity", "_event", "_metadata", "_plan", "_uow")

    def __init__(
        self, uow: UnitOfWork, entity: E, action: AuditAction, event: Topic | None, metadata: dict[str, Any] | None
    ) -> None:
        self._uow = uow
        self._plan: EntityPlan[E] = plan_of(type(entity))
        self._entity = entity
        self._action = action
        self._event = event
        self._metadata = metadata
        self._before: dict[str, Any] | None = None

    async def __aenter__(self) -> E:
        self.begin()
        return self._entity

    def begin(self) -> None:
        """Opens the entity for assignments. `change_all` calls it, and `__aenter__`."""
        state = self._entity.__dict__
        if state["tenant_id"] != self._uow.tenant_id:
            raise AssertionError("entity of another tenant")
        self._before = self._plan.snapshot(state)
        state["_sealed"] = False

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state = self._entity.__dict__
        state["_sealed"] = True
        # True until the write is known to have happened. An earlier failed change stays fatal.
        poisoned, self._uow._poisoned = self._uow._poisoned, True
        if kind is not None:
            return
        if self._plan.derived:
            self._plan.derive(state)
        if self._before is None:
            await self._insert(state)
        else:
            await self._update(state, self._before)
        self._uow._poisoned = poisoned

    def pending_update(self) -> tuple[CompiledStatement, dict[str, Any]] | None:
        """Seals a stored entity again. The statement that writes its changes, and the values; None if nothing changed.

        Only `change_all` calls it. The caller runs the statement and hands its row to `written`.
        """
        state, before = self._entity.__dict__, self._before
        state["_sealed"] = True
        if before is None:
            raise AssertionError("only stored entities are changed together")
        if self._plan.derived:
            self._plan.derive(state)
        return self._due(state, before)

    def _due(self, state: dict[str, Any], before: dict[str, Any]) -> tuple[CompiledStatement, dict[str, Any]] | None:
        plan = self._plan
        changed, fields = plan.diff(before, state, self._uow._digest(state["id"]))
        if not changed:
            return None
        version = before["version"]
        values = self._records(state, fields, version + 1, changed)
        values["expected"] = version
        return plan.update(changed), values

    def written(self, row: Any) -> None:
        """Takes over what the database has set."""
        state = self._entity.__dict__
        state["version"], _, state["updated_at"] = row

    async def _update(self, state: dict[str, Any], before: dict[str, Any]) -> None:
        due = self._due(state, before)
        if due is None:
            return
        row = await self._uow._write(*due)
        if row is None:
            raise await _first_lost([self], [])
        self.written(row)

    async def _insert(self, state: dict[str, Any]) -> None:
        plan = self._plan
        fields = plan.created_fields(state, self._uow._digest(state["id"]))
        row = await self._uow._write(plan.insert, self._records(state, fields, 1, list(fields)))
        state["version"], state["created_at"], state["updated_at"] = row

    def _records(
        self, state: dict[str, Any], fields: dict[str, list[Any]], version: int, changed: list[str]
    ) -> dict[str, Any]:
        uow, entity = self._uow, self._entity
        if self._plan.chart is not None:
            uow._audited.add(state[self._plan.chart])
        values = {f"v_{key}": value for key, value in state.items()}
        values["tenant_id"] = uow.tenant_id
        values["id"] = state["id"]
        values["a_id"] = new_id()
        values["a_actor"] = uow.principal.actor_id
        values["a_type"] = entity.entity_type
        values["a_action"] = self._action
        values["a_fields"] = fields
        values["a_metadata"] = self._metadata
        values["a_request"] = current_request_id()
        values["o_id"] = new_id()
        values["r_id"] = new_id()
        values["o_topic"] = None if self._event is None else self._event.name
        values["o_aggregate"] = state[entity.aggregate]
        values["o_payload"] = None if self._event is None else self._payload(state, version, changed)
        return values

    def _payload(self, state: dict[str, Any], version: int, changed: list[str]) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "entity_type": self._entity.entity_type,
            "entity_id": state["id"],
            "version": version,
            "action": self._action,
            "changed": changed,
        }
        for name in self._entity.references:
            payload[name] = state[name]
        if self._plan.has_status:
            payload["status"] = state["status"]
        return payload

    async def lost(self, written_at: dt.datetime | None = None) -> Exception | None:
        """The Conflict if somebody else wrote between our read and our write: the same 409 as for a stale client.

        None if the row was written at `written_at`, the time of this transaction.
        """
        plan, uow = self._plan, self._uow
        row = await uow.fetch_row(plan.by_id, {"tenant_id": uow.tenant_id, "id": self._entity.id})
        if row is None:
            return NotFound()
        current = plan.build(row)
        if current.updated_at == written_at:
            return None
        return LostRace.stale(current.version, current.updated_at)


async def _first_lost(changes: Sequence[Change[Any]], rows: Sequence[Any]) -> Exception:
    """The Conflict of the first entity that was not written, while `rows` were."""
    written_at = rows[0]["updated_at"] if rows else None
    for change in changes:
        lost = await change.lost(written_at)
        if lost is not None:
            return lost
    raise AssertionError("every row was written")
