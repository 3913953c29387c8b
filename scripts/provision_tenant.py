"""Provision a tenant with its first users: `python -m scripts.provision_tenant profile.json`.

The profile holds the tenant's fields and `users: [{email, display_name, role, is_reviewer?}]`; passwords are generated
and printed once as JSON. Connects as the owner (MIGRATION_DATABASE_URL): the app role cannot create tenants.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.orm import configure_mappers

from app.core.auth.passwords import PasswordHasher
from app.core.config import Settings, load_settings
from app.core.db.pool import ConnectionSource, create_engine
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal, Role
from app.core.runtime import load_keyring
from app.core.tenants.models import Tenant
from app.core.tenants.service import TenantAction
from app.core.users.models import User


class ProvisioningAction(StrEnum):
    USER_PROVISIONED = "user.provisioned"


async def provision(
    settings: Settings, profile: dict[str, Any], users: list[dict[str, Any]]
) -> tuple[TenantId, dict[str, str]]:
    """Create the tenant and its users in one transaction; the tenant's id and {email: generated password}."""
    configure_mappers()
    owner_url = settings.migration_database_url or settings.database_url
    source = ConnectionSource(
        create_engine(owner_url.get_secret_value(), pool_size=1, application_name="fusionems-provision")
    )
    hasher = PasswordHasher(settings.password_rounds)
    passwords = {user["email"].lower(): secrets.token_urlsafe(15) for user in users}
    hashes = {email: await hasher.hash(password) for email, password in passwords.items()}
    tenant_id = TenantId(new_id())
    try:
        async with UnitOfWork(source, Principal.system(tenant_id), load_keyring(settings)) as uow:
            await uow.create(Tenant(id=tenant_id, tenant_id=tenant_id, **profile), TenantAction.PROVISIONED)
            for user in users:
                email = user["email"].lower()
                await uow.create(
                    User(
                        tenant_id=tenant_id,
                        email=email,
                        display_name=user["display_name"],
                        role=Role(user["role"]),
                        is_reviewer=bool(user.get("is_reviewer", False)),
                        password_hash=hashes[email],
                    ),
                    ProvisioningAction.USER_PROVISIONED,
                )
    finally:
        await source.dispose()
    return tenant_id, passwords


async def main(content: dict[str, Any]) -> None:
    users = content.pop("users")
    tenant_id, passwords = await provision(load_settings(), content, users)
    print(orjson.dumps({"tenant_id": str(tenant_id), "passwords": passwords}, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    asyncio.run(main(orjson.loads(Path(sys.argv[1]).read_bytes())))
