"""Acknowledgements as clients see them."""

from __future__ import annotations

import uuid

from pydantic import Field

from app.billing.acknowledgements.models import Authority, Effect
from app.billing.received.schemas import ReceivedFileRead
from app.billing.x12.acknowledgement_records import Verdict
from app.core.schemas import EntityRead, ReadModel


class ClaimAcknowledgementRead(EntityRead):
    file_id: uuid.UUID = Field(description="The file that says it")
    claim_id: uuid.UUID | None = Field(description="Null if the file names a claim that is none of ours")
    claim_number: str | None = Field(description="As the sender names it")
    authority: Authority = Field(description="Who says it: the receiver of the file, the clearinghouse or the payer")
    verdict: Verdict = Field(description="What is said about the claim")
    effect: Effect = Field(description="What followed; `outdated` if the claim went out again since")
    codes: list[str] = Field(description="The sender's: STC01 of a 277CA, or where a 999 complains")
    advice: list[str] = Field(description="What to mend, in words")
    messages: list[str] = Field(description="The sender's own words")
    payer_control_number: str | None = Field(description="The payer's number of the claim (REF*1K)")
    clearinghouse_number: str | None = Field(description="The clearinghouse's number of the claim (REF*D9)")


class AcknowledgedFile(ReadModel):
    """One file of an upload, and what became of it."""

    file: ReceivedFileRead = Field(description="The file as it is kept")
    repeated: bool = Field(description="The same bytes came before, and nothing was done")
    submitted_count: int = Field(description="Claims that are known to have arrived")
    rejected_count: int = Field(description="Claims that are pending review again")


class AcknowledgementUploadRead(ReadModel):
    files: list[AcknowledgedFile] = Field(description="The file, or the members of the archive")
