"""The forms of a file as PDF for reading: the print grid's text over the outlines of the form.

The bytes depend on the file only: neither the clock nor fonts of the host are used.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import orjson
import typst

from app.core.pools import REPORTS

_TEMPLATE = Path(__file__).with_name("outline.typ")
_NO_TIME = dt.datetime(2012, 2, 1, tzinfo=dt.UTC)
"""The form's own date. A file is made once, so its PDF needs no other."""


class Box(NamedTuple):
    """The outline of an item, in lines and columns of the print grid."""

    label: str
    top: int
    left: int
    height: int
    width: int


BOXES = (
    Box("1. Type of insurance", 7, 1, 2, 48),
    Box("1a. Insured's I.D. number", 7, 49, 2, 31),
    Box("2. Patient's name", 9, 1, 2, 29),
    Box("3. Patient's birth date, sex", 9, 30, 2, 19),
    Box("4. Insured's name", 9, 49, 2, 31),
    Box("5. Patient's address", 11, 1, 6, 29),
    Box("6. Relationship to insured", 11, 30, 2, 19),
    Box("7. Insured's address", 11, 49, 6, 31),
    Box("9. Other insured's name", 17, 1, 10, 29),
    Box("10. Condition related to", 17, 30, 10, 19),
    Box("11. Insured's policy group, date of birth, plan", 17, 49, 10, 31),
    Box("12. Patient's signature", 27, 1, 3, 48),
    Box("13. Insured's signature", 27, 49, 3, 31),
    Box("14. Date of current illness", 31, 1, 2, 27),
    Box("15. Other date", 31, 28, 2, 21),
    Box("16. Unable to work", 31, 49, 2, 31),
    Box("17. Referring provider", 33, 1, 2, 48),
    Box("18. Hospitalization", 33, 49, 2, 31),
    Box("19. Additional claim information", 35, 1, 2, 48),
    Box("20. Outside lab", 35, 49, 2, 31),
    Box("21. Diagnoses", 37, 1, 4, 48),
    Box("22. Resubmission code, original reference", 37, 49, 2, 31),
    Box("23. Prior authorization, or ZIP of the pick-up", 39, 49, 2, 31),
    *(
        Box(label, 41, left, 14, width)
        for label, left, width in (
            ("24A. Dates of service", 1, 18),
            ("B. Place", 19, 3),
            ("C. EMG", 22, 3),
            ("D. Procedures, modifiers", 25, 20),
            ("E. Ptr", 45, 5),
            ("F. Charges", 50, 9),
            ("G. Units", 59, 6),
            ("J. Rendering provider", 65, 15),
        )
    ),
    Box("25. Federal tax I.D.", 55, 1, 2, 22),
    Box("26. Patient's account no.", 55, 23, 2, 15),
    Box("27. Accepts assignment", 55, 38, 2, 12),
    Box("28. Total charge", 55, 50, 2, 12),
    Box("29. Amount paid", 55, 62, 2, 18),
    Box("31. Signature of supplier", 57, 1, 5, 22),
    Box("32. Where the service began", 57, 23, 5, 27),
    Box("33. Billing provider", 57, 50, 5, 30),
)
"""The outlines of the items that an ambulance claim fills in. They are ours: the form itself is not reproduced."""


async def typeset_forms(title: str, grid: bytes) -> bytes:
    """PDF/UA of a file's forms. Raises ServiceUnavailable while too many wait."""
    return await REPORTS.run(_typeset, title, grid)


def _typeset(title: str, grid: bytes) -> bytes:
    pages = [page.splitlines() for page in grid.decode("ascii").split("\f")[:-1]]
    data = {"title": title, "pages": pages, "boxes": [box._asdict() for box in BOXES]}
    return typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": orjson.dumps(data).decode()},
        pdf_standards="ua-1",
        timestamp=_NO_TIME,
    )
