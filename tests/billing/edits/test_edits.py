"""Each edit finds what it is for, and nothing beside it."""

from __future__ import annotations

import pytest

from app.billing.claims.content import FIELDS
from app.billing.edits.book import EDIT_BY_ID, EDITS, SWITCHABLE, edit_of
from tests.billing.edits.cases import CASES, Case, Drawn, payer


def test_a_claim_in_order_passes_every_edit() -> None:
    assert Drawn().check().findings == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_edit_finds_it(case: Case) -> None:
    assert case.found in case.bad.codes_of(case.edit)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_edit_finds_nothing_beside_it(case: Case) -> None:
    assert case.found not in case.good.codes_of(case.edit)


def test_every_edit_has_a_case() -> None:
    assert {case.edit for case in CASES} == {edit.id for edit in EDITS}


@pytest.mark.parametrize("case", [case for case in CASES if case.found[0] == "blocking"], ids=str)
def test_what_blocks_is_refused_and_names_its_edit(case: Case) -> None:
    facts = case.bad.check().facts
    named = {(problem.shown()["edit"], problem.field, problem.code) for problem in (*facts.problems, *facts.refusals)}
    assert (case.edit, *case.found[1:]) in named


@pytest.mark.parametrize("case", [case for case in CASES if case.found[0] == "warning"], ids=str)
def test_what_warns_is_not_refused(case: Case) -> None:
    facts = case.bad.check().facts
    assert case.found[1:] not in {(problem.field, problem.code) for problem in (*facts.problems, *facts.refusals)}


def test_an_id_is_used_once_and_every_word_is_said() -> None:
    assert len(EDIT_BY_ID) == len(EDITS)
    for edit in EDITS:
        assert edit.structural or edit.judge, edit.id
        assert all(text.strip() for text in (edit.what, edit.why, edit.source, edit.fix)), edit.id


@pytest.mark.parametrize("field", sorted({*FIELDS.values(), "lines[1].hcpcs", "diagnoses[3]", "lines[0].description"}))
def test_every_problem_of_the_writer_has_its_edit(field: str) -> None:
    """Only text that cannot be spelled belongs to E08."""
    assert edit_of(field, "missing").id != "E08"
    assert edit_of(field, "unspellable").id == "E08"


def test_no_place_is_claimed_by_two_edits() -> None:
    places = [place for edit in EDITS for place in edit.structural]
    assert len(places) == len(set(places))


def test_a_payer_switches_what_an_edit_judges() -> None:
    planned = next(case for case in CASES if case.found[2] == "certificate_missing")
    for switch, expected in (("off", set()), ("warning", {"warning"}), ("blocking", {"blocking"})):
        drawn = Drawn(claim=planned.bad.claim, background={"payer": payer(edits={"E48": switch})})
        assert {severity for severity, _, _ in drawn.codes_of("E48")} == expected


def test_no_payer_switches_a_structural_problem_off() -> None:
    drawn = Drawn(profile={"zip": "62701"}, background={"payer": payer(edits={"E05": "off"})})
    assert drawn.codes_of("E05") == {("blocking", "tenant.zip", "billing_zip")}
    assert not SWITCHABLE & {edit.id for edit in EDITS if edit.judge is None}


def test_no_finding_holds_a_value() -> None:
    """Names, numbers and codes of the claim stay out of messages, which errors and kept verdicts repeat."""
    told = "\n".join(found.message for case in CASES for found in case.bad.check().findings)
    for value in ("Muster", "1EG4TE5MK73", "I63.9", "S72", "1948", "62701", "Medicare Part B IL", "A0777"):
        assert value not in told
