"""The comparison finds each deviation of an answer from the table, and none in an answer that agrees."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.billing.derivation.driver import Derived, disagreements
from tests.billing.derivation.facts import BEYOND_NEAREST, STATED, Body, Charted, Due, PayerKind, Why
from tests.billing.derivation.transports import TRANSPORTS

CLAIMS = [
    pytest.param(charted, due, id=f"{row.id}-{place}")
    for row in TRANSPORTS
    for place, (charted, due) in enumerate(zip(row.patients, row.expected, strict=bool(row.patients)))
    if isinstance(due, Due)
]
BY_ROW = {row.id: row for row in TRANSPORTS}


def value(name: str, found: Any) -> Body:
    """A derived value as the service answers it: null has a reason, anything else a rule."""
    known = {"status": "derived", "reasons": [], "rule": "a rule", "citations": []}
    unknown = {"status": "underivable", "reasons": [{"code": "why", "text": "Why."}], "rule": "", "citations": []}
    return {"name": name, "value": found, **(unknown if found is None else known)}


def agreeing(charted: Charted, due: Due) -> Derived:
    """The answer of a service that derived what the table says."""
    pair: tuple[str | None, str | None]
    if due.pair is not None:
        pair = (due.pair[0], due.pair[1])
    else:
        pair = (None, "H") if due.why["pair"] is Why.ORIGIN else ("R", None)
    values = {
        "hcpcs": due.hcpcs,
        "mileage_hcpcs": due.mileage_hcpcs,
        "loaded_miles": due.miles,
        "origin_modifier": pair[0],
        "destination_modifier": pair[1],
        "other_modifiers": list(due.further),
        "transport_reason": due.reason,
        "weight_lb": due.weight_lb,
        "certifications": {"yes": list(due.conditions), "no": []},
        "patient_count": due.patients_transported,
        "place_of_service": due.place_of_service,
        "payer": None if charted.payer.kind is PayerKind.NOBODY else charted.payer.name,
    }
    modifiers = list(due.modifiers or ())
    lines = [{"hcpcs": due.hcpcs, "units": "1", "modifiers": modifiers}]
    if due.mileage_hcpcs and due.miles:
        lines.append({"hcpcs": due.mileage_hcpcs, "units": due.miles, "modifiers": modifiers})
    if due.beyond:
        lines.append({"hcpcs": BEYOND_NEAREST, "units": due.beyond, "modifiers": [*modifiers[:1], "GY"]})
    claim = {
        "claim_filing_code": None if charted.payer.kind is PayerKind.NOBODY else charted.payer.kind.value,
        "member_id": due.member_id,
        "subscriber": None if due.relation == "18" else {"relationship": due.relation},
        "prior_authorization": due.authorization,
        "lines": lines,
    }
    level = value("level_of_service", due.level)
    level["citations"] = [{"entity": "patient", "id": "1", "version": 1, "field": f"elements.{STATED}"}]
    derivation = {"values": [level, *(value(name, found) for name, found in values.items())]}
    return Derived(claim, derivation, frozenset(due.blocks), frozenset(due.flags))


@pytest.mark.parametrize(("charted", "due"), CLAIMS)
def test_an_answer_that_agrees_has_no_deviation(charted: Charted, due: Due) -> None:
    assert disagreements(charted, due, agreeing(charted, due)) == []


def first(row_id: str) -> tuple[Charted, Due, Derived]:
    row = BY_ROW[row_id]
    charted, due = row.patients[0], row.expected[0]
    assert isinstance(due, Due)
    return charted, due, copy.deepcopy(agreeing(charted, due))


def change(name: str, found: Any) -> Callable[[Derived], None]:
    return lambda answer: answer.value(name).update(value(name, found))


def say(name: str, found: Any) -> Callable[[Derived], None]:
    return lambda answer: answer.claim.update({name: found})


@pytest.mark.parametrize(
    ("row_id", "deviate", "named"),
    [
        ("T01", change("hcpcs", "A0429"), "hcpcs"),
        ("T14", change("hcpcs", "A0433"), "hcpcs"),
        ("T56", change("loaded_miles", "1.4"), "loaded_miles"),
        ("T60", change("loaded_miles", "8.4"), "loaded_miles"),
        ("T47", change("mileage_hcpcs", "A0425"), "mileage_hcpcs"),
        ("T47", change("place_of_service", "41"), "place_of_service"),
        ("T74", change("destination_modifier", "G"), "destination_modifier"),
        ("T70", change("origin_modifier", "N"), "origin_modifier"),
        ("T109", change("other_modifiers", []), "other_modifiers"),
        ("T100", change("other_modifiers", ["GA"]), "other_modifiers"),
        ("T109", change("patient_count", 1), "patient_count"),
        ("T63", change("transport_reason", "A"), "transport_reason"),
        ("T104", change("weight_lb", "20.4"), "weight_lb"),
        ("T22", change("certifications", {"yes": ["06"], "no": []}), "certifications"),
        ("T64", lambda answer: answer.claim["lines"].pop(), "lines"),
        ("T104", say("subscriber", None), "subscriber"),
        ("T108", say("member_id", "1EG4-TE5-MK73"), "member_id"),
        ("T96", say("prior_authorization", None), "prior_authorization"),
        ("T106", say("claim_filing_code", "CI"), "claim_filing_code"),
        ("T118", lambda answer: answer.value("weight_lb").update(reasons=[]), "weight_lb"),
        ("T01", lambda answer: answer.value("hcpcs").update(rule="", citations=[]), "hcpcs"),
        ("T106", lambda answer: answer.value("payer").update(reasons=[]), "payer"),
        ("T39", lambda answer: answer.value("level_of_service").update(citations=[]), "level_of_service"),
    ],
)
def test_a_deviation_is_named(row_id: str, deviate: Callable[[Derived], Any], named: str) -> None:
    charted, due, answer = first(row_id)
    deviate(answer)
    [found] = disagreements(charted, due, answer)
    assert found.startswith(f"{named}:")


@pytest.mark.parametrize(
    ("row_id", "blocking", "warnings", "named"),
    [
        ("T78", [], [], ["E48 does not block"]),
        ("T78", [], ["E48"], ["E48 does not block"]),
        ("T79", [], [], ["E35 is not found"]),
        ("T79", ["E35"], [], []),
        ("T01", ["E36"], [], ["E36 blocks, and nothing is wrong"]),
        ("T01", ["E01"], ["E36"], []),
        ("T44", ["E31"], [], []),
    ],
)
def test_edits_are_compared(row_id: str, blocking: list[str], warnings: list[str], named: list[str]) -> None:
    """A row says what must block, and what may not. Edits about other things than transports are other tests'."""
    charted, due, answer = first(row_id)
    found = Derived(answer.claim, answer.derivation, frozenset(blocking), frozenset(warnings))
    assert disagreements(charted, due, found) == named
