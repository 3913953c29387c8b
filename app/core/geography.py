"""States and territories of the United States: USPS code to ANSI (FIPS) code, as NEMSIS and X12 each want them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import Text

ANSI_BY_USPS = {
    "AL": "01", "AK": "02", "AZ": "04", "AR": "05", "CA": "06", "CO": "08", "CT": "09", "DE": "10", "DC": "11",
    "FL": "12", "GA": "13", "HI": "15", "ID": "16", "IL": "17", "IN": "18", "IA": "19", "KS": "20", "KY": "21",
    "LA": "22", "ME": "23", "MD": "24", "MA": "25", "MI": "26", "MN": "27", "MS": "28", "MO": "29", "MT": "30",
    "NE": "31", "NV": "32", "NH": "33", "NJ": "34", "NM": "35", "NY": "36", "NC": "37", "ND": "38", "OH": "39",
    "OK": "40", "OR": "41", "PA": "42", "RI": "44", "SC": "45", "SD": "46", "TN": "47", "TX": "48", "UT": "49",
    "VT": "50", "VA": "51", "WA": "53", "WV": "54", "WI": "55", "WY": "56", "AS": "60", "GU": "66", "MP": "69",
    "PR": "72", "VI": "78",
}  # fmt: skip


def _state(value: str) -> str:
    if value not in ANSI_BY_USPS:
        raise PydanticCustomError("us_state", "Give a two-letter state, such as IL")
    return value


State = Annotated[Text, Field(min_length=2, max_length=2), AfterValidator(_state)]
Zip = Annotated[Text, Field(pattern=r"^[0-9]{5}(-[0-9]{4})?$")]
