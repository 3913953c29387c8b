"""Which payers are Medicare, and its numbers as it writes them itself."""

from __future__ import annotations

import re

_FILING_CODES = frozenset({"MA", "MB"})
_TYPED = re.compile(r"[\s.-]")


def is_medicare(claim_filing_code: str | None) -> bool:
    """True if SBR09 says Medicare Part A or Part B. Medicare Advantage (16) is an insurer with numbers of its own."""
    return claim_filing_code in _FILING_CODES


def member_number(member_id: str | None, claim_filing_code: str | None) -> str | None:
    """The member id as the payer writes it. The dashes of a Medicare card are no part of the number (CMS, MBI format).

    Numbers of other payers stay as they were typed. So does a text of nothing but dashes.
    """
    if member_id is None or not is_medicare(claim_filing_code):
        return member_id
    return _TYPED.sub("", member_id).upper() or member_id
