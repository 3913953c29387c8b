"""Provision a tenant with its first users: `python -m scripts.provision_tenant profile.json`.

The profile holds the fields of PATCH /tenants/current, under the same rules, a `slug` and
`users: [{email, display_name, role, is_reviewer?}]`, an administrator among them. Passwords are generated and printed
once as JSON. A profile that is refused, or whose slug is taken, creates nothing. Connects as the owner
(MIGRATION_DATABASE_URL): the app role cannot create tenants.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import asyncpg
import orjson
from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import configure_mappers

from app.core.auth.passwords import PasswordHasher
from app.core.config import Settings
from app.core.db.pool import ConnectionSource, create_engine
from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal, Role
from app.core.runtime import load_keyring
from app.core.schemas import RequestModel, Text, length
from app.core.tenants.consistency import require_consistent
from app.core.tenants.models import Tenant
from app.core.tenants.schemas import TenantProfile
from app.core.tenants.service import TenantAction
from app.core.users.lifecycle import UserAction
from app.core.users.models import User
from app.registry import load_settings

Furnish = Callable[[UnitOfWork, Mapping[str, uuid.UUID]], Awaitable[None]]


class ProvisioningRefused(Exception):
    """`problems` say what is wrong, one line each, without the given values. Nothing was created."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class FirstUser(RequestModel):
    email: Annotated[Text, length(254, 3), Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    display_name: Annotated[Text, length(100)]
    role: Literal[Role.ADMIN, Role.EMS, Role.BILLING, Role.FOUNDER]
    is_reviewer: Annotated[bool, Field(strict=True)] = False

    @property
    def address(self) -> str:
        """E-mail addresses are kept in lower case."""
        return self.email.lower()


class NewTenant(TenantProfile):
    users: list[FirstUser] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        if all(user.role is not Role.ADMIN for user in self.users):
            raise PydanticCustomError("no_admin", "One of the users must be an admin: nobody else can add people")
        if len({user.address for user in self.users}) < len(self.users):
            raise PydanticCustomError("email_twice", "Two users have the same e-mail address")
        return self

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in super().values().items() if name != "users"}


def read_profile(content: Any) -> NewTenant:
    """The profile in its checked form. Raises ProvisioningRefused with every problem of the fields."""
    try:
        return NewTenant.model_validate(content)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])) or 'profile'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise ProvisioningRefused(problems) from error


async def provision(
    settings: Settings, profile: dict[str, Any], users: list[dict[str, Any]], *, furnish: Furnish | None = None
) -> tuple[TenantId, dict[str, str]]:
    """Create the tenant and its users in one transaction; the tenant's id and {email: generated password}.

    `furnish` adds to it in the same transaction and gets the users' ids by e-mail. Raises ProvisioningRefused.
    """
    configure_mappers()
    given = read_profile({**profile, "users": users})
    tenant_id = TenantId(new_id())
    tenant = Tenant(id=tenant_id, tenant_id=tenant_id, **given.values())
    try:
        require_consistent(tenant)
    except ValidationFailed as error:
        problems = [f"{problem['field']}: {problem['message']}" for problem in error.details["problems"]]
        raise ProvisioningRefused(problems) from error
    passwords = {user.address: secrets.token_urlsafe(15) for user in given.users}
    hasher = PasswordHasher(settings.password_rounds)
    hashes = {email: await hasher.hash(password) for email, password in passwords.items()}
    owner_url = settings.migration_database_url or settings.database_url
    source = ConnectionSource(
        create_engine(owner_url.get_secret_value(), pool_size=1, application_name="fusionems-provision")
    )
    try:
        async with UnitOfWork(source, Principal.system(tenant_id), load_keyring(settings)) as uow:
            await uow.create(tenant, TenantAction.PROVISIONED)
            people = {user.address: await _create_user(uow, user, hashes[user.address]) for user in given.users}
            if furnish is not None:
                await furnish(uow, people)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "uq_tenants_slug":
            raise
        raise ProvisioningRefused(["slug: There is a tenant of this slug already"]) from error
    finally:
        await source.dispose()
    return tenant_id, passwords


async def _create_user(uow: UnitOfWork, given: FirstUser, password_hash: str) -> uuid.UUID:
    user = User(
        tenant_id=uow.tenant_id,
        email=given.address,
        display_name=given.display_name,
        role=given.role,
        is_reviewer=given.is_reviewer,
        password_hash=password_hash,
    )
    await uow.create(user, UserAction.PROVISIONED)
    return user.id


def read_content(file: str) -> dict[str, Any]:
    """The JSON object in `file`. Raises ProvisioningRefused."""
    try:
        content = orjson.loads(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise ProvisioningRefused([f"{file}: {type(error).__name__}; a JSON file is wanted"]) from error
    if not isinstance(content, dict):
        raise ProvisioningRefused([f"{file}: a JSON object is wanted"])
    return content


async def main(content: dict[str, Any]) -> str:
    """Provision, and return what to print: the tenant's id and the passwords. Raises ProvisioningRefused."""
    users = content.pop("users", [])
    tenant_id, passwords = await provision(load_settings(), content, users)
    return orjson.dumps({"tenant_id": str(tenant_id), "passwords": passwords}, option=orjson.OPT_INDENT_2).decode()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        print(asyncio.run(main(read_content(sys.argv[1]))))
    except ProvisioningRefused as refused:
        sys.exit("\n".join(["Nothing was created.", *refused.problems]))
