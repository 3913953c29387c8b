"""The check digit of an NPI: what is mistyped is noticed."""

from __future__ import annotations

import pytest

from app.core.identifiers import has_npi_check_digit

NPI = "1234567893"


def test_check_digit_of_the_published_example_is_good_and_is_the_only_good_one() -> None:
    assert [digit for digit in range(10) if has_npi_check_digit(f"{NPI[:9]}{digit}")] == [3]


@pytest.mark.parametrize("at", range(10))
def test_every_single_mistyped_digit_is_noticed(at: int) -> None:
    mistyped = [NPI[:at] + other + NPI[at + 1 :] for other in "0123456789" if other != NPI[at]]
    assert not any(map(has_npi_check_digit, mistyped))


def test_neighbours_swapped_are_noticed() -> None:
    swapped = [NPI[:at] + NPI[at + 1] + NPI[at] + NPI[at + 2 :] for at in range(9)]
    assert not any(map(has_npi_check_digit, swapped))
