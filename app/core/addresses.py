"""Postal addresses inside and outside the United States: the types of their fields, and the rules between them.

An address is the columns `city`, `state`, `zip`, `county` and `country` of a row, behind a prefix such as `home_`.
Without a country it is in the United States.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from app.core.errors import Problem
from app.core.geography import ANSI_BY_USPS, CANADA, CANADIAN_PROVINCES, MILITARY_STATES, UNITED_STATES, USPS_STATES
from app.core.schemas import Text

Region = Annotated[
    Text,
    Field(
        pattern=r"^[A-Z0-9]{1,3}$",
        description="USPS state (AA, AE, AP for the armed forces), Canadian province, or the end of an ISO 3166-2 code"
        " abroad",
        examples=["IL"],
    ),
]
PostalCode = Annotated[
    Text,
    Field(
        pattern=r"^[A-Z0-9][A-Z0-9 -]{2,14}$",
        description="ZIP code (12345 or 12345-6789), Canadian postal code (K1A 0B1), or abroad the postal code there",
        examples=["62701"],
    ),
]
County = Annotated[
    Text,
    Field(
        pattern=r"^[0-9]{5}$", description="Five-digit ANSI code of a county of the United States", examples=["17167"]
    ),
]

MILITARY_CITIES = frozenset({"APO", "FPO", "DPO"})
_US_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4,5})?")
_CANADIAN_CODE = re.compile(r"[A-Z][0-9][A-Z] [0-9][A-Z][0-9]")


def is_abroad(country: str | None) -> bool:
    """True if the country is named and is not the United States."""
    return country is not None and country != UNITED_STATES


def address_problems(record: Any, prefix: str = "") -> Iterator[Problem]:
    """The problems of an address whose fields do not go together. Parts that are missing are none."""
    part = {name: getattr(record, prefix + name, None) for name in ("city", "state", "zip", "county", "country")}
    country, state, code = part["country"], part["state"], part["zip"]
    if is_abroad(country):
        if country == CANADA and state is not None and state not in CANADIAN_PROVINCES:
            yield Problem(f"{prefix}state", "ca_province", "Give a province or territory of Canada, such as ON.")
        if country == CANADA and code is not None and not _CANADIAN_CODE.fullmatch(code):
            yield Problem(f"{prefix}zip", "postal_code", "Give a Canadian postal code, such as K1A 0B1.")
        if part["county"] is not None:
            yield Problem(f"{prefix}county", "county_abroad", "Only counties of the United States have a code.")
        return
    if state is not None and state not in USPS_STATES:
        yield Problem(f"{prefix}state", "us_state", "Give a two-letter state, such as IL, or the country.")
    # Before addresses had a country, a Canadian code was taken without one.
    if code is not None and not (_US_ZIP.fullmatch(code) or (country is None and _CANADIAN_CODE.fullmatch(code))):
        yield Problem(f"{prefix}zip", "postal_code", "Give a ZIP code, such as 62701 or 62701-1234, or the country.")
    if state in MILITARY_STATES and part["city"] is not None and part["city"].upper() not in MILITARY_CITIES:
        yield Problem(f"{prefix}city", "military_city", "The city of a military address is APO, FPO or DPO.")


def position_problems(record: Any, prefix: str = "") -> Iterator[Problem]:
    """A latitude without a longitude, or the other way round: half a position cannot be exported."""
    for given, missing in (("latitude", "longitude"), ("longitude", "latitude")):
        if getattr(record, prefix + given) is not None and getattr(record, prefix + missing) is None:
            yield Problem.missing(prefix + missing, "Give latitude and longitude together.")


def without_us_code(country: str | None, state: str | None) -> frozenset[str]:
    """The parts of an address for which there is no code of the United States: of `state`, `zip` and `county`.

    Canadian postal codes are taken for ZIP codes, because NEMSIS takes both. The armed forces have no ANSI code.
    """
    if country == CANADA:
        return frozenset({"state", "county"})
    if is_abroad(country):
        return frozenset({"state", "zip", "county"})
    return frozenset({"state", "county"}) if state is not None and state not in ANSI_BY_USPS else frozenset()
