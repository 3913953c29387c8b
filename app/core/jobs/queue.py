"""Jobs and schedules are declared by domains, enqueued inside a unit of work, and run by one runner per process."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import orjson
import sqlalchemy as sa
from pgqueuer import AsyncpgDriver, PgQueuer
from pgqueuer.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import Schedule as DueSchedule
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url

from app.core.context import RequestContext, bind_context
from app.core.db.sql import CompiledStatement
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId, new_random_uuid
from app.core.logging import get_logger
from app.core.permissions import Principal
from app.core.runtime import Runtime

RETRY_SECONDS = 1

LOG_KEYS = ("job",)
_log = get_logger(__name__)
JobHandler = Callable[[Runtime, Principal, dict[str, uuid.UUID]], Awaitable[None]]
Seal = Callable[[str, bytes], bytes]

_SEAL_PURPOSE = "job"
_ENQUEUE = CompiledStatement(
    sa.select(
        sa.func.fusionems_enqueue_job(
            sa.bindparam("kind", type_=sa.Text),
            sa.bindparam("ids", type_=JSONB),
            sa.bindparam("seal", type_=sa.Text),
            sa.bindparam("delay", type_=sa.Interval),
            sa.bindparam("dedupe", type_=sa.Text),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of tenant-bound background work. It gets only ids, and must be safe to run twice."""

    name: str
    handle: JobHandler


@dataclass(frozen=True, slots=True)
class Schedule:
    """Recurring work of the service itself. It runs once per database, not per process. `cron` is in UTC."""

    name: str
    cron: str
    run: Callable[[Runtime], Awaitable[None]]


async def enqueue(
    uow: UnitOfWork,
    job: Job,
    ids: Mapping[str, uuid.UUID],
    *,
    after: dt.timedelta | None = None,
    dedupe: str | None = None,
) -> None:
    """Enqueue in `uow`'s transaction, for its tenant: the job exists if and only if its cause was committed.

    `dedupe`: while a job of the tenant with this key is waiting or running, no second one is added. The app role may
    add jobs only by `fusionems_enqueue_job`, which takes the tenant from the transaction. It can read no jobs.
    """
    content = sealed_content(uow.seal, job, uow.tenant_id, ids)
    seal = content.pop("seal")
    await uow.fetch(_ENQUEUE, {"kind": job.name, "ids": content, "seal": seal, "delay": after, "dedupe": dedupe})


def sealed_content(seal: Seal, job: Job, tenant_id: TenantId, ids: Mapping[str, uuid.UUID]) -> dict[str, str]:
    """The ids, the tenant and the seal that binds them to each other and to the kind of job.

    So rows that were added to the queue without the service's key are never run by a worker.
    """
    content = {name: str(value) for name, value in ids.items()} | {"tenant_id": str(tenant_id)}
    return {**content, "seal": _seal_of(seal, job, content)}


def _seal_of(seal: Seal, job: Job, content: Mapping[str, str]) -> str:
    return seal(_SEAL_PURPOSE, orjson.dumps([job.name, content], option=orjson.OPT_SORT_KEYS)).hex()


class NotSealed(Exception):
    """The content of a job was not written by this service for this kind and tenant."""


class JobFailed(Exception):
    """It names the kind of failure and nothing else."""


class JobRunner:
    """Runs declared jobs on a connection of its own, as the system role."""

    def __init__(self, runtime: Runtime, jobs: Sequence[Job], schedules: Sequence[Schedule] = ()) -> None:
        self._runtime = runtime
        self._jobs = jobs
        self._schedules = schedules

    async def run(self) -> None:
        """Work until cancelled. A lost connection is replaced."""
        while True:
            try:
                await self._run_once()
            except Exception as error:  # a runner that ended would silently leave every later job waiting
                _log.error("job runner interrupted", exc_info=error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _run_once(self) -> None:
        settings = self._runtime.settings
        url = make_url((settings.system_database_url or settings.database_url).get_secret_value())
        connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        try:
            queue = PgQueuer(AsyncpgDriver(connection))
            for job in self._jobs:
                self._register(queue, job)
            for schedule in self._schedules:
                self._register_schedule(queue, schedule)
            # It must be near 1 s: with the default, retries wait for 30 s.
            await queue.run(dequeue_timeout=dt.timedelta(seconds=1))
        finally:
            connection.terminate()  # at once: a runner that is being cancelled may not wait

    def _register(self, queue: PgQueuer, job: Job) -> None:
        def executor(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
            return DatabaseRetryEntrypointExecutor(parameters=parameters, max_attempts=8)

        @queue.entrypoint(job.name, executor_factory=executor, on_failure="hold", accepts_context=False)
        async def run(queued: QueuedJob) -> None:
            failure: Exception | None = None
            try:
                await run_job(self._runtime, job, queued.payload or b"{}")
            except Exception as error:  # lint: allow FQ505 (raised below, without this one as its context)
                failure = error
            if failure is not None:
                # The queue stores the text of an error and of its causes, and such a text may quote a row.
                _log.error("job failed", job=job.name, attempt=queued.attempts + 1, exc_info=failure)
                raise JobFailed(type(failure).__name__)

    def _register_schedule(self, queue: PgQueuer, schedule: Schedule) -> None:
        @queue.schedule(schedule.name, schedule.cron, accepts_context=False)
        async def run(_: DueSchedule) -> None:
            bind_context(RequestContext(request_id=new_random_uuid(), route=schedule.name))
            try:
                await schedule.run(self._runtime)
            except Exception as error:
                _log.error("scheduled work failed", job=schedule.name, exc_info=error)


async def run_job(runtime: Runtime, job: Job, content: bytes) -> None:
    """Bind the context of the job's tenant and run the job as the system. Raises NotSealed; then nothing was done."""
    given: dict[str, str] = orjson.loads(content)
    seal = given.pop("seal", None)
    if not isinstance(seal, str) or not hmac.compare_digest(_seal_of(runtime.keys.seal, job, given), seal):
        raise NotSealed
    ids = {name: uuid.UUID(value) for name, value in given.items()}
    principal = Principal.system(TenantId(ids.pop("tenant_id")))
    bind_context(RequestContext(request_id=new_random_uuid(), route=job.name, tenant_id=principal.tenant_id))
    await job.handle(runtime, principal, ids)
