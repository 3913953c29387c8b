"""Secrets as administrators see them: everything but the values."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from app.core.schemas import ReadModel, RequestModel, Text, VersionedPatch, length

LONGEST_VALUE = 16_384


def _encodable(value: SecretStr) -> SecretStr:
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("not_text", "Lone surrogates are not allowed") from None
    return value


SecretText = Annotated[
    SecretStr,
    Field(min_length=1, max_length=LONGEST_VALUE, description="Never shown again, to anybody"),
    AfterValidator(_encodable),
]


class SecretCreate(RequestModel):
    """It has no client-made id: what tells a repetition apart is kept, and of a secret nothing is kept in clear."""

    name: Annotated[Text, length(63)] = Field(description="One of the names that the list shows")
    value: SecretText


class SecretRotation(VersionedPatch):
    value: SecretText


class SecretVersionRead(ReadModel):
    number: int = Field(description="The agency's versions of this secret count up from 1")
    set_at: dt.datetime
    is_current: bool = Field(description="The other valid version is the previous one, until it is retired")


class SecretRead(ReadModel):
    """`id`, `version` and times are null for a secret that the agency has not set."""

    name: str
    description: str
    id: uuid.UUID | None
    version: int | None = Field(description="Of the record; what a later change names")
    versions: list[SecretVersionRead] = Field(description="The valid ones, newest first")
    last_used_at: dt.datetime | None = Field(description="Every use stands in the audit log, as `secret.used`")


class SecretList(ReadModel):
    items: list[SecretRead]
