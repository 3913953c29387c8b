"""Rows about deaths, miles, dates and the nearest facility."""

from __future__ import annotations

from tests.billing.derivation.charted import (
    AIR,
    ARREST,
    BLS_CREW,
    COMPRESSIONS,
    EVE,
    HELICOPTER,
    INTUBATION,
    IV_INSERTION,
    NO_TRANSPORT,
    NURSE,
    PARAMEDIC,
    STREET,
    act,
    call,
    died,
    patient,
    unloaded,
)
from tests.billing.derivation.facts import Level, NoClaim, NoClaimBecause, Why, at, values
from tests.billing.derivation.rows import (
    CHART,
    EDITS,
    LETTERS,
    LEVELS,
    MANUAL_AIR_DEATH,
    MANUAL_DATE,
    MANUAL_DEATH,
    MILES,
    NECESSITY,
    X12,
    due,
    row,
)

MILE_ROWS = (
    row(
        "T49", "helicopter: death pronounced after takeoff, before loading", (MANUAL_AIR_DEATH, LETTERS),
        patient(
            act(COMPRESSIONS), left=NO_TRANSPORT, to=None, elements=died("4219009", stopped="10:15")
            | values(eDisposition_16=HELICOPTER),
        ),
        due(Level.ROTARY_WING, None, None, further=("QL",), why={"pair": Why.NO_DESTINATION}, blocks=("E33",)),
        incident=unloaded(call(STREET, complaint=AIR)), crew=(PARAMEDIC, NURSE),
    ),
    row(
        "T50", "death pronounced on scene after the dispatch", (MANUAL_DEATH, LETTERS, EDITS + ": E31, E38"),
        patient(
            act(INTUBATION), act(COMPRESSIONS), left=NO_TRANSPORT, to=None,
            elements=died("4219009", stopped="10:30"),
        ),
        due(Level.BLS_EMERGENCY, None, None, further=("QL",), why={"pair": Why.NO_DESTINATION}, blocks=("E33",)),
        incident=unloaded(call(complaint=ARREST)),
    ),
    row(
        "T51", "death pronounced before the dispatch", (MANUAL_DEATH,),
        patient(left=NO_TRANSPORT, to=None, elements=died("4219007", stopped="09:40")),
        NoClaim(NoClaimBecause.DEAD_BEFORE_DISPATCH), incident=unloaded(call(complaint=ARREST)),
    ),
    row(
        "T52", "death on the way, after loading: as if the patient lived", (MANUAL_DEATH, LEVELS),
        patient(act(IV_INSERTION), elements=died("4219009", stopped="10:32")), due(Level.ALS1_EMERGENCY),
        incident=call(complaint=ARREST),
    ),
    row(
        "T53", "dead on scene, and no time of the pronouncement", (MANUAL_DEATH, "requirement: null and a reason"),
        patient(left=NO_TRANSPORT, to=None, elements=died("4219007")),
        due(
            None, None, None, why={"level": Why.TIME_OF_DEATH, "pair": Why.NO_DESTINATION},
            blocks=("E30", "E33"),
        ),
        incident=unloaded(call(complaint=ARREST)),
    ),
    row(
        "T54", "dispatched before midnight, death pronounced after it", (MANUAL_DEATH, MANUAL_DATE),
        patient(
            left=NO_TRANSPORT, to=None,
            elements=values(
                eDisposition_19="4219009", eArrest_01="3001003", eArrest_03="3003005", eArrest_18="3018003",
                eArrest_15=at("00:25"),
            ),
        ),
        due(
            Level.BLS_EMERGENCY, None, None, further=("QL",), date_of_service=EVE, why={"pair": Why.NO_DESTINATION},
            blocks=("E33",),
        ),
        incident=unloaded(
            call(
                complaint=ARREST, dispatch_time=at("23:50", EVE), enroute_time=at("23:52", EVE),
                arrival_time=at("00:05"), cleared_time=at("01:00"),
            )
        ), crew=BLS_CREW,
    ),
    row(
        "T55", "0.4 miles", (MILES, EDITS + ": E22"),
        patient(), due(Level.BLS_EMERGENCY, miles="0.4"), incident=call(driven="0.4"), crew=BLS_CREW,
    ),
    row(
        "T56", "1.43 miles: up to the next tenth", (MILES, EDITS + ": E22"),
        patient(), due(Level.BLS_EMERGENCY, miles="1.5"), incident=call(driven="1.43"), crew=BLS_CREW,
    ),
    row(
        "T57", "99.96 miles: up to the next tenth", (MILES, EDITS + ": E22"),
        patient(), due(Level.BLS_EMERGENCY, miles="100"), incident=call(driven="99.96"), crew=BLS_CREW,
    ),
    row(
        "T58", "100.2 miles: up to the whole mile", (MILES, EDITS + ": E22"),
        patient(), due(Level.BLS_EMERGENCY, miles="101"), incident=call(driven="100.2"), crew=BLS_CREW,
    ),
    row(
        "T59", "12.3 miles exactly", (MILES, CHART),
        patient(), due(Level.BLS_EMERGENCY, miles="12.3"), incident=call(driven="12.30"), crew=BLS_CREW,
    ),
    row(
        "T60", "no odometer reading", (CHART, "requirement: null and a reason", EDITS + ": E20"),
        patient(), due(Level.BLS_EMERGENCY, miles=None, why={"miles": Why.ODOMETER}, blocks=("E20",)),
        incident=call(driven=None), crew=BLS_CREW,
    ),
    row(
        "T61", "the odometer ran backwards", (CHART, "requirement: null and a reason", EDITS + ": E20"),
        patient(), due(Level.BLS_EMERGENCY, miles=None, why={"miles": Why.ODOMETER_BACKWARDS}, blocks=("E20",)),
        incident=call(driven="-3"), crew=BLS_CREW,
    ),
    row(
        "T62", "across midnight: the day on which the loaded ambulance left", (MANUAL_DATE,),
        patient(), due(Level.BLS_EMERGENCY),
        incident=call(
            dispatch_time=at("23:40", EVE), enroute_time=at("23:42", EVE), arrival_time=at("23:55", EVE),
            depart_scene_time=at("00:10"), arrived_destination_time=at("00:30"), cleared_time=at("00:50"),
        ), crew=BLS_CREW,
    ),
    row(
        "T63", "past the nearest hospital at the patient's wish", (MILES, NECESSITY, X12 + ": CR104"),
        patient(reason="B", choice="4220017", elements=values(ePayment_48="8")),
        due(Level.BLS_EMERGENCY, miles="8", beyond="12.2", reason="B"), incident=call(driven="20.2"), crew=BLS_CREW,
    ),
    row(
        "T64", "for the nearness of the family", (MILES, NECESSITY, X12 + ": CR104"),
        patient(reason="C", choice="4220005", elements=values(ePayment_48="5.5")),
        due(Level.BLS_EMERGENCY, miles="5.5", beyond="4.5", reason="C"), incident=call(driven="10"), crew=BLS_CREW,
    ),
    row(
        "T65", "past the nearest hospital to a specialist", (NECESSITY, X12 + ": CR104"),
        patient(
            act(IV_INSERTION), reason="D", choice="4220021",
            elements=values(ePayment_48="8", eDisposition_23="9908031"),
        ),
        due(Level.ALS1_EMERGENCY, miles="20.2", reason="D"), incident=call(driven="20.2"),
    ),
    row(
        "T66", "the nearest hospital was on diversion", (NECESSITY, X12 + ": CR104"),
        patient(choice="4220003", elements=values(ePayment_48="8", ePayment_52="C4")),
        due(Level.BLS_EMERGENCY, miles="14.2"),
        incident=call(driven="14.2"), crew=BLS_CREW,
    ),
)  # fmt: skip
