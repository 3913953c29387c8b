"""Permissions for the records of later modules. Connections to outside systems are for admins only."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, Role, declare

EXTENSION_READ = declare(
    "extension.read", "See the agency's stations, assets and inventory items.", *USER_ROLES, Role.KEY
)
EXTENSION_WRITE = declare(
    "extension.write", "Add, correct and delete stations, assets and inventory items.", Role.ADMIN, Role.KEY
)
INTEGRATION_READ = declare("integration.read", "See the agency's integrations and external API keys.", Role.ADMIN)
INTEGRATION_WRITE = declare(
    "integration.write", "Add, correct and delete integrations; issue and revoke external API keys.", Role.ADMIN
)

PERMISSIONS = (EXTENSION_READ, EXTENSION_WRITE, INTEGRATION_READ, INTEGRATION_WRITE)
