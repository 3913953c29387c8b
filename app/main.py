"""create_app: the only composition root."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy.orm import configure_mappers

from app import registry
from app.background import background
from app.core import health
from app.core.composition import Composition
from app.core.config import Settings
from app.core.docs_page import show_document
from app.core.http import RequestBoundary, install_error_contract
from app.core.logging import configure_logging
from app.core.openapi import COMMON_ERRORS, Told, document
from app.core.paths import API_PREFIX
from app.core.routing import route_by_table
from app.core.runtime import build_runtime
from app.examples import EXAMPLES, VALUES
from app.meanings import MEANINGS, PARAMETERS


def create_app(settings: Settings | None = None, composition: Composition = registry.COMPOSITION) -> FastAPI:
    """The service. Without `settings` it reads them from the environment."""
    settings = settings or registry.load_settings()
    configure_logging(settings.log_level, registry.LOG_KEYS)
    configure_mappers()  # entity attributes have no implementation before this
    runtime = build_runtime(settings, composition)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            runtime.proxies.announce()
            async with background(runtime, run_jobs=settings.run_jobs):
                runtime.gateways.start()
                try:
                    yield
                finally:
                    await runtime.gateways.stop()
        finally:
            await runtime.close()

    app = FastAPI(
        title="FusionEMS Quantum",
        version="0.1.0",
        description="Ambulance charting, NEMSIS 3.5.1 export and 837P billing for one or many agencies.",
        openapi_tags=[tag._asdict() for tag in registry.TAGS],
        responses=COMMON_ERRORS,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.runtime = runtime
    show_document(app)
    app.include_router(health.router)
    api = APIRouter(prefix=API_PREFIX)
    for router in registry.ROUTERS:
        api.include_router(router)
    app.include_router(api)
    app.add_middleware(RequestBoundary, max_body_bytes=settings.max_body_bytes, bodies=registry.BODIES)
    install_error_contract(app)
    route_by_table(app)
    document(app, Told(examples=EXAMPLES, values=VALUES, meanings=MEANINGS, parameters=PARAMETERS))
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
