"""Clearinghouses as clients create, change and read them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.billing.clearinghouses.host_keys import read_host_key
from app.billing.clearinghouses.models import FILE_NAME, TEST_FILE_NAME, DeliveryChannel
from app.billing.sendable import Sendable
from app.billing.x12.parties import Envelope
from app.core.identifiers import InterchangeQualifier
from app.core.schemas import CreateModel, EntityRead, RequestModel, Text, VersionedPatch, length


def _host_key(value: str) -> str:
    try:
        read_host_key(value)
    except ValueError:
        raise PydanticCustomError("host_key", "Give the server's public key, such as ssh-ed25519 AAAA…") from None
    return value


Name = Annotated[Text, length(60), Field(description="What the agency calls it; unique in the agency")]
FileName = Annotated[Text, Field(pattern=r"^[A-Za-z0-9._-]{0,40}\{number\}[A-Za-z0-9._-]{0,40}$", examples=[FILE_NAME])]
Host = Annotated[Text, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$", examples=["sftp.example.com"])]
Directory = Annotated[Text, Field(pattern=r"^/[A-Za-z0-9._/-]{0,200}$", examples=["/inbound"])]
HostKey = Annotated[Text, length(2000), AfterValidator(_host_key)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Flag = Annotated[bool, Field(strict=True)]
IdQualifier = Literal["46", "PI"]


class _Fields(RequestModel):
    submitter_qualifier: InterchangeQualifier | None = Field(None, description="ISA05; null means the profile's")
    submitter_id: Annotated[Text, Sendable(Envelope, "sender_id")] | None = Field(
        None, description="ISA06 and 1000A NM109; null means the profile's"
    )
    receiver_qualifier: InterchangeQualifier | None = Field(None, description="ISA07; null means the profile's")
    receiver_id: Annotated[Text, Sendable(Envelope, "receiver_id")] | None = Field(
        None, description="ISA08 and 1000B NM109; null means the profile's"
    )
    receiver_id_qualifier: IdQualifier | MISSING = Field(
        MISSING, description="1000B NM108. The guide allows 46 only; some clearinghouses insist on PI"
    )
    application_sender_code: Annotated[Text, Sendable(Envelope, "application_sender_code")] | None = Field(
        None, description="GS02; null means the submitter's id"
    )
    application_receiver_code: Annotated[Text, Sendable(Envelope, "application_receiver_code")] | None = Field(
        None, description="GS03; null means the receiver's id"
    )
    acknowledgment_requested: Flag | MISSING = Field(MISSING, description="ISA14: a TA1 is wanted")
    test_files: Flag | MISSING = Field(MISSING, description="ISA15 is T, and files have the name for tests")
    file_name: FileName | MISSING = Field(MISSING, description="Name of a file; {number} is its control number")
    test_file_name: FileName | MISSING = Field(
        MISSING, description=f"Name of a test file, such as {TEST_FILE_NAME}; {{number}} is its control number"
    )
    delivery: DeliveryChannel | MISSING = Field(
        MISSING,
        description="By SFTP, the claims of a delivered file are submitted; a directory leaves it to a biller",
    )
    sftp_host: Host | None = Field(None, description="Name or address of the server")
    sftp_port: Port | MISSING = Field(MISSING, description="Port of the server, as a rule 22")
    sftp_directory: Directory | MISSING = Field(MISSING, description="Where the server takes files")
    sftp_host_key: HostKey | None = Field(
        None, description="The server's public key. Nothing is sent to a server that has another key"
    )


class ClearinghouseCreate(_Fields, CreateModel):
    name: Name

    def values(self) -> dict[str, Any]:
        """The given fields. What is not given keeps the entity's default."""
        return {name: value for name, value in super().values().items() if value is not MISSING}


class ClearinghousePatch(_Fields, VersionedPatch):
    name: Name | MISSING = MISSING


class ClearinghouseRead(EntityRead):
    name: str
    submitter_qualifier: str | None
    submitter_id: str | None
    receiver_qualifier: str | None
    receiver_id: str | None
    receiver_id_qualifier: str
    application_sender_code: str | None
    application_receiver_code: str | None
    acknowledgment_requested: bool
    test_files: bool
    file_name: str
    test_file_name: str
    delivery: DeliveryChannel
    sftp_host: str | None
    sftp_port: int
    sftp_directory: str
    sftp_host_key: str | None
