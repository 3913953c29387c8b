"""Words for medics: titles of sections, and what a type expects. Messages of problems and findings use them."""

from collections.abc import Mapping

from app.ems.elements.simple_types import Facets, SimpleType

SECTIONS: Mapping[str, str] = {
    "eResponse": "Response",
    "eDispatch": "Dispatch",
    "eCrew": "Crew",
    "eTimes": "Times",
    "ePatient": "Patient",
    "ePayment": "Payment",
    "eScene": "Scene",
    "eSituation": "Situation",
    "eInjury": "Injury",
    "eArrest": "Cardiac arrest",
    "eHistory": "History",
    "eExam": "Examination",
    "eVitals": "Vital signs",
    "eProtocols": "Protocols",
    "eMedications": "Medications",
    "eProcedures": "Procedures",
    "eAirway": "Airway",
    "eDevice": "Devices",
    "eDisposition": "Disposition",
    "eLabs": "Laboratory and imaging",
    "eOutcome": "Outcome",
    "eNarrative": "Narrative",
    "eCustomResults": "Results of the agency's own",
    "eOther": "Other",
    "eRecord": "Record",
}
"""Titles of the sections of NEMSIS, in the order of a report."""
_PATTERNED: Mapping[str, str] = {
    "ANSICountyCode": "a county code of five digits",
    "ANSIStateCode": "a state code of two digits",
    "AssociatedSymptoms": "an ICD-10 code of the symptom list, with its dot, such as R07.9",
    "BloodGlucoseLevel": "a whole number from 0 to 2000, High, or Low",
    "CensusTracts": "a census tract of eleven digits",
    "DBP": "a whole number from 0 to 500, or P when palpated",
    "DateTimeType": "a date and time with its offset from UTC, such as 2025-03-09T14:05:00-05:00",
    "EmailAddress": "an e-mail address",
    "GPSLocation": "latitude and longitude, such as 41.394,-73.619",
    "IncidentLocationType": "an ICD-10 place code, such as Y92.410",
    "MedicationAllergies": "an RxNorm code, or an ICD-10 code from Z88.0 to Z88.9",
    "PhoneNumber": "a phone number, such as 203-555-0134 or +44 20 7946 0018",
    "ProvidersImpression": "an ICD-10 code of the impression list, with its dot, such as I21.3",
    "SocialSecurityNumber": "nine digits",
    "USNG": "a US National Grid location, such as 18TXL30058488",
    "UUID": "a UUID of version 1 to 5",
    "ZIP": "a ZIP code (12345 or 12345-6789) or a Canadian postal code",
    "icd10Activity": "an ICD-10 activity code, such as Y93.01",
    "icd10Code": "an ICD-10 code with its dot, such as S01.00XA",
    "icd10CodeInjury": "an ICD-10 cause of injury (T, V, W, X or Y), with its dot, such as W10.8XXA",
    "icd10CodeOutcomeProcedures": "an ICD-10 procedure code of 3 to 7 characters",
    "icd10MedSurge": "an ICD-10 diagnosis or procedure code",
}


def expectation(type_: SimpleType) -> str:
    """A valid value of the type in words that follow "must be": "a whole number from 0 to 500"."""
    if type_.codes or type_.members:
        return "one of the listed codes"
    if type_.facets.pattern is not None:
        return _PATTERNED.get(type_.name, "in the form that the standard asks for")
    match type_.base:
        case "string":
            return f"text of {_length(type_.facets)}" if _length(type_.facets) else "text"
        case "date":
            return f"a date{_range(type_.facets)}, such as 1984-06-30"
        case "base64Binary":
            return "base64 text"
        case "decimal":
            return "a number" + _range(type_.facets) + _digits(type_.facets)
        case "positiveInteger" if type_.facets.min_inclusive is None:
            return "a whole number of at least 1"
        case _:
            return "a whole number" + _range(type_.facets)


def _length(facets: Facets) -> str:
    if facets.length is not None:
        return f"exactly {facets.length} characters"
    if facets.min_length is not None and facets.max_length is not None:
        return f"{facets.min_length} to {facets.max_length} characters"
    if facets.max_length is not None:
        return f"at most {facets.max_length} characters"
    return f"at least {facets.min_length} characters" if facets.min_length is not None else ""


def _range(facets: Facets) -> str:
    if facets.min_inclusive is not None and facets.max_inclusive is not None:
        return f" from {facets.min_inclusive} to {facets.max_inclusive}"
    return f" of at least {facets.min_inclusive}" if facets.min_inclusive is not None else ""


def _digits(facets: Facets) -> str:
    parts = []
    if facets.total_digits is not None:
        parts.append(f"at most {facets.total_digits} digits")
    if facets.fraction_digits is not None:
        parts.append(f"at most {facets.fraction_digits} after the point")
    return f" ({', '.join(parts)})" if parts else ""
