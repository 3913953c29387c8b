"""The one websocket. docs/events.md and docs/asyncapi.json say what is spoken on it."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from app.core.paths import API_PREFIX
from app.core.runtime import Runtime
from app.realtime.service import REALTIME

PATH = f"{API_PREFIX}/realtime/ws"

router = APIRouter()


@router.websocket(PATH.removeprefix(API_PREFIX))
async def realtime(socket: WebSocket) -> None:
    """Events of the channels that the client opens. The token comes in the first message or as a subprotocol."""
    runtime: Runtime = socket.app.state.runtime
    await runtime.gateways.get(REALTIME).serve(socket)
