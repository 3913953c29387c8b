"""The second medic of the demo, who has the chart open and prints what the websocket tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.core.paths import API_PREFIX
from scripts.realtime_client import (
    ChannelLost,
    Event,
    Health,
    Presence,
    PresenceRefused,
    RealtimeClient,
    Resync,
    Told,
    incident_channel,
)

PATIENCE = 30.0
"""Seconds in which the last event has to come."""


class NothingSeen(Exception):
    """The second medic does not see what happened to the chart."""


@dataclass
class Session:
    """The tokens of one sign-in. `renewed` is a `TokenSource`."""

    client: httpx.AsyncClient
    access_token: str
    refresh_token: str
    _is_used: bool = False

    async def renewed(self) -> str:
        """The access token of the sign-in, and a new one whenever another is asked for. Raises ConnectionError."""
        if self._is_used:
            body = {"refresh_token": self.refresh_token}
            try:
                response = await self.client.post(f"{API_PREFIX}/auth/refresh", json=body)
                response.raise_for_status()
            except httpx.HTTPError as error:
                raise ConnectionError("The session was not renewed.") from error
            tokens = response.json()
            self.access_token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
        self._is_used = True
        return self.access_token


@dataclass
class Onlooker:
    """`name` is how the lines call the second medic; `tenant_id` is the agency whose charts are watched."""

    name: str
    tenant_id: str
    base_url: str
    session: Session
    narrate: Callable[[str], None]
    seen: list[Event] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None
    _locked: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, incident: dict[str, Any]) -> None:
        """Open the chart, and see from now on what happens to it."""
        client = RealtimeClient([self.base_url], self.session.renewed, self._receive)
        self._task = asyncio.create_task(client.run())
        channel = incident_channel(self.tenant_id, incident["id"])
        subscribing = asyncio.create_task(client.subscribe(channel))
        await asyncio.wait({self._task, subscribing}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            subscribing.cancel()
            self._task.result()
        await subscribing
        await client.attend(channel, "narrative")

    async def leave(self) -> None:
        """Close the chart once its lock was seen. Raises NothingSeen."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._locked.wait()
        except TimeoutError as error:
            raise NothingSeen(f"{self.name} did not see that the chart was locked") from error
        finally:
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait({self._task})

    def _receive(self, told: Told) -> None:
        self.narrate(f"{'':>16} {self.name:<10} sees: {_line(told)}")
        if isinstance(told, Event):
            self.seen.append(told)
            if told.payload.get("status") == "locked":
                self._locked.set()


def _line(told: Told) -> str:
    match told:
        case Event():
            changed = ", ".join(told.payload.get("changed", ()))
            return f"{told.topic} {told.sequence}: {told.payload['action']}{f' ({changed})' if changed else ''}"
        case Presence():
            return f"in the chart: {', '.join(map(_place, told.people)) or 'nobody'}"
        case Resync():
            return f"events were missed ({told.reason}): the chart is read again"
        case PresenceRefused():
            return f"this user is not shown in the chart ({told.code})"
        case Health():
            return "events may come late" if told.degraded else "events come at once again"
        case ChannelLost():
            return f"the chart is closed to this user ({told.code})"


def _place(person: Any) -> str:
    return f"{person.get('name') or person['user_id']} ({person['section']})"
