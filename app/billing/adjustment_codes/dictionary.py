"""The dictionary of codes: whether a reason is a denial, who works on it, its likely cause and what helps."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_SHIPPED = Path(__file__).with_name("codes.toml")


class Category(StrEnum):
    """The subject of a payer's decision."""

    ELIGIBILITY = "eligibility"
    OTHER_PAYER = "other_payer"
    AUTHORIZATION = "authorization"
    MEDICAL_NECESSITY = "medical_necessity"
    DOCUMENTATION = "documentation"
    CODING = "coding"
    INCOMPLETE = "incomplete"
    DUPLICATE = "duplicate"
    TIMELY_FILING = "timely_filing"
    NOT_COVERED = "not_covered"
    BENEFIT_LIMIT = "benefit_limit"
    BUNDLED = "bundled"
    ENROLLMENT = "enrollment"
    CONTRACT = "contract"
    PATIENT = "patient"
    PENDING = "pending"
    OTHER = "other"


class Owner(StrEnum):
    """The people who work on it. `registration` knows patients and coverages, `clinical` charts, `management` deals."""

    BILLER = "biller"
    REGISTRATION = "registration"
    CLINICAL = "clinical"
    MANAGEMENT = "management"


class Remedy(StrEnum):
    """The act that helps most often. `correct`: send a corrected claim. `none`: nothing does, or nothing need."""

    CORRECT = "correct"
    APPEAL = "appeal"
    DOCUMENTS = "documents"
    OTHER_PAYER = "other_payer"
    PATIENT = "patient"
    WAIT = "wait"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reason:
    """A claim adjustment reason code (CAS02). It is in force until the day `until`, which is not part of it."""

    code: str
    is_denial: bool
    category: Category
    owner: Owner
    remedy: Remedy
    means: str
    cause: str
    fix: str
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A remittance advice remark code. `unprocessable`: the payer has not decided, so nothing can be appealed."""

    code: str
    means: str
    fix: str
    category: Category | None = None
    owner: Owner | None = None
    unprocessable: bool = False


@cache
def _shipped() -> Mapping[str, Any]:
    return tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))


@cache
def groups() -> Mapping[str, str]:
    """What each group (CAS01) means."""
    return dict(_shipped()["groups"])


@cache
def reasons() -> Mapping[str, Reason]:
    """Every reason of the dictionary by its code, retired ones included: old remittances name them."""
    return {
        code: Reason(
            code,
            is_denial=entry["denial"],
            category=Category(entry["category"]),
            owner=Owner(entry["owner"]),
            remedy=Remedy(entry["remedy"]),
            means=entry["means"],
            cause=entry["cause"],
            fix=entry["fix"],
            until=entry.get("until"),
        )
        for code, entry in _shipped()["reasons"].items()
    }


@cache
def remarks() -> Mapping[str, Remark]:
    """Every remark of the dictionary by its code."""
    return {
        code: Remark(
            code,
            means=entry["means"],
            fix=entry["fix"],
            category=Category(entry["category"]) if "category" in entry else None,
            owner=Owner(entry["owner"]) if "owner" in entry else None,
            unprocessable=entry.get("unprocessable", False),
        )
        for code, entry in _shipped()["remarks"].items()
    }


def reason_on(code: str, day: dt.date) -> Reason | None:
    """The meaning of a code in a decision of that day; None if the dictionary has none."""
    found = reasons().get(code)
    return None if found is None or (found.until is not None and day >= found.until) else found


def is_denial(code: str) -> bool:
    """True if a payer refuses by this reason to pay what was charged. A code that nobody knows is none."""
    found = reasons().get(code)
    return found is not None and found.is_denial
