"""The parties of an 837P as typed records: sender, receiver, biller, insured, patient and payer.

Each field declares its own rule. Lengths, code lists and shapes are the 837P guide's (005010X222A1).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, get_args

from app.billing.x12.field_rules import Identifier, Npi, OneOf, Pattern, Text, Whole
from app.core.geography import CANADA, CANADIAN_PROVINCES, COUNTRIES, UNITED_STATES, USPS_STATES
from app.core.identifiers import InterchangeQualifier

CLAIM_FILING_CODES = "11 12 13 14 15 16 17 AM BL CH CI DS FI HM LM MA MB MC OF TV VA WC ZZ"

STATE = OneOf(" ".join(sorted(USPS_STATES)), code="STATE")
_PROVINCE = OneOf(" ".join(sorted(CANADIAN_PROVINCES)), code="STATE")
_COUNTRY = OneOf(" ".join(sorted(COUNTRIES.keys() - {CANADA, UNITED_STATES})), code="COUNTRY")
_INTERCHANGE_QUALIFIER = OneOf(" ".join(get_args(InterchangeQualifier)))
_ZIP = Pattern(r"(?!0{5}|9{5})\d{5}(\d{4})?", "ZIP", "must have five or nine digits of an existing code", bare=True)
_CANADIAN_CODE = Pattern(r"[A-Z]\d[A-Z]\d[A-Z]\d", "ZIP", "must be a Canadian postal code", bare=True)
_PHONE = Pattern(r"\d{10}", "PHONE", "must have ten digits", bare=True)
_CONTROL_NUMBER = Whole(1, 999_999_999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """ISA, GS, ST and BHT of one transmission. GS02 and GS03 are the ISA's ids unless the receiver assigned others.

    `created_at` is written without conversion, so it must be in the agency's own time zone.
    """

    sender_qualifier: Annotated[str, _INTERCHANGE_QUALIFIER]
    sender_id: Annotated[str, Identifier(15, 2)]
    receiver_qualifier: Annotated[str, _INTERCHANGE_QUALIFIER]
    receiver_id: Annotated[str, Identifier(15, 2)]
    application_sender_code: Annotated[str | None, Identifier(15, 2)] = None
    application_receiver_code: Annotated[str | None, Identifier(15, 2)] = None
    interchange_control_number: Annotated[int, _CONTROL_NUMBER]
    group_control_number: Annotated[int, _CONTROL_NUMBER]
    transaction_set_control_number: Annotated[int, _CONTROL_NUMBER]
    batch_id: Annotated[str, Identifier(30)]  # BHT03, returned in the 277CA
    usage_indicator: Annotated[str, OneOf("P T")]
    acknowledgment_requested: bool = False  # ISA14: a TA1 is wanted
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """PER*IC: the person that the receiver calls about the file."""

    name: Annotated[str, Text(60)]
    phone: Annotated[str, _PHONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """1000A."""

    name: Annotated[str, Text(60)]
    etin: Annotated[str, Identifier(80, 2)]
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """1000B. The guide allows qualifier 46 only; PI is for a clearinghouse that insists on it."""

    name: Annotated[str, Text(60)]
    id: Annotated[str, Identifier(80, 2)]
    id_qualifier: Annotated[str, OneOf("46 PI")] = "46"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """N3 and N4 inside the United States."""

    line1: Annotated[str, Text(55)]
    line2: Annotated[str | None, Text(55)] = None
    city: Annotated[str, Text(30, 2)]
    state: Annotated[str, STATE]
    zip_code: Annotated[str, _ZIP]


@dataclass(frozen=True, slots=True, kw_only=True)
class CanadianAddress:
    """N3 and N4 in Canada: N402 is the province, and N404 the country."""

    line1: Annotated[str, Text(55)]
    line2: Annotated[str | None, Text(55)] = None
    city: Annotated[str, Text(30, 2)]
    state: Annotated[str, _PROVINCE]
    zip_code: Annotated[str, _CANADIAN_CODE]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAddress:
    """N3 and N4 outside the United States and Canada: the part of the country is N407, not N402."""

    line1: Annotated[str, Text(55)]
    line2: Annotated[str | None, Text(55)] = None
    city: Annotated[str, Text(30, 2)]
    state: Annotated[str | None, Identifier(3)] = None
    zip_code: Annotated[str | None, Pattern(r"[A-Z0-9]{3,15}", "ZIP", "must be a postal code", bare=True)] = None
    country: Annotated[str, _COUNTRY]


PostalAddress = Address | CanadianAddress | ForeignAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingProvider:
    """2000A, 2010AA (a street, with ZIP+4) and, with a pay-to address, 2010AB (a PO box may stand there)."""

    legal_name: Annotated[str, Text(60)]
    npi: Annotated[str, Npi()]
    ein: Annotated[str, Pattern(r"\d{9}", "EIN", "must have nine digits", bare=True)]
    taxonomy: Annotated[str, Pattern(r"[0-9A-Z]{9}X", "TAXONOMY", "must have ten characters, the last an X")]
    address: Address
    contact: Contact | None = None
    pay_to_address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """NM103 to NM107 of a person; some people have one name only."""

    last: Annotated[str, Text(60)]
    first: Annotated[str | None, Text(35)] = None
    middle: Annotated[str | None, Text(25)] = None
    suffix: Annotated[str | None, Text(10)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """2000B and 2010BA. Address, birth date and sex are required, and sent, only when the subscriber is the patient."""

    name: PersonName
    member_id: Annotated[str, Identifier(80, 2)]
    payer_sequence: Annotated[str, OneOf("P S T")] = "P"
    claim_filing_code: Annotated[str, OneOf(CLAIM_FILING_CODES)]
    insurance_type: Annotated[str | None, OneOf("12 13 14 15 16 41 42 43 47")] = None  # Medicare not primary
    group_number: Annotated[str | None, Identifier(50)] = None
    address: PostalAddress | None = None
    birth_date: date | None = None
    sex: Annotated[str | None, OneOf("F M U")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """2000C and 2010CA: a patient who is not the subscriber; `relationship` (PAT01) is to the subscriber.

    Birth date and sex are required. A record without them says which of them is missing.
    """

    name: PersonName
    relationship: Annotated[str, OneOf("01 19 20 21 39 40 53 G8")]
    address: PostalAddress
    birth_date: date | None
    sex: Annotated[str | None, OneOf("F M U")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """2010BB."""

    name: Annotated[str, Text(60)]
    id: Annotated[str, Identifier(80, 2)]
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Practitioner:
    """A person in 2310A, B or D."""

    name: PersonName
    npi: Annotated[str, Npi()]
