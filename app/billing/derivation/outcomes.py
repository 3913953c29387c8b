"""What a rule gives: a value or none, and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class ReasonCode(StrEnum):
    """Why a value is what it is, or why it cannot be derived. TEXTS has the sentence of each."""

    NOT_TRANSPORTED = "not_transported"
    TREATED_WITHOUT_TRANSPORT = "treated_without_transport"
    DEAD_BEFORE_LOADING = "dead_before_loading"
    AIR = "air_transport"
    IMMEDIATE_RESPONSE = "immediate_response"
    NO_IMMEDIATE_RESPONSE = "no_immediate_response"
    RESPONSE_MODE_UNKNOWN = "response_mode_unknown"
    NO_CREW = "no_crew"
    ALS_INTERVENTION = "als_intervention"
    ALS_ASSESSMENT = "als_assessment"
    NO_ALS_ACT = "no_als_act"
    NO_STAFF_OF_LEVEL = "no_staff_of_level"
    ALS2_MEDICATIONS = "als2_medications"
    ALS2_PROCEDURE = "als2_procedure"
    SPECIALTY_CARE = "specialty_care"
    SPECIALTY_STAFF_MISSING = "specialty_staff_missing"
    PARAMEDIC_INTERCEPT = "paramedic_intercept"
    STATED_LEVEL_AGREES = "stated_level_agrees"
    STATED_LEVEL_DIFFERS = "stated_level_differs"
    FOLLOWS_FROM_LEVEL = "follows_from_level"
    LEVEL_UNKNOWN = "level_unknown"
    NO_MILEAGE_DUE = "no_mileage_due"
    ODOMETER_MISSING = "odometer_missing"
    ODOMETER_BACKWARDS = "odometer_backwards"
    ODOMETER_DIFFERENCE = "odometer_difference"
    BEYOND_NEAREST_FACILITY = "beyond_nearest_facility"
    FACILITY_RECORD = "facility_record"
    CHARTED_PLACE = "charted_place"
    PLACE_UNDECIDABLE = "place_undecidable"
    PLACE_MISSING = "place_missing"
    NO_DESTINATION = "no_destination"
    PATIENTS_TOGETHER = "patients_together"
    PRONOUNCED_DEAD = "pronounced_dead"
    TIME_OF_DEATH_MISSING = "time_of_death_missing"
    NOTICE_ON_FILE = "notice_on_file"
    CHARTED = "charted"
    NOT_CHARTED = "not_charted"
    SEVERAL_CHARTED = "several_charted"
    CODE_REFUSED = "code_refused"
    NOT_DUE = "not_due"
    AGENCY_DEFAULT = "agency_default"
    SIGNED = "signed"
    NO_SIGNATURE = "no_signature"
    NO_COVERAGE = "no_coverage"
    PAYER_UNMATCHED = "payer_unmatched"
    COVERAGE = "coverage"
    NO_PRICE = "no_price"
    NO_SERVICE_DATE = "no_service_date"
    FEE_SCHEDULE = "fee_schedule"


TEXTS: Mapping[ReasonCode, str] = {
    ReasonCode.NOT_TRANSPORTED: "This unit did not transport the patient.",
    ReasonCode.TREATED_WITHOUT_TRANSPORT: "The crew cared for the patient and nobody was transported.",
    ReasonCode.DEAD_BEFORE_LOADING: "Death was pronounced after the dispatch and before loading.",
    ReasonCode.AIR: "The patient was transported by air.",
    ReasonCode.IMMEDIATE_RESPONSE: "The unit responded immediately.",
    ReasonCode.NO_IMMEDIATE_RESPONSE: "The response was not immediate.",
    ReasonCode.RESPONSE_MODE_UNKNOWN: "The chart does not say whether the response was immediate.",
    ReasonCode.NO_CREW: "Nobody is charted on the crew.",
    ReasonCode.ALS_INTERVENTION: "An act that is reserved for ALS staff was done.",
    ReasonCode.ALS_ASSESSMENT: "An ALS assessment was performed and warranted, in an immediate response.",
    ReasonCode.NO_ALS_ACT: "No act that is reserved for ALS staff was done.",
    ReasonCode.NO_STAFF_OF_LEVEL: "Nobody on the crew has the level that the act needs.",
    ReasonCode.ALS2_MEDICATIONS: "Three separate administrations by intravenous push or continuous infusion.",
    ReasonCode.ALS2_PROCEDURE: "One of the procedures of ALS level 2 was done.",
    ReasonCode.SPECIALTY_CARE: "Interfacility transport with care beyond a paramedic's scope.",
    ReasonCode.SPECIALTY_STAFF_MISSING: "Specialty care is stated, and nobody on the crew has the training for it.",
    ReasonCode.PARAMEDIC_INTERCEPT: "A paramedic joined the volunteer ambulance that transported the patient.",
    ReasonCode.STATED_LEVEL_AGREES: "The crew stated the same level.",
    ReasonCode.STATED_LEVEL_DIFFERS: "The crew stated another level.",
    ReasonCode.FOLLOWS_FROM_LEVEL: "Follows from the level of service.",
    ReasonCode.LEVEL_UNKNOWN: "The level of service is not known.",
    ReasonCode.NO_MILEAGE_DUE: "No mileage is due for this service.",
    ReasonCode.ODOMETER_MISSING: "An odometer reading is missing.",
    ReasonCode.ODOMETER_BACKWARDS: "The odometer reads less at the destination than on scene.",
    ReasonCode.ODOMETER_DIFFERENCE: "The difference of the odometer readings, rounded up.",
    ReasonCode.BEYOND_NEAREST_FACILITY: "Miles beyond the nearest facility.",
    ReasonCode.FACILITY_RECORD: "The facility's record says so.",
    ReasonCode.CHARTED_PLACE: "The charted kind of place says so.",
    ReasonCode.PLACE_UNDECIDABLE: "The charted kind of place fits several letters: enter the facility's letter.",
    ReasonCode.PLACE_MISSING: "The kind of place is not charted.",
    ReasonCode.NO_DESTINATION: "The patient was not taken anywhere.",
    ReasonCode.PATIENTS_TOGETHER: "Several patients were transported together.",
    ReasonCode.PRONOUNCED_DEAD: "Death was pronounced after the dispatch and before loading.",
    ReasonCode.TIME_OF_DEATH_MISSING: "The time of the pronouncement of death is not charted.",
    ReasonCode.NOTICE_ON_FILE: "An advance beneficiary notice is on file.",
    ReasonCode.CHARTED: "Charted by the crew.",
    ReasonCode.NOT_CHARTED: "Not charted.",
    ReasonCode.SEVERAL_CHARTED: "Several are charted; the first counts.",
    ReasonCode.CODE_REFUSED: "A charted code cannot stand on a claim of this day.",
    ReasonCode.NOT_DUE: "Not due for this call.",
    ReasonCode.AGENCY_DEFAULT: "The agency's default.",
    ReasonCode.SIGNED: "An assignment of benefits covers the chart as it stands.",
    ReasonCode.NO_SIGNATURE: "The chart holds no assignment of benefits that covers it; paper may exist.",
    ReasonCode.NO_COVERAGE: "No coverage is known for this patient.",
    ReasonCode.PAYER_UNMATCHED: "The charted insurer is matched to none of the agency's payers.",
    ReasonCode.COVERAGE: "The patient's coverage of this payer sequence.",
    ReasonCode.NO_PRICE: "No fee schedule has a price for this code on the date of service.",
    ReasonCode.NO_SERVICE_DATE: "The date of service is not charted.",
    ReasonCode.FEE_SCHEDULE: "The fee schedule of the date of service.",
}
"""Sentences without details of a patient: they are shown to every reader of the claim."""


class Outcome(NamedTuple):
    """`derivable` is False if the chart does not tell the value. Then the value is None."""

    value: Any
    reasons: tuple[ReasonCode, ...] = ()
    derivable: bool = True


def found(value: Any, *reasons: ReasonCode) -> Outcome:
    return Outcome(value, reasons)


def unknown(*reasons: ReasonCode) -> Outcome:
    return Outcome(None, reasons, derivable=False)


class Known:
    """The values before a rule. An override stands in the place of the value that was derived.

    `asked` are the names that the rule read: its value rests on the evidence of those.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.asked.append(name)
        return self._values[name]
