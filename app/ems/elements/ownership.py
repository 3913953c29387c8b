"""Which stored thing holds each NEMSIS element: one declaration, so that no element has two homes."""

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
"""The rows of element-groups: every repeating group below PatientCareReport that is no entity of its own."""

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


def repeating_group_of(element_id: str) -> str | None:
    """The group whose rows hold the element, or None when the owner holds it directly.

    A name of REPEATING_GROUPS, or CUSTOM_CONFIGURATION_GROUP. Raises KeyError for an id that is not in the dictionary.
    """
    return _ROW_GROUPS[element_id]
