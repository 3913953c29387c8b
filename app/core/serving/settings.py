"""Settings of the web server: what one process takes from its clients, and how it stops."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.core.settings import SettingsGroup


class ServingSettings(SettingsGroup):
    heading: ClassVar[str] = "Web server"

    max_connections: int = Field(
        512,
        ge=8,
        le=100_000,
        description="Open connections per process. One more replaces the one that has waited longest for a request, or"
        " else the one whose body arrives most slowly; if all are in use, it answers 503",
    )
    max_headers: int = Field(100, ge=20, le=1000, description="Headers of a request; more answer 431")
    max_header_bytes: int = Field(
        16_384, ge=4096, le=262_144, description="Bytes of a request's address and headers; more answer 431"
    )
    request_head_seconds: int = Field(
        20, ge=1, le=300, description="Time from the first byte of a request to the end of its headers, else 408"
    )
    request_body_seconds: int = Field(
        30, ge=1, le=3600, description="Time for a request's body, else 408; REQUEST_BODY_RATE extends it"
    )
    request_body_rate: int = Field(
        5000, ge=100, description="Each so many bytes of a body that have arrived extend its time by one second"
    )
    response_stall_seconds: int = Field(
        60, ge=1, le=3600, description="A client that takes nothing of its response for so long is cut off"
    )
    keep_alive_seconds: int = Field(
        75,
        ge=1,
        le=3600,
        description="Life of a connection without a request; longer than the balancer's idle time (usually 60)",
    )
    drain_seconds: int = Field(
        10,
        ge=0,
        le=600,
        description="Time after SIGTERM in which readiness is 503 and requests are still taken: longer than the"
        " balancer needs to notice",
    )
    shutdown_seconds: int = Field(
        25, ge=1, le=600, description="Time after that for requests in flight; what is left is cancelled"
    )
    websocket_heartbeat_seconds: int = Field(
        20,
        ge=1,
        le=300,
        description="A websocket is pinged so often, and cut off if it does not answer within that time",
    )
    websocket_message_bytes: int = Field(
        4096, ge=512, le=65_536, description="Largest message of a websocket's client; larger ones end with code 4413"
    )
