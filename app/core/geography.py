"""Codes of places: states by USPS and ANSI (FIPS) code, as NEMSIS and X12 each want them, countries, positions."""

from __future__ import annotations

from decimal import Decimal
from importlib import resources
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import AsCharted, DecimalText, Text

ANSI_BY_USPS = {
    "AL": "01", "AK": "02", "AZ": "04", "AR": "05", "CA": "06", "CO": "08", "CT": "09", "DE": "10", "DC": "11",
    "FL": "12", "GA": "13", "HI": "15", "ID": "16", "IL": "17", "IN": "18", "IA": "19", "KS": "20", "KY": "21",
    "LA": "22", "ME": "23", "MD": "24", "MA": "25", "MI": "26", "MN": "27", "MS": "28", "MO": "29", "MT": "30",
    "NE": "31", "NV": "32", "NH": "33", "NJ": "34", "NM": "35", "NY": "36", "NC": "37", "ND": "38", "OH": "39",
    "OK": "40", "OR": "41", "PA": "42", "RI": "44", "SC": "45", "SD": "46", "TN": "47", "TX": "48", "UT": "49",
    "VT": "50", "VA": "51", "WA": "53", "WV": "54", "WI": "55", "WY": "56", "AS": "60", "GU": "66", "MP": "69",
    "PR": "72", "VI": "78", "FM": "64", "MH": "68", "PW": "70",
}  # fmt: skip

MILITARY_STATES = frozenset({"AA", "AE", "AP"})
"""The armed forces of the Americas, of Europe and of the Pacific. They have no ANSI code."""
USPS_STATES = frozenset(ANSI_BY_USPS) | MILITARY_STATES
CANADIAN_PROVINCES = frozenset({"AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"})
UNITED_STATES, CANADA = "US", "CA"
_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "UM", "VI"})


def _countries() -> dict[str, str]:
    table = resources.files("tzdata") / "zoneinfo" / "iso3166.tab"
    rows = (line.split("\t") for line in table.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {code: name for code, name in rows if code not in _TERRITORIES}


COUNTRIES = _countries()
"""Names of countries by ISO 3166-1 code. Territories of the United States are states here, as the USPS has them."""


def _state(value: str) -> str:
    if value not in ANSI_BY_USPS:
        raise PydanticCustomError("us_state", "Give a two-letter state, such as IL")
    return value


State = Annotated[Text, Field(min_length=2, max_length=2), AfterValidator(_state)]
Zip = Annotated[Text, Field(pattern=r"^[0-9]{5}(-[0-9]{4})?$", examples=["62701-1000"])]


def _country(value: str) -> str:
    if value not in COUNTRIES:
        raise PydanticCustomError(
            "country", "Give a country's two letters of ISO 3166, such as CA; a territory is a state"
        )
    return value


Country = Annotated[
    Text,
    Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1, two letters; null for the United States", examples=["CA"]),
    AfterValidator(_country),
]


def _degrees(limit: int) -> Any:
    return Annotated[Decimal, DecimalText, Field(ge=-limit, le=limit, allow_inf_nan=False), AsCharted(6, rounds=True)]


Latitude: Any = _degrees(90)
Longitude: Any = _degrees(180)
