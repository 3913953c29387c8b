"""The level of service (42 CFR 414.605) and its HCPCS codes. Pure.

ALS2 counts separate administrations by intravenous push or continuous infusion (Medicare Benefit Policy Manual,
chapter 10, section 30.1.1). Which acts are reserved for ALS staff says the table of the state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.billing.als_acts.models import StaffLevel
from app.billing.als_acts.scope import reaches
from app.billing.claims.models import LevelOfService
from app.billing.derivation.context import Context
from app.billing.derivation.outcomes import Known, Outcome, ReasonCode, found, unknown
from app.billing.derivation.reading import Act, Reading
from app.core.personnel.public import LicensureLevel
from app.ems.public import InterventionType, Transport

L, R = LevelOfService, ReasonCode

BASE_CODES: Mapping[LevelOfService, str] = {
    L.BLS: "A0428",
    L.BLS_EMERGENCY: "A0429",
    L.ALS1: "A0426",
    L.ALS1_EMERGENCY: "A0427",
    L.ALS2: "A0433",
    L.SPECIALTY_CARE: "A0434",
    L.PARAMEDIC_INTERCEPT: "A0432",
    L.FIXED_WING: "A0430",
    L.ROTARY_WING: "A0431",
    L.TREAT_NO_TRANSPORT: "A0998",
}
AIR_MILEAGE: Mapping[LevelOfService, str] = {L.FIXED_WING: "A0435", L.ROTARY_WING: "A0436"}
GROUND_MILEAGE = "A0425"
WITHOUT_MILEAGE = frozenset({L.PARAMEDIC_INTERCEPT, L.TREAT_NO_TRANSPORT})
AIR = frozenset(AIR_MILEAGE)

_TRANSPORT_METHODS: Mapping[str, LevelOfService] = {"4216001": L.FIXED_WING, "4216003": L.ROTARY_WING}
_VEHICLES: Mapping[str, LevelOfService] = {"2207013": L.FIXED_WING, "2207011": L.ROTARY_WING}
_IMMEDIATE: Mapping[str, bool] = {"2223001": True, "2223003": True, "2223005": False, "2223007": False}
"""eResponse.23. A response that was upgraded on the way did not begin as quickly as possible."""
_URGENCY: Mapping[str, bool] = {"2640001": True, "2640003": False}
_INTERFACILITY = frozenset({"2205005", "2205007", "2205015", "2205017", "2205019"})
_BETWEEN_FACILITIES = _INTERFACILITY - {"2205007"}
_INTERCEPT = "2205003"
_INTERCEPT_STATES = frozenset({"NY"})
"""States whose law keeps volunteer ambulances from billing (42 CFR 410.40(d)): nowhere else is an intercept covered."""
_WITH_OUR_CREW = "4230007"
_BY_VEIN = frozenset({"9927021", "9927023", "9927061", "9927069", "9927075"})
"""eMedications.04 of an intravenous push or continuous infusion; a bone or a port leads into the vein, too."""
_INFUSION = "9927069"
_FLUIDS = frozenset({
    "sodium chloride", "glucose", "lactate", "sodium lactate", "potassium chloride", "calcium chloride",
    "magnesium chloride", "sodium acetate", "sodium gluconate", "water",
})  # fmt: skip
_FLUID_BASES = frozenset({"sodium chloride", "glucose", "lactate", "sodium lactate"})
"""Crystalloid, hypotonic, isotonic and hypertonic solutions do not count (42 CFR 414.605)."""
_WANTED = 3
_MILLIGRAMS: Mapping[str, Decimal] = {"3706001": Decimal(1000), "3706021": Decimal(1), "3706015": Decimal("0.001")}
"""eMedications.06 in milligrams."""
_USUAL_DOSES: Mapping[str, tuple[Decimal, Decimal]] = {
    "adenosine": (Decimal(6), Decimal("0.1")),
    "amiodarone": (Decimal(150), Decimal(5)),
    "atropine": (Decimal("0.5"), Decimal("0.02")),
    "epinephrine": (Decimal(1), Decimal("0.01")),
    "lidocaine": (Decimal(50), Decimal(1)),
}
"""Milligrams of one dose by push, of an adult and per kilogram of a child: American Heart Association, guidelines for
adult and pediatric advanced life support (2020)."""
_ALS2_PROCEDURES = frozenset({
    "426220008", "250980009",                                                        # defibrillation, cardioversion
    "232674004", "450601000124103", "241689008", "418613003", "16883004", "52765003",  # endotracheal intubation
    "233527006",                                                                     # central venous line
    "18590009",                                                                      # cardiac pacing
    "182705007",                                                                     # chest decompression
    "232690004", "232692007",                                                        # surgical airway
    "430824005",                                                                     # intraosseous line
})  # fmt: skip
_TUBE_CARE = frozenset({"225718003", "243140006"})
"""Care of an endotracheal tube that others had placed counts as the intubation does (manual, section 30.1.1)."""

_STAFF: Mapping[LicensureLevel, StaffLevel] = {
    LicensureLevel.ADVANCED_EMT: StaffLevel.AEMT,
    LicensureLevel.EMT_INTERMEDIATE: StaffLevel.AEMT,
    LicensureLevel.PARAMEDIC: StaffLevel.PARAMEDIC,
    LicensureLevel.CRITICAL_CARE_PARAMEDIC: StaffLevel.PARAMEDIC,
    LicensureLevel.COMMUNITY_PARAMEDICINE: StaffLevel.PARAMEDIC,
    LicensureLevel.PHYSICIAN: StaffLevel.PARAMEDIC,
    LicensureLevel.NURSE_PRACTITIONER: StaffLevel.PARAMEDIC,
    LicensureLevel.PHYSICIAN_ASSISTANT: StaffLevel.PARAMEDIC,
    LicensureLevel.REGISTERED_NURSE: StaffLevel.PARAMEDIC,
}
_SPECIALTY: Mapping[str, frozenset[LicensureLevel]] = {
    "2642003": frozenset({LicensureLevel.REGISTERED_NURSE, LicensureLevel.LICENSED_PRACTICAL_NURSE}),
    "2642005": frozenset({LicensureLevel.NURSE_PRACTITIONER}),
    "2642007": frozenset({LicensureLevel.PHYSICIAN}),
    "2642009": frozenset({LicensureLevel.PHYSICIAN_ASSISTANT}),
    "2642031": frozenset({LicensureLevel.RESPIRATORY_THERAPIST}),
    "2642035": frozenset({LicensureLevel.CRITICAL_CARE_PARAMEDIC}),
    "2642039": frozenset({LicensureLevel.REGISTERED_NURSE}),
}
"""ePayment.42, and the levels of a crew member who is such a person."""
_STATED: Mapping[str, LevelOfService] = {
    "2650001": L.ALS1,
    "2650003": L.ALS1_EMERGENCY,
    "2650005": L.ALS2,
    "2650007": L.BLS,
    "2650009": L.BLS_EMERGENCY,
    "2650011": L.FIXED_WING,
    "2650013": L.PARAMEDIC_INTERCEPT,
    "2650015": L.SPECIALTY_CARE,
    "2650017": L.ROTARY_WING,
}
_STATED_ELEMENT = "ePayment.50"
_DEAD_ACUITIES = frozenset({"4219007", "4219009"})
_EXPIRED_IN_THE_FIELD = "3018003"


def emergency(chart: Reading, known: Known, context: Context) -> Outcome:
    """True if the response was immediate (42 CFR 414.605). The mode of the response counts before the stated urgency.

    Source: eResponse.23, ePayment.40.
    """
    immediate = _IMMEDIATE.get(chart.code("eResponse.23") or "")
    if immediate is None:
        immediate = _URGENCY.get(chart.code("ePayment.40") or "")
    if immediate is None:
        return unknown(R.RESPONSE_MODE_UNKNOWN)
    return found(immediate, R.IMMEDIATE_RESPONSE if immediate else R.NO_IMMEDIATE_RESPONSE)


def level_of_service(chart: Reading, known: Known, context: Context) -> Outcome:
    """The level, compared with the one that the crew stated (ePayment.50)."""
    derived = _level(chart, known, context)
    stated = _STATED.get(chart.code(_STATED_ELEMENT) or "")
    if derived.value is None or stated is None:
        return derived
    comparison = R.STATED_LEVEL_AGREES if stated == derived.value else R.STATED_LEVEL_DIFFERS
    return derived._replace(reasons=(*derived.reasons, comparison))


def hcpcs(chart: Reading, known: Known, context: Context) -> Outcome:
    level = known["level_of_service"]
    return unknown(R.LEVEL_UNKNOWN) if level is None else found(BASE_CODES[L(level)], R.FOLLOWS_FROM_LEVEL)


def died_before_loading(chart: Reading) -> bool | None:
    """True if death was pronounced after the dispatch and before loading. None: dead, at a time that is not charted.

    Source: eArrest.18, eDisposition.19, the time is eArrest.15 (Medicare Benefit Policy Manual, chapter 10, section
    10.2.6). A patient whom the unit transported was loaded.
    """
    if chart.transport() is Transport.THIS_UNIT or not is_dead(chart):
        return False
    died, dispatched = chart.moment("eArrest.15"), chart.time("dispatch_time")
    if died is None or dispatched is None:
        return None
    return died >= dispatched


def is_dead(chart: Reading) -> bool:
    """True if the crew charted the patient as dead on release, or as expired in the field."""
    acuity, end = chart.code("eDisposition.19"), chart.code("eArrest.18")
    return acuity in _DEAD_ACUITIES or end == _EXPIRED_IN_THE_FIELD


def is_intercept(chart: Reading, context: Context) -> bool:
    """True if a paramedic of this agency went with another agency's ambulance, where such a service is covered."""
    requested, left = chart.code("eResponse.05"), chart.code("eDisposition.30")
    return requested == _INTERCEPT and left == _WITH_OUR_CREW and context.state in _INTERCEPT_STATES


def _level(chart: Reading, known: Known, context: Context) -> Outcome:
    immediate = known["emergency"]
    if chart.transport() is not Transport.THIS_UNIT:
        return _untransported(chart, immediate, context)
    by_air = _by_air(chart)
    if by_air is not None:
        return found(by_air, R.AIR)
    levels = chart.crew_levels()
    if not levels:
        return unknown(R.NO_CREW)
    specialty = _specialty_care(chart, levels)
    if specialty is not None and specialty.value is not None:
        return specialty
    also = () if specialty is None else specialty.reasons
    return _ground(chart, immediate, levels, context, also)


def _by_air(chart: Reading) -> LevelOfService | None:
    method, vehicle = chart.code("eDisposition.16"), chart.code("eResponse.07")
    return _VEHICLES.get(vehicle or "") if method is None else _TRANSPORT_METHODS.get(method)


def _untransported(chart: Reading, immediate: bool | None, context: Context) -> Outcome:
    if is_intercept(chart, context):
        return found(L.PARAMEDIC_INTERCEPT, R.PARAMEDIC_INTERCEPT)
    died = died_before_loading(chart)
    if died is None:
        return unknown(R.TIME_OF_DEATH_MISSING)
    if died:
        by_air = _by_air(chart)
        if by_air is not None:
            return found(by_air, R.AIR, R.DEAD_BEFORE_LOADING)
        if immediate is None:
            return unknown(R.DEAD_BEFORE_LOADING, R.RESPONSE_MODE_UNKNOWN)
        return found(L.BLS_EMERGENCY if immediate else L.BLS, R.DEAD_BEFORE_LOADING)
    if chart.transport() is Transport.NONE:
        return found(L.TREAT_NO_TRANSPORT, R.TREATED_WITHOUT_TRANSPORT)
    return unknown(R.NOT_TRANSPORTED)


def _specialty_care(chart: Reading, levels: Sequence[LicensureLevel]) -> Outcome | None:
    """Specialty care transport: between facilities, with the staff that it takes on the crew. None: not stated."""
    providers = chart.codes("ePayment.42")
    wanted = [_SPECIALTY[code] for code in providers if code in _SPECIALTY]
    if not wanted or chart.code("eResponse.05") not in _BETWEEN_FACILITIES:
        return None
    if any(people & set(levels) for people in wanted):
        return found(L.SPECIALTY_CARE, R.SPECIALTY_CARE)
    return unknown(R.SPECIALTY_STAFF_MISSING)


def _ground(
    chart: Reading,
    immediate: bool | None,
    levels: Sequence[LicensureLevel],
    context: Context,
    also: tuple[ReasonCode, ...],
) -> Outcome:
    staff = max((_STAFF.get(level, StaffLevel.BLS) for level in levels), key=list(StaffLevel).index)
    acts = [(act, _level_of_act(act, context)) for act in chart.acts()]
    reserved = [(act, level) for act, level in acts if level is not StaffLevel.BLS]
    done = [act for act, level in reserved if reaches(staff, level)]
    reasons = [*also, *([R.NO_STAFF_OF_LEVEL] if len(done) < len(reserved) else [])]
    if staff is not StaffLevel.BLS:
        second = _second_level(chart, done, context)
        if second is not None:
            return found(L.ALS2, second, *reasons)
    if immediate is None:
        return unknown(R.RESPONSE_MODE_UNKNOWN, *reasons)
    mode = R.IMMEDIATE_RESPONSE if immediate else R.NO_IMMEDIATE_RESPONSE
    if done:
        return found(L.ALS1_EMERGENCY if immediate else L.ALS1, R.ALS_INTERVENTION, mode, *reasons)
    assessed = chart.says_yes("ePayment.49")
    if immediate and assessed and staff is not StaffLevel.BLS:
        return found(L.ALS1_EMERGENCY, R.ALS_ASSESSMENT, mode, *reasons)
    without = R.NO_STAFF_OF_LEVEL if assessed and staff is StaffLevel.BLS else R.NO_ALS_ACT
    return found(L.BLS_EMERGENCY if immediate else L.BLS, *dict.fromkeys((without, mode, *reasons)))


def _second_level(chart: Reading, done: Sequence[Act], context: Context) -> ReasonCode | None:
    if any(act.code in _ALS2_PROCEDURES or act.code in _TUBE_CARE for act in done):
        return R.ALS2_PROCEDURE
    return R.ALS2_MEDICATIONS if _administrations(chart, done, context) >= _WANTED else None


def _administrations(chart: Reading, done: Sequence[Act], context: Context) -> int:
    """How many administrations count. A continuous infusion of one drug counts once.

    Pushes of one drug that do not make as many of its customary doses are fractions of a dose: a dose given in three
    parts counts once (manual, section 30.1.1).
    """
    infusions: set[str] = set()
    pushes: dict[frozenset[str], list[Act]] = {}
    for act in done:
        if act.type is not InterventionType.MEDICATION or act.route not in _BY_VEIN:
            continue
        ingredients = context.ingredients.get(act.code)
        if ingredients is None or _is_fluid(ingredients):
            continue
        if act.route == _INFUSION:
            infusions.add(act.code)
        else:
            pushes.setdefault(ingredients, []).append(act)
    if not pushes:
        return len(infusions)
    weight = chart.number("eExam.01")
    return len(infusions) + sum(_doses(drug, acts, weight) for drug, acts in pushes.items())


def _doses(drug: frozenset[str], acts: Sequence[Act], weight: Decimal | None) -> int:
    """How many of the pushes of one drug are whole doses, at least one. All are, if its dose or theirs is not known."""
    usual = _usual_dose(drug, weight)
    given = [_milligrams(act) for act in acts]
    if usual is None or any(amount is None for amount in given):
        return len(acts)
    total = sum((amount for amount in given if amount is not None), Decimal(0))
    return max(1, min(len(acts), int(total / usual)))


def _usual_dose(drug: frozenset[str], weight: Decimal | None) -> Decimal | None:
    """Milligrams of a customary dose: by weight for a child, never more than an adult's."""
    [name, *others] = sorted(drug)
    if others or name not in _USUAL_DOSES:
        return None
    adult, per_kilogram = _USUAL_DOSES[name]
    return adult if weight is None else min(adult, per_kilogram * weight)


def _milligrams(act: Act) -> Decimal | None:
    scale = _MILLIGRAMS.get(act.dose_unit or "")
    return None if act.dose is None or scale is None else act.dose * scale


def _is_fluid(ingredients: frozenset[str]) -> bool:
    return ingredients <= _FLUIDS and bool(ingredients & _FLUID_BASES)


def _level_of_act(act: Act, context: Context) -> StaffLevel:
    if act.type is InterventionType.PROCEDURE:
        return context.scope.of_procedure(act.code)
    return context.scope.of_medication(context.ingredients.get(act.code, frozenset()), act.route)
