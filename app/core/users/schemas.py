"""Users as their administrators invite, change and read them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.permissions import Role
from app.core.schemas import CreateModel, EntityRead, RequestModel, Text, Version, VersionedPatch, Why, length
from app.core.users.lifecycle import UserStatus, UserTransition

UserRole = Literal[Role.ADMIN, Role.EMS, Role.BILLING, Role.FOUNDER]


def _email(value: str) -> str:
    """The address in lower case, its domain in ASCII. Only an invitation shows whether the address works."""
    try:
        found = validate_email(value, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise PydanticCustomError("email", "Give an e-mail address") from error
    return (found.ascii_email or found.normalized).lower()


LoginEmail = Annotated[
    Text,
    Field(max_length=254, examples=["medic@demo.example"], json_schema_extra={"format": "email"}),
    AfterValidator(_email),
]
DisplayName: Any = Annotated[Text, length(100)]


class UserCreate(CreateModel):
    email: LoginEmail
    display_name: DisplayName
    role: UserRole
    is_reviewer: bool = Field(False, strict=True, description="May review charts that others wrote")


class UserPatch(VersionedPatch):
    email: LoginEmail | MISSING = MISSING
    display_name: DisplayName | MISSING = MISSING
    role: UserRole | MISSING = MISSING
    is_reviewer: Annotated[bool, Field(strict=True)] | MISSING = Field(
        MISSING, description="May review charts that others wrote"
    )


class UserTransitionRequest(RequestModel):
    action: UserTransition
    version: Version
    reason: Why | None = Field(None, description="For the audit log; no patient details")


class UserRead(EntityRead):
    email: str
    display_name: str
    role: UserRole
    is_reviewer: bool
    status: UserStatus
    allowed_actions: list[str] = Field(description="Transitions that this administrator may fire now")
