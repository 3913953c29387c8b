"""The 837P of known batches, segment by segment, and pyx12's judgement of them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from app.billing.x12.parties import CanadianAddress, ForeignAddress, PersonName, PostalAddress, Practitioner
from app.billing.x12.professional_claim import Accident, ClaimSubmission, DropOff
from app.billing.x12.segments import Segment
from app.billing.x12.tokenizer import iter_segments, parse_interchange
from app.billing.x12.writer_837p import render_837p, transaction_sets
from tests.billing.x12.example import (
    BASE,
    CHILD,
    CLAIM,
    CONTACT,
    DAY,
    ENVELOPE,
    HOSPITAL,
    MILEAGE,
    PAYER,
    PROVIDER,
    RECEIVER,
    STATION,
    SUBMISSION,
    SUBMITTER,
    SUBSCRIBER,
    submission,
    with_lines,
)
from tests.billing.x12.judge import judge_837p


def render(*batch: ClaimSubmission) -> str:
    return render_837p(ENVELOPE, SUBMITTER, RECEIVER, batch)


def judged(*batch: ClaimSubmission) -> list[Segment]:
    """The segments of a batch that pyx12 has accepted."""
    text = render(*batch)
    assert judge_837p(text) == []
    return list(iter_segments(text))


def written(segments: list[Segment], *tags: str) -> list[str]:
    return [segment.render() for segment in segments if segment.tag in tags]


def named(number: int, base: ClaimSubmission = SUBMISSION) -> ClaimSubmission:
    return replace(base, claim=replace(base.claim, id=f"RUN26-{number:06}"))


GOLDEN = """\
ISA*00*          *00*          *ZZ*371234567      *30*330897513      *261105*1030*^*00501*000000101*0*T*:~
GS*HC*371234567*330897513*20261105*1030*101*X*005010X222A1~
ST*837*0001*005010X222A1~
BHT*0019*00*BATCH0001*20261105*1030*CH~
NM1*41*2*PRAIRIE EMS*****46*371234567~
PER*IC*BILLING OFFICE*TE*2175550100~
NM1*40*2*OFFICE ALLY*****46*330897513~
HL*1**20*1~
PRV*BI*PXC*3416L0300X~
NM1*85*2*PRAIRIE EMS*****XX*1467890129~
N3*1 STATION RD~
N4*SPRINGFIELD*IL*627011000~
REF*EI*371234567~
HL*2*1*22*0~
SBR*P*18*******MB~
NM1*IL*1*MUSTER*ZOE*Q***MI*1EG4TE5MK73~
N3*100 MAIN ST*APT 4~
N4*SPRINGFIELD*IL*627011234~
DMG*D8*19480217*F~
NM1*PR*2*MEDICARE PART B IL*****PI*00952~
CLM*RUN26-000001*1015.6***41:B:1*Y*A*Y*Y~
CR1*LB*154**A*DH*12.4****STROKE SYMPTOMS~
CRC*07*Y*01*09~
CRC*07*N*12~
HI*ABK:I639*ABF:R4701*ABF:Z9981~
NM1*PW*2~
N3*100 MAIN ST*APT 4~
N4*SPRINGFIELD*IL*627011234~
NM1*45*2*MEMORIAL HOSPITAL~
N3*701 N 1ST ST~
N4*SPRINGFIELD*IL*62781~
LX*1~
SV1*HC:A0427:RH*650*UN*1***1:2**Y~
DTP*472*D8*20261101~
REF*6R*L1-1~
LX*2~
SV1*HC:A0425:RH*365.6*UN*12.4***1~
DTP*472*D8*20261101~
REF*6R*L1-2~
SE*38*0001~
GE*1*101~
IEA*1*000000101~
"""


def test_one_claim_of_a_subscriber_who_is_the_patient() -> None:
    text = render(SUBMISSION)
    assert text == GOLDEN
    assert text.index("\n") == 106
    assert judge_837p(text) == []


def test_a_dependent_hangs_under_the_subscriber() -> None:
    segments = judged(replace(SUBMISSION, patient=CHILD))
    assert written(segments, "HL", "SBR", "PAT") == [
        "HL*1**20*1~",
        "HL*2*1*22*1~",
        "SBR*P********MB~",
        "HL*3*2*23*0~",
        "PAT*19~",
    ]
    tags = [segment.tag for segment in segments]
    subscriber = segments[tags.index("SBR") : tags.index("PAT")]
    assert [segment.tag for segment in subscriber] == ["SBR", "NM1", "NM1", "HL"]
    patient = segments[tags.index("PAT") : tags.index("CLM")]
    assert [segment.render() for segment in patient[1:]] == [
        "NM1*QC*1*MUSTER*KIM~",
        "N3*100 MAIN ST*APT 4~",
        "N4*SPRINGFIELD*IL*627011234~",
        "DMG*D8*20150505*U~",
    ]


def test_claims_of_one_subscriber_share_a_loop_and_levels_are_numbered_through() -> None:
    other = replace(SUBSCRIBER, member_id="2EG4TE5MK73")
    segments = judged(
        named(1),
        named(2, replace(SUBMISSION, subscriber=other)),
        named(3),
        named(4, replace(SUBMISSION, patient=CHILD)),
        named(5, replace(SUBMISSION, patient=replace(CHILD, relationship="20"))),
        named(6, replace(SUBMISSION, patient=CHILD)),
        named(7, replace(SUBMISSION, billing_provider=replace(PROVIDER, npi="1234567893"))),
    )
    assert [segment.render().split("*1015")[0] for segment in segments if segment.tag in ("HL", "CLM")] == [
        "HL*1**20*1~",
        "HL*2*1*22*0~",
        "CLM*RUN26-000001",
        "CLM*RUN26-000003",
        "HL*3*1*22*0~",
        "CLM*RUN26-000002",
        "HL*4*1*22*1~",
        "HL*5*4*23*0~",
        "CLM*RUN26-000004",
        "CLM*RUN26-000006",
        "HL*6*4*23*0~",
        "CLM*RUN26-000005",
        "HL*7**20*1~",
        "HL*8*7*22*0~",
        "CLM*RUN26-000007",
    ]


def test_another_payer_has_its_own_transaction_set() -> None:
    other = replace(SUBMISSION, payer=replace(PAYER, id="00621"))
    segments = judged(named(1), named(2, other), named(3))
    assert written(segments, "HL") == ["HL*1**20*1~", "HL*2*1*22*0~"] * 2
    assert [segment.element(1) for segment in segments if segment.tag == "CLM"] == [
        "RUN26-000001",
        "RUN26-000003",
        "RUN26-000002",
    ]
    sets = [(segment.element(2), segment.element(3)) for segment in segments if segment.tag in ("ST", "BHT")]
    assert sets == [("0001", "005010X222A1"), ("00", "BATCH0001"), ("0002", "005010X222A1"), ("00", "BATCH0001-2")]
    assert written(segments, "GE") == ["GE*2*101~"]
    assert [len(of_set) for of_set in transaction_sets([named(1), named(2, other), named(3)])] == [2, 1]


def test_five_hundred_claims_are_the_most_of_a_transaction_set() -> None:
    """A receiver that refuses one set refuses no more than these."""
    batch = [named(number) for number in range(1, 602)]
    assert [len(of_set) for of_set in transaction_sets(batch)] == [500, 101]
    interchange = parse_interchange(render(*batch))
    assert [set_.segments[0].element(2) for set_ in interchange.groups[0].transaction_sets] == ["0001", "0002"]
    assert interchange.deviations == []


def test_a_hundred_claims_are_the_most_of_one_level() -> None:
    dependents = [named(number, replace(SUBMISSION, patient=CHILD)) for number in range(201, 402)]
    segments = judged(*[named(number) for number in range(1, 151)], *dependents)
    levels = [segment.tag for segment in segments if segment.tag in ("HL", "CLM")]
    runs = [len(run.split()) for run in " ".join(levels).split("HL")[1:]]
    assert runs == [0, 100, 50, 0, 100, 100, 1]


def test_a_secondary_payer_names_its_sequence_and_insurance_type() -> None:
    segments = judged(
        replace(
            SUBMISSION,
            subscriber=replace(
                SUBSCRIBER, payer_sequence="S", insurance_type="47", group_number="G-1", name=PersonName(last="Muster")
            ),
            payer=replace(PAYER, address=HOSPITAL),
        )
    )
    assert written(segments, "SBR") == ["SBR*S*18*G-1**47****MB~"]
    assert "NM1*IL*1*MUSTER*****MI*1EG4TE5MK73~" in written(segments, "NM1")
    tags = [segment.tag for segment in segments]
    assert tags[tags.index("CLM") - 3 : tags.index("CLM")] == ["NM1", "N3", "N4"]


def test_fixed_wing_transport() -> None:
    base = replace(BASE, hcpcs="A0430", modifiers=("HI",))
    miles = replace(MILEAGE, hcpcs="A0435", modifiers=("HI",), units=Decimal(212))
    transport = replace(CLAIM.transport, loaded_miles=Decimal(212), weight_lb=None)
    segments = judged(with_lines(base, miles, place_of_service="42", transport=transport))
    assert written(segments, "CLM") == ["CLM*RUN26-000001*1015.6***42:B:1*Y*A*Y*Y~"]
    assert written(segments, "CR1") == ["CR1****A*DH*212****STROKE SYMPTOMS~"]
    assert written(segments, "SV1")[1] == "SV1*HC:A0435:HI*365.6*UN*212***1~"


def test_a_round_trip_bills_both_ways_in_one_claim() -> None:
    lines = [
        replace(line, modifiers=(route, "QM"), control_number=f"L-{number}")
        for number, (line, route) in enumerate([(BASE, "RH"), (MILEAGE, "RH"), (BASE, "HR"), (MILEAGE, "HR")])
    ]
    transport = replace(CLAIM.transport, loaded_miles=Decimal("24.8"), round_trip_purpose="Test not offered nearby")
    segments = judged(with_lines(*lines, transport=transport))
    assert written(segments, "CR1") == ["CR1*LB*154**A*DH*24.8***TEST NOT OFFERED NEARBY*STROKE SYMPTOMS~"]
    assert len(written(segments, "SV1")) == 4


def test_everything_situational_stands_in_its_place() -> None:
    doctor = Practitioner(name=PersonName(last="Beispiel", first="Ada", suffix="III"), npi="1234567893")
    accident = Accident(causes=("EM", "AA"), state="IL", occurred_on=date(2026, 10, 31))
    full = submission(
        frequency="7",
        payer_claim_control_number="1126310000001",
        signature_on_file=False,
        signed_by_provider=True,
        accident=accident,
        delay_reason="11",
        patient_amount_paid=Decimal("20.50"),
        prior_authorization="UTN-1",
        medical_record_number="26-4711",
        note="Nearest facility on diversion: see chart",
        referring_provider=doctor,
        rendering_provider=doctor,
        supervising_provider=doctor,
        drop_off=DropOff(address=HOSPITAL),
        lines=(replace(BASE, modifiers=("RH", "GM"), patient_count=2), MILEAGE),
    )
    segments = judged(
        replace(
            full, billing_provider=replace(PROVIDER, contact=CONTACT, pay_to_address=replace(STATION, line1="PO Box 1"))
        )
    )
    texts = [segment.render() for segment in segments]
    start = texts.index("CLM*RUN26-000001*1015.6***41:B:7*N*A*Y*Y*P*EM:AA::IL*********11~")
    assert texts[start + 1 : start + 7] == [
        "DTP*439*D8*20261031~",
        "AMT*F5*20.5~",
        "REF*G1*UTN-1~",
        "REF*F8*1126310000001~",
        "REF*EA*26-4711~",
        "NTE*ADD*NEAREST FACILITY ON DIVERSION- SEE CHART~",
    ]
    assert [text for text in texts if text.startswith("NM1")][4:] == [
        "NM1*IL*1*MUSTER*ZOE*Q***MI*1EG4TE5MK73~",
        "NM1*PR*2*MEDICARE PART B IL*****PI*00952~",
        "NM1*DN*1*BEISPIEL*ADA***III*XX*1234567893~",
        "NM1*82*1*BEISPIEL*ADA***III*XX*1234567893~",
        "NM1*DQ*1*BEISPIEL*ADA***III*XX*1234567893~",
        "NM1*PW*2~",
        "NM1*45*2~",
    ]
    assert texts[texts.index("SV1*HC:A0427:RH:GM*650*UN*1***1:2**Y~") + 2] == "QTY*PT*2~"
    pay_to = texts.index("NM1*87*2~")
    assert texts[pay_to - 1 : pay_to + 3] == [
        "PER*IC*BILLING OFFICE*TE*2175550100~",
        "NM1*87*2~",
        "N3*PO BOX 1~",
        "N4*SPRINGFIELD*IL*627011000~",
    ]


def test_the_envelope_carries_what_the_receiver_assigned() -> None:
    envelope = replace(
        ENVELOPE,
        application_sender_code="PRAIRIE",
        application_receiver_code="OA",
        acknowledgment_requested=True,
        usage_indicator="P",
        transaction_set_control_number=12345,
        interchange_control_number=999_999_999,
    )
    text = render_837p(envelope, SUBMITTER, RECEIVER, [SUBMISSION])
    assert judge_837p(text) == []
    isa, gs, st, *_, se, ge, iea = text.splitlines()
    assert isa.endswith("*999999999*1*P*:~")
    assert gs == "GS*HC*PRAIRIE*OA*20261105*1030*101*X*005010X222A1~"
    assert (st, se) == ("ST*837*12345*005010X222A1~", "SE*38*12345~")
    assert (ge, iea) == ("GE*1*101~", "IEA*1*999999999~")


def test_a_clearinghouse_that_insists_on_pi_gets_it() -> None:
    text = render_837p(ENVELOPE, SUBMITTER, replace(RECEIVER, id_qualifier="PI"), [SUBMISSION])
    assert "NM1*40*2*OFFICE ALLY*****PI*330897513~" in text


def test_a_pick_up_never_has_a_name_and_every_line_has_date_and_number() -> None:
    lines = [replace(BASE, control_number=f"B{number}", hcpcs="A0398") for number in range(48)]
    segments = judged(with_lines(BASE, MILEAGE, *lines))
    assert written(segments, "LX")[-1] == "LX*50~"
    assert written(segments, "DTP") == [f"DTP*472*D8*{DAY:%Y%m%d}~"] * 50
    assert len([segment for segment in segments if segment.render().startswith("REF*6R*")]) == 50
    assert written(segments, "NM1")[-2:] == ["NM1*PW*2~", "NM1*45*2*MEMORIAL HOSPITAL~"]


def test_addresses_abroad_and_of_the_armed_forces() -> None:
    """A province is N402 in Canada and N407 elsewhere; N404 stands only outside the United States."""
    ottawa = CanadianAddress(line1="24 Sussex Drive", city="Ottawa", state="ON", zip_code="K1M 1M4")
    nogales = ForeignAddress(line1="Calle 5", city="Nogales", state="SON", zip_code="84000", country="MX")
    nassau = ForeignAddress(line1="2 Bay Street", city="Nassau", country="BS")
    military = replace(HOSPITAL, city="APO", state="AE", zip_code="09021")
    places: tuple[PostalAddress, ...] = (ottawa, nogales, nassau, military)
    batch = [
        replace(
            SUBMISSION,
            subscriber=replace(SUBSCRIBER, address=home),
            claim=replace(CLAIM, id=f"RUN26-{number:06}", pick_up=home, drop_off=DropOff(address=home)),
        )
        for number, home in enumerate(places)
    ]
    wanted = [
        "N4*OTTAWA*ON*K1M1M4*CA~",
        "N4*NOGALES**84000*MX***SON~",
        "N4*NASSAU***BS~",
        "N4*APO*AE*09021~",
    ]
    found = [line for line in written(judged(*batch), "N4") if not line.startswith("N4*SPRINGFIELD")]
    assert found == [line for line in wanted for _ in range(3)]
