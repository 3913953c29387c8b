"""Stations, assets, inventory items, integrations and external API keys as clients add and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import MISSING, AfterValidator, Field, HttpUrl, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from app.core.extensions.models import ControlledSubstanceSchedule, IntegrationKind
from app.core.geography import State, Zip
from app.core.permissions import Role, registered_permissions
from app.core.schemas import CreateModel, EntityRead, Instant, RequestModel, Text, VersionedPatch, length

_URL = TypeAdapter(HttpUrl)


def _base_url(value: str) -> str:
    """An https address without user, query or fragment, because its users append a path."""
    try:
        url = _URL.validate_python(value)
    except ValidationError as error:
        raise PydanticCustomError("base_url", "Give an https address, such as https://cad.example/api") from error
    if url.scheme != "https" or url.username or url.password or url.query is not None or url.fragment is not None:
        raise PydanticCustomError("base_url", "Give an https address without user, query and fragment")
    return value


def _scope(value: str) -> str:
    grantable = sorted(permission.name for permission in registered_permissions() if Role.KEY in permission.roles)
    if value not in grantable:
        problem = {"scopes": ", ".join(grantable)}
        raise PydanticCustomError("scope", "Give the names of permissions that a key may carry: {scopes}", problem)
    return value


Name = Annotated[Text, length(100), Field(description="What the agency calls it")]
BaseUrl = Annotated[
    Text,
    length(500),
    AfterValidator(_base_url),
    Field(description="An https address without user, query or fragment; paths are appended to it"),
]
Scope = Annotated[Text, length(100), AfterValidator(_scope)]
StationName = Annotated[Text, length(100, 2), Field(description="dLocation.02; unique in the agency")]
Category = Annotated[Text, length(50), Field(description="The agency's own word, such as monitor or stretcher")]
Unit = Annotated[Text, length(20), Field(description="What one of it is, such as each, vial or mL")]


class _StationFields(RequestModel):
    street: Annotated[Text, length(255)] | None = Field(None, description="dLocation.06: house number and street")
    city: Annotated[Text, length(100)] | None = Field(None, description="dLocation.07, by name")
    state: State | None = Field(None, description="dLocation.08: two letters")
    zip: Zip | None = Field(None, description="dLocation.09: five digits, or nine with a hyphen")


class StationCreate(_StationFields, CreateModel):
    name: StationName


class StationPatch(_StationFields, VersionedPatch):
    name: StationName | MISSING = MISSING


class StationRead(EntityRead):
    name: str = Field(description="dLocation.02; unique in the agency")
    street: str | None = Field(description="dLocation.06: house number and street")
    city: str | None = Field(description="dLocation.07, by name")
    state: str | None = Field(description="dLocation.08: two letters")
    zip: str | None = Field(description="dLocation.09: five digits, or nine with a hyphen")


class _AssetFields(RequestModel):
    """At a station, on a vehicle, or neither."""

    serial_number: Annotated[Text, length(100)] | None = Field(None, description="The maker's number of this one")
    station_id: uuid.UUID | None = Field(None, description="The station where it is kept; not together with a vehicle")
    vehicle_id: uuid.UUID | None = Field(None, description="The vehicle that carries it; not together with a station")


class AssetCreate(_AssetFields, CreateModel):
    """At a station, on a vehicle, or neither."""

    name: Name
    category: Category


class AssetPatch(_AssetFields, VersionedPatch):
    """A thing that moves from a station to a vehicle is given both: the one as null, the other by id."""

    name: Name | MISSING = MISSING
    category: Category | MISSING = MISSING


class AssetRead(EntityRead):
    name: str = Field(description="What the agency calls it")
    category: str = Field(description="The agency's own word, such as monitor or stretcher")
    serial_number: str | None = Field(description="The maker's number of this one")
    station_id: uuid.UUID | None = Field(description="The station where it is kept")
    vehicle_id: uuid.UUID | None = Field(description="The vehicle that carries it")


class _InventoryItemFields(RequestModel):
    sku: Annotated[Text, length(50)] | None = Field(None, description="The agency's stock number; unique in the agency")
    controlled_substance_schedule: ControlledSubstanceSchedule | None = Field(
        None, description="Of the DEA (21 CFR 1308); null when it is not controlled"
    )


class InventoryItemCreate(_InventoryItemFields, CreateModel):
    name: Name
    unit_of_measure: Unit


class InventoryItemPatch(_InventoryItemFields, VersionedPatch):
    name: Name | MISSING = MISSING
    unit_of_measure: Unit | MISSING = MISSING


class InventoryItemRead(EntityRead):
    name: str = Field(description="What the agency calls it")
    sku: str | None = Field(description="The agency's stock number; unique in the agency")
    unit_of_measure: str = Field(description="What one of it is, such as each, vial or mL")
    controlled_substance_schedule: ControlledSubstanceSchedule | None = Field(
        description="Of the DEA (21 CFR 1308); null when it is not controlled"
    )


class IntegrationCreate(CreateModel):
    name: Name
    kind: IntegrationKind = Field(description="What the outside system is")
    base_url: BaseUrl


class IntegrationPatch(VersionedPatch):
    name: Name | MISSING = MISSING
    kind: IntegrationKind | MISSING = Field(MISSING, description="What the outside system is")
    base_url: BaseUrl | MISSING = MISSING


class IntegrationRead(EntityRead):
    name: str = Field(description="What the agency calls it; unique in the agency")
    kind: IntegrationKind = Field(description="What the outside system is")
    base_url: str = Field(description="Its https address; paths are appended to it")


class ExternalApiKeyCreate(CreateModel):
    name: Name
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=50,
        description="Names of the permissions that the key carries: those of the role `key` in docs/permissions.md",
    )
    expires_at: Instant | None = Field(None, description="The key is refused from then on; null means until revoked")


class ExternalApiKeyRead(EntityRead):
    name: str = Field(description="What the agency calls it; unique in the agency")
    scopes: list[str] = Field(description="Names of the permissions that the key carries")
    prefix: str = Field(description="The key's first characters, to recognise it by")
    expires_at: dt.datetime | None
    last_used_on: dt.date | None = Field(description="The last day (UTC) on which the key was used; null if never")


class ExternalApiKeyCreated(ExternalApiKeyRead):
    secret: str | None = Field(
        None, description="The key itself, shown this once; null in the answer to a repeated request"
    )
