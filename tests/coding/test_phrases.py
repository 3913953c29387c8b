"""Terms of several words are found in any order and form, and their own words come first."""

from __future__ import annotations

import pytest

from app.coding.search.vocabulary import Term, Vocabulary
from app.coding.search.words import stem, words

SHIPPED = Vocabulary(
    [
        Term(say="abd pain", boost=("R10.9",), means=("abdominal pain",)),
        Term(say="high sugar", boost=("R73.9",), means=("hyperglycemia",)),
        Term(say="cant breathe", boost=("R06.02",), means=("dyspnea",)),
        Term(say="out of meds", boost=("Z76.0",), means=("repeat prescription",)),
        Term(say="the runs", boost=("R19.7",), means=("diarrhea",)),
        Term(say="pain abd", boost=("R10.0",), means=("acute abdomen",)),
    ],
    alike=[("pain", "hurts", "ache"), ("abd", "belly"), ("cant", "unable")],
)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("his belly is hurting", "R10.9"),
        ("my belly hurts", "R10.9"),
        ("pain in the belly", "R10.9"),
        ("pain abd", "R10.0"),
        ("sugar is high", "R73.9"),
        ("unable to breathe", "R06.02"),
        ("meds", None),
        ("in meds", None),
        ("runs", None),
        ("high", None),
    ],
)
def test_a_term_is_found_by_its_words_in_any_order_and_form(typed: str, code: str | None) -> None:
    """One word alone is never a term of several words, whatever else is dropped."""
    found = SHIPPED.find(words(typed))
    assert (found.boost[0] if found is not None else None) == code


def test_a_text_is_divided_into_terms_with_its_own_words() -> None:
    [pain, other, breath] = SHIPPED.divide(words("belly aches fever unable to breathe"))
    assert (pain.tokens, pain.boost) == (("belly", "ache"), ("R10.9",))
    assert (other.tokens, other.boost) == (("fever",), ())
    assert (breath.tokens, breath.boost) == (("unable", "to", "breathe"), ("R06.02",))


def test_a_term_of_an_agency_replaces_the_shipped_one_in_every_order() -> None:
    own = Vocabulary([Term(say="belly pain", boost=("K85.90",), means=("pancreatitis",))], base=SHIPPED)
    assert [segment.boost for segment in own.divide(words("pain of the belly"))] == [("K85.90",)]
    assert [segment.boost for segment in own.divide(words("abd pain"))] == [("R10.9",)]
    removed = Vocabulary([Term(say="high sugar")], base=SHIPPED)
    assert removed.find(words("sugar high")) is None and SHIPPED.find(words("sugar high")) is not None


@pytest.mark.parametrize(
    ("forms", "root"),
    [
        (("breathe", "breathing", "breathed"), "breath"),
        (("stop", "stopped", "stopping"), "stop"),
        (("bleed", "bleeding"), "bleed"),
        (("swell", "swelling"), "swell"),
        (("string",), "string"),
        (("bed",), "bed"),
    ],
)
def test_forms_of_a_verb_have_one_root(forms: tuple[str, ...], root: str) -> None:
    assert {stem(form) for form in forms} == {root}
