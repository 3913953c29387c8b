"""The one declaration of where each NEMSIS element is stored.

An element has one home. The home of PER_PATIENT elements is the incident, and a patient may have another value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.ems.elements.dictionary import ElementDefinition
from app.ems.elements.loading import TARGET_BUILD, load_dictionary


class Owner(StrEnum):
    """The chart entity, or the tenant's profile, whose `elements` (or columns) hold an element."""

    INCIDENT = "incident"
    PATIENT = "patient"
    VITAL = "vital"
    INTERVENTION_MEDICATION = "intervention_medication"
    INTERVENTION_PROCEDURE = "intervention_procedure"
    NARRATIVE = "narrative"
    CREW_MEMBER = "crew_member"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class RepeatingGroup:
    """A repeating group that is a row of element-groups; `parent_group` is the repeating group around it, if any."""

    name: str
    owner: Owner
    parent_group: str | None
    min_occurs: int


_SECTION_OWNERS = {
    "eResponse": Owner.INCIDENT,
    "eDispatch": Owner.INCIDENT,
    "eTimes": Owner.INCIDENT,
    "eScene": Owner.INCIDENT,
    "eCrew": Owner.CREW_MEMBER,
    "eVitals": Owner.VITAL,
    "eMedications": Owner.INTERVENTION_MEDICATION,
    "eProcedures": Owner.INTERVENTION_PROCEDURE,
    "eNarrative": Owner.NARRATIVE,
    "dAgency": Owner.TENANT,
    "eCustomConfiguration": Owner.TENANT,
}
_ELEMENT_OWNERS = {
    "eScene.08": Owner.PATIENT,
    "eRecord.02": Owner.TENANT,
    "eRecord.03": Owner.TENANT,
    "eRecord.04": Owner.TENANT,
}
_OTHERWISE = Owner.PATIENT

PER_PATIENT = frozenset(
    {
        "eDispatch.05",
        *(f"eResponse.{number}" for number in (10, 11, 12, 20, 21)),
        *(f"eTimes.{number}" for number in ("07", "08", "09", "10", "11", "12")),
    }
)
"""Elements of the incident that can differ between the patients of one call. A patient's own value replaces the call's.

They are the acuity that dispatch was told, delays and odometer readings of a transport, and the times from the first
contact with the patient to the transfer of care. The other elements of eDispatch, eResponse, eTimes and eScene are
facts about the unit's response or about the scene, as NEMSIS 3.5.1 words them (ADR 0035).
"""
PER_PATIENT_GROUPS = frozenset({"eScene.ResponderGroup"})
"""Groups of the incident. An instance may be about one patient: eScene.25 says to whom that patient went."""

ENTITY_GROUPS: Mapping[str, Owner] = MappingProxyType(
    {
        "eVitals.VitalGroup": Owner.VITAL,
        "eMedications.MedicationGroup": Owner.INTERVENTION_MEDICATION,
        "eProcedures.ProcedureGroup": Owner.INTERVENTION_PROCEDURE,
        "eCrew.CrewGroup": Owner.CREW_MEMBER,
    }
)
"""The repeating groups that are entities of their own: one instance is one row of that entity."""

CUSTOM_CONFIGURATION_GROUP = "eCustomConfiguration.CustomGroup"
"""The one repeating group of the document's header; the tenant profile holds its instances."""

_NOT_ROWS = frozenset({"Header", "PatientCareReport"})


def _nearest_repeating_group(path: tuple[str, ...]) -> str | None:
    groups = load_dictionary(TARGET_BUILD).groups
    return next((name for name in reversed(path) if groups[name].repeats and name not in _NOT_ROWS), None)


def _section_owner(name: str) -> Owner:
    return _SECTION_OWNERS.get(name.partition(".")[0], _OTHERWISE)


def _row_group_of(definition: ElementDefinition) -> str | None:
    nearest = _nearest_repeating_group(definition.group_path)
    return None if nearest in ENTITY_GROUPS else nearest


REPEATING_GROUPS: Mapping[str, RepeatingGroup] = MappingProxyType(
    {
        name: RepeatingGroup(name, _section_owner(name), _nearest_repeating_group(group.path[:-1]), group.min_occurs)
        for name, group in load_dictionary(TARGET_BUILD).groups.items()
        if group.repeats and "PatientCareReport" in group.path[:-1] and name not in ENTITY_GROUPS
    }
)
"""The groups whose rows are element-groups: every repeating group below PatientCareReport that is no entity itself."""

_OWNERS = {
    element_id: _ELEMENT_OWNERS.get(element_id, _section_owner(element_id))
    for element_id in load_dictionary(TARGET_BUILD).elements
}
_ROW_GROUPS = {
    element_id: _row_group_of(definition) for element_id, definition in load_dictionary(TARGET_BUILD).elements.items()
}


def owner_of(element_id: str) -> Owner:
    """The owner of an element; for one inside a repeating group, the owner of that group's rows.

    Raises KeyError for an id that is not in the dictionary.
    """
    return _OWNERS[element_id]


def may_stand_under(element_id: str, owner: Owner | None) -> bool:
    """True if `owner` may hold the element. It is the element's home, or a patient with a value other than the call's.

    Raises KeyError for an id that is not in the dictionary.
    """
    return owner is _OWNERS[element_id] or (owner is Owner.PATIENT and element_id in PER_PATIENT)


def repeating_group_of(element_id: str) -> str | None:
    """The group whose rows hold the element, or None when the owner holds it directly.

    A name of REPEATING_GROUPS, or CUSTOM_CONFIGURATION_GROUP. Raises KeyError for an id that is not in the dictionary.
    """
    return _ROW_GROUPS[element_id]
