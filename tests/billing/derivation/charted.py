"""What the rows of the table are charted from: calls, patients, crews, payers, facilities, drugs and procedures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.billing.derivation.facts import NO, YES, Abn, Body, Charted, Payer, PayerKind, at, values

EMR, EMT, AEMT, PARAMEDIC, NURSE = "9925003", "9925005", "9925001", "9925007", "9925043"
BLS_CREW, ALS_CREW = (EMT, EMT), (PARAMEDIC, EMT)
BY_EMT, BY_AEMT, BY_PARAMEDIC, BY_NURSE = "9905005", "9905001", "9905007", "9905041"

HOUSE, STREET, RESTAURANT, HOSPITAL_PLACE = "Y92.01", "Y92.41", "Y92.511", "Y92.23"
OFFICE_PLACE, NURSING_HOME_PLACE, OTHER_AMBULATORY_PLACE = "Y92.531", "Y92.12", "Y92.538"

EMERGENCY, INTERCEPT, ROUTINE = "2205001", "2205003", "2205007"
BETWEEN_HOSPITALS, FROM_HOSPITAL, BETWEEN_OTHERS, TO_HOSPITAL = "2205005", "2205015", "2205017", "2205019"
IMMEDIATE, DOWNGRADED, NOT_URGENT = "2223001", "2223003", "2223005"
SIRENS, SCHEDULED, UNSCHEDULED = "2224015", "2224007", "2224013"
CHEST_PAIN, FALL, TRANSFER, ARREST, AIR, SICK = "2301021", "2301033", "2301071", "2301019", "2301083", "2301061"

GROUND, FIXED_WING, HELICOPTER = "4216005", "4216001", "4216003"
THIS_UNIT, OTHER_UNIT, OTHER_UNIT_WITH_OURS, REFUSED, NO_TRANSPORT = (
    "4230001",
    "4230005",
    "4230007",
    "4230009",
    "4230013",
)
EMERGENCY_ROOM, BED, HOME, SNF, ASSISTED_LIVING = "4221003", "4221005", "4221001", "4221041", "4221029"
DIAGNOSTIC, DIALYSIS, NURSING_HOME, CLINIC, OTHER = "4221027", "4221025", "4221033", "4221007", "4221013"
FREESTANDING_ED, REHABILITATION, AIR_CREW = "4221023", "4221037", "4221015"
STRETCHER, WALKED = "9909013", "9909001"

MEDICARE = Payer(PayerKind.MEDICARE, "Medicare Part B", "1EG4TE5MK73", method="2601005")
MEDICAID = Payer(PayerKind.MEDICAID, "Illinois Medicaid", "123456789", method="2601003")
COMMERCIAL = Payer(PayerKind.COMMERCIAL, "Prairie Mutual", "PM123456789")
SELF_PAY = Payer(PayerKind.NOBODY, method="2601011")
UNINSURED = Payer(PayerKind.NOBODY, method="2601021")
INSURED_PARENT = Payer(
    PayerKind.COMMERCIAL, "Prairie Mutual", "PM555000111", "2622005",
    values(ePayment_19="Kindred", ePayment_20="Paula", ePayment_60="1988-04-02"),
)  # fmt: skip
INSURED_SPOUSE = Payer(
    PayerKind.COMMERCIAL, "Prairie Mutual", "PM555000222", "2622003",
    values(ePayment_19="Muster", ePayment_20="Erik", ePayment_60="1946-09-30"),
)  # fmt: skip

BED_CONFINED = ("04", "12")
MOBILITY = values(ePayment_41=("2641001", "2641003", "2641005"))

ADENOSINE, AMIODARONE, ASPIRIN, DIPHENHYDRAMINE, EPINEPHRINE = "296", "703", "1191", "3498", "3992"
FENTANYL, HEPARIN, MIDAZOLAM, NALOXONE, NITROGLYCERIN = "4337", "5224", "6960", "7242", "4917"
NOREPINEPHRINE, ONDANSETRON, OXYGEN, PROPOFOL, ALBUTEROL = "7512", "26225", "7806", "8782", "435"
SALINE_BAG, RINGERS, GLUCOSE_50 = "1807639", "847630", "727517"
GRAMS, MICROGRAMS, MILLIGRAMS, MILLILITRES, UNITS = "3706001", "3706015", "3706021", "3706025", "3706049"
LITRES_A_MINUTE, MICROGRAMS_A_MINUTE, MILLIGRAMS_A_MINUTE = "3706035", "3706037", "3706041"
IV, PUMP, MUSCLE, NOSE, MOUTH, NEBULIZER, UNDER_TONGUE, CANNULA = (
    "9927023",
    "9927069",
    "9927015",
    "9927017",
    "9927035",
    "9927071",
    "9927047",
    "9927025",
)

MANUAL_DEFIBRILLATION, CARDIOVERSION, INTUBATION, PACING = "426220008", "250980009", "232674004", "18590009"
CENTRAL_LINE, DECOMPRESSION, CRICOTHYROTOMY, INTRAOSSEOUS = "233527006", "182705007", "232690004", "430824005"
AED, LARYNGEAL_MASK, IV_INSERTION, TUBE_VENTILATION = "450661000124102", "424979004", "392230005", "243140006"
SPLINT, COMPRESSIONS, VENTILATOR = "79321009", "89666000", "385857005"


def facility(name: str, kind: str, letter: str | None, **more: Any) -> Body:
    """A facility record: dFacility.01, and the letter of the modifier where the agency entered one."""
    place = {"street": "40 Lakeshore Drive", "city": "Springfield", "state": "IL", "zip": "62703-0042"}
    return {"name": name, "facility_type": kind, "billing_letter": letter, "npi": "1234567893", **place, **more}


GENERAL_HOSPITAL = facility("Lincoln Regional Hospital", "1701005", "H")
HOSPITAL_DIALYSIS = facility("Lincoln Regional Dialysis Unit", "1701017", "G")
DIALYSIS_CENTER = facility("Prairie Dialysis", "1701017", "J")
SKILLED_NURSING = facility("Prairie Skilled Nursing", "1701035", "N")
RESIDENTIAL_HOME = facility("Cottonwood Residence", "1701001", "E")
DOCTORS_OFFICE = facility("Office of Dr. Example", "1701003", "P")
HELIPAD = facility("County Helipad", "1701009", "I")
AIRPORT = facility("Capital Airport", "1701009", "I")
OTHER_AIRPORT = facility("Metropolitan Airport", "1701009", "I")
REHABILITATION_HOSPITAL = facility("Prairie Rehabilitation Hospital", "1701013", "H")


def call(
    place: str | None = HOUSE,
    *,
    driven: str | None = "8.4",
    service: str = EMERGENCY,
    mode: str = IMMEDIATE,
    how: str = SIRENS,
    complaint: str = CHEST_PAIN,
    **columns: Any,
) -> Body:
    """The incident. `driven` are the miles between the odometer readings on scene and at the destination."""
    read = {} if driven is None else odometer(driven)
    return {
        "dispatch_time": at("09:55"),
        "enroute_time": at("09:57"),
        "arrival_time": at("10:05"),
        "depart_scene_time": at("10:20"),
        "arrived_destination_time": at("10:40"),
        "cleared_time": at("11:00"),
        "location_type": place,
        "location_street": "100 Main St",
        "location_city": "Springfield",
        "location_state": "IL",
        "location_zip": "62701-1234",
        "disposition": "4227001",
        "elements": values(eResponse_05=service, eResponse_23=mode, eResponse_24=how, eDispatch_01=complaint) | read,
        **columns,
    }


def odometer(driven: str, on_scene: str = "1000") -> Body:
    """eResponse.20 and .21."""
    return values(eResponse_20=on_scene, eResponse_21=str(Decimal(on_scene) + Decimal(driven)))


def planned(place: str | None = HOUSE, *, how: str = SCHEDULED, service: str = ROUTINE, **more: Any) -> Body:
    """A call that is no emergency."""
    return call(place, service=service, mode=NOT_URGENT, how=how, complaint=TRANSFER, **more)


_NOT_LOADED = ("depart_scene_time", "arrived_destination_time")


def unloaded(incident: Body) -> Body:
    """The same call without a transport: nobody left the scene with the unit, and no mile was driven."""
    elements = {name: entries for name, entries in incident["elements"].items() if name != "eResponse.21"}
    return {**incident, **dict.fromkeys(_NOT_LOADED), "elements": elements}


def patient(
    *interventions: Body,
    payer: Payer = MEDICARE,
    to: str | None = EMERGENCY_ROOM,
    reason: str | None = "A",
    conditions: tuple[str, ...] = ("06",),
    urgency: str = "2640001",
    left: str = THIS_UNIT,
    by: str = GROUND,
    kg: str | None = "63.5",
    assessed: str | None = None,
    stated: str | None = None,
    choice: str = "4220001",
    abn: Abn | None = None,
    elements: Body | None = None,
    **columns: Any,
) -> Charted:
    """A patient whom this unit transports, unless `left` says otherwise.

    `reason` is ePayment.44, `conditions` .47, `assessed` .49, `stated` .50, `urgency` .40. A patient whose conditions
    tell of a stretcher is charted as moved by one.
    """
    said = values(
        eDisposition_28="4228001", eDisposition_29="4229001", eDisposition_30=left, eSituation_11="R07.9",
        eSituation_02="9922001", ePayment_40=urgency,
    )  # fmt: skip
    transported = left in (THIS_UNIT, OTHER_UNIT_WITH_OURS)
    optional: dict[str, Any] = {
        "eExam_01": kg,
        "eDisposition_16": by if transported else None,
        "eDisposition_20": choice if transported else None,
        "eDisposition_21": to,
        "eDisposition_13": STRETCHER if "04" in conditions else WALKED,
        "ePayment_44": reason,
        "ePayment_47": conditions,
        "ePayment_49": assessed,
        "ePayment_50": stated,
    }
    said |= values(**{name: code for name, code in optional.items() if code})
    body = {
        "last_name": "Muster",
        "first_name": "Erika",
        "date_of_birth": "1948-02-17",
        "gender": "female",
        "home_street": "100 Main St",
        "home_city": "Springfield",
        "home_state": "IL",
        "home_zip": "62701",
        **columns,
        "elements": said | payer.elements | (elements or {}),
    }
    return Charted(body, payer, interventions, abn)


def confined(*interventions: Body, **more: Any) -> Charted:
    """A patient who cannot be moved but on a stretcher, and who is no emergency. To a dialysis: for the dialysis."""
    stated = {"conditions": BED_CONFINED, "urgency": "2640003", **more}
    purpose = values(eSituation_20="2820007") if more.get("to") == DIALYSIS else {}
    stated["elements"] = MOBILITY | purpose | (more.get("elements") or {})
    return patient(*interventions, **stated)


def certificate(signed: str, role: str = "2605005") -> Body:
    """A physician certification statement: who signed it, and when."""
    return values(
        ePayment_02="9922005", ePayment_03=signed, ePayment_04="2604001", ePayment_05=role, ePayment_06="Example",
        ePayment_07="Pat",
    )  # fmt: skip


PHYSICIAN, REGISTERED_NURSE = "2605005", "2605009"
CERTIFIED = certificate("2026-11-10T09:00:00-06:00")
"""By a physician, ten days before."""


def drug(
    rxcui: str, clock: str, dose: str, unit: str = MILLIGRAMS, route: str = IV, by: str = BY_PARAMEDIC, **more: Any
) -> Body:
    """One administration by this crew."""
    elements = values(eMedications_02=NO, eMedications_10=by)
    return {
        "type": "medication", "rxcui": rxcui, "performed_at": at(clock), "dose": dose, "dose_unit": unit,
        "route": route, "elements": elements, **more,
    }  # fmt: skip


def withheld(rxcui: str, clock: str) -> Body:
    """A medication that was not given because of a contraindication."""
    negative = {"eMedications.03": [{"pertinent_negative": "8801001"}]}
    return {"type": "medication", "rxcui": rxcui, "performed_at": at(clock), "elements": negative}


def act(code: str, clock: str = "10:12", by: str = BY_PARAMEDIC, before: bool = False) -> Body:
    """One successful procedure. `before`: by others, before this unit came."""
    elements = values(eProcedures_02=YES if before else NO, eProcedures_05="1", eProcedures_06=YES, eProcedures_10=by)
    return {"type": "procedure", "procedure_code": code, "performed_at": at(clock), "elements": elements}


PUSHED_FENTANYL = drug(FENTANYL, "10:10", "50", MICROGRAMS)
PUSHED_ONDANSETRON = drug(ONDANSETRON, "10:14", "4")
PUSHED_DIPHENHYDRAMINE = drug(DIPHENHYDRAMINE, "10:18", "25")
GIVEN_OXYGEN = drug(OXYGEN, "10:07", "4", LITRES_A_MINUTE, CANNULA)
GIVEN_ASPIRIN = drug(ASPIRIN, "10:08", "324", route=MOUTH)
EVE = "2026-11-19"
"""The day before `DAY`."""


def died(acuity: str, *, stopped: str | None = None) -> Body:
    """A death in the field. `stopped` is when resuscitation was ended and the death pronounced (eArrest.15)."""
    said = values(eDisposition_19=acuity, eArrest_01="3001003", eArrest_18="3018003")
    said |= values(eArrest_03="3003007" if acuity == "4219007" else "3003005")
    return said | (values(eArrest_15=at(stopped)) if stopped is not None else {})
