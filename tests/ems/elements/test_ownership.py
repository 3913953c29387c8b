"""Every element has exactly one home, and the homes are the ones that the chart model declares."""

from collections import Counter

import pytest

from app.ems.elements import (
    CUSTOM_CONFIGURATION_GROUP,
    ENTITY_GROUPS,
    REPEATING_GROUPS,
    Owner,
    RepeatingGroup,
    load_dictionary,
    owner_of,
    repeating_group_of,
)

ELEMENTS = load_dictionary().elements


def test_owners_are_distributed_as_declared() -> None:
    assert Counter(owner_of(element_id) for element_id in ELEMENTS) == {
        Owner.PATIENT: 302,
        Owner.INCIDENT: 70,
        Owner.VITAL: 34,
        Owner.TENANT: 15,
        Owner.INTERVENTION_PROCEDURE: 15,
        Owner.INTERVENTION_MEDICATION: 13,
        Owner.CREW_MEMBER: 3,
        Owner.NARRATIVE: 1,
    }


@pytest.mark.parametrize(
    ("element_id", "owner", "group"),
    [
        ("eRecord.01", Owner.PATIENT, None),
        ("eRecord.03", Owner.TENANT, None),
        ("dAgency.02", Owner.TENANT, None),
        ("eCustomConfiguration.01", Owner.TENANT, CUSTOM_CONFIGURATION_GROUP),
        ("eResponse.05", Owner.INCIDENT, None),
        ("eScene.07", Owner.INCIDENT, None),
        ("eScene.08", Owner.PATIENT, None),
        ("eScene.03", Owner.INCIDENT, "eScene.ResponderGroup"),
        ("eCrew.01", Owner.CREW_MEMBER, None),
        ("ePatient.15", Owner.PATIENT, None),
        ("eVitals.06", Owner.VITAL, None),
        ("eMedications.05", Owner.INTERVENTION_MEDICATION, None),
        ("eProcedures.03", Owner.INTERVENTION_PROCEDURE, None),
        ("eNarrative.01", Owner.NARRATIVE, None),
        ("eInjury.27", Owner.PATIENT, "eInjury.SeatGroup"),
        ("eInjury.22", Owner.PATIENT, None),
        ("eAirway.01", Owner.PATIENT, None),
        ("eAirway.04", Owner.PATIENT, "eAirway.ConfirmationGroup"),
        ("eDisposition.24", Owner.PATIENT, "eDisposition.HospitalTeamActivationGroup"),
        ("eLabs.04", Owner.PATIENT, "eLabs.LabResultGroup"),
    ],
)
def test_homes(element_id: str, owner: Owner, group: str | None) -> None:
    assert owner_of(element_id) is owner
    assert repeating_group_of(element_id) == group


def test_repeating_groups_are_all_those_below_the_report_but_the_entities() -> None:
    groups = load_dictionary().groups
    below = {name for name, group in groups.items() if group.repeats and "PatientCareReport" in group.path[:-1]}
    assert below - ENTITY_GROUPS.keys() == REPEATING_GROUPS.keys()
    assert len(REPEATING_GROUPS) == 30
    assert REPEATING_GROUPS["eLabs.WaveformGraphicGroup"] == RepeatingGroup(
        "eLabs.WaveformGraphicGroup", Owner.PATIENT, "eLabs.LabImageGroup", 0
    )
    assert {name for name, group in REPEATING_GROUPS.items() if group.min_occurs} == {
        "eProtocols.ProtocolGroup",
        "eDisposition.HospitalTeamActivationGroup",
        "eOutcome.EmergencyDepartmentProceduresGroup",
        "eOutcome.HospitalProceduresGroup",
    }


def test_a_groups_elements_have_the_groups_owner() -> None:
    for element_id in ELEMENTS:
        group = repeating_group_of(element_id)
        if group is not None and group in REPEATING_GROUPS:
            assert owner_of(element_id) is REPEATING_GROUPS[group].owner


def test_an_unknown_element_has_no_home() -> None:
    with pytest.raises(KeyError):
        owner_of("eVitals.99")
    with pytest.raises(KeyError):
        repeating_group_of("eVitals.99")
