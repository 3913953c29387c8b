"""Problems of fields: one shape, whoever finds them; none is lost on the way to the client."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.errors import Problem, ValidationFailed, refuse

PROBLEM = Problem("heart_rate", "too_high", "The heart rate is too high.")


def test_a_problem_is_shown_as_three_facts_and_does_not_change() -> None:
    assert PROBLEM.shown() == {"field": "heart_rate", "code": "too_high", "message": "The heart rate is too high."}
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROBLEM.field = "spo2"  # type: ignore[misc]  # what must not be possible
    assert Problem.missing("dose", "Give a dose.") == Problem("dose", "missing", "Give a dose.")


def test_a_problem_of_a_part_is_named_within_the_whole() -> None:
    within = PROBLEM.below("vitals.3")
    assert within == Problem("vitals.3.heart_rate", PROBLEM.code, PROBLEM.message)
    assert PROBLEM.field == "heart_rate"


def test_all_problems_are_refused_at_once_in_their_order() -> None:
    other = Problem.missing("dose", "Give a dose.")
    with pytest.raises(ValidationFailed) as refused:
        refuse(problem for problem in (PROBLEM, other))
    assert refused.value.details == {"problems": [PROBLEM.shown(), other.shown()]}


def test_nothing_wrong_is_no_refusal() -> None:
    refuse([])
    refuse(iter(()))
    assert ValidationFailed("A value cannot be stored.").details == {}
