"""tenants/current/secrets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from app.core.dependencies import requires
from app.core.openapi import errors
from app.core.schemas import MAX_INT, VersionQuery
from app.core.secrets.permissions import SECRET_READ, SECRET_WRITE
from app.core.secrets.schemas import SecretCreate, SecretList, SecretRead, SecretRotation
from app.core.secrets.service import Secrets

router = APIRouter(prefix="/tenants/current/secrets", tags=["tenants"])
Name = Annotated[str, Path(min_length=1, max_length=63, description="As the list shows it")]
Number = Annotated[int, Path(ge=1, le=MAX_INT, description="As the list shows it")]


@router.get("", dependencies=[requires(SECRET_READ)])
async def list_secrets(secrets: Secrets) -> SecretList:
    """Which secrets the service takes, which of them the agency has set, and when. Their values are shown nowhere."""
    return await secrets.list_all()


@router.post("", status_code=201, responses=errors(409), dependencies=[requires(SECRET_WRITE)])
async def create_secret(given: SecretCreate, secrets: Secrets) -> SecretRead:
    """Set a secret for the first time. One that is set already answers 409."""
    return await secrets.create(given.name, given.value)


@router.put("/{name}", dependencies=[requires(SECRET_WRITE)])
async def rotate_secret(name: Name, given: SecretRotation, secrets: Secrets) -> SecretRead:
    """Give the secret a new version. The version before stays valid beside it until it is retired."""
    return await secrets.rotate(name, given.value, given.version)


@router.delete("/{name}/versions/{number}", status_code=204, dependencies=[requires(SECRET_WRITE)])
async def retire_secret_version(name: Name, number: Number, version: VersionQuery, secrets: Secrets) -> None:
    """Retire the previous version: it is removed, and only the current one is valid."""
    await secrets.retire(name, number, version)


@router.delete("/{name}", status_code=204, dependencies=[requires(SECRET_WRITE)])
async def delete_secret(name: Name, version: VersionQuery, secrets: Secrets) -> None:
    """Remove the secret with all its versions. What needs it stops working until it is set again."""
    await secrets.delete(name, version)
