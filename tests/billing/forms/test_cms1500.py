"""Ambulance claims on the print grid of the CMS-1500: what stands where, and on how many forms."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pikepdf
import pytest

from app.billing.forms.cms1500 import COLUMNS, LINES, form_problems, render_forms
from app.billing.forms.reading import BOXES, typeset_forms
from app.billing.x12.parties import Address, PersonName
from app.billing.x12.professional_claim import Accident, ClaimSubmission
from tests.billing.x12.example import (
    BASE,
    CHILD,
    CLAIM,
    MILEAGE,
    PAYER,
    SUBMISSION,
    SUBSCRIBER,
    submission,
    with_lines,
)

SIGNED = dt.date(2026, 11, 20)
COMMERCIAL = replace(
    SUBMISSION,
    subscriber=replace(SUBSCRIBER, claim_filing_code="CI", group_number="G-7"),
    payer=replace(
        PAYER, name="Prairie Mutual", address=Address(line1="PO Box 9", city="Peoria", state="IL", zip_code="61601")
    ),
)


def forms(*batch: ClaimSubmission) -> list[list[str]]:
    """The lines of each form, padded to the width of the grid."""
    pages = render_forms(SIGNED, batch).decode("ascii").split("\f")
    assert pages.pop() == ""
    found = [[line.ljust(COLUMNS) for line in page.split("\n")[:-1]] for page in pages]
    assert all(len(page) == LINES and all(len(line) == COLUMNS for line in page) for page in found)
    return found


def at(page: list[str], line: int, column: int, width: int) -> str:
    return page[line - 1][column - 1 : column - 1 + width].rstrip()


def test_a_medicare_claim_stands_on_the_grid() -> None:
    [page] = forms(SUBMISSION)
    assert at(page, 2, 41, 31) == "MEDICARE PART B IL"
    assert (at(page, 8, 1, 1), at(page, 8, 50, 17)) == ("X", "1EG4TE5MK73")
    assert (at(page, 10, 1, 28), at(page, 10, 31, 10), at(page, 10, 47, 1)) == ("MUSTER, ZOE, Q", "02 17 1948", "X")
    assert (at(page, 12, 1, 28), at(page, 14, 1, 20), at(page, 14, 26, 3)) == ("100 MAIN ST APT 4", "SPRINGFIELD", "IL")
    assert at(page, 16, 1, 12) == "627011234"
    assert at(page, 18, 50, 29) == "NONE", "item 11 says that nobody else pays first"
    assert [at(page, line, 50, 29) for line in (10, 12, 14, 16)] == [""] * 4, "Medicare wants no insured then"
    assert [at(page, line, 41, 1) for line in (20, 22, 24)] == ["X"] * 3
    assert (at(page, 29, 7, 25), at(page, 29, 55, 24)) == ("SIGNATURE ON FILE",) * 2
    assert at(page, 37, 42, 1) == "0"
    assert [at(page, 38, column, 8) for column in (3, 16, 29, 42)] == ["I639", "R4701", "Z9981", ""]
    assert at(page, 40, 50, 29) == "62701", "item 23 is the ZIP code of the pick-up and nothing else"
    assert page[43].rstrip() == "11 01 26 11 01 26 41 Y  A0427   RH          AB     650 00 1"
    assert page[45].rstrip() == "11 01 26 11 01 26 41    A0425   RH          A      365 60 12.4"
    assert at(page, 56, 1, 15) == "371234567" and at(page, 56, 19, 1) == "X"
    assert at(page, 56, 23, 15) == "RUN26-000001"
    assert (at(page, 56, 38, 1), at(page, 56, 52, 9)) == ("X", "  1015 60")
    assert (at(page, 58, 23, 26), at(page, 60, 23, 26)) == ("100 MAIN ST", "SPRINGFIELD IL 627011234")
    assert (at(page, 58, 50, 29), at(page, 61, 50, 10)) == ("PRAIRIE EMS", "1467890129")
    assert at(page, 61, 6, 8) == "11 20 26"


def test_another_payer_learns_who_is_insured() -> None:
    child = replace(
        COMMERCIAL, patient=CHILD, subscriber=replace(COMMERCIAL.subscriber, name=PersonName(last="Senior"))
    )
    [page] = forms(child)
    assert [at(page, line, 41, 31) for line in (2, 3, 4)] == ["PRAIRIE MUTUAL", "PO BOX 9", "PEORIA IL 61601"]
    assert (at(page, 8, 31, 1), at(page, 8, 1, 1)) == ("X", "")
    assert (at(page, 10, 1, 28), at(page, 10, 50, 28), at(page, 12, 42, 1)) == ("MUSTER, KIM", "SENIOR", "X")
    assert (at(page, 18, 50, 29), at(page, 24, 50, 29), at(page, 26, 57, 1)) == ("G-7", "PRAIRIE MUTUAL", "X")


def test_item_23_is_the_authorisation_of_a_payer_that_gave_one_but_never_for_medicare() -> None:
    for base, wanted in ((SUBMISSION, "62701"), (COMMERCIAL, "UTN-1")):
        [page] = forms(replace(base, claim=replace(CLAIM, prior_authorization="UTN-1")))
        assert at(page, 40, 50, 29) == wanted


def test_a_round_trip_has_a_form_for_each_pick_up() -> None:
    back = [replace(line, modifiers=("HR",), control_number=f"{line.control_number}B") for line in (BASE, MILEAGE)]
    transport = replace(CLAIM.transport, round_trip_purpose="Dialysis", loaded_miles=Decimal("24.8"))
    out, home = forms(with_lines(BASE, MILEAGE, *back, transport=transport))
    assert (at(out, 40, 50, 29), at(home, 40, 50, 29)) == ("62701", "62781")
    assert (at(out, 44, 33, 2), at(home, 44, 33, 2)) == ("RH", "HR")
    assert [at(page, 56, 52, 9) for page in (out, home)] == ["  1015 60"] * 2
    assert at(home, 58, 23, 26) == "701 N 1ST ST"


def test_a_seventh_service_needs_another_form() -> None:
    lines = [replace(BASE, control_number=f"L{number}") for number in range(7)]
    first, second = forms(with_lines(*lines))
    assert [at(first, 44 + 2 * number, 25, 5) for number in range(6)] == ["A0427"] * 6
    assert [at(page, 56, 52, 9) for page in (first, second)] == ["  3900 00", "   650 00"]


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_a_corrected_and_a_void_claim_name_the_original(frequency: str) -> None:
    [page] = forms(submission(frequency=frequency, payer_claim_control_number="ICN 2026-1"))
    assert (at(page, 38, 50, 1), at(page, 38, 62, 18)) == (frequency, "ICN 2026-1")


def test_an_accident_names_its_cause_state_and_day() -> None:
    accident = Accident(causes=("AA",), state="IL", occurred_on=dt.date(2026, 10, 31))
    [page] = forms(submission(accident=accident))
    assert (at(page, 22, 35, 1), at(page, 22, 41, 1), at(page, 22, 45, 2)) == ("X", "", "IL")
    assert (at(page, 32, 31, 3), at(page, 32, 37, 10)) == ("439", "10 31 2026")


def test_a_number_that_the_form_would_cut_is_refused() -> None:
    long = replace(SUBMISSION, subscriber=replace(SUBSCRIBER, member_id="1" * 18))
    [problem] = form_problems(long)
    assert (problem.path, problem.code) == ("subscriber.member_id", "TOO_LONG_FOR_PAPER")
    assert list(form_problems(SUBMISSION)) == []


def test_letters_of_any_script_are_spelled() -> None:
    name = PersonName(last="Łøßđħı", first="Əli")
    [page] = forms(replace(SUBMISSION, subscriber=replace(SUBSCRIBER, name=name)))
    assert at(page, 10, 1, 28) == "LOSSDHI, ELI"


async def test_the_pdf_has_a_page_for_each_form_and_depends_on_the_file_only() -> None:
    grid = render_forms(SIGNED, [SUBMISSION, COMMERCIAL])
    pdf = await typeset_forms("Claims 000000001", grid)
    assert await typeset_forms("Claims 000000001", grid) == pdf
    with pikepdf.open(BytesIO(pdf)) as document:
        assert len(document.pages) == 2
        assert document.Root.MarkInfo.Marked
        assert str(document.docinfo["/Title"]) == "Claims 000000001"


def test_every_outline_stays_on_the_page_and_its_items_inside() -> None:
    assert all(box.left + box.width <= COLUMNS and box.top + box.height <= LINES for box in BOXES)
    [page] = forms(SUBMISSION)
    inside = {
        (line, column)
        for box in BOXES
        for line in range(box.top, box.top + box.height)
        for column in range(box.left, box.left + box.width)
    }
    printed = {
        (line, column) for line in range(7, LINES + 1) for column in range(1, COLUMNS + 1) if at(page, line, column, 1)
    }
    assert printed - inside == set()


def test_another_process_renders_the_same_bytes() -> None:
    code = (
        "import sys; from tests.billing.forms.test_cms1500 import SIGNED, SUBMISSION, COMMERCIAL;"
        "from app.billing.forms.cms1500 import render_forms;"
        "sys.stdout.buffer.write(render_forms(SIGNED, [SUBMISSION, COMMERCIAL]))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": "7"})
    assert made.stdout == render_forms(SIGNED, [SUBMISSION, COMMERCIAL])
