"""Reads the intent from a text: an accident, self-harm, an assault. ICD-10-CM has a code for each of them."""

from __future__ import annotations

from collections.abc import Set
from enum import Enum


class Intent(Enum):
    """The intent of an act; the value is the last digit of the codes of a poisoning."""

    ACCIDENT = "1"
    SELF_HARM = "2"
    ASSAULT = "3"
    UNDETERMINED = "4"


def word_set(said: str) -> frozenset[str]:
    """These words."""
    return frozenset(said.split())


REFLEXIVE = word_set(
    "himself herself self themself themselves myself hisself tried trying attempt attempted attempting"
)
_UNDETERMINED = word_set("undetermined")
_ACCIDENT = word_set("accident accidental accidentally unintentional unintentionally mistake mistakenly")
_SELF_HARM = word_set(
    "suicide suicidal suicidally intentional intentionally purpose purposely purposefully deliberate deliberately kill"
    " killing die dying"
)
_ASSAULT = word_set("assault assaulted assaulting attack attacked attacking robbed robbery mugged mugging fight abused")
_PERSONS = word_set(
    "husband wife boyfriend girlfriend bf gf ex spouse partner stranger someone somebody brother sister father dad"
    " mother mom son daughter neighbor roommate cousin uncle classmate student another other gang intruder attacker"
)
INTENT_WORDS = REFLEXIVE | _UNDETERMINED | _ACCIDENT | _SELF_HARM | _ASSAULT | word_set("harm inflicted")
PEOPLE = _PERSONS | word_set(
    "kid child baby infant toddler boy girl man woman male female adult elderly grandma grandpa grandmother"
    " grandfather teen teenager people person customer worker employee resident guys men women three two group"
)
"""People in a story; they tell nothing of what happened to the patient."""


def intent_of(said: Set[str], *, reflexive: bool = True) -> Intent | None:
    """The stated intent; None if there is none. `reflexive`: `himself` and `tried` tell of self-harm."""
    if said & _UNDETERMINED:
        return Intent.UNDETERMINED
    if said & _ACCIDENT:
        return Intent.ACCIDENT
    if said & _SELF_HARM or {"self", "harm"} <= said or {"self", "inflicted"} <= said:
        return Intent.SELF_HARM
    if said & _ASSAULT or ("by" in said and said & _PERSONS):
        return Intent.ASSAULT
    return Intent.SELF_HARM if reflexive and said & REFLEXIVE else None
