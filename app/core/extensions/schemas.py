"""Stations, assets, inventory items, integrations and external API keys as clients add and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import AfterValidator, Field, HttpUrl, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from app.core.extensions.models import ControlledSubstanceSchedule, IntegrationKind
from app.core.geography import State, Zip
from app.core.permissions import Role, registered_permissions
from app.core.schemas import CreateModel, EntityRead, Instant, Text, length

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


Name = Annotated[Text, length(100)]
BaseUrl = Annotated[Text, length(500), AfterValidator(_base_url)]
Scope = Annotated[Text, length(100), AfterValidator(_scope)]


class StationCreate(CreateModel):
    name: Annotated[Text, length(100, 2)] = Field(description="dLocation.02; unique in the agency")
    street: Annotated[Text, length(255)] | None = None
    city: Annotated[Text, length(100)] | None = None
    state: State | None = None
    zip: Zip | None = None


class StationRead(EntityRead):
    name: str
    street: str | None
    city: str | None
    state: str | None
    zip: str | None


class AssetCreate(CreateModel):
    """At a station, on a vehicle, or neither."""

    name: Name
    category: Annotated[Text, length(50)] = Field(description="The agency's own word, such as monitor or stretcher")
    serial_number: Annotated[Text, length(100)] | None = None
    station_id: uuid.UUID | None = None
    vehicle_id: uuid.UUID | None = None


class AssetRead(EntityRead):
    name: str
    category: str
    serial_number: str | None
    station_id: uuid.UUID | None
    vehicle_id: uuid.UUID | None


class InventoryItemCreate(CreateModel):
    name: Name
    sku: Annotated[Text, length(50)] | None = Field(None, description="The agency's stock number; unique in the agency")
    unit_of_measure: Annotated[Text, length(20)] = Field(description="What one of it is, such as each, vial or mL")
    controlled_substance_schedule: ControlledSubstanceSchedule | None = Field(
        None, description="Of the DEA (21 CFR 1308); null when it is not controlled"
    )


class InventoryItemRead(EntityRead):
    name: str
    sku: str | None
    unit_of_measure: str
    controlled_substance_schedule: ControlledSubstanceSchedule | None


class IntegrationCreate(CreateModel):
    name: Name
    kind: IntegrationKind
    base_url: BaseUrl


class IntegrationRead(EntityRead):
    name: str
    kind: IntegrationKind
    base_url: str


class ExternalApiKeyCreate(CreateModel):
    name: Name
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=50,
        description="Names of the permissions that the key carries: those of the role `key` in docs/permissions.md",
    )
    expires_at: Instant | None = Field(None, description="The key is refused from then on; null means until revoked")


class ExternalApiKeyRead(EntityRead):
    name: str
    scopes: list[str]
    prefix: str = Field(description="The key's first characters, to recognise it by")
    expires_at: dt.datetime | None
    last_used_on: dt.date | None = Field(description="The last day (UTC) on which the key was used; null if never")


class ExternalApiKeyCreated(ExternalApiKeyRead):
    secret: str | None = Field(
        None, description="The key itself, shown this once; null in the answer to a repeated request"
    )
