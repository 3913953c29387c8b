"""Routers, error responses, request models."""

ROUTER = "app/ems/incidents/router.py"
SERVICE = "app/ems/incidents/service.py"
SCHEMAS = "app/ems/incidents/schemas.py"


def _endpoint(statements: int, decorator: str = "@router.post('/incidents')", mark: str = "") -> str:
    body = "".join(f"    x{number} = {number}\n" for number in range(statements))
    return f"{decorator}\nasync def create():{mark}\n    '''Create.'''\n{body}"


REFUSED = [
    ("FQ301", ROUTER, "import sqlalchemy as sa  # here"),
    ("FQ301", ROUTER, "from sqlalchemy.ext.asyncio import AsyncSession  # here\nimport boto3  # here"),
    ("FQ301", ROUTER, "import httpx  # here\nimport stripe  # here\nfrom redis.asyncio import Redis  # here"),
    ("FQ301", ROUTER, "from app.ems.incidents.repository import Incidents  # here"),
    ("FQ301", ROUTER, "from app.ems.incidents import repository  # here"),
    ("FQ301", ROUTER, "from . import repository  # here"),
    ("FQ301", ROUTER, "from app.ems.incidents.queries import IncidentRepository  # here"),
    ("FQ301", ROUTER, "from app.payments.gateway import StripeGateway  # here"),
    ("FQ301", "app/ems/chart/routes.py", "import app.ems.incidents.repository  # here"),
    ("FQ302", ROUTER, _endpoint(15, mark="  # here")),
    ("FQ302", "app/core/health.py", _endpoint(20, "@health_router.get('/live')", "  # here")),
    (
        "FQ302",
        ROUTER,
        "@router.get('')\nasync def f():  # here\n"
        + "".join(f"    if a{number}:\n        b()\n" for number in range(8)),
    ),
    ("FQ303", ROUTER, "from fastapi.responses import JSONResponse\nx = JSONResponse({}, status_code=404)  # here"),
    ("FQ303", ROUTER, "from fastapi import Response\nx = Response(b'', 500)  # here"),
    (
        "FQ303",
        SERVICE,
        "from fastapi import Response, status\nx = Response(status_code=status.HTTP_409_CONFLICT)  # here",
    ),
    ("FQ303", ROUTER, "import fastapi\nx = fastapi.Response(status_code=HTTPStatus.GONE)  # here"),
    ("FQ303", ROUTER, "from fastapi import Response\nx = Response(status_code=code)  # here"),
    ("FQ303", ROUTER, "response.status_code = 404  # here"),
    ("FQ304", ROUTER, "from fastapi import HTTPException\nraise HTTPException(404)  # here"),
    ("FQ304", SERVICE, "from starlette.exceptions import HTTPException as Refusal\nraise Refusal  # here"),
    ("FQ304", SERVICE, "import fastapi\nerror = fastapi.HTTPException(404)  # here"),
    ("FQ305", SCHEMAS, "from pydantic import BaseModel\nclass IncidentCreate(BaseModel): ...  # here"),
    ("FQ305", "app/ems/public.py", "import pydantic\nclass Chart(Generic[T], pydantic.BaseModel): ...  # here"),
    ("FQ303", ROUTER, "from starlette.responses import Response\nx = Response(status_code=400)  # here"),
    ("FQ303", ROUTER, "response.status_code = 400  # here"),
    ("FQ305", ROUTER, "from pydantic import BaseModel\nclass Answer(BaseModel): ...  # here"),
    ("FQ305", "app/ems/chart/routes.py", "from pydantic import BaseModel\nclass Answer(BaseModel): ...  # here"),
    *(("FQ301", ROUTER, f"import {system}  # here") for system in ("aiobotocore", "asyncpg", "botocore", "requests")),
    *(
        ("FQ302", ROUTER, _endpoint(15, f"@router.{verb}('')", "  # here"))
        for verb in ("get", "put", "patch", "delete", "head", "options", "websocket", "api_route")
    ),
]
ACCEPTED = [
    ("FQ301", ROUTER, "from fastapi import APIRouter\nfrom app.ems.incidents.service import Incidents"),
    ("FQ301", ROUTER, "from app.core.dependencies import Uow\nimport app.core.schemas"),
    ("FQ301", SERVICE, "import sqlalchemy\nfrom app.ems.incidents.repository import Incidents"),
    ("FQ302", ROUTER, _endpoint(14)),
    ("FQ302", SERVICE, _endpoint(40, "@cache.get('/x')")),
    ("FQ302", ROUTER, _endpoint(40, "")),
    ("FQ303", ROUTER, "from fastapi import Response\nx = Response(b'', status_code=204)\ny = Response(b'')"),
    ("FQ303", ROUTER, "from fastapi import Response, status\nx = Response(status_code=status.HTTP_202_ACCEPTED)"),
    ("FQ303", "app/core/http.py", "from fastapi import Response\nx = Response(b'', status_code=error.status)"),
    ("FQ303", ROUTER, "response.status_code = 200\nerror = UpstreamResponse(status_code=404)"),
    ("FQ304", "app/core/http.py", "from fastapi import HTTPException\nhandlers = {HTTPException: on_http_exception}"),
    ("FQ304", "app/core/http.py", "from fastapi import HTTPException\nassert isinstance(error, HTTPException)"),
    ("FQ304", SERVICE, "from app.core.errors import NotFound\nraise NotFound"),
    ("FQ305", SCHEMAS, "from app.core.schemas import RequestModel\nclass IncidentCreate(RequestModel): ..."),
    ("FQ305", "app/core/schemas.py", "from pydantic import BaseModel\nclass RequestModel(BaseModel): ..."),
    ("FQ305", "app/core/auth/tokens.py", "from pydantic import BaseModel\nclass SigningKeys(BaseModel): ..."),
    ("FQ302", ROUTER, _endpoint(40, "@router.on_event('startup')")),
    ("FQ302", ROUTER, _endpoint(40, "@get('')")),
    (
        "FQ303",
        ROUTER,
        "import fastapi\nx = fastapi.Depends(status_code=404)\nerror.code = 404\nresponse.status_code = code",
    ),
]
