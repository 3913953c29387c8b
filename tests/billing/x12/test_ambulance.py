"""Billable miles and origin/destination modifiers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.x12.ambulance import billable_miles, is_origin_destination


@pytest.mark.parametrize(
    ("driven", "billed"),
    [
        ("0", "0"),
        ("0.01", "0.1"),
        ("0.9", "0.9"),
        ("1.43", "1.5"),
        ("12.40", "12.4"),
        ("99.9", "99.9"),
        ("99.91", "100"),
        ("100", "100"),
        ("100.01", "101"),
        ("1E+2", "100"),
    ],
)
def test_miles_round_up_to_a_tenth_below_100_and_to_a_mile_from_there(driven: str, billed: str) -> None:
    assert billable_miles(Decimal(driven)) == Decimal(billed)


@pytest.mark.parametrize("driven", ["-0.1", "NaN", "Infinity"])
def test_impossible_distances_are_refused(driven: str) -> None:
    with pytest.raises(ValueError, match="negative"):
        billable_miles(Decimal(driven))


@given(st.decimals(0, 5000, places=3))
def test_billed_miles_never_fall_short_and_are_stable(driven: Decimal) -> None:
    billed = billable_miles(driven)
    assert driven <= billed < driven + 1
    assert billable_miles(billed) == billed


@pytest.mark.parametrize("modifier", ["RH", "SH", "HN", "IX", "HH", "PX"])
def test_legal_origin_and_destination(modifier: str) -> None:
    assert is_origin_destination(modifier)


@pytest.mark.parametrize("modifier", ["XH", "HS", "QL", "GM", "R", "", "RHH", "rh", "ZZ"])
def test_illegal_origin_or_destination(modifier: str) -> None:
    assert not is_origin_destination(modifier)
