"""Reads Office Ally's file summary (FS_HCFA_…_IN_C.txt): text in columns, with a section for each verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.billing.x12.acknowledgement_records import ClaimVerdict, Source, Verdict
from app.billing.x12.tokenizer import InterchangeFormatError

LONGEST_ACCOUNT = 14
"""Columns of the account number. A longer CLM01 is cut by the sender."""
_SECTIONS = {
    "ACCEPTED CLAIM": Verdict.ACCEPTED,
    "ERROR CLAIM": Verdict.REJECTED,
    "PENDING CLAIM": Verdict.PENDING,
}
_SECTION = re.compile(r"\s*-*\s*(ACCEPTED CLAIM|ERROR CLAIM|PENDING CLAIM)")
_CLAIM_LINE = re.compile(r"\s*\d+\)")
_SUMMARY = re.compile(r"\+-+>\s*\d+\s+#\s*errors?\s+(\w+)\s*-\s*(.+)", re.IGNORECASE)
_NUMBER, _OWN_ID, _ACCOUNT, _CODES = slice(0, 6), slice(7, 17), slice(121, 135), slice(153, 183)


def read_status_file(source: Iterable[str]) -> Iterator[ClaimVerdict]:
    """One verdict for each claim line. Raises InterchangeFormatError (the number of the line) for another layout."""
    lines = "".join(source).splitlines()
    wordings = {found[1]: found[2] for line in lines if (found := _SUMMARY.match(line.strip())) is not None}
    verdict: Verdict | None = None
    seen = False
    for position, line in enumerate(lines, start=1):
        section = _SECTION.match(line)
        if section is not None:
            verdict, seen = _SECTIONS[section[1]], True
        elif _CLAIM_LINE.match(line[_NUMBER]) is not None:
            account = line[_ACCOUNT].strip()
            if verdict is None or not account:
                raise InterchangeFormatError("A claim line is not laid out as Office Ally does.", position=position)
            codes = line[_CODES].replace(",", " ").split()
            yield ClaimVerdict(
                account,
                verdict,
                Source.CLEARINGHOUSE,
                messages=tuple(f"{code}: {wordings[code].strip()}" if code in wordings else code for code in codes),
                clearinghouse_number=line[_OWN_ID].strip() or None,
                is_cut=len(account) == LONGEST_ACCOUNT,
            )
    if not seen:
        raise InterchangeFormatError("The file has no section of claims.")
