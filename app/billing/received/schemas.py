"""Received files as clients see them."""

from __future__ import annotations

from pydantic import Field

from app.billing.x12.containers import FileKind
from app.core.schemas import EntityRead, ReadModel


class ForeignPayee(ReadModel):
    """Payments in the file that went to another agency. Nothing else of them is kept."""

    npi: str | None = Field(description="Whom the payer names as the payee; null if it names none")
    payments: int = Field(description="How many transaction sets went there")


class ReceivedFileRead(EntityRead):
    """A file that came in."""

    kind: FileKind = Field(description="`unknown` is kept for a person and never guessed at")
    sha256: str = Field(description="Of the file as it came, in hexadecimal")
    size_bytes: int = Field(description="Of the file as it came")
    foreign_payees: list[ForeignPayee] = Field(description="Whom else the file pays")
