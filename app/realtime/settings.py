"""Settings of the websocket. Limits hold for one process."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.core.settings import SettingsGroup


class RealtimeSettings(SettingsGroup):
    heading: ClassVar[str] = "Websocket"

    realtime_origins: str = Field(
        "",
        description="Origins of web pages that may connect, with commas (https://app.example.com), beside the"
        " service's own. A client that sends no Origin is no web page and may connect",
    )
    realtime_connections: int = Field(
        256, ge=1, le=100_000, description="Websockets per process, which count among MAX_CONNECTIONS"
    )
    realtime_connections_per_tenant: int = Field(128, ge=1, le=100_000, description="Websockets of one agency")
    realtime_connections_per_user: int = Field(8, ge=1, le=10_000, description="Websockets of one user")
    realtime_unauthenticated: int = Field(32, ge=1, le=10_000, description="Websockets that have shown no token yet")
    realtime_hello_seconds: int = Field(5, ge=1, le=60, description="Time in which a websocket shows its token")
    realtime_subscriptions: int = Field(32, ge=1, le=1000, description="Channels of one websocket")
    realtime_messages_per_second: int = Field(
        10, ge=1, le=1000, description="Messages that a client may send; five seconds' worth at once"
    )
    realtime_queue: int = Field(
        512, ge=16, le=100_000, description="Messages that wait for a client; one more cuts it off, and it may resume"
    )
    realtime_replay: int = Field(
        20_000, ge=100, description="Events that a resumed channel is sent at most; after more it has to load anew"
    )

    @field_validator("realtime_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in filter(None, value.split(",")):
            parts = urlsplit(origin.strip())
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or parts.fragment:
                raise PydanticCustomError("origins", "must be origins such as https://app.example.com, with commas")
        return value

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(origin.strip().lower() for origin in self.realtime_origins.split(",") if origin.strip())
