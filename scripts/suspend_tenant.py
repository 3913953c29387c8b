"""Suspend a tenant, or resume it: `python -m scripts.suspend_tenant suspend|resume <slug> <reason>`.

The reason stands in the tenant's audit log. Prints the tenant's new status and whom to tell, as JSON. Nobody of a
suspended tenant signs in; its data stay as they are. Connects as the service does (DATABASE_URL, SYSTEM_DATABASE_URL).
"""

from __future__ import annotations

import asyncio
import sys

import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import configure_mappers

from app.core.config import Settings
from app.core.errors import InvalidTransition
from app.core.ids import TenantId
from app.core.permissions import Principal
from app.core.runtime import Runtime, build_runtime
from app.core.schemas import Why
from app.core.tenants.lifecycle import TenantTransition
from app.core.tenants.models import Tenant
from app.core.tenants.repository import get_cross_tenant_for_admin_only_by_slug
from app.core.tenants.service import TenantService
from app.registry import COMPOSITION, load_settings

_REASON: TypeAdapter[str] = TypeAdapter(Why)


class SuspensionRefused(Exception):
    """The refusal's reason in plain words. Nothing was changed."""


async def move(settings: Settings, action: TenantTransition, slug: str, reason: str) -> Tenant:
    """Move the tenant to its new state. Raises SuspensionRefused: no such tenant, there already, no usable reason."""
    configure_mappers()
    try:
        checked = _REASON.validate_python(reason)
    except ValidationError as error:
        raise SuspensionRefused("Give a reason of at most 500 characters.") from error
    runtime = build_runtime(settings, COMPOSITION)
    try:
        async with runtime.system_unit_of_work() as system:
            tenant_id = await get_cross_tenant_for_admin_only_by_slug(system, slug)
        if tenant_id is None:
            raise SuspensionRefused("There is no tenant of this slug.")
        return await _fire(runtime, tenant_id, action, checked)
    finally:
        await runtime.close()


async def _fire(runtime: Runtime, tenant_id: TenantId, action: TenantTransition, reason: str) -> Tenant:
    try:
        async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
            tenants = TenantService(uow)
            return await (tenants.suspend if action is TenantTransition.SUSPEND else tenants.resume)(reason)
    except InvalidTransition as error:
        raise SuspensionRefused(f"The tenant is {error.details['state']} already.") from error


def report(tenant: Tenant) -> str:
    contact = {
        "name": tenant.administrative_contact_name,
        "phone": tenant.administrative_contact_phone,
        "email": tenant.administrative_contact_email,
    }
    told = {"slug": tenant.slug, "status": tenant.status, "administrative_contact": contact}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in set(TenantTransition):
        sys.exit(__doc__)
    try:
        print(report(asyncio.run(move(load_settings(), TenantTransition(sys.argv[1]), sys.argv[2], sys.argv[3]))))
    except SuspensionRefused as refused:
        sys.exit(f"Nothing was changed. {refused}")
