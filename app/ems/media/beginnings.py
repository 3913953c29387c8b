"""Recognises PDFs and HEIC photos by their beginnings, without their decoders."""

from __future__ import annotations

import re

HEADER_WITHIN = 1024
"""The number of bytes in which viewers look for the header of a PDF (ISO 32000-1, annex H, note 13)."""
_PDF_HEADER = b"%PDF-"
_FIRST_OBJECT = re.compile(rb"\s*(%[^\r\n]*\s+)*\d+ \d+ obj\b")
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})


def has_pdf_header(content: bytes) -> bool:
    return _PDF_HEADER in content[:HEADER_WITHIN]


def is_pdf(content: bytes) -> bool:
    """True if viewers accept it as a PDF: a header in the first kilobyte, or an object at the start and a trailer."""
    if has_pdf_header(content):
        return True
    return _FIRST_OBJECT.match(content[:HEADER_WITHIN]) is not None and b"trailer" in content[-2 * HEADER_WITHIN :]


def is_heic(content: bytes) -> bool:
    """True if the file type box names HEVC pictures (ISO/IEC 23008-12) as the major or a compatible brand."""
    if content[4:8] != b"ftyp":
        return False
    box = content[: min(int.from_bytes(content[:4]), 256)]
    brands = {box[8:12], *(box[at : at + 4] for at in range(16, len(box), 4))}
    return box[8:12] in _HEIC_BRANDS | {b"mif1"} and not _HEIC_BRANDS.isdisjoint(brands)
