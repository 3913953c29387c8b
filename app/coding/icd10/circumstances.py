"""Reads what happened to the patient: an act and a thing, such as a fall and a bed (ICD-10-CM, V00-Y38 and T-codes).

`data/circumstances.toml` says which act with which thing has which codes, by the intent.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from app.coding.icd10.intents import INTENT_WORDS, PEOPLE, Intent, intent_of, word_set
from app.coding.icd10.mechanisms import collision
from app.coding.icd10.poisonings import poisoning
from app.coding.lookup.shipped import DATA
from app.coding.search.vocabulary import PASSED_OVER, Segment
from app.coding.search.words import words

_INTENTS = {intent.name.lower(): intent for intent in Intent}
_MOST_UNEXPLAINED = 1
_SAYS_NOTHING = (
    PASSED_OVER
    | PEOPLE
    | word_set(
        "left right l r lt rt upper lower side over down up through off onto under against while when after injury"
        " injured accident hurt old big hot at front back top wet by wound"
        " cut caught stuck crushed"
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class Circumstance:
    """An act with a thing. `acts` is empty if the thing says it all, `things` if the act does."""

    acts: frozenset[str]
    things: tuple[frozenset[str], ...]
    codes: Mapping[Intent, tuple[str, ...]]
    reflexive: bool
    place: int

    def coded(self, intent: Intent | None) -> tuple[str, ...]:
        """Beginnings of codes. If no intent is stated: of an accident if the row has it first, else of every intent.

        Self-harm alone must be stated, and so must what an act alone tells of.
        """
        if intent is None and next(iter(self.codes)) is Intent.ACCIDENT:
            return self.codes[Intent.ACCIDENT]
        if intent is None and (self.things or Intent.ACCIDENT in self.codes) and set(self.codes) != {Intent.SELF_HARM}:
            return tuple(code for codes in self.codes.values() for code in codes)
        if intent is Intent.ASSAULT and intent not in self.codes:
            intent = Intent.ACCIDENT
        return self.codes.get(intent, ()) if intent is not None else ()

    def measure(self, said: frozenset[str]) -> tuple[int, frozenset[str]]:
        """How well the text fits, 0 for not at all, and the words that this explains."""
        acted = self.acts & said
        if self.acts and not acted:
            return 0, frozenset()
        thing = max((thing for thing in self.things if thing <= said), key=len, default=frozenset())
        if self.things and not thing:
            return 0, frozenset()
        return 2 * len(thing) + bool(acted), thing | self.acts


@cache
def circumstances() -> tuple[Mapping[str, tuple[Circumstance, ...]], ...]:
    """The circumstances by the words of their things, then those without things by the words of their acts."""
    by_thing: dict[str, list[Circumstance]] = {}
    by_act: dict[str, list[Circumstance]] = {}
    file = tomllib.loads((DATA / "circumstances.toml").read_text(encoding="utf-8"))
    acts = {name: frozenset(words(" ".join(said))) for name, said in file["acts"].items()}
    for place, row in enumerate(file["circumstance"]):
        things = tuple(frozenset(words(thing)) for thing in row.get("things", ()))
        its = Circumstance(
            acts=frozenset().union(*(acts[name] for name in row.get("acts", ()))),
            things=things,
            codes={_INTENTS[name]: tuple(codes) for name, codes in row.items() if name in _INTENTS},
            reflexive=row.get("reflexive", False),
            place=place,
        )
        for word in {word for thing in things for word in thing}:
            by_thing.setdefault(word, []).append(its)
        for word in () if things else its.acts:
            by_act.setdefault(word, []).append(its)
    return {word: tuple(its) for word, its in by_thing.items()}, {word: tuple(its) for word, its in by_act.items()}


def circumstance(tokens: Sequence[str], complaints: Set[str] = frozenset()) -> tuple[str, ...]:
    """Beginnings of the codes of the circumstance that fits the text best; none if too much stays unexplained.

    `complaints`: words that the vocabulary has codes for. An act alone is no answer beside them.
    """
    said = frozenset(tokens)
    known = {its for word in said for rows in circumstances() for its in rows.get(word, ())}
    best = 0
    codes: tuple[str, ...] = ()
    for its in sorted(known, key=attrgetter("place")):
        fit, explained = its.measure(said)
        others = said - explained - _SAYS_NOTHING - INTENT_WORDS
        if fit > best and _is_little(others) and (its.things or not others & complaints):
            found = its.coded(intent_of(said, reflexive=its.reflexive))
            if found:
                best, codes = fit, found
    return codes


def _is_little(others: Set[str]) -> bool:
    return len([token for token in others if not token.isdigit()]) <= _MOST_UNEXPLAINED


def described(segments: Sequence[Segment]) -> tuple[str, ...]:
    """Beginnings of the codes that a text describes by a scheme of ICD-10-CM, the best first."""
    poisoned = poisoning(segments)
    if poisoned:
        return poisoned
    tokens = [token for segment in segments if not segment.noise for token in segment.tokens]
    complaints = {token for segment in segments if segment.boost for token in segment.tokens}
    if intent_of(frozenset(tokens)) in (Intent.SELF_HARM, Intent.ASSAULT):
        return circumstance(tokens, complaints) or collision(tokens)
    return collision(tokens) or circumstance(tokens, complaints)
