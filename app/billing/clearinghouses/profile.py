"""The profile by which files for a clearinghouse are written."""

from __future__ import annotations

import uuid
from dataclasses import replace

from app.billing.claims.submission import Transmission
from app.billing.clearinghouses.models import FILE_NAME, TEST_FILE_NAME, Clearinghouse
from app.billing.clearinghouses.repository import ClearinghouseRepository
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import ValidationFailed


async def chosen_clearinghouse(uow: ReadUnitOfWork, clearinghouse_id: uuid.UUID | None) -> Clearinghouse | None:
    """The clearinghouse that is named, or the agency's only one. None: the agency has none, its profile says all.

    Raises ValidationFailed for an unknown one, and where several need a choice.
    """
    known = await ClearinghouseRepository(uow).list_all(uow.tenant_id)
    if clearinghouse_id is None:
        if len(known) > 1:
            raise ValidationFailed.of("clearinghouse_id", "missing", "There are several clearinghouses: say which.")
        return known[0] if known else None
    for clearinghouse in known:
        if clearinghouse.id == clearinghouse_id:
            return clearinghouse
    raise ValidationFailed.of("clearinghouse_id", "unknown_reference", "This refers to nothing here.")


def through(clearinghouse: Clearinghouse | None, transmission: Transmission) -> Transmission:
    """The transmission as this clearinghouse wants it."""
    if clearinghouse is None:
        return transmission
    envelope, submitter, receiver = transmission
    sender_id = clearinghouse.submitter_id or envelope.sender_id
    receiver_id = clearinghouse.receiver_id or envelope.receiver_id
    return Transmission(
        replace(
            envelope,
            sender_qualifier=clearinghouse.submitter_qualifier or envelope.sender_qualifier,
            sender_id=sender_id,
            receiver_qualifier=clearinghouse.receiver_qualifier or envelope.receiver_qualifier,
            receiver_id=receiver_id,
            application_sender_code=clearinghouse.application_sender_code,
            application_receiver_code=clearinghouse.application_receiver_code,
            usage_indicator="T" if clearinghouse.test_files else envelope.usage_indicator,
            acknowledgment_requested=clearinghouse.acknowledgment_requested,
        ),
        replace(submitter, etin=sender_id),
        replace(receiver, id=receiver_id, id_qualifier=clearinghouse.receiver_id_qualifier),
    )


def file_name(clearinghouse: Clearinghouse | None, transmission: Transmission) -> str:
    """The name of a transmitted file. No two files have the same, since no two have the same control number."""
    envelope = transmission.envelope
    if envelope.usage_indicator == "T":
        pattern = TEST_FILE_NAME if clearinghouse is None else clearinghouse.test_file_name
    else:
        pattern = FILE_NAME if clearinghouse is None else clearinghouse.file_name
    return pattern.replace("{number}", f"{envelope.interchange_control_number:09}")
