"""Addresses at home, of the armed forces, of the freely associated states, and abroad."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.core.addresses import address_problems, without_us_code
from app.core.geography import ANSI_BY_USPS, CANADIAN_PROVINCES, COUNTRIES, MILITARY_STATES

PARTS = dict.fromkeys(("city", "state", "zip", "county", "country"))


def found(**parts: Any) -> list[tuple[str, str]]:
    record = SimpleNamespace(**{f"home_{name}": value for name, value in {**PARTS, **parts}.items()})
    return [(problem.field, problem.code) for problem in address_problems(record, "home_")]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"city": "Springfield", "state": "IL", "zip": "62701-1234", "county": "17167"},
        {"city": "Springfield", "state": "IL", "zip": "62701", "country": "US"},
        {"city": "APO", "state": "AE", "zip": "09012"},
        {"city": "FPO", "state": "AP", "zip": "96349-1100", "country": "US"},
        {"city": "dpo", "state": "AA", "zip": "34004"},
        {"city": "Pohnpei", "state": "FM", "zip": "96941"},
        {"city": "Majuro", "state": "MH", "zip": "96960"},
        {"city": "Koror", "state": "PW", "zip": "96940"},
        {"city": "San Juan", "state": "PR", "zip": "00901"},
        {"city": "Ottawa", "state": "ON", "zip": "K1A 0B1", "country": "CA"},
        {"city": "Nogales", "state": "SON", "zip": "84000", "country": "MX"},
        {"city": "London", "zip": "SW1A 1AA", "country": "GB"},
        {"zip": "K1A 0B1"},
    ],
    ids=str,
)
def test_addresses_that_exist(parts: dict[str, str]) -> None:
    assert found(**parts) == []


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"state": "XX"}, ("home_state", "us_state")),
        ({"state": "ON"}, ("home_state", "us_state")),
        ({"state": "SON", "country": "US"}, ("home_state", "us_state")),
        ({"zip": "6270"}, ("home_zip", "postal_code")),
        ({"zip": "K1A 0B1", "country": "US"}, ("home_zip", "postal_code")),
        ({"zip": "SW1A 1AA"}, ("home_zip", "postal_code")),
        ({"city": "Berlin", "state": "AE"}, ("home_city", "military_city")),
        ({"state": "IL", "country": "CA"}, ("home_state", "ca_province")),
        ({"zip": "62701", "country": "CA"}, ("home_zip", "postal_code")),
        ({"zip": "K1A0B1", "country": "CA"}, ("home_zip", "postal_code")),
        ({"county": "17167", "country": "MX"}, ("home_county", "county_abroad")),
    ],
    ids=str,
)
def test_addresses_that_cannot_be(parts: dict[str, str], problem: tuple[str, str]) -> None:
    assert found(**parts) == [problem]


def test_the_lists_of_places() -> None:
    """ANSI codes of the freely associated states (FIPS 5-2), all of ISO 3166 but the territories, which are states."""
    assert {name: ANSI_BY_USPS[name] for name in ("FM", "MH", "PW")} == {"FM": "64", "MH": "68", "PW": "70"}
    assert len(ANSI_BY_USPS) == len(set(ANSI_BY_USPS.values())) == 59
    assert MILITARY_STATES.isdisjoint(ANSI_BY_USPS)
    assert len(CANADIAN_PROVINCES) == 13
    assert len(COUNTRIES) == 249 - 6
    assert (COUNTRIES["DE"], COUNTRIES["MX"], "PR" in COUNTRIES) == ("Germany", "Mexico", False)


@pytest.mark.parametrize(
    ("country", "state", "uncoded"),
    [
        (None, "IL", set()),
        ("US", "PW", set()),
        (None, "AE", {"state", "county"}),
        ("CA", "ON", {"state", "county"}),
        ("MX", None, {"state", "zip", "county"}),
    ],
)
def test_what_has_no_code_of_the_united_states(country: str | None, state: str | None, uncoded: set[str]) -> None:
    assert without_us_code(country, state) == uncoded
