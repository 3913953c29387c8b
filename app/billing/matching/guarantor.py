"""Who is responsible for a patient's bills, as the chart tells it: the patient, or the guardian of a minor. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NamedTuple

from app.billing.accounts.schemas import EMAIL, LANGUAGE, PHONE, AccountSnapshot
from app.billing.charted import said
from app.core.geography import ANSI_BY_USPS, UNITED_STATES
from app.core.text import name_key
from app.ems.public import AgeUnit, PatientRead

MAJORITY = 18
_USPS_BY_ANSI = {ansi: usps for usps, ansi in ANSI_BY_USPS.items()}
_NOTHING: dict[str, Any] = dict.fromkeys(AccountSnapshot.model_fields)


class Responsible(NamedTuple):
    """`guarantor`: it is the minor's guardian (ePayment.23 to 32), not the patient."""

    guarantor: bool
    content: AccountSnapshot


def responsible_person(patient: PatientRead, on: dt.date) -> Responsible | None:
    """The person who pays the bills of a call on the day `on`. None if the chart does not say their last name."""
    if is_minor(patient, on) and said(patient.elements, "ePayment.23") is not None:
        return Responsible(True, _guardian(patient))
    if patient.last_name is None:
        return None
    return Responsible(False, _patient(patient))


def is_minor(patient: PatientRead, on: dt.date) -> bool:
    """True if the patient is younger than 18 years on the day `on`, by birth date or else by the charted age."""
    born = patient.date_of_birth
    if born is not None:
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) < MAJORITY
    if patient.age is None or patient.age_unit is None:
        return False
    return patient.age_unit is not AgeUnit.YEARS or patient.age < MAJORITY


def _patient(patient: PatientRead) -> AccountSnapshot:
    elements = patient.elements
    return AccountSnapshot.model_validate(
        _NOTHING
        | {
            "last_name": patient.last_name,
            "first_name": patient.first_name,
            "middle_name": patient.middle_name,
            "name_suffix": patient.name_suffix,
            "date_of_birth": patient.date_of_birth,
            "phone": _phone(said(elements, "ePatient.18")),
            "email": _shaped(EMAIL, said(elements, "ePatient.19")),
            "language": _shaped(LANGUAGE, said(elements, "ePatient.24")),
            "street": patient.home_street,
            "city": patient.home_city,
            "state": patient.home_state,
            "zip": patient.home_zip,
            "country": patient.home_country,
        }
    )


def _guardian(patient: PatientRead) -> AccountSnapshot:
    """The guardian. NEMSIS has a code for their city; its name is known if they live where the patient lives."""
    elements = patient.elements
    street, code = said(elements, "ePayment.26"), said(elements, "ePayment.29")
    country = said(elements, "ePayment.30")
    together = street is not None and (_key(street), code) == (_key(patient.home_street), patient.home_zip)
    return AccountSnapshot.model_validate(
        _NOTHING
        | {
            "last_name": said(elements, "ePayment.23"),
            "first_name": said(elements, "ePayment.24"),
            "middle_name": said(elements, "ePayment.25"),
            "phone": _phone(said(elements, "ePayment.31")),
            "street": street,
            "city": patient.home_city if together else None,
            "state": _USPS_BY_ANSI.get(said(elements, "ePayment.28") or ""),
            "zip": code,
            "country": None if country == UNITED_STATES else country,
        }
    )


def _key(text: str | None) -> str:
    return "" if text is None else name_key(text)


def _phone(charted: str | None) -> str | None:
    """The ten digits of a number of the United States; None for any other."""
    return _shaped(PHONE, "" if charted is None else re.sub(r"\D", "", charted).removeprefix("1"))


def _shaped(shape: str, charted: str | None) -> str | None:
    """The value if an account can hold it."""
    return charted if charted is not None and re.match(shape, charted) else None
