"""The meaning of an entry: who did it, or why nobody did. All code that shows or counts entries uses this module.

A withheld aspirin and a given one differ only in a pertinent negative beside the drug's code (nemSch_e006,
nemSch_e007). Sources: eMedications.02, .03 and .10; eProcedures.02, .03, .06 and .10; eVitals.02 and the pertinent
negatives of the vital signs (NEMSIS 3.5.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from app.ems.elements import Owner
from app.ems.interventions.models import InterventionType
from app.ems.vitals.models import Vital

_YES, _NO = "9923003", "9923001"
_PATIENT_THEMSELF = "9905043"
_BYSTANDERS = frozenset({"9905045", "9905047", "9905049"})  # lay person, law enforcement, family member
_UNABLE = "8801023"
_OBTAINED_AT, _OBTAINED_PRIOR = "eVitals.01", "eVitals.02"

REASONS: Mapping[str, str] = {
    "8801001": "contraindication noted",
    "8801003": "denied by order",
    "8801005": "finding not present",
    "8801007": "allergy to the medication",
    "8801009": "medication already taken",
    "8801019": "refused",
    "8801021": "unresponsive",
    "8801023": "unable to complete",
    "8801027": "criteria of the order not met",
}
"""Pertinent negatives of medications, procedures and vital signs, in words."""


class Meaning(StrEnum):
    """BY_OTHERS: by a bystander while the unit was there. UNSAID: the entry names nothing."""

    BY_CREW = "by_crew"
    BEFORE_ARRIVAL = "before_arrival"
    BY_OTHERS = "by_others"
    PATIENTS_OWN = "patients_own"
    ATTEMPTED_FAILED = "attempted_failed"
    UNABLE = "unable"
    NOT_DONE = "not_done"
    UNSAID = "unsaid"


DONE = frozenset({Meaning.BY_CREW, Meaning.BEFORE_ARRIVAL, Meaning.BY_OTHERS, Meaning.PATIENTS_OWN})
"""The meanings by which the patient got the drug, the procedure or the measurement."""


@dataclass(frozen=True, slots=True)
class EntryMeaning:
    """The meaning, and the reason if nothing was done. The reason is the code of a pertinent negative, or None."""

    meaning: Meaning
    reason: str | None = None

    @property
    def done(self) -> bool:
        return self.meaning in DONE

    @property
    def in_words(self) -> str | None:
        """The reason in words."""
        return None if self.reason is None else REASONS.get(self.reason)


@dataclass(frozen=True, slots=True)
class _Words:
    """The elements that give the meaning of a kind of intervention."""

    column: str
    named: str
    prior: str
    by: str
    successful: str | None = None


_WORDS: Mapping[InterventionType, _Words] = {
    InterventionType.MEDICATION: _Words("rxcui", "eMedications.03", "eMedications.02", "eMedications.10"),
    InterventionType.PROCEDURE: _Words(
        "procedure_code", "eProcedures.03", "eProcedures.02", "eProcedures.10", "eProcedures.06"
    ),
}


class Charted(Protocol):
    """An entry of the chart, as entity or answer."""

    @property
    def elements(self) -> dict[str, Any]: ...


def meaning_of_intervention(item: Any) -> EntryMeaning:
    """The meaning of a medication or a procedure, as entity or answer."""
    words = _WORDS[item.type]
    negative = _first(item, words.named, "pertinent_negative")
    if negative is not None:
        return EntryMeaning(Meaning.UNABLE if negative == _UNABLE else Meaning.NOT_DONE, negative)
    if getattr(item, words.column) is None and _first(item, words.named, "value") is None:
        return EntryMeaning(Meaning.UNSAID)
    by = _first(item, words.by, "value")
    if by == _PATIENT_THEMSELF:
        return EntryMeaning(Meaning.PATIENTS_OWN)
    if is_prior(item):
        return EntryMeaning(Meaning.BEFORE_ARRIVAL)
    if words.successful is not None and _first(item, words.successful, "value") == _NO:
        return EntryMeaning(Meaning.ATTEMPTED_FAILED)
    return EntryMeaning(Meaning.BY_OTHERS if by in _BYSTANDERS else Meaning.BY_CREW)


def meaning_of_vital(vital: Any) -> EntryMeaning:
    """The meaning of vital signs: who measured them, or why nobody did."""
    about = {id_: entries for id_, entries in vital.elements.items() if id_ not in (_OBTAINED_AT, _OBTAINED_PRIOR)}
    columns = (name for name in Vital.element_columns if name != "taken_at")
    measured = any(getattr(vital, name) is not None for name in columns)
    if measured or any(entry.get("value") is not None for entries in about.values() for entry in entries):
        return EntryMeaning(Meaning.BEFORE_ARRIVAL if is_prior(vital) else Meaning.BY_CREW)
    negatives = [entry["pertinent_negative"] for entries in about.values() for entry in entries if _negative(entry)]
    if not negatives:
        return EntryMeaning(Meaning.UNSAID)
    return EntryMeaning(Meaning.UNABLE if _UNABLE in negatives else Meaning.NOT_DONE, negatives[0])


def meaning_of(entry: Any) -> EntryMeaning | None:
    """The meaning of vital signs or an intervention, as entity or answer; None for other parts of the chart."""
    if hasattr(entry, "taken_at"):
        return meaning_of_vital(entry)
    return meaning_of_intervention(entry) if hasattr(entry, "performed_at") else None


def is_prior(entry: Charted) -> bool:
    """True if the entry says that it happened before this unit's care."""
    return any(_first(entry, element_id, "value") == _YES for element_id in PRIOR.values())


PRIOR: Mapping[Owner, str] = {
    Owner.VITAL: _OBTAINED_PRIOR,
    Owner.INTERVENTION_MEDICATION: "eMedications.02",
    Owner.INTERVENTION_PROCEDURE: "eProcedures.02",
}
"""The element by which each kind of entry says that it happened before this unit's care."""


def _negative(entry: Mapping[str, Any]) -> bool:
    return entry.get("pertinent_negative") is not None


def _first(entry: Charted, element_id: str, part: str) -> str | None:
    entries = entry.elements.get(element_id) or [{}]
    text: str | None = entries[0].get(part)
    return text
