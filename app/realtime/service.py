"""Realtime: everything that a process holds for its websockets."""

from __future__ import annotations

import asyncio
import datetime as dt

from starlette.websockets import WebSocket

from app.core.clock import timestamp
from app.core.context import RequestContext, bind_context
from app.core.errors import TenantSuspended, Unauthenticated
from app.core.gateways import Held
from app.core.ids import new_random_uuid
from app.core.logging import get_logger
from app.core.outbox.positions import Batch
from app.core.runtime import Runtime, redis_channel
from app.realtime.admission import Admission, chosen_subprotocol
from app.realtime.bus import Bus, connect
from app.realtime.channels import Directory, full_name
from app.realtime.closing import CloseCode, Closed
from app.realtime.connection import Connection
from app.realtime.conversation import Conversation, leave, may_see_people
from app.realtime.messages import Degraded, Expiring, Presence, Recovered, Welcome
from app.realtime.opening import Opener
from app.realtime.presence import PresenceBoard
from app.realtime.pump import DEGRADED_POLL_SECONDS, POLL_SECONDS, Pump
from app.realtime.settings import RealtimeSettings
from app.realtime.subscription import Key, Subscriptions

SWEEP_SECONDS = 1.0
WARNING_SECONDS = 60
READY_SECONDS = 5.0
CANCEL_SECONDS = 0.2

LOG_KEYS = ("close_code", "connection_id")
_log = get_logger(__name__)


class Realtime:
    """Serves websockets. `start` and `stop` run on the event loop of a web process."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.limits = runtime.settings.group(RealtimeSettings)
        self.admission = Admission(runtime)
        self.subscriptions = Subscriptions()
        self.pump = Pump(runtime, self.subscriptions, self._caught_up)
        self.board = PresenceBoard(redis_channel(runtime.settings, "presence"), self._people_changed)
        address = runtime.settings.redis_url
        self._redis = None if address is None else connect(address.get_secret_value())
        handlers = {runtime.feed.channel: self._hear_batch, self.board.channel: self.board.hear}
        self.bus = Bus(self._redis, handlers, self._bus_changed)
        directory = Directory(runtime.composition.topics)
        self.opener = Opener(runtime, directory, self.subscriptions, self.pump.encode)
        self._tasks: list[asyncio.Task[None]] = []
        self._degraded = True
        """Whether clients were told that events may come late. They are until Redis is heard."""

    def start(self) -> None:
        self.runtime.feed.listen(self.pump.push)
        work = (self.pump.run(), self.bus.run(), self._sweep())
        self._tasks = [asyncio.create_task(task) for task in work]

    async def stop(self) -> None:
        """Ends every connection, and the work beside them."""
        self.runtime.feed.ignore(self.pump.push)
        for connection in self.admission.connections:
            connection.close(CloseCode.GOING_AWAY)
        await self._end_tasks()
        if self._redis is not None:
            await self._redis.aclose()

    async def _end_tasks(self) -> None:
        """Cancels again what goes on: a client that is about to connect may take a cancellation for a time-out."""
        pending = set(self._tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=CANCEL_SECONDS)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve(self, socket: WebSocket) -> None:
        """One websocket from its handshake to its end. It is accepted first, so that a refusal has a close code."""
        bind_context(RequestContext(request_id=new_random_uuid(), route=socket.scope["path"]))
        await socket.accept(chosen_subprotocol(socket))
        connection = Connection(socket, self.limits)
        try:
            await self._be_ready()
            await self.admission.admit(connection, socket)
            await self._converse(connection, socket)
        except Closed as ending:
            connection.close(ending.code)
        except Exception as error:
            _log.error("websocket failed", exc_info=error)
            connection.close(CloseCode.GOING_AWAY)
        finally:
            self.admission.dismiss(connection)
            await self._leave(connection)

    async def _be_ready(self) -> None:
        """A process that begins knows at first neither the last position nor whether it hears the others."""
        async with asyncio.timeout(READY_SECONDS):
            await self.bus.settled.wait()
            await self.pump.ready.wait()

    async def _converse(self, connection: Connection, socket: WebSocket) -> None:
        """Begins without a wait: whoever has shown a token is told of changes, and the welcome is the first word."""
        user = connection.user
        bind_context(RequestContext(new_random_uuid(), socket.scope["path"], user.tenant_id, user.actor_id))
        _log.info("websocket opened", connection_id=str(connection.id))
        settings = self.runtime.settings
        connection.tell(
            Welcome(
                connection_id=connection.id,
                user_id=user.user_id,
                tenant_id=user.tenant_id,
                expires_at=dt.datetime.fromtimestamp(user.expires_at, dt.UTC),
                heartbeat_seconds=settings.websocket_heartbeat_seconds,
                max_message_bytes=settings.websocket_message_bytes,
            )
        )
        if self._degraded:
            connection.tell(Degraded())
        await Conversation(self, connection, settings.websocket_message_bytes).hold(socket)

    async def _leave(self, connection: Connection) -> None:
        for name in list(connection.subscriptions):
            await leave(self, connection, name)
        await connection.end()
        if connection.principal is not None:
            code = connection.closed_with
            _log.info("websocket closed", connection_id=str(connection.id), close_code=None if code is None else code)

    def _hear_batch(self, text: str) -> None:
        self.pump.push(Batch.load(text))

    def _bus_changed(self, connected: bool) -> None:
        """`recovered` is said when the pump has read what this process did not hear."""
        self.pump.poll_seconds = POLL_SECONDS if connected else DEGRADED_POLL_SECONDS
        self.pump.read_soon()
        if not connected and not self._degraded:
            self._degraded = True
            for connection in self.admission.connections:
                connection.tell(Degraded())

    def _caught_up(self) -> None:
        if self._degraded and self.bus.connected:
            self._degraded = False
            for connection in self.admission.connections:
                connection.tell(Recovered())

    def _people_changed(self, key: Key) -> None:
        people = self.board.people(key)
        for subscription in self.subscriptions.of(*key):
            if may_see_people(subscription):
                subscription.receiver.tell(Presence(channel=full_name(*key), people=people))

    async def _sweep(self) -> None:
        """Ends connections whose token or access has ended, and presence that nobody has renewed."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                self.board.expire()
                for connection in self.admission.connections:
                    _check_token(connection)
                for connection in self.admission.connections:
                    await self._check_access(connection)
            except Exception as error:
                _log.warning("access of the websockets not checked", exc_info=error)

    async def _check_access(self, connection: Connection) -> None:
        user = connection.user
        try:
            await self.runtime.gate.admit(user.tenant_id, user.session_id)
        except Unauthenticated:
            connection.close(CloseCode.UNAUTHENTICATED)
        except TenantSuspended:
            connection.close(CloseCode.FORBIDDEN)


def _check_token(connection: Connection) -> None:
    """Ends a connection whose token has expired, and warns one whose token soon will."""
    left = connection.user.expires_at - timestamp()
    if left <= 0:
        connection.close(CloseCode.UNAUTHENTICATED)
    elif left <= WARNING_SECONDS and not connection.warned:
        connection.warned = True
        connection.tell(Expiring(expires_at=dt.datetime.fromtimestamp(connection.user.expires_at, dt.UTC)))


async def _stop(realtime: Realtime) -> None:
    await realtime.stop()


REALTIME: Held[Realtime] = Held("realtime", Realtime, close=_stop, started=Realtime.start)
