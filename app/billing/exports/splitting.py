"""Which claims of a batch go into which file. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.billing.claims.models import Claim
from app.billing.exports.formats import FORMATS
from app.billing.exports.models import ClaimFileFormat
from app.billing.payers.models import PayerRecord


class FileOf(NamedTuple):
    """A file and its claims, in their order."""

    format: ClaimFileFormat
    claims: Sequence[Claim]


def split(
    claims: Sequence[Claim], payers: Mapping[uuid.UUID, PayerRecord], chosen: ClaimFileFormat | None
) -> list[FileOf]:
    """The files of a batch: one per format, or one per payer where the format wants that, in order of appearance.

    `chosen` is the format of all claims. Without it, payers that want paper get it, and all others an 837P.
    """
    files: dict[tuple[ClaimFileFormat, object], list[Claim]] = {}
    for claim in claims:
        format_ = chosen or _usual(claim, payers)
        payer = (claim.payer_record_id, claim.payer_id, claim.payer_name) if FORMATS[format_].by_payer else None
        files.setdefault((format_, payer), []).append(claim)
    return [FileOf(format_, of_file) for (format_, _), of_file in files.items()]


def _usual(claim: Claim, payers: Mapping[uuid.UUID, PayerRecord]) -> ClaimFileFormat:
    payer = None if claim.payer_record_id is None else payers.get(claim.payer_record_id)
    return ClaimFileFormat.CMS_1500 if payer is not None and payer.wants_paper else ClaimFileFormat.X12_837P
