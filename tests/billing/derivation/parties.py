"""Rows about payers, notices, several patients, calls without a claim, and facts that are missing."""

from __future__ import annotations

from dataclasses import replace

from tests.billing.derivation.charted import (
    BED,
    BLS_CREW,
    BY_EMT,
    CERTIFIED,
    CLINIC,
    COMMERCIAL,
    DOCTORS_OFFICE,
    FALL,
    INSURED_PARENT,
    INSURED_SPOUSE,
    IV_INSERTION,
    MEDICAID,
    MEDICARE,
    MIDAZOLAM,
    MUSCLE,
    NALOXONE,
    NO_TRANSPORT,
    NOSE,
    OTHER_UNIT,
    PUSHED_FENTANYL,
    REFUSED,
    ROUTINE,
    SELF_PAY,
    SICK,
    SPLINT,
    STREET,
    UNINSURED,
    UNSCHEDULED,
    act,
    call,
    confined,
    drug,
    patient,
    planned,
    unloaded,
)
from tests.billing.derivation.facts import Abn, Level, NoClaim, NoClaimBecause, Provider, Why, at, values
from tests.billing.derivation.rows import (
    CHART,
    EDITS,
    LETTERS,
    LEVELS,
    MANUAL_DESTINATION,
    NECESSITY,
    SCOPE,
    X12,
    due,
    planned_due,
    row,
)

PARTY_ROWS = (
    row(
        "T98", "an ABN on file before a likely denial", (LETTERS, EDITS + ": E40"),
        confined(to=BED, elements=CERTIFIED, abn=Abn.REQUIRED), planned_due(Level.BLS, "RH", further=("GA",)),
        incident=planned(how=UNSCHEDULED), crew=BLS_CREW,
    ),
    row(
        "T99", "a voluntary ABN for a destination that is not covered", (LETTERS, MANUAL_DESTINATION),
        confined(to=CLINIC, elements=CERTIFIED, abn=Abn.VOLUNTARY),
        planned_due(Level.BLS, "RP", further=("GX",), flags=("E35",)), incident=planned(how=UNSCHEDULED),
        destination=DOCTORS_OFFICE, crew=BLS_CREW,
    ),
    row(
        "T100", "an ABN means nothing to Medicaid", (LETTERS,),
        confined(payer=MEDICAID, to=BED, elements=CERTIFIED, abn=Abn.REQUIRED), planned_due(Level.BLS, "RH"),
        incident=planned(how=UNSCHEDULED), crew=BLS_CREW,
    ),
    row(
        "T101", "an institution that furnishes directly: no QN on a professional claim", (LETTERS,),
        patient(), due(Level.BLS_EMERGENCY), provider=Provider.DIRECT, crew=BLS_CREW,
    ),
    row(
        "T102", "an institution with an arrangement: no QM on a professional claim", (LETTERS,),
        patient(), due(Level.BLS_EMERGENCY), provider=Provider.ARRANGED, crew=BLS_CREW,
    ),
    row(
        "T103", "Medicaid", (LEVELS, CHART),
        patient(payer=MEDICAID), due(Level.BLS_EMERGENCY, member_id="123456789"), crew=BLS_CREW,
    ),
    row(
        "T104", "a child insured by a parent", (CHART, X12 + ": 2000C", EDITS + ": E11"),
        patient(
            payer=INSURED_PARENT, kg="20.4", last_name="Kindred", first_name="Ada", date_of_birth="2019-05-06",
            elements=values(ePayment_23="Kindred", ePayment_24="Paula", ePayment_32="2632007"),
        ),
        due(Level.BLS_EMERGENCY, weight_lb="45", relation="19"), crew=BLS_CREW,
    ),
    row(
        "T105", "insured by the spouse", (CHART, X12 + ": 2000C", EDITS + ": E11"),
        patient(payer=INSURED_SPOUSE), due(Level.BLS_EMERGENCY, relation="01"), crew=BLS_CREW,
    ),
    row(
        "T106", "self pay", (CHART, EDITS + ": E58"),
        patient(payer=SELF_PAY), due(Level.BLS_EMERGENCY, why={"coverage": Why.NO_COVERAGE}, flags=("E58",)),
        crew=BLS_CREW,
    ),
    row(
        "T107", "no insurance found", (CHART, "requirement: null and a reason"),
        patient(payer=UNINSURED), due(Level.BLS_EMERGENCY, why={"coverage": Why.NO_COVERAGE}), crew=BLS_CREW,
    ),
    row(
        "T108", "a Medicare number typed with dashes", ("requirement: taken out", EDITS + ": E12"),
        patient(payer=replace(MEDICARE, member_id="1EG4-TE5-MK73")), due(Level.BLS_EMERGENCY, member_id="1EG4TE5MK73"),
        crew=BLS_CREW,
    ),
    row(
        "T109", "two patients to one hospital", (LETTERS, X12 + ": QTY PT", EDITS + ": E39"),
        (
            patient(),
            patient(act(IV_INSERTION), last_name="Second", first_name="Sam", date_of_birth="1951-03-04", kg="83.9"),
        ),
        (
            due(Level.BLS_EMERGENCY, "SH", further=("GM",), patients_transported=2),
            due(Level.ALS1_EMERGENCY, "SH", further=("GM",), patients_transported=2, weight_lb="185"),
        ),
        incident=call(STREET, complaint=FALL),
    ),
    row(
        "T110", "two patients to two hospitals: each their own miles", (LETTERS, CHART, EDITS + ": E39"),
        (
            patient(),
            patient(
                last_name="Second", first_name="Sam", date_of_birth="1951-03-04",
                arrived_destination_time=at("10:52"), elements=values(eResponse_21="1013.7"),
            ),
        ),
        (
            due(Level.BLS_EMERGENCY, "SH", further=("GM",), patients_transported=2),
            due(Level.BLS_EMERGENCY, "SH", "13.7", further=("GM",), patients_transported=2),
        ),
        incident=call(STREET, complaint=FALL), crew=BLS_CREW,
    ),
    row(
        "T111", "two patients, of whom one refuses", (LETTERS, "requirement: no claim without a transport"),
        (
            patient(),
            patient(
                last_name="Stayer", first_name="Jo", left=REFUSED, to=None, payer=COMMERCIAL,
                elements=values(eDisposition_28="4228003", eDisposition_29="4229013"),
            ),
        ),
        (due(Level.BLS_EMERGENCY, "SH"), NoClaim(NoClaimBecause.REFUSED)),
        incident=call(STREET, complaint=FALL), crew=BLS_CREW,
    ),
    row(
        "T112", "cancelled before arrival", ("requirement: cancelled call",), (), NoClaim(NoClaimBecause.CANCELLED),
        incident=unloaded(call(driven=None, disposition="4227005", arrival_time=None)),
    ),
    row(
        "T113", "no patient was found", ("requirement: no patient",), (), NoClaim(NoClaimBecause.NO_PATIENT),
        incident=unloaded(call(driven=None, disposition="4227009")),
    ),
    row(
        "T114", "another unit transported", ("requirement: another unit's transport", CHART),
        patient(PUSHED_FENTANYL, left=OTHER_UNIT, to=None, elements=values(eDisposition_29="4229003")),
        NoClaim(NoClaimBecause.OTHER_UNIT), incident=unloaded(call()),
    ),
    row(
        "T115", "the patient refused", ("requirement: no transport", CHART),
        patient(left=REFUSED, to=None, elements=values(eDisposition_28="4228003", eDisposition_29="4229013")),
        NoClaim(NoClaimBecause.REFUSED), incident=unloaded(call()), crew=BLS_CREW,
    ),
    row(
        "T116", "treated and not transported, commercial insurance", (LEVELS, EDITS + ": E31"),
        patient(drug(NALOXONE, "10:10", "2", route=NOSE), payer=COMMERCIAL, left=NO_TRANSPORT, to=None),
        due(Level.TREATED_NOT_TRANSPORTED, None, None, why={"pair": Why.NO_DESTINATION}, open_edits=True),
        incident=unloaded(call(complaint=SICK)),
    ),
    row(
        "T117", "treated and not transported, Medicare", (NECESSITY + ": no transport, no payment",),
        patient(drug(NALOXONE, "10:10", "2", route=NOSE), left=NO_TRANSPORT, to=None),
        NoClaim(NoClaimBecause.NOT_TRANSPORTED), incident=unloaded(call(complaint=SICK)),
    ),
    row(
        "T118", "no weight", (CHART, EDITS + ": E20"),
        patient(kg=None), due(Level.BLS_EMERGENCY, weight_lb=None, why={"weight_lb": Why.WEIGHT}), crew=BLS_CREW,
    ),
    row(
        "T119", "no reason of the transport", (CHART, EDITS + ": E20", "requirement: null and a reason"),
        patient(reason=None, choice="4220013"),
        due(Level.BLS_EMERGENCY, reason=None, why={"reason": Why.TRANSPORT_REASON}, blocks=("E20",)), crew=BLS_CREW,
    ),
    row(
        "T120", "nothing charted that makes an ambulance necessary", (NECESSITY, EDITS + ": E24, E25, E48"),
        patient(to=BED, conditions=(), urgency="2640003"),
        planned_due(Level.BLS, "RH", conditions=(), blocks=("E24", "E48"), flags=("E25",)),
        incident=planned(how=UNSCHEDULED, service=ROUTINE), crew=BLS_CREW,
    ),
    row(
        "T121", "an emergency among the conditions of a planned transport", (EDITS + ": E25",),
        confined(to=BED, conditions=("04", "06"), elements=CERTIFIED),
        planned_due(Level.BLS, "RH", conditions=("04", "06"), blocks=("E25",)), incident=planned(how=UNSCHEDULED),
        crew=BLS_CREW,
    ),
    row(
        "T122", "restrained, on a stretcher", (CHART, X12 + ": CRC", LEVELS, SCOPE),
        patient(drug(MIDAZOLAM, "10:10", "5", route=MUSCLE), conditions=("04", "06", "07")),
        due(Level.ALS1_EMERGENCY, conditions=("04", "06", "07")),
    ),
    row(
        "T123", "heavy bleeding", (CHART, X12 + ": CRC"),
        patient(act(SPLINT, by=BY_EMT), conditions=("06", "08"), kg="113.4"),
        due(Level.BLS_EMERGENCY, "SH", conditions=("06", "08"), weight_lb="250"), incident=call(STREET, complaint=FALL),
        crew=BLS_CREW,
    ),
)  # fmt: skip
