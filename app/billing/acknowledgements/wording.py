"""Refusals in our own words, for the person who mends the claim. Their keys are the standards' codes."""

from __future__ import annotations

from app.billing.x12.acknowledgement_records import ClaimStatus, SegmentFault

_CATEGORIES = {
    "A0": "The claim was sent on to the next recipient.",
    "A1": "The claim arrived; nobody has looked at its content yet.",
    "A2": "The payer took the claim in and will decide it.",
    "A3": "The claim was returned because it cannot be processed. Mend it and send it as a new one.",
    "A4": "The payer cannot find this claim. Check the payer id, then send it again.",
    "A5": "The payer split the claim.",
    "A6": "Something is missing. Add it and send the claim as a new one.",
    "A7": "Something is wrong. Correct it and send the claim as a new one.",
    "A8": "Two values contradict each other. Correct them and send the claim as a new one.",
}
_STATUSES = {
    "18": "The claim came twice, or another one of the same service was received.",
    "21": "Information is missing or not valid; the other codes say which.",
    "24": "The payer does not know the billing provider under this NPI and tax id. Check the enrolment.",
    "26": "The entity is not known to the payer.",
    "31": "The patient is not known under this member id. Check the id and the spelling of the name.",
    "33": "The subscriber is not known to the payer. Check the member id.",
    "88": "The patient was not covered on the date of service.",
    "91": "The provider was not enrolled with the payer on the date of service.",
    "97": "The patient is not covered by this payer.",
    "109": "The billing provider is not enrolled for electronic claims with this payer.",
    "116": "The claim went to the wrong payer.",
    "125": "Correct the name of the entity.",
    "126": "Correct the address of the entity.",
    "128": "Correct the tax id.",
    "135": "Correct the date of birth.",
    "153": "Correct the id of the entity.",
    "158": "Correct the patient's date of birth.",
    "164": "Correct the member id.",
    "171": "Other insurance must be named first.",
    "187": "Correct the dates of service.",
    "188": "Correct the dates of the claim.",
    "247": "Something is wrong with a service line.",
    "249": "Correct the place of service.",
    "254": "Correct the principal diagnosis.",
    "255": "Correct the diagnoses.",
    "286": "The decision of the payer before this one is missing.",
    "400": "The claim's amounts do not add up.",
    "453": "A modifier is missing or not valid for this code.",
    "454": "Correct the procedure code of the line.",
    "476": "Correct the units of the line.",
    "477": "A line points to a diagnosis that does not exist.",
    "478": "Correct the charge of the line.",
    "481": "The claim lacks a form or an attachment that this payer wants.",
    "496": "The submitter may not send claims for this provider.",
    "500": "Correct the ZIP code; some payers want all nine digits.",
    "562": "Correct the NPI.",
    "746": "The same file was sent twice.",
}
_ENTITIES = {
    "40": "the receiver",
    "41": "the submitter",
    "77": "the service location",
    "82": "the rendering provider",
    "85": "the billing provider",
    "IL": "the subscriber",
    "PR": "the payer",
    "PW": "the pick-up",
    "45": "the drop-off",
    "QC": "the patient",
}
_SEGMENT_FAULTS = {
    "1": "is not known",
    "2": "is not expected here",
    "3": "is missing",
    "4": "belongs to a part that is repeated too often",
    "5": "is repeated too often",
    "6": "does not belong to this kind of claim",
    "7": "is out of order",
    "8": "has errors in its elements",
}
_ELEMENT_FAULTS = {
    "1": "is missing",
    "2": "is missing, because another one is there",
    "3": "is one too many",
    "4": "is too short",
    "5": "is too long",
    "6": "holds a character that is not allowed",
    "7": "holds a code that is not allowed",
    "8": "is no valid date",
    "9": "is no valid time",
    "10": "excludes another one that is there",
    "12": "is repeated too often",
    "13": "is repeated too often",
}
_SEGMENTS = {
    "CLM": "the claim's own facts",
    "CR1": "the ambulance transport (weight, reason, miles)",
    "CRC": "the ambulance certification",
    "DMG": "date of birth and sex",
    "DTP": "a date",
    "HI": "the diagnoses",
    "N3": "a street",
    "N4": "city, state and ZIP code",
    "NM1": "a name or an id",
    "NTE": "the note",
    "PAT": "the patient's relation to the subscriber",
    "PER": "the contact",
    "PRV": "the taxonomy",
    "REF": "a reference number",
    "SBR": "the coverage",
    "SV1": "code, modifiers, charge and units of a line",
    "SVD": "what another payer decided",
}
_LOOPS = {
    "1000A": "of the submitter",
    "1000B": "of the receiver",
    "2000A": "of the billing provider",
    "2010": "of a party",
    "2010AA": "of the billing provider",
    "2010AB": "of the pay-to address",
    "2000B": "of the subscriber",
    "2010BA": "of the subscriber",
    "2010BB": "of the payer",
    "2010CA": "of the patient",
    "2300": "of the claim",
    "2310E": "of the pick-up",
    "2310F": "of the drop-off",
    "2320": "of the other coverage",
    "2400": "of a service line",
    "2430": "of another payer's decision about a line",
}


def status_codes(statuses: tuple[ClaimStatus, ...]) -> list[str]:
    """STC01 as senders write it: A7:453:85."""
    return [":".join(filter(None, (one.category, one.status, one.entity))) for one in statuses]


def status_advice(statuses: tuple[ClaimStatus, ...]) -> list[str]:
    """One sentence for each category and each status that is known; the entity where it is named."""
    said: list[str] = []
    for one in statuses:
        said.append(_CATEGORIES.get(one.category, f"The sender gives the category {one.category}."))
        wording = _STATUSES.get(one.status)
        if wording is not None:
            entity = _ENTITIES.get(one.entity or "")
            said.append(wording if entity is None else f"{wording} It is about {entity}.")
    return list(dict.fromkeys(said))


def fault_codes(fault: SegmentFault) -> str:
    """The place of which a 999 complains: CR1 22 2300 8, then element and code."""
    places = (fault.segment, fault.position, fault.loop, fault.code, fault.element, fault.element_code)
    return " ".join(str(one) for one in places if one is not None)


def fault_advice(fault: SegmentFault) -> str:
    """A 999's complaint as a sentence."""
    what = _SEGMENTS.get(fault.segment, "a segment")
    where = _LOOPS.get(fault.loop or "", "")
    subject = f"{fault.segment}, {what}{' ' if where else ''}{where},"
    if fault.element is not None:
        said = _ELEMENT_FAULTS.get(fault.element_code or "", "is not accepted")
        return f"{subject} has an error: element {fault.element} {said}."
    return f"{subject} {_SEGMENT_FAULTS.get(fault.code, 'is not accepted')}."
