"""The records of later modules as kinds of reference records. Only a key is never corrected; deletion revokes it."""

from __future__ import annotations

import uuid

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.errors import ValidationFailed
from app.core.extensions.api_keys import new_key
from app.core.extensions.models import (
    Asset,
    ControlledSubstanceSchedule,
    ExternalApiKey,
    Integration,
    IntegrationKind,
    InventoryItem,
    Station,
)
from app.core.extensions.permissions import EXTENSION_READ, EXTENSION_WRITE, INTEGRATION_READ, INTEGRATION_WRITE
from app.core.extensions.schemas import (
    AssetCreate,
    AssetPatch,
    AssetRead,
    ExternalApiKeyCreate,
    ExternalApiKeyCreated,
    ExternalApiKeyRead,
    IntegrationCreate,
    IntegrationPatch,
    IntegrationRead,
    InventoryItemCreate,
    InventoryItemPatch,
    InventoryItemRead,
    StationCreate,
    StationPatch,
    StationRead,
)
from app.core.keys import Seal
from app.core.reference.kinds import Issued, ReferenceKind, Verb
from app.core.reference.schemas import Filter
from app.core.tags import Tag
from app.core.vehicles.models import Vehicle


class ExtensionAction(AuditAction):
    STATION_CREATED = "station.created"
    STATION_REVISED = "station.revised"
    STATION_DELETED = "station.deleted"
    STATION_RESTORED = "station.restored"
    ASSET_CREATED = "asset.created"
    ASSET_REVISED = "asset.revised"
    ASSET_DELETED = "asset.deleted"
    ASSET_RESTORED = "asset.restored"
    INVENTORY_ITEM_CREATED = "inventory_item.created"
    INVENTORY_ITEM_REVISED = "inventory_item.revised"
    INVENTORY_ITEM_DELETED = "inventory_item.deleted"
    INVENTORY_ITEM_RESTORED = "inventory_item.restored"
    INTEGRATION_CREATED = "integration.created"
    INTEGRATION_REVISED = "integration.revised"
    INTEGRATION_DELETED = "integration.deleted"
    INTEGRATION_RESTORED = "integration.restored"
    EXTERNAL_API_KEY_CREATED = "external_api_key.created"
    EXTERNAL_API_KEY_REVOKED = "external_api_key.revoked"


def _in_one_place(asset: Asset) -> None:
    if asset.station_id is not None and asset.vehicle_id is not None:
        raise ValidationFailed.of("vehicle_id", "two_places", "An asset is at a station or on a vehicle.")


def _issue_key(seal: Seal) -> Issued:
    secret, columns = new_key(seal)
    return Issued(columns, {"secret": secret})


def _not_over(key: ExternalApiKey) -> None:
    if key.expires_at is not None and key.expires_at <= utcnow():
        raise ValidationFailed.of("expires_at", "in_the_past", "Give a time to come, or null.")


TAG = Tag("extensions", "Stations, assets, inventory and integrations, for modules to come; external API keys.")
STATIONS = ReferenceKind(
    noun="station",
    plural="stations",
    path="stations",
    tag="extensions",
    about="The agency's stations.",
    entity=Station,
    create=StationCreate,
    patch=StationPatch,
    read=StationRead,
    may_read=EXTENSION_READ,
    may_write=EXTENSION_WRITE,
    actions={
        Verb.CREATE: ExtensionAction.STATION_CREATED,
        Verb.REVISE: ExtensionAction.STATION_REVISED,
        Verb.DELETE: ExtensionAction.STATION_DELETED,
        Verb.RESTORE: ExtensionAction.STATION_RESTORED,
    },
    filters={"name": Filter},
)
ASSETS = ReferenceKind(
    noun="asset",
    plural="assets",
    path="assets",
    tag="extensions",
    about="The agency's assets.",
    entity=Asset,
    create=AssetCreate,
    patch=AssetPatch,
    read=AssetRead,
    may_read=EXTENSION_READ,
    may_write=EXTENSION_WRITE,
    actions={
        Verb.CREATE: ExtensionAction.ASSET_CREATED,
        Verb.REVISE: ExtensionAction.ASSET_REVISED,
        Verb.DELETE: ExtensionAction.ASSET_DELETED,
        Verb.RESTORE: ExtensionAction.ASSET_RESTORED,
    },
    filters={"category": Filter, "station_id": uuid.UUID, "vehicle_id": uuid.UUID},
    references={"station_id": Station, "vehicle_id": Vehicle},
    check=_in_one_place,
)
INVENTORY_ITEMS = ReferenceKind(
    noun="inventory item",
    plural="inventory items",
    path="inventory-items",
    tag="extensions",
    about="The kinds of things that the agency uses up.",
    entity=InventoryItem,
    create=InventoryItemCreate,
    patch=InventoryItemPatch,
    read=InventoryItemRead,
    may_read=EXTENSION_READ,
    may_write=EXTENSION_WRITE,
    actions={
        Verb.CREATE: ExtensionAction.INVENTORY_ITEM_CREATED,
        Verb.REVISE: ExtensionAction.INVENTORY_ITEM_REVISED,
        Verb.DELETE: ExtensionAction.INVENTORY_ITEM_DELETED,
        Verb.RESTORE: ExtensionAction.INVENTORY_ITEM_RESTORED,
    },
    filters={"sku": Filter, "controlled_substance_schedule": ControlledSubstanceSchedule},
)
INTEGRATIONS = ReferenceKind(
    noun="integration",
    plural="integrations",
    path="integration-registry",
    tag="extensions",
    about="The outside systems of the agency.",
    entity=Integration,
    create=IntegrationCreate,
    patch=IntegrationPatch,
    read=IntegrationRead,
    may_read=INTEGRATION_READ,
    may_write=INTEGRATION_WRITE,
    actions={
        Verb.CREATE: ExtensionAction.INTEGRATION_CREATED,
        Verb.REVISE: ExtensionAction.INTEGRATION_REVISED,
        Verb.DELETE: ExtensionAction.INTEGRATION_DELETED,
        Verb.RESTORE: ExtensionAction.INTEGRATION_RESTORED,
    },
    filters={"kind": IntegrationKind},
)
EXTERNAL_API_KEYS = ReferenceKind(
    noun="external API key",
    plural="external API keys",
    path="external-api-keys",
    tag="extensions",
    about="The keys that outside systems send as `Authorization: Bearer fqk_…`.",
    entity=ExternalApiKey,
    create=ExternalApiKeyCreate,
    read=ExternalApiKeyRead,
    created=ExternalApiKeyCreated,
    may_read=INTEGRATION_READ,
    may_write=INTEGRATION_WRITE,
    actions={
        Verb.CREATE: ExtensionAction.EXTERNAL_API_KEY_CREATED,
        Verb.DELETE: ExtensionAction.EXTERNAL_API_KEY_REVOKED,
    },
    filters={"name": Filter},
    check=_not_over,
    issue=_issue_key,
)
