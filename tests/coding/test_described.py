"""What a text tells of a poisoning, of self-harm, of an assault, or of an accident, as the beginnings of its codes."""

from __future__ import annotations

import pytest

from app.coding.icd10.circumstances import circumstance, described
from app.coding.icd10.intents import Intent, intent_of
from app.coding.icd10.poisonings import poisoning
from app.coding.lookup.book import LoadedCodes
from app.coding.lookup.shipped import shipped_terms
from app.coding.search.vocabulary import Segment
from app.coding.search.words import words
from app.coding.vocabulary.schemas import CodeDomain
from tests.coding.whole import find


def divided(text: str) -> list[Segment]:
    return shipped_terms(CodeDomain.ICD10).divide(words(text))


@pytest.mark.parametrize(
    ("told", "intent"),
    [
        ("fell off the roof by accident", Intent.ACCIDENT),
        ("jumped to kill himself", Intent.SELF_HARM),
        ("on purpose", Intent.SELF_HARM),
        ("tried to hang herself", Intent.SELF_HARM),
        ("pushed by her husband", Intent.ASSAULT),
        ("undetermined", Intent.UNDETERMINED),
        ("his wife found him", None),
        ("hit by a car", None),
    ],
)
def test_the_intent_is_what_the_text_states(told: str, intent: Intent | None) -> None:
    assert intent_of(frozenset(words(told))) is intent


def test_an_accident_that_hurt_himself_is_no_self_harm() -> None:
    assert intent_of(frozenset(words("burned himself")), reflexive=False) is None
    assert circumstance(words("burned himself on the stove")) == ("X15.0",)
    assert circumstance(words("stabbed himself with a knife")) == ("X78.1",)


@pytest.mark.parametrize(
    ("told", "first"),
    [
        ("drank bleach", "T54.3X1"),
        ("drank bleach to kill herself", "T54.3X2"),
        ("toddler got into the rat poison", "T60.4X1"),
        ("took a whole bottle of zestril", "T46.4X1"),
        ("reaction to bactrim", "T37.0X5"),
        ("stopped taking keppra", "T42.6X6"),
        ("undetermined heroin overdose", "T40.1X4"),
        ("drugged at a bar", "T50.90X3"),
        ("bitten by a rattlesnake", "T63.01X1"),
    ],
)
def test_a_substance_and_an_intent_are_a_poisoning(told: str, first: str) -> None:
    assert poisoning(divided(told))[0] == first


@pytest.mark.parametrize(
    "told",
    [
        "heroin",
        "on blood thinners",
        "fell hit head takes coumadin",
        "chest pain took nitro",
        "took a fall",
        "low potassium",
        "iron deficiency anemia",
    ],
)
def test_a_drug_alone_is_no_poisoning(told: str) -> None:
    assert poisoning(divided(told)) == ()


@pytest.mark.parametrize(
    ("told", "first"),
    [
        ("fell out of bed", "W06"),
        ("rolled off the top bunk", "W06"),
        ("jumped off a bridge to die", "X80"),
        ("pushed down the stairs", "Y01"),
        ("cut hand on broken glass", "W25"),
        ("cut with broken glass by her boyfriend", "X99.0"),
        ("stepped in front of a train on purpose", "X81.1"),
        ("shot in the leg with a bb gun", "W34.010"),
        ("drowned in the lake", "W69"),
        ("horse kicked him", "W55.12"),
        ("hunting accident with a shotgun", "W33.01"),
    ],
)
def test_an_act_and_a_thing_are_a_circumstance(told: str, first: str) -> None:
    assert described(divided(told))[0] == first


@pytest.mark.parametrize("told", ["bed sore", "bat", "chest pain after lifting heavy boxes all day", "knife"])
def test_no_circumstance_is_read_into_other_texts(told: str) -> None:
    assert described(divided(told)) == ()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("RO7.9", "R07.9"),
        ("I1O", "I10"),
        ("R55.0", "R55"),
        ("M54,50", "M54.50"),
        ("T 40.1 X1A", "T40.1X1A"),
        ("E11.65/", "E11.65"),
        ("J44.1 copd", "J44.1"),
        ("copd J44.1", "J44.1"),
    ],
)
def test_codes_that_are_not_quite_right(whole: LoadedCodes, typed: str, code: str) -> None:
    assert find(whole, typed, 1) == [code]


@pytest.mark.parametrize(
    ("typed", "code"), [("lowbloodsugar", "E16.2"), ("highbloodpressure", "I10"), ("nosewontstopbleeding", "R04.0")]
)
def test_joined_words_are_taken_apart_into_usual_ones(whole: LoadedCodes, typed: str, code: str) -> None:
    assert find(whole, typed, 1) == [code]
