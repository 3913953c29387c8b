"""The measured process: the service as `create_app` builds it, with the rivals registered beside the real routes.

`python -m bench.server <file descriptor of a listening socket>`; settings come from the environment.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time

import uvicorn
from fastapi import FastAPI

from app.core.config import Settings
from app.core.serving.protocol import BoundedConfig
from app.ems.charting.router import router as incidents
from app.main import create_app
from app.registry import WEBSOCKETS, load_settings
from app.server import allow_files
from bench.chart_by_hand import read_by_hand
from bench.hand_written import create_pool, save_by_hand
from bench.plain_orm import create_sessions, save_by_orm


def register_beside_autosave() -> None:
    """Declare the hand-written route directly before the real one, and the ORM's directly after it."""
    names = [getattr(route, "name", "") for route in incidents.routes]
    real = names.index("revise_incident")
    incidents.add_api_route("/{incident_id}/by-hand", save_by_hand, methods=["PATCH"])
    incidents.add_api_route("/{incident_id}/by-orm", save_by_orm, methods=["PATCH"])
    by_orm, by_hand = incidents.routes.pop(), incidents.routes.pop()
    incidents.routes[real : real + 1] = [by_hand, incidents.routes[real], by_orm]
    incidents.add_api_route("/{incident_id}/chart/by-hand", read_by_hand, methods=["GET"])


async def read_meter() -> dict[str, float]:
    """CPU seconds of this process so far."""
    return {"cpu_seconds": time.process_time()}


async def collect_garbage() -> None:
    """Collect what one variant left, so that the next one does not have to."""
    gc.collect()


async def serve(settings: Settings, app: FastAPI, server: uvicorn.Server, listening: socket.socket) -> None:
    dsn, size = settings.database_url.get_secret_value(), settings.database_pool_size
    app.state.hand_written_pool = await create_pool(dsn, size)
    app.state.orm_sessions = create_sessions(dsn, size)
    await server.serve(sockets=[listening])


def main(listening: socket.socket) -> None:
    register_beside_autosave()
    settings = load_settings()
    allow_files(settings.max_connections)
    app = create_app(settings)
    app.add_api_route("/meter", read_meter)
    app.add_api_route("/garbage", collect_garbage, methods=["DELETE"], status_code=204)
    patient = settings.model_copy(update={"keep_alive_seconds": 3600})  # rivals wait their turn
    config = BoundedConfig(app, patient, websockets=WEBSOCKETS, log_config=None)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve(settings, app, uvicorn.Server(config), listening))


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
