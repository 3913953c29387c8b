"""The synthetic call that `make demo` plays: chest pain at home, 12-lead ECG, aspirin, transport to the hospital."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """Request bodies of one call, without the ids that the server gives. `crew`: (person, what they did on it)."""

    incident: Body
    patient: Body
    vitals: list[Body]
    interventions: list[Body]
    narratives: list[Body]
    claim: Body
    incident_groups: list[Body] = field(default_factory=list)
    patient_groups: list[Body] = field(default_factory=list)
    autosaves: list[Body] = field(default_factory=list)
    crew: list[tuple[Body, Body]] = field(default_factory=list)


def _values(**codes: str | list[str]) -> Body:
    """`eResponse_05="2205001"` → `{"eResponse.05": [{"value": "2205001"}]}`."""
    listed = {name: [code] if isinstance(code, str) else code for name, code in codes.items()}
    return {name.replace("_", "."): [{"value": code} for code in values] for name, values in listed.items()}


def _not(code: str, *element_ids: str) -> Body:
    return {element_id: [{"not_value": code}] for element_id in element_ids}


NOT_APPLICABLE, NOT_RECORDED = "7701001", "7701003"
NO, YES = "9923001", "9923003"

PAYER = {"name": "Medicare Part B IL", "payer_id": "00952", "claim_filing_code": "MB"}
PRICES = "hcpcs,unit_price\nA0427,650.00\nA0429,450.00\nA0425,15.00\n"
"""The agency's prices from the beginning of 2026, as a spreadsheet writes them."""

CALL = Call(
    incident={
        "incident_number": "26-104711",
        "dispatch_time": "2026-11-20T09:02:10-06:00",
        "enroute_time": "2026-11-20T09:03:02-06:00",
        "arrival_time": "2026-11-20T09:10:41-06:00",
        "depart_scene_time": "2026-11-20T09:29:55-06:00",
        "arrived_destination_time": "2026-11-20T09:44:30-06:00",
        "location_type": "Y92.01",
        "location_street": "418 Cottonwood Lane",
        "location_city": "Springfield",
        "location_state": "IL",
        "location_zip": "62702-1000",
        "location_county": "17167",
        "elements": {
            **_values(
                eResponse_04="26-104711-M1",
                eResponse_05="2205001",
                eResponse_07="2207015",
                eResponse_08="2208013",
                eResponse_09="2209011",
                eResponse_11="2211011",
                eResponse_13="M1",
                eResponse_14="MEDIC 1",
                eResponse_23="2223001",
                eResponse_24="2224009",
                eDispatch_01="2301021",
                eDispatch_02="2302003",
                eScene_01=YES,
                eScene_06="2707005",
                eScene_07=NO,
                eTimes_01="2026-11-20T09:01:20-06:00",
                eTimes_07="2026-11-20T09:12:30-06:00",
                eTimes_12="2026-11-20T09:52:05-06:00",
            ),
            **_not(NOT_RECORDED, "eResponse.10", "eResponse.12"),
        },
    },
    patient={
        "first_name": "Rosalind",
        "last_name": "Testerman",
        "date_of_birth": "1958-03-14",
        "gender": "female",
        "home_street": "418 Cottonwood Lane",
        "home_city": "Springfield",
        "home_state": "IL",
        "home_zip": "62702-1000",
        "home_county": "17167",
        "destination_name": "Prairie General Hospital",
        "destination_street": "701 North First Street",
        "destination_city": "Springfield",
        "destination_state": "IL",
        "destination_zip": "62781-0001",
        "destination_county": "17167",
        "elements": {
            **_values(
                ePatient_14="2514011",
                ePayment_01="2601005",
                ePayment_50="2650003",
                eSituation_01="2026-11-20T08:40:00-06:00",
                eSituation_02="9922001",
                eSituation_07="2807005",
                eSituation_08="2808003",
                eSituation_09="R07.9",
                eSituation_10="R11.0",
                eSituation_13="2813003",
                eArrest_01="3001001",
                eHistory_01="3101009",
                eDisposition_28="4228001",
                eDisposition_29="4229001",
                eDisposition_30="4230001",
                eDisposition_16="4216005",
                eDisposition_17="4217001",
                eDisposition_18="4218011",
                eDisposition_19="4219003",
                eDisposition_20="4220001",
                eDisposition_21="4221003",
                eDisposition_23="9908007",
                eDisposition_32="4232005",
            ),
            **_not(NOT_APPLICABLE, "eSituation.12", "eSituation.18", "eSituation.20", "eDisposition.22", "eScene.08"),
            "eHistory.17": [{"pertinent_negative": "8801015"}],
        },
    },
    vitals=[
        {
            "taken_at": "2026-11-20T09:14:00-06:00",
            "systolic_bp": 158,
            "diastolic_bp": 92,
            "heart_rate": 104,
            "respiratory_rate": 20,
            "spo2": 94,
            "gcs_eye": 4,
            "gcs_verbal": 5,
            "gcs_motor": 6,
            "gcs_total": 15,
            "pain_score": 7,
            "elements": {
                **_values(
                    eVitals_02=NO,
                    eVitals_03="9901049",
                    eVitals_04="3304007",
                    eVitals_05="3305003",
                    eVitals_18="121",
                    eVitals_22="3322003",
                    eVitals_26="3326001",
                ),
                **_not(NOT_APPLICABLE, "eVitals.16", "eVitals.29", "eVitals.30", "eVitals.31"),
            },
        },
        {
            "taken_at": "2026-11-20T09:35:00-06:00",
            "systolic_bp": 142,
            "diastolic_bp": 86,
            "heart_rate": 92,
            "respiratory_rate": 18,
            "spo2": 97,
            "pain_score": 4,
            "elements": _values(eVitals_02=NO, eVitals_26="3326001"),
        },
    ],
    interventions=[
        {
            "type": "medication",
            "performed_at": "2026-11-20T09:16:30-06:00",
            "rxcui": "1191",
            "dose": "324",
            "dose_unit": "3706021",
            "route": "9927035",
            "outcome": "unchanged",
            "elements": _values(eMedications_02=NO, eMedications_08="3708031", eMedications_10="9905007"),
        },
        {
            "type": "procedure",
            "performed_at": "2026-11-20T09:15:10-06:00",
            "procedure_code": "268400002",
            "outcome": "unchanged",
            "elements": _values(
                eProcedures_02=NO,
                eProcedures_05="1",
                eProcedures_06=YES,
                eProcedures_07="3907033",
                eProcedures_10="9905007",
            ),
        },
    ],
    narratives=[
        {
            "narrative_text": "Called for chest pain. Found seated, alert, pale. Pressure-like pain since 08:40."
            " 12-lead without ST elevation. Aspirin given. Pain eased to 4 of 10 on the way. Care transferred.",
            "structured_json": {"chief_complaint": "chest pain", "allergies": ["none known"]},
        }
    ],
    crew=[
        (
            {
                "last_name": "Example",
                "first_name": "Avery",
                "licensure_level": "9925007",
                "licensure_id": "IL-P-10231",
                "licensure_state": "IL",
            },
            {"response_roles": ["2403011", "2403013"]},
        ),
        (
            {"last_name": "Sample", "first_name": "Robin", "licensure_level": "9925025"},
            {"response_roles": ["2403001", "2403003"], "elements": _not(NOT_APPLICABLE, "eCrew.01")},
        ),
    ],
    patient_groups=[
        {"group_name": "eProtocols.ProtocolGroup", "elements": _values(eProtocols_01="9914117")},
        {
            "group_name": "eDisposition.HospitalTeamActivationGroup",
            "elements": {**_values(eDisposition_24="4224001"), **_not(NOT_APPLICABLE, "eDisposition.25")},
        },
    ],
    autosaves=[
        {"cleared_time": "2026-11-20T10:05:00-06:00"},
        {"disposition": "4227001", "primary_impression": "I20.9"},
    ],
    claim={
        "payer_name": "Medicare Part B IL",
        "payer_id": "00952",
        "claim_filing_code": "MB",
        "member_id": "1EG4TE5MK73",
        "diagnoses": ["I20.9", "R07.9"],
        "lines": [
            {"hcpcs": "A0427", "modifiers": ["RH"], "units": "1", "charge": "650.00", "diagnosis_pointers": [1, 2]},
            {"hcpcs": "A0425", "modifiers": ["RH"], "units": "8.4", "charge": "126.00", "diagnosis_pointers": [1]},
        ],
        "loaded_miles": "8.4",
        "weight_lb": "154",
        "transport_reason": "A",
        "certifications": {"yes": ["06", "09"], "no": []},
        "signature_on_file": True,
    },
)
