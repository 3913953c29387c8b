"""Sign-in requests and answers."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import Field

from app.core.permissions import Role
from app.core.schemas import ReadModel, RequestModel, Text, length


class LoginRequest(RequestModel):
    tenant_slug: Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["demo"])]
    email: Annotated[Text, Field(min_length=3, max_length=254, examples=["medic@demo.example"])]
    password: Annotated[Text, length(72)]


class AccessToken(ReadModel):
    access_token: str = Field(description="JWT (ES256); send it as `Authorization: Bearer …`")
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="Seconds until the token expires")


class MeRead(ReadModel):
    id: uuid.UUID
    tenant_id: uuid.UUID
    email: str
    display_name: str
    role: Role
    is_reviewer: bool
    permissions: list[str] = Field(description="Names of the permissions that this user holds")
