"""Reads poisonings and adverse effects: `drank bleach on purpose`, `reaction to bactrim` (ICD-10-CM, T36-T65).

Their codes follow a scheme: the class of the substance, then a digit for the intent.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.coding.icd10.intents import INTENT_WORDS, PEOPLE, Intent, intent_of, word_set
from app.coding.search.vocabulary import PASSED_OVER, Segment

_ADVERSE, _UNDERDOSED = "5", "6"
_DRUGS = "T51"
"""Codes below are of drugs; only these have adverse effects and underdosing."""
_POISONED = word_set(
    "od odd overdose overdosed overdosing overdosage poisoning poisoned poison ingestion ingest ingested ingesting"
    " swallow swallowed swallowing drank drink drinking ate eat eating eaten inhaled inhaling inhalation inhale"
    " breathed exposure exposed toxic toxicity much many fume huffed huffing huff sniffed sniffing snorted snorting"
    " chewed chewing licked spilled spill leak double extra wrong intoxication sprayed trip tripping"
    " sting stung bite bit bitten venom mixed mixing"
)
_TOOK = word_set(
    "take took taken taking got smoked smoking injected smelled smelling stepped touched pill tablet dose whole contact"
    " bottle handful"
)
"""Words of usual things too: they tell of a poisoning only if the text has nothing else to say."""
_REACTED = word_set("reaction rxn reacting adverse effect allergic allergy anaphylaxis hives rash itching")
_WENT_WITHOUT = word_set("missed forgot skipped stopped ran noncompliant noncompliance underdosing underdose without")
_GIVEN = word_set("drugged roofied spiked")
_UNNAMED = {"drugged": "T50.90", "roofied": "T42.4", "spiked": "T50.90", "poisoned": "T65.9"}
_OVERDOSED = word_set("overdose overdosed overdosing od")
_ANY_DRUG = "T50.90"
"""The class if the text names no substance."""
_CIRCUMSTANCES = word_set(
    "side out gas chemical household under sink at not bar party school work home in eye face water all"
)
_EXPLAINED = frozenset().union(
    _POISONED, _TOOK, _REACTED, _WENT_WITHOUT, _GIVEN, INTENT_WORDS, PEOPLE, PASSED_OVER, _CIRCUMSTANCES
)
_MOST_UNEXPLAINED = 2


def poisoning(segments: Sequence[Segment]) -> tuple[str, ...]:
    """Beginnings of the codes of the substances that a text names; none when nobody took or met one of them."""
    classes = dict.fromkeys(beginning for segment in segments for beginning in segment.within)
    said = {token for segment in segments for token in segment.tokens}
    others = {token for segment in segments if not segment.noise and not segment.within for token in segment.tokens}
    unexplained = len([token for token in others - _EXPLAINED if not token.isdigit()])
    classes = classes or _unnamed(others, alone=not unexplained)
    intent = _intent(said, others, alone=not unexplained)
    if not classes or not intent or unexplained > _MOST_UNEXPLAINED:
        return ()
    return tuple(code for beginning in classes for code in _coded(beginning, intent))


def _unnamed(others: set[str], *, alone: bool) -> dict[str, None]:
    named = dict.fromkeys(beginning for word, beginning in _UNNAMED.items() if word in others)
    return named or (dict.fromkeys((_ANY_DRUG,)) if alone and others & _OVERDOSED else {})


def _intent(said: set[str], others: set[str], *, alone: bool) -> str:
    """The digit of the intent; empty if the text tells of no poisoning. `alone`: it has nothing else to say."""
    if others & _GIVEN:
        return Intent.ASSAULT.value
    met = others & _POISONED or (alone and said & _TOOK)
    stated = intent_of(said)
    if stated is not None and (met or stated is not Intent.ASSAULT):
        return stated.value
    if others & _REACTED:
        return _ADVERSE
    if alone and (others & _WENT_WITHOUT or {"not", "take"} <= others or {"not", "taking"} <= others):
        return _UNDERDOSED
    return Intent.ACCIDENT.value if met or said & _POISONED else ""


def _coded(beginning: str, intent: str) -> tuple[str, ...]:
    """A class is followed by a placeholder and the digit, or by the digit alone."""
    if beginning >= _DRUGS and intent in (_ADVERSE, _UNDERDOSED):
        intent = Intent.ACCIDENT.value
    return (f"{beginning}X{intent}", f"{beginning}{intent}")
