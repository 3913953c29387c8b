"""Hypothesis strategies for batches that must be accepted: any valid claim, in any hierarchy, with hostile text."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from app.billing.x12.ambulance import (
    AIR_CODES,
    DESTINATION_LETTERS,
    FIXED_WING_BASE_CODES,
    GROUND_BASE_CODES,
    ORIGIN_LETTERS,
    ROTARY_WING_BASE_CODES,
    billable_miles,
)
from app.billing.x12.field_rules import Text
from app.billing.x12.parties import (
    CLAIM_FILING_CODES,
    Address,
    BillingProvider,
    CanadianAddress,
    Contact,
    ForeignAddress,
    Patient,
    Payer,
    PersonName,
    Practitioner,
    Subscriber,
)
from app.billing.x12.professional_claim import (
    Accident,
    Certification,
    Claim,
    ClaimSubmission,
    DropOff,
    ServiceLine,
    Transport,
)
from app.billing.x12.segments import is_spellable
from app.core.geography import CANADIAN_PROVINCES, USPS_STATES

DAY = date(2026, 11, 1)
_CONDITIONS = ("01", "04", "05", "06", "07", "08", "09", "12")
_UNKNOWN_TO_PYX12 = {"NL", "NU", "QC"}
"""Provinces whose codes are newer than pyx12's list, which has NF and PQ."""
_NPIS = ("1467890129", "1234567893", "2000000002")

# pyx12's state list lacks Palau
_states = st.sampled_from(sorted(USPS_STATES - {"PW"}))
_signs = st.one_of(
    st.sampled_from("abzÄéßøƏ09'-.,/&()#@%*:~^|\\\n\r\t\x00\x1d\u200b \u2013\u201c\u6f22"),
    st.characters(max_codepoint=0x24FF, exclude_categories=("Cn", "Co", "Cs", "So")).filter(is_spellable),
)
_ids = st.text("ABCXYZ0123456789-", min_size=2, max_size=15)
_cents = st.integers(1, 999_999).map(lambda cents: Decimal(cents) / 100)
_zips = st.from_regex(r"(?!0{5}|9{5})[0-9]{5}(-?[0-9]{4})?", fullmatch=True)
_phones = st.sampled_from(["2175550100", "(217) 555-0199", "217-555-0123"])
_icds = st.from_regex(r"[A-Z][0-9][0-9AB](\.?[A-Z0-9]{1,4})?", fullmatch=True)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Text that fits after normalisation, whatever it holds: delimiters, control characters, other scripts."""
    rule = Text(longest, 2)
    written = st.tuples(st.sampled_from(["Ab", "Ño", "9 x"]), st.text(_signs, max_size=longest // 5)).map("".join)
    return written.filter(lambda text: not list(rule.faults(text)))


_addresses = st.builds(
    Address,
    line1=texts(55),
    line2=st.none() | texts(55),
    city=texts(30),
    state=_states,
    zip_code=_zips,
)
_places = (
    _addresses
    | st.builds(
        CanadianAddress,
        line1=texts(55),
        line2=st.none() | texts(55),
        city=texts(30),
        state=st.sampled_from(sorted(CANADIAN_PROVINCES - _UNKNOWN_TO_PYX12)),
        zip_code=st.from_regex(r"[A-Z][0-9][A-Z] [0-9][A-Z][0-9]", fullmatch=True),
    )
    | st.builds(
        ForeignAddress,
        line1=texts(55),
        line2=st.none() | texts(55),
        city=texts(30),
        state=st.none() | st.sampled_from(["BY", "SON", "13"]),
        zip_code=st.none() | st.sampled_from(["10115", "SW1A 1AA", "00-950"]),
        country=st.sampled_from(["DE", "MX", "GB", "PL", "JP"]),
    )
)
_streets = st.builds(
    Address,
    line1=st.integers(1, 9999).map("{} Station Road".format),
    line2=st.none(),
    city=texts(30),
    state=_states,
    zip_code=st.from_regex(r"(?!0{5}|9{5})[0-9]{5}-?[0-9]{4}", fullmatch=True),
)
_names = st.builds(
    PersonName,
    last=texts(60),
    first=st.none() | texts(35),
    middle=st.none() | texts(25),
    suffix=st.none() | texts(10),
)
_contacts = st.builds(Contact, name=texts(60), phone=_phones)
_providers = st.builds(
    BillingProvider,
    legal_name=texts(60),
    npi=st.sampled_from(_NPIS),
    ein=st.sampled_from(["371234567", "37-1234567"]),
    taxonomy=st.sampled_from(["3416L0300X", "3416A0800X", "3416S0300X"]),
    address=_streets,
    contact=st.none() | _contacts,
    pay_to_address=st.none() | _addresses,
)
_sexes = st.sampled_from("FMU")
_births = st.dates(date(1905, 1, 1), DAY)
_subscribers = st.builds(
    Subscriber,
    name=_names,
    member_id=_ids,
    payer_sequence=st.sampled_from("PST"),
    claim_filing_code=st.sampled_from(CLAIM_FILING_CODES.split()),
    insurance_type=st.none(),
    group_number=st.none() | _ids,
    address=_places,
    birth_date=_births,
    sex=_sexes,
) | st.builds(
    Subscriber,
    name=_names,
    member_id=_ids,
    payer_sequence=st.sampled_from("ST"),
    claim_filing_code=st.just("MB"),
    insurance_type=st.sampled_from(["12", "13", "14", "15", "16", "41", "42", "43", "47"]),
    address=_addresses,
    birth_date=_births,
    sex=_sexes,
)
_payers = st.builds(Payer, name=texts(60), id=_ids, address=st.none() | _addresses)
_patients = st.builds(
    Patient,
    name=_names,
    relationship=st.sampled_from(["01", "19", "20", "21", "39", "40", "53", "G8"]),
    address=_addresses,
    birth_date=_births,
    sex=_sexes,
)
_practitioners = st.builds(Practitioner, name=_names, npi=st.sampled_from(_NPIS))
_accidents = st.builds(
    Accident, causes=st.just(("AA",)) | st.just(("EM", "AA")), state=_states, occurred_on=st.just(DAY)
) | st.builds(Accident, causes=st.sampled_from([("OA",), ("OA", "EM"), ("EM",)]), occurred_on=st.just(DAY))


@st.composite
def _certifications(draw: st.DrawFn) -> tuple[Certification, ...]:
    codes = draw(st.lists(st.sampled_from(_CONDITIONS), unique=True, max_size=8))
    apply, deny = tuple(codes[:5]), tuple(codes[5:])
    return tuple(
        Certification(applies=applies, codes=stated) for applies, stated in ((True, apply), (False, deny)) if stated
    )


@st.composite
def _legs(draw: st.DrawFn) -> tuple[list[ServiceLine], bool]:
    """Base and mileage lines of one way or of a round trip, control numbers still to be given."""
    bases, mileage_code = draw(
        st.sampled_from(
            [
                (GROUND_BASE_CODES, "A0425"),
                (FIXED_WING_BASE_CODES, "A0435"),
                (ROTARY_WING_BASE_CODES, "A0436"),
                (GROUND_BASE_CODES, "A0888"),
            ]
        )
    )
    both_ways = sorted(ORIGIN_LETTERS & DESTINATION_LETTERS)
    round_trip = draw(st.booleans())
    origin = draw(st.sampled_from(both_ways if round_trip else sorted(ORIGIN_LETTERS)))
    destination = draw(st.sampled_from(both_ways if round_trip else sorted(DESTINATION_LETTERS)))
    lines: list[ServiceLine] = []
    for route in [origin + destination, destination + origin][: 2 if round_trip else 1]:
        miles = billable_miles(draw(st.decimals(Decimal("0.01"), Decimal(900), places=2)))
        more = tuple(draw(st.lists(st.sampled_from(["QM", "GA", "TN", "KX"]), unique=True, max_size=3)))
        for code, units in ((draw(st.sampled_from(sorted(bases))), Decimal(1)), (mileage_code, miles)):
            lines.append(
                ServiceLine(
                    hcpcs=code,
                    modifiers=(route, *more),
                    charge=draw(_cents),
                    units=units,
                    service_date=DAY,
                    emergency=draw(st.booleans()),
                    control_number="UNSET",
                    patient_count=draw(st.integers(1, 4)),
                )
            )
    return lines, round_trip


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    """Any claim that must be accepted."""
    lines, round_trip = draw(_legs())
    for code in draw(st.lists(st.sampled_from(["A0382", "A0398", "A0422", "A0424"]), max_size=3)):
        lines.append(replace(lines[0], hcpcs=code, modifiers=lines[0].modifiers[:1], units=Decimal(2)))
    diagnoses = tuple(draw(st.lists(_icds, min_size=1, max_size=12, unique_by=lambda code: code.replace(".", ""))))
    pointers = st.lists(st.integers(1, len(diagnoses)), min_size=1, max_size=4, unique=True).map(tuple)
    numbered = tuple(
        replace(line, control_number=f"L{number}", diagnosis_pointers=draw(pointers))
        for number, line in enumerate(lines, start=1)
    )
    miles = sum((line.units for line in lines[1 : 4 if round_trip else 2 : 2]), Decimal(0))
    frequency = draw(st.sampled_from("178"))
    return Claim(
        id="UNSET",
        total_charge=sum((line.charge for line in numbered), Decimal(0)),
        place_of_service="42" if AIR_CODES & {line.hcpcs for line in lines} else "41",
        frequency=frequency,
        payer_claim_control_number=None if frequency == "1" else draw(_ids),
        signature_on_file=draw(st.booleans()),
        assignment=draw(st.sampled_from("ABC")),
        benefits_assigned=draw(st.sampled_from("YNW")),
        release_of_information=draw(st.sampled_from("YI")),
        signed_by_provider=draw(st.booleans()),
        accident=draw(st.none() | _accidents),
        delay_reason=draw(st.none() | st.sampled_from(["1", "9", "11", "15"])),
        patient_amount_paid=draw(st.none() | st.just(Decimal("0.01"))),
        prior_authorization=draw(st.none() | _ids),
        medical_record_number=draw(st.none() | _ids),
        note=draw(st.none() | texts(80)),
        transport=Transport(
            reason_code=draw(st.sampled_from("ABCDE")),
            loaded_miles=miles,
            weight_lb=draw(st.none() | st.decimals(1, 999, places=1)),
            round_trip_purpose=draw(texts(80)) if round_trip else None,
            stretcher_purpose=draw(st.none() | texts(80)),
        ),
        certifications=draw(_certifications()),
        diagnoses=diagnoses,
        referring_provider=draw(st.none() | _practitioners),
        rendering_provider=draw(st.none() | _practitioners),
        supervising_provider=draw(st.none() | _practitioners),
        pick_up=draw(_places),
        drop_off=DropOff(facility_name=draw(st.none() | texts(60)), address=draw(_places)),
        lines=numbered,
    )


@st.composite
def batches(draw: st.DrawFn, most: int, least: int = 1) -> list[ClaimSubmission]:
    """From `least` to `most` claims, spread over few providers, subscribers and patients so that they share loops."""
    providers = draw(st.lists(_providers, min_size=1, max_size=2))
    insured = draw(st.lists(st.tuples(_subscribers, _payers), min_size=1, max_size=3))
    patients = [None, *draw(st.lists(_patients, max_size=2))]
    batch = []
    for number, claim in enumerate(draw(st.lists(claims(), min_size=least, max_size=most))):
        subscriber, payer = draw(st.sampled_from(insured))
        batch.append(
            ClaimSubmission(
                billing_provider=draw(st.sampled_from(providers)),
                subscriber=subscriber,
                payer=payer,
                patient=draw(st.sampled_from(patients)),
                claim=replace(claim, id=f"RUN26-{number:06}"),
            )
        )
    return batch
