"""Requests and answers of sign-in, sessions, passwords and the user's own account."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.core.auth.passwords import comparable
from app.core.auth.strength import NewPassword
from app.core.schemas import EntityRead, ReadModel, RequestModel, Text, Verbatim, VersionedPatch, length
from app.core.users.schemas import DisplayName, UserRole

Slug = Annotated[
    Text,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$", examples=["demo"], description="In any case"),
    AfterValidator(str.lower),
]
GivenEmail = Annotated[Text, Field(min_length=3, max_length=254, examples=["medic@demo.example"])]
GivenPassword = Annotated[Verbatim, length(72), AfterValidator(comparable)]


class Device(RequestModel):
    """The device that a session is opened on, as its client names it (docs/adr/0041-devices.md)."""

    id: uuid.UUID = Field(description="Client-made; the same at every sign-in on this device")
    name: Annotated[Text, length(60)] = Field(description="What people recognise the device by", examples=["Tablet 7"])
    locks_itself: bool = Field(
        strict=True,
        description="True if the client locks its screen by itself and asks its user to unlock it. Its sessions may"
        " then rest for the agency's `device_idle_minutes`",
    )


class LoginRequest(RequestModel):
    tenant_slug: Slug
    email: GivenEmail
    password: GivenPassword
    device: Device | None = None
    device_token: Annotated[Text, length(512)] | None = Field(
        None, description="From this device's last sign-in: others' wrong guesses then do not keep it waiting"
    )


class RefreshRequest(RequestModel):
    refresh_token: Annotated[Verbatim, length(256)]


class ForgotPasswordRequest(RequestModel):
    tenant_slug: Slug
    email: GivenEmail


class ForgotPasswordAnswer(ReadModel):
    status: Literal["accepted"] = "accepted"


class ResetPasswordRequest(RequestModel):
    token: Annotated[Verbatim, length(256)] = Field(description="From the link of an invitation or of a password reset")
    new_password: NewPassword


class ChangePasswordRequest(RequestModel):
    current_password: GivenPassword
    new_password: NewPassword


class SessionTokens(ReadModel):
    access_token: str = Field(description="JWT (ES256); send it as `Authorization: Bearer …`")
    refresh_token: str = Field(description="Opaque; good for one `POST auth/refresh`")
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="Seconds until the access token expires")
    refresh_within: int = Field(description="Seconds without a refresh after which the session ends")
    session_expires_at: dt.datetime = Field(description="The session ends then, however busy it is")


class LoginTokens(SessionTokens):
    device_token: str = Field(
        description="Keep it on the device, and send it with the next sign-in. It opens nothing; a new password ends it"
    )


class MePatch(VersionedPatch):
    display_name: DisplayName


class MeRead(EntityRead):
    id: uuid.UUID
    tenant_id: uuid.UUID
    email: str
    display_name: str
    role: UserRole
    is_reviewer: bool
    permissions: list[str] = Field(description="Names of the permissions that this user holds")
