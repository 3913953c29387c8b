"""One claim of each kind that an edit finds, and one beside it in which the edit finds nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.billing.certificates.models import Certificate, CertifierRole
from app.billing.claims.facts import CheckedClaim, HeldChart, check_claim
from app.billing.coverages.models import Coverage, Relationship
from app.billing.edits.background import Background, Derived, OtherClaim
from app.billing.fee_schedules.prices import PriceBook
from app.billing.fee_schedules.repository import PricedItem
from app.billing.notices.models import AdvanceNotice, NoticeOption
from app.billing.payers.models import PayerRecord
from app.coding.public import CodePeriod, Icd10Extract
from app.core.ids import new_id
from app.ems.public import SignatureRead, SignatureStatus, StatementCode
from tests.billing.support.claims import BASE_LINE, MILEAGE_LINE
from tests.billing.support.drafts import AT, TENANT_ID, agency_profile, claim_with_lines, patient_chart
from tests.support.charts import PATIENT

Changes = dict[str, Any]
RIDE = "eDisposition.30"
SERVED = dt.date(2026, 11, 1)
LEFT = dt.datetime(2026, 11, 1, 16, 20, tzinfo=dt.UTC)
NON_EMERGENCY = {**BASE_LINE, "hcpcs": "A0428"}
CERTIFIED = {"ePayment.02": "9922005", "ePayment.03": "2026-10-30T09:00:00-05:00", "ePayment.05": "2605005"}
SCHEDULED = {"eResponse.24": "2224007"}
CONFINED = {"yes": ["04", "12"], "no": []}


def values(codes: Mapping[str, str]) -> dict[str, Any]:
    return {name: [{"value": code}] for name, code in codes.items()}


def payer(**changes: Any) -> PayerRecord:
    known = {"name": "Medicare Part B IL", "payer_id": "00952", "claim_filing_code": "MB"}
    return PayerRecord(tenant_id=TENANT_ID, **{**known, **changes})


def coverage(**changes: Any) -> Coverage:
    ids: Changes = {"tenant_id": TENANT_ID, "incident_id": new_id(), "patient_id": new_id()}
    return Coverage(**{**ids, "sequence": "P", **changes})


def signature(code: StatementCode, *, covers: bool = True) -> SignatureRead:
    blank: dict[str, Any] = dict.fromkeys(SignatureRead.model_fields)
    state = {"statement_code": code, "status": SignatureStatus.SIGNED, "covers_current_chart": covers}
    return SignatureRead.model_construct(**{**blank, **state})


def lines(*, base: Changes | None = None, mileage: Changes | None = None, more: list[Changes] | None = None) -> Changes:
    """The lines of a claim: base code, mileage and others, with what differs from the usual ones."""
    return {"lines": [{**BASE_LINE, **(base or {})}, {**MILEAGE_LINE, **(mileage or {})}, *(more or [])]}


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A claim as an edit sees it. `claim` varies the request, `columns` what a request cannot say."""

    profile: Changes = field(default_factory=dict)
    patient: Changes = field(default_factory=dict)
    charted: Mapping[str, str] = field(default_factory=dict)
    incident: Changes = field(default_factory=dict)
    claim: Changes = field(default_factory=dict)
    columns: Changes = field(default_factory=dict)
    background: Changes = field(default_factory=dict)
    signatures: tuple[SignatureRead, ...] = ()
    codes: Icd10Extract = field(default_factory=lambda: Icd10Extract(known=False))
    gone: bool = False
    covered: Coverage | None = None
    at: dt.datetime = AT

    def check(self) -> CheckedClaim:
        body, told = {**self.claim}, {**PATIENT, **self.patient}
        told["elements"] = {**told["elements"], **values(self.charted)}
        chart = patient_chart(patient=told, **self.incident)
        claim, claim_lines = claim_with_lines(**body)
        claim.patient_id = new_id() if self.gone else chart.patient.id
        around = {"payer": payer(), **self.background}
        if self.covered is not None:
            claim.coverage_id, around["coverages"] = self.covered.id, [self.covered]
        for name, value in self.columns.items():
            setattr(claim, name, value)
        mine = [one.model_copy(update={"patient_id": chart.patient.id}) for one in self.signatures]
        held = HeldChart(chart.incident, [chart], mine)
        profile = agency_profile(**self.profile)
        return check_claim(profile, held, claim, claim_lines, self.at, self.codes, Background(**around))

    def codes_of(self, edit: str) -> set[tuple[str, str, str]]:
        """What the edit finds: severity, field and code."""
        return {
            (found.severity.value, found.field, found.code) for found in self.check().findings if found.edit.id == edit
        }


@dataclass(frozen=True)
class Case:
    edit: str
    found: tuple[str, str, str]
    bad: Drawn
    good: Drawn = field(default_factory=Drawn)

    def __str__(self) -> str:
        return f"{self.edit}-{self.found[2]}"


def _planned(charted: Mapping[str, str] = CERTIFIED, claim: Changes | None = None, **more: Any) -> Drawn:
    """A transport that is no emergency, of a confined patient."""
    base = {"lines": [NON_EMERGENCY, MILEAGE_LINE], "certifications": CONFINED, **(claim or {})}
    return Drawn(charted=charted, claim=base, **more)


def _second(**more: Any) -> Drawn:
    """A claim to the second payer."""
    columns = {"payer_sequence": "S", "insurance_type": "12", **more.pop("columns", {})}
    return Drawn(columns=columns, **more)


def _other(**changes: Any) -> OtherClaim:
    known = {"same_patient": False, "payer_sequence": "P"}
    return OtherClaim(**{**known, "lines": [("A0429", ("RH",))], "departed_at": LEFT, **changes})


def _price(amount: str) -> PriceBook:
    return PriceBook([PricedItem(None, "A0429", Decimal(amount), new_id(), new_id(), 1, dt.date(2026, 1, 1), None)])


def _derived(**values: Any) -> Derived:
    """A derivation that agrees with the claim, but for `values`. `lines` are those that it wrote."""
    written = values.pop("lines", [("A0429", ["RH"])])
    return Derived(
        values={"origin_modifier": "R", "destination_modifier": "H", "hcpcs": "A0429", **values}, lines=written
    )


def _notice(*, is_voluntary: bool = False) -> AdvanceNotice:
    ids: Changes = {"tenant_id": TENANT_ID, "incident_id": new_id(), "patient_id": new_id()}
    return AdvanceNotice(
        **ids, option=NoticeOption.ASK_MEDICARE, is_voluntary=is_voluntary, reason="Not necessary", signed_on=SERVED
    )


def _certificate(**changes: Any) -> Certificate:
    ids: Changes = {"tenant_id": TENANT_ID, "incident_id": new_id(), "patient_id": new_id()}
    return Certificate(**ids, **{"signer_role": CertifierRole.PHYSICIAN, **changes})


B, W = "blocking", "warning"
_PRIMARY = {"others": [_other(same_patient=True, is_decided=True)]}
_PARENT = {"relationship": "19", "last_name": "Muster", "first_name": "Eva", "date_of_birth": "1970-01-01", "sex": "F"}
_QL = {"modifiers": ["RH", "QL"]}
_DIED = {"eDisposition.19": "4219009", RIDE: "4230013"}
_DEAD = Drawn(claim={"lines": [{**BASE_LINE, **_QL}], "loaded_miles": "0"}, charted=_DIED)

CASES: tuple[Case, ...] = (
    Case("E01", (B, "tenant.npi", "npi_check_digit"), Drawn(profile={"npi": "1467890128"})),
    Case("E02", (B, "tenant.ein", "ein"), Drawn(profile={"ein": "37123456"}), Drawn(profile={"ein": "37-1234567"})),
    Case("E03", (B, "tenant.taxonomy", "taxonomy"), Drawn(profile={"taxonomy": "3416L03000"})),
    Case(
        "E04",
        (B, "tenant.street", "billing_po_box"),
        Drawn(profile={"street": "P.O. Box 12"}),
        Drawn(
            profile={
                "pay_to_street": "PO Box 12",
                "pay_to_city": "Springfield",
                "pay_to_state": "IL",
                "pay_to_zip": "62705-0012",
            }
        ),
    ),
    Case("E05", (B, "tenant.zip", "billing_zip"), Drawn(profile={"zip": "62701"})),
    Case("E05", (B, "tenant.zip", "zip"), Drawn(profile={"zip": "99999-9999"})),
    Case("E05", (W, "tenant.zip", "filler_zip"), Drawn(profile={"zip": "62701-9999"})),
    Case("E06", (B, "tenant.phone", "phone"), Drawn(profile={"phone": "555-0100"})),
    Case("E06", (B, "tenant.receiver_id", "missing"), Drawn(profile={"receiver_id": None})),
    Case("E07", (B, "claim_number", "claim_id"), Drawn(columns={"claim_number": "C" * 21})),
    Case(
        "E08",
        (B, "patient.last_name", "unspellable"),
        Drawn(patient={"last_name": "\U0001f691"}),
        Drawn(patient={"last_name": "\u018fl\u0131\u0142\u00f8\u00df\u0111\u0127"}),
    ),
    Case("E09", (B, "patient.gender", "missing"), Drawn(patient={"gender": None})),
    Case("E09", (B, "patient.date_of_birth", "birth_future"), Drawn(patient={"date_of_birth": "2026-11-21"})),
    Case(
        "E09",
        (B, "patient.date_of_birth", "too_old"),
        Drawn(patient={"date_of_birth": "1899-01-01"}),
        Drawn(patient={"date_of_birth": "1907-01-01"}),
    ),
    Case("E10", (B, "patient.home_zip", "zip"), Drawn(patient={"home_zip": "00000"})),
    Case(
        "E10",
        (B, "patient.home_state", "state"),
        Drawn(patient={"home_state": "XX"}),
        Drawn(patient={"home_city": "APO", "home_state": "AE", "home_zip": "09012"}),
    ),
    Case("E10", (B, "patient.home_street", "missing"), Drawn(patient={"home_street": None})),
    Case(
        "E11",
        (B, "subscriber.sex", "missing"),
        Drawn(columns={"subscriber": {**_PARENT, "sex": None}}),
        Drawn(columns={"subscriber": _PARENT}),
    ),
    Case("E11", (B, "subscriber", "self_as_other"), Drawn(columns={"subscriber": {**_PARENT, "relationship": "18"}})),
    Case(
        "E11",
        (B, "subscriber", "missing"),
        Drawn(covered=coverage(relationship=Relationship.CHILD, subscriber_last_name="Muster")),
        Drawn(covered=coverage()),
    ),
    Case("E12", (B, "member_id", "missing"), Drawn(columns={"member_id": None})),
    Case(
        "E12",
        (B, "member_id", "medicare_number"),
        Drawn(claim={"member_id": "123456789A"}),
        Drawn(
            claim={"member_id": "123456789A", "claim_filing_code": "MC"},
            background={"payer": payer(claim_filing_code="MC")},
        ),
    ),
    Case("E13", (B, "payer_id", "missing"), Drawn(columns={"payer_id": None})),
    Case("E13", (W, "payer_record_id", "payer_unlisted"), Drawn(background={"payer": None})),
    Case("E13", (W, "payer_id", "differs_from_payer"), Drawn(claim={"payer_id": "00953"})),
    Case(
        "E14",
        (B, "payer_sequence", "payer_skipped"),
        _second(),
        _second(background=_PRIMARY),
    ),
    Case(
        "E15",
        (B, "insurance_type", "missing"),
        _second(columns={"insurance_type": None}, background=_PRIMARY),
        _second(background=_PRIMARY),
    ),
    Case(
        "E16",
        (W, "coverage_id", "coverage_inactive"),
        Drawn(covered=coverage(effective_to=dt.date(2026, 10, 31))),
        Drawn(covered=coverage(effective_from=dt.date(2026, 11, 1))),
    ),
    Case("E19", (B, "lines[0].hcpcs", "air_place"), Drawn(claim=lines(base={"hcpcs": "A0431"}))),
    Case(
        "E19",
        (W, "place_of_service", "land_place"),
        Drawn(claim={"place_of_service": "42"}),
        Drawn(claim={"place_of_service": "42"}, charted={"eDisposition.16": "4216017"}),
    ),
    Case("E20", (B, "loaded_miles", "missing"), Drawn(columns={"loaded_miles": None})),
    Case("E20", (B, "loaded_miles", "no_miles"), Drawn(columns={"loaded_miles": Decimal(0)}), _DEAD),
    Case("E20", (B, "transport_reason", "missing"), Drawn(columns={"transport_reason": None})),
    Case("E20", (B, "weight_lb", "too_heavy"), Drawn(claim={"weight_lb": "1501"}), Drawn(claim={"weight_lb": "1500"})),
    Case("E21", (B, "loaded_miles", "miles_units"), Drawn(claim={"loaded_miles": "12.5"})),
    Case(
        "E22",
        (B, "lines[1].units", "miles_format"),
        Drawn(claim={**lines(mileage={"units": "100.2"}), "loaded_miles": "100.2"}),
        Drawn(claim={**lines(mileage={"units": "101"}), "loaded_miles": "101"}),
    ),
    Case(
        "E23",
        (W, "loaded_miles", "detour"),
        Drawn(
            incident={"location_latitude": "39.80", "location_longitude": "-89.65"},
            charted={"eDisposition.09": "39.81,-89.65"},
        ),
        Drawn(
            incident={"location_latitude": "39.80", "location_longitude": "-89.65"},
            charted={"eDisposition.09": "39.90,-89.65"},
        ),
    ),
    Case(
        "E23",
        (W, "loaded_miles", "shorter_than_straight"),
        Drawn(
            incident={"location_latitude": "39.80", "location_longitude": "-89.65"},
            charted={"eDisposition.09": "41.80,-89.65"},
        ),
    ),
    Case("E24", (B, "certifications", "condition_missing"), Drawn(claim={"certifications": {"no": ["12"]}}), _DEAD),
    Case(
        "E25",
        (B, "certifications", "emergency_condition"),
        _planned(claim={"certifications": {"yes": ["04", "06"], "no": []}}),
        _planned(),
    ),
    Case(
        "E25",
        (W, "certifications", "confinement_missing"),
        _planned(claim={"certifications": {"yes": ["01"], "no": []}}),
        _planned(),
    ),
    Case("E26", (W, "certifications", "emergency_missing"), Drawn(claim={"certifications": {"yes": ["09"]}})),
    Case(
        "E26",
        (W, "lines[0].hcpcs", "response_not_immediate"),
        Drawn(charted={"eResponse.23": "2223005"}),
        Drawn(charted={"eResponse.23": "2223001"}),
    ),
    Case("E27", (B, "incident.location_zip", "zip"), Drawn(incident={"location_zip": "99999"})),
    Case(
        "E27",
        (B, "patient.destination_street", "missing"),
        Drawn(patient={"destination_street": None}),
    ),
    Case("E29", (W, "patient.destination_name", "missing"), Drawn(patient={"destination_name": None})),
    Case("E30", (B, "lines", "base_code"), Drawn(claim={"lines": [MILEAGE_LINE]})),
    Case(
        "E31",
        (B, "lines", "mileage_missing"),
        Drawn(claim={"lines": [BASE_LINE]}),
        _DEAD,
    ),
    Case(
        "E31",
        (B, "lines[1].hcpcs", "mileage_without_base"),
        Drawn(claim=lines(mileage={"hcpcs": "A0436"})),
    ),
    Case("E32", (B, "lines[1].modifiers", "mileage_route"), Drawn(claim=lines(mileage={"modifiers": ["SH"]}))),
    Case("E33", (B, "lines[0].modifiers", "origin_destination"), Drawn(claim=lines(base={"modifiers": ["HS"]}))),
    Case(
        "E33",
        (B, "lines[0].modifiers", "origin_destination"),
        Drawn(claim={"lines": [{**BASE_LINE, "modifiers": ["QL"]}], "loaded_miles": "0"}, charted=_DIED),
        _DEAD,
    ),
    Case(
        "E33",
        (B, "lines", "origin_destination"),
        Drawn(claim={"lines": [MILEAGE_LINE]}, background={"derived": _derived(destination_modifier=None)}),
        Drawn(claim={"lines": [MILEAGE_LINE]}, background={"derived": _derived()}),
    ),
    Case(
        "E34",
        (B, "lines[0].modifiers", "differs_from_chart"),
        Drawn(background={"derived": _derived(origin_modifier="S", lines=[("A0429", ["SH"])])}),
        Drawn(background={"derived": _derived()}),
    ),
    Case(
        "E34",
        (W, "lines[0].modifiers", "differs_from_chart"),
        Drawn(background={"derived": _derived(origin_modifier="S")}),
        Drawn(background={"derived": _derived(origin_modifier=None)}),
    ),
    Case(
        "E36",
        (B, "lines[0].hcpcs", "level_not_charted"),
        Drawn(background={"derived": _derived(hcpcs="A0428", lines=[("A0428", ["RH"])])}),
        Drawn(background={"derived": _derived()}),
    ),
    Case(
        "E36",
        (W, "lines[0].hcpcs", "level_not_charted"),
        Drawn(background={"derived": _derived(hcpcs="A0428")}),
        Drawn(background={"derived": _derived(hcpcs=None)}),
    ),
    Case(
        "E37",
        (B, "lines[0].hcpcs", "level_not_charted"),
        Drawn(claim=lines(base={"hcpcs": "A0433"}), background={"derived": _derived()}),
        Drawn(claim=lines(base={"hcpcs": "A0433"}), background={"derived": _derived(hcpcs="A0433")}),
    ),
    Case(
        "E35",
        (W, "lines[0].modifiers", "pair_not_covered"),
        Drawn(claim=lines(base={"modifiers": ["RP"]}, mileage={"modifiers": ["RP"]})),
        Drawn(
            claim={
                **lines(base={"modifiers": ["RP"]}, mileage={"modifiers": ["RP"]}),
                "claim_filing_code": "CI",
            },
            background={"payer": payer(claim_filing_code="CI")},
        ),
    ),
    Case(
        "E38",
        (B, "lines[0].hcpcs", "level_of_the_dead"),
        Drawn(claim={"lines": [{**BASE_LINE, **_QL, "hcpcs": "A0427"}], "loaded_miles": "0"}, charted=_DIED),
        _DEAD,
    ),
    Case(
        "E38",
        (B, "lines[1].hcpcs", "miles_of_the_dead"),
        Drawn(claim=lines(base=_QL), charted=_DIED),
        _DEAD,
    ),
    Case(
        "E38",
        (B, "lines", "death_not_charted"),
        Drawn(claim={"lines": [{**BASE_LINE, **_QL}], "loaded_miles": "0"}, charted={RIDE: "4230013"}),
        _DEAD,
    ),
    Case("E39", (B, "patient_count", "one_patient"), Drawn(claim=lines(base={"modifiers": ["RH", "GM"]}))),
    Case("E39", (W, "lines", "several_patients"), Drawn(claim={"patient_count": 2})),
    Case("E39", (W, "patient_count", "chart_has_one"), Drawn(claim={"patient_count": 2})),
    Case(
        "E40",
        (B, "lines[0].modifiers", "notices_contradict"),
        Drawn(claim=lines(base={"modifiers": ["RH", "GX", "GZ"]})),
        Drawn(claim=lines(base={"modifiers": ["RH", "GX", "GY"]})),
    ),
    Case(
        "E40",
        (B, "lines[0].modifiers", "notice_missing"),
        Drawn(claim=lines(base={"modifiers": ["RH", "GA"]}), background={"notices": [_notice(is_voluntary=True)]}),
        Drawn(claim=lines(base={"modifiers": ["RH", "GA"]}), background={"notices": [_notice()]}),
    ),
    Case(
        "E41",
        (W, "lines[2].hcpcs", "bundled"),
        Drawn(claim=lines(more=[{"hcpcs": "A0422", "units": "1", "charge": "40"}])),
    ),
    Case("E42", (B, "lines[0].units", "base_units"), Drawn(claim=lines(base={"units": "2"}))),
    Case("E42", (B, "charge_amount", "charge_zero"), Drawn(claim=lines(base={"charge": "0"}, mileage={"charge": "0"}))),
    Case("E42", (W, "lines[1].charge", "no_charge"), Drawn(claim=lines(mileage={"charge": "0"}))),
    Case(
        "E42",
        (W, "lines[0].charge", "differs_from_schedule"),
        Drawn(background={"prices": _price("651.00")}),
        Drawn(background={"prices": _price("650.00")}),
    ),
    Case("E43", (B, "charge_amount", "charge_sum"), Drawn(columns={"charge_amount": Decimal("1015.61")})),
    Case("E44", (B, "incident.depart_scene_time", "missing"), Drawn(incident={"depart_scene_time": None})),
    Case(
        "E44",
        (B, "incident.depart_scene_time", "service_date_future"),
        Drawn(at=dt.datetime(2026, 10, 31, 12, tzinfo=dt.UTC)),
    ),
    Case(
        "E45",
        (B, "lines[0].diagnosis_pointers", "pointer"),
        Drawn(claim=lines(base={"diagnosis_pointers": [1, 7]})),
    ),
    Case(
        "E45",
        (W, "lines[0].diagnosis_pointers", "principal_not_first"),
        Drawn(claim=lines(base={"diagnosis_pointers": [2, 1]})),
    ),
    Case("E45", (B, "diagnoses", "missing"), Drawn(columns={"diagnoses": []})),
    Case(
        "E46",
        (B, "diagnoses[0]", "unknown_code"),
        Drawn(codes=Icd10Extract(known=True)),
        Drawn(
            codes=Icd10Extract(
                known=True,
                periods={code: [CodePeriod(SERVED, None, billable=True)] for code in ("I639", "R4701")},
            )
        ),
    ),
    Case(
        "E46",
        (B, "diagnoses[0]", "external_cause_first"),
        Drawn(claim={"diagnoses": ["W19.XXXA", "S72.001A"]}),
        Drawn(claim={"diagnoses": ["S72.001A", "W19.XXXA"]}),
    ),
    Case(
        "E46",
        (W, "diagnoses", "confinement_not_coded"),
        Drawn(claim={"certifications": {"yes": ["06", "12"], "no": []}}),
        Drawn(claim={"certifications": {"yes": ["06", "12"], "no": []}, "diagnoses": ["I63.9", "Z74.01"]}),
    ),
    Case(
        "E47",
        (W, "accident", "accident_missing"),
        Drawn(claim={"diagnoses": ["S72.001A", "R47.01"]}),
        Drawn(
            claim={
                "diagnoses": ["S72.001A", "R47.01"],
                "accident": {"causes": ["OA"], "occurred_on": "2026-11-01"},
            }
        ),
    ),
    Case("E47", (B, "accident.state", "missing"), Drawn(claim={"accident": {"causes": ["AA"]}})),
    Case(
        "E47",
        (B, "lines[2].hcpcs", "code_unknown"),
        Drawn(claim=lines(more=[{"hcpcs": "A0777", "units": "1", "charge": "4"}])),
    ),
    Case(
        "E47",
        (B, "lines[2].hcpcs", "code_retired"),
        Drawn(claim=lines(more=[{"hcpcs": "Q3019", "units": "1", "charge": "4"}])),
    ),
    Case("E48", (B, "patient.elements.ePayment.03", "certificate_missing"), _planned({}), _planned()),
    Case(
        "E48",
        (B, "patient.elements.ePayment.03", "certificate_missing"),
        _planned({}),
        _planned({}, background={"certificates": [_certificate(signed_on=SERVED)]}),
    ),
    Case(
        "E48",
        (B, "patient.elements.ePayment.03", "certificate_unsigned"),
        _planned({}, background={"certificates": [_certificate(attempted_on=SERVED)]}),
        _planned(
            {},
            background={"certificates": [_certificate(attempted_on=SERVED)]},
            at=dt.datetime(2026, 11, 22, 18, tzinfo=dt.UTC),
        ),
    ),
    Case(
        "E48",
        (B, "patient.elements.ePayment.03", "certificate_late"),
        _planned({}, background={"certificates": [_certificate(signed_on=dt.date(2026, 11, 4))]}),
        _planned(
            {},
            background={"certificates": [_certificate(signed_on=dt.date(2026, 11, 4)), _certificate(signed_on=SERVED)]},
        ),
    ),
    Case(
        "E48",
        (B, "patient.elements.ePayment.03", "certificate_old"),
        _planned({**CERTIFIED, **SCHEDULED, "ePayment.03": "2026-09-01T09:00:00-05:00"}),
        _planned({**CERTIFIED, **SCHEDULED, "ePayment.03": "2026-09-02T09:00:00-05:00"}),
    ),
    Case(
        "E48",
        (B, "patient.elements.ePayment.03", "certificate_signer"),
        _planned({**CERTIFIED, **SCHEDULED, "ePayment.05": "2605009"}),
        _planned({**CERTIFIED, "ePayment.05": "2605009"}),
    ),
    Case(
        "E48",
        (B, "patient.elements.ePayment.03", "certificate_late"),
        _planned({**CERTIFIED, "ePayment.03": "2026-11-03T10:41:00-06:00"}),
        _planned({**CERTIFIED, "ePayment.03": "2026-11-03T10:39:00-06:00"}),
    ),
    Case(
        "E49",
        (B, "signature_on_file", "missing"),
        Drawn(columns={"signature_on_file": None}),
    ),
    Case(
        "E49",
        (B, "signature_on_file", "outdated"),
        Drawn(signatures=(signature(StatementCode.ASSIGNMENT_OF_BENEFITS, covers=False),)),
        Drawn(signatures=(signature(StatementCode.ASSIGNMENT_OF_BENEFITS),)),
    ),
    Case(
        "E50",
        (W, "incident.signatures", "attestation_missing"),
        Drawn(profile={"require_crew_signature": True}),
        Drawn(profile={"require_crew_signature": True}, signatures=(signature(StatementCode.CREW_ATTESTATION),)),
    ),
    Case(
        "E51",
        (B, "prior_authorization", "tracking_number"),
        _planned({**CERTIFIED, **SCHEDULED}, {"prior_authorization": "A012345678901"}),
        _planned({**CERTIFIED, **SCHEDULED}, {"prior_authorization": "A0123456789012"}),
    ),
    Case(
        "E51",
        (W, "prior_authorization", "authorization_missing"),
        _planned(
            {**CERTIFIED, **SCHEDULED},
            {"lines": [{**NON_EMERGENCY, "modifiers": ["RJ"]}, {**MILEAGE_LINE, "modifiers": ["RJ"]}]},
        ),
        _planned({**CERTIFIED, **SCHEDULED}),
    ),
    Case(
        "E52",
        (B, "delay_reason", "filed_late"),
        Drawn(background={"payer": payer(timely_filing_days=18)}),
        Drawn(background={"payer": payer(timely_filing_days=18)}, columns={"delay_reason": "1"}),
    ),
    Case(
        "E52",
        (W, "submitted_at", "filing_ends_soon"),
        Drawn(background={"payer": payer(timely_filing_days=49)}),
        Drawn(background={"payer": payer(timely_filing_days=50)}),
    ),
    Case(
        "E53",
        (B, "lines", "duplicate"),
        Drawn(background={"others": [_other()]}),
        Drawn(background={"others": [_other(is_closed=True)]}),
    ),
    Case(
        "E53",
        (W, "lines[0].modifiers", "second_trip"),
        Drawn(background={"others": [_other(departed_at=LEFT + dt.timedelta(hours=3))]}),
        Drawn(
            background={"others": [_other(departed_at=LEFT + dt.timedelta(hours=3))]},
            claim=lines(base={"modifiers": ["RH", "76"]}),
        ),
    ),
    Case("E54", (B, "frequency", "medicare_reopens"), Drawn(columns={"frequency": "7"})),
    Case(
        "E54",
        (B, "frequency", "not_taken"),
        Drawn(
            claim={"claim_filing_code": "CI"},
            columns={"frequency": "8", "payer_claim_control_number": "X1"},
            background={"payer": payer(claim_filing_code="CI")},
        ),
        Drawn(
            claim={"claim_filing_code": "CI"},
            columns={"frequency": "8", "payer_claim_control_number": "X1"},
            background={"payer": payer(claim_filing_code="CI", takes_replacements=True)},
        ),
    ),
    Case(
        "E54",
        (B, "payer_claim_control_number", "missing"),
        Drawn(columns={"frequency": "8"}),
    ),
    Case(
        "E55",
        (B, "payer_sequence", "earlier_payer_undecided"),
        _second(background={"others": [_other(same_patient=True)]}),
        _second(background=_PRIMARY),
    ),
    Case(
        "E56",
        (B, "prior_authorization", "missing"),
        _planned(background={"payer": payer(requires_prior_authorization=True)}),
        _planned(claim={"prior_authorization": "A1"}, background={"payer": payer(requires_prior_authorization=True)}),
    ),
    Case(
        "E57",
        (B, "lines[2].description", "missing"),
        Drawn(claim=lines(more=[{"hcpcs": "A0999", "units": "1", "charge": "4"}])),
        Drawn(claim=lines(more=[{"hcpcs": "A0999", "units": "1", "charge": "4", "description": "Bariatric lift"}])),
    ),
    Case(
        "E57",
        (W, "note", "missing"),
        Drawn(claim={"transport_reason": "B"}),
        Drawn(claim={"transport_reason": "B"}, columns={"note": "Family lives near"}),
    ),
    Case("E58", (W, "payer_name", "self_pay"), Drawn(charted={"ePayment.01": "2601011"})),
    Case("E61", (B, "patient_id", "unknown_patient"), Drawn(gone=True)),
    Case("E61", (B, f"patient.elements.{RIDE}", "not_transported"), Drawn(charted={RIDE: "4230013"})),
)
