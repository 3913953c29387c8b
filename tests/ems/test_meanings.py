"""What an entry means: an entry that was not done never reads as done, nor another's as the crew's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.ems.elements import TARGET_BUILD, load_dictionary
from app.ems.interventions.models import InterventionType
from app.ems.meanings import PRIOR, REASONS, Meaning, meaning_of
from app.ems.vitals.models import Vital

NO, YES, PATIENT, LAY_PERSON = "9923001", "9923003", "9905043", "9905045"
ELEMENTS = load_dictionary(TARGET_BUILD).elements


def drug(rxcui: str | None = "1191", **elements: Any) -> Any:
    return SimpleNamespace(type=InterventionType.MEDICATION, performed_at=None, rxcui=rxcui, elements=_stored(elements))


def procedure(**elements: Any) -> Any:
    return SimpleNamespace(
        type=InterventionType.PROCEDURE, performed_at=None, procedure_code="112798008", elements=_stored(elements)
    )


def vital(heart_rate: int | None = None, **elements: Any) -> Any:
    columns = dict.fromkeys(Vital.element_columns) | {"heart_rate": heart_rate}
    return SimpleNamespace(**columns, elements=_stored(elements))


def _stored(elements: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name.replace("_", "."): [given if isinstance(given, dict) else {"value": given}]
        for name, given in elements.items()
    }


def negative(code: str) -> dict[str, str]:
    return {"pertinent_negative": code}


@pytest.mark.parametrize(
    ("entry", "meaning", "reason"),
    [
        (drug(), Meaning.BY_CREW, None),
        (drug(None, eMedications_03="387458008"), Meaning.BY_CREW, None),
        (drug(eMedications_02=NO, eMedications_10="9905007"), Meaning.BY_CREW, None),
        (drug(eMedications_02=YES), Meaning.BEFORE_ARRIVAL, None),
        (drug(eMedications_02=YES, eMedications_10=LAY_PERSON), Meaning.BEFORE_ARRIVAL, None),
        (drug(eMedications_10=LAY_PERSON), Meaning.BY_OTHERS, None),
        (drug(eMedications_02=YES, eMedications_10=PATIENT), Meaning.PATIENTS_OWN, None),
        (drug(eMedications_10=PATIENT), Meaning.PATIENTS_OWN, None),
        (drug(eMedications_03=negative("8801019")), Meaning.NOT_DONE, "refused"),
        (drug(eMedications_03=negative("8801009"), eMedications_02=YES), Meaning.NOT_DONE, "medication already taken"),
        (drug(eMedications_03=negative("8801023")), Meaning.UNABLE, "unable to complete"),
        (drug(None), Meaning.UNSAID, None),
        (drug(None, eMedications_03={"not_value": "7701003"}), Meaning.UNSAID, None),
        (procedure(), Meaning.BY_CREW, None),
        (procedure(eProcedures_06=YES), Meaning.BY_CREW, None),
        (procedure(eProcedures_06=NO), Meaning.ATTEMPTED_FAILED, None),
        (procedure(eProcedures_06=NO, eProcedures_02=YES), Meaning.BEFORE_ARRIVAL, None),
        (procedure(eProcedures_03=negative("8801003")), Meaning.NOT_DONE, "denied by order"),
        (vital(80), Meaning.BY_CREW, None),
        (vital(eVitals_03="9901053"), Meaning.BY_CREW, None),
        (vital(80, eVitals_02=YES), Meaning.BEFORE_ARRIVAL, None),
        (vital(80, eVitals_06=negative("8801023")), Meaning.BY_CREW, None),
        (vital(eVitals_06=negative("8801023")), Meaning.UNABLE, "unable to complete"),
        (vital(eVitals_06=negative("8801019")), Meaning.NOT_DONE, "refused"),
        (vital(eVitals_02=YES), Meaning.UNSAID, None),
    ],
)
def test_meaning(entry: Any, meaning: Meaning, reason: str | None) -> None:
    found = meaning_of(entry)
    assert found is not None and (found.meaning, found.in_words) == (meaning, reason)


def test_other_parts_of_a_chart_have_no_such_meaning() -> None:
    assert meaning_of(SimpleNamespace(elements={})) is None


def test_every_pertinent_negative_of_an_intervention_or_a_vital_sign_has_words() -> None:
    used = {
        code
        for element_id, definition in ELEMENTS.items()
        if element_id.startswith(("eMedications.", "eProcedures.", "eVitals."))
        for code in definition.pertinent_negatives
    }
    assert used - REASONS.keys() == set()
    assert set(PRIOR.values()) <= ELEMENTS.keys()
