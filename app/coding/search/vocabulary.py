"""Finds the words of ambulance crews in a query: `fx l wrist` is fracture, left, wrist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from app.coding.search.words import FILLERS, CloseWords, content, singular, stem, words

RECENT = 256  # divided queries
_MOST_PASSED_OVER = 3  # words within a term that it does not have
_TELLING = frozenset(("not", "off", "out"))
PASSED_OVER = (FILLERS - _TELLING) | frozenset(
    (
        *("about", "all", "am", "are", "be", "been", "being", "came", "can", "come", "did", "do", "ever"),
        *(
            "feel",
            "feeling",
            "felt",
            "get",
            "gets",
            "getting",
            "got",
            "had",
            "has",
            "have",
            "having",
            "he",
            "her",
            "him",
            "his",
            "i",
        ),
        *("just", "keep", "keeps", "kept", "like", "lot", "me", "my", "on", "our", "really", "seem", "she", "so"),
        *("some", "than", "that", "their", "them", "then", "there", "they", "this", "too", "very", "was", "we"),
        *("went", "were", "will", "you", "your"),
    )
)
"""Words that may stand within a term, or be missing from it. Those that turn the meaning round are not among them."""


@dataclass(frozen=True, slots=True)
class Term:
    """`means`: search phrases, the best first. `boost`: codes that lead when the term was said.

    `within`: beginnings of the codes that the term names, where words cannot tell them apart. `noise`: the term says
    nothing about the complaint.
    """

    say: str
    also: tuple[str, ...] = ()
    means: tuple[str, ...] = ()
    boost: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    noise: bool = False

    @property
    def empty(self) -> bool:
        """True if the term means nothing. An agency removes a shipped term with such a term."""
        return not (self.means or self.boost or self.within or self.noise)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a query: its own words, and their meanings in the vocabulary (as words, the best meaning first)."""

    tokens: tuple[str, ...]
    meanings: tuple[tuple[str, ...], ...] = ()
    boost: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    noise: bool = False

    @property
    def is_name(self) -> bool:
        """True if it is the name of a drug, with no other meaning."""
        return bool(self.within) and not self.meanings


class Vocabulary:
    """Terms by their spoken words. A later term replaces an earlier one of the same words, also one of `base`.

    A term of several words is also found by them in another order or another form, with or without such words as `his`
    and `the`, and with words that are `alike`: `his belly is hurting` is the term `abd pain`. Its own words come first.
    `base` is shared, not copied: it is the shipped vocabulary below each agency's few terms.
    """

    def __init__(
        self, terms: Iterable[Term], base: Vocabulary | None = None, alike: Iterable[Sequence[str]] = ()
    ) -> None:
        self._base = base
        self._alike: Mapping[str, str] = (
            base._alike if base is not None else {singular(word): stem(group[0]) for group in alike for word in group}
        )
        self._recent: dict[tuple[str, ...], list[Segment]] = {}
        self._segments: dict[tuple[str, ...], Segment | None] = {}
        self._loose: dict[tuple[str, ...], Segment | None] = {}
        for term in terms:
            meanings = tuple(tuple(content(words(phrase))) for phrase in term.means)
            for said in (term.say, *term.also):
                tokens = tuple(words(said))
                if tokens:
                    self._segments[tokens] = (
                        None if term.empty else Segment(tokens, meanings, term.boost, term.within, term.noise)
                    )
        for tokens, segment in self._segments.items():
            if len(tokens) > 1 and (key := _key([self._fold(token) for token in tokens])):
                self._loose.setdefault(key, segment)
        self._longest = max(map(len, self._segments), default=0)
        if base is not None:
            self._longest = max(self._longest, base._longest)
        self._words = {token for tokens in self._segments for token in tokens}
        single = {tokens[0]: segment for tokens, segment in self._segments.items() if len(tokens) == 1}
        names = {word for word, segment in single.items() if segment is not None and segment.is_name}
        self._close = CloseWords(word for word in single if word not in names)
        self._names = CloseWords(word for word in single if word in names)

    def find(self, tokens: Sequence[str]) -> Segment | None:
        """The term that consists of these words."""
        key = tuple(tokens)
        return self._exactly(key) if self._has(key) else self._loosely(key, [self._fold(token) for token in key])

    def _has(self, key: tuple[str, ...]) -> bool:
        return key in self._segments or (self._base is not None and self._base._has(key))

    def _exactly(self, key: tuple[str, ...]) -> Segment | None:
        if self._base is None or key in self._segments:
            return self._segments.get(key)
        return self._base._exactly(key)

    def _loosely(self, tokens: tuple[str, ...], folded: Sequence[str]) -> Segment | None:
        """The term of these words in any order. The segment has the query's own words."""
        key = _key(folded)
        held = self._by_key(key) if key else None
        return None if held is None else replace(held, tokens=tokens)

    def _by_key(self, key: tuple[str, ...]) -> Segment | None:
        if self._base is None or key in self._loose:
            return self._loose.get(key)
        return self._base._by_key(key)

    def _fold(self, token: str) -> str:
        """The common name of words that are alike; empty for a word that is passed over."""
        if token in PASSED_OVER:
            return ""
        bare = stem(token)
        return self._alike.get(token) or self._alike.get(bare, bare)

    def says(self, token: str) -> bool:
        """True if any term has the word."""
        return token in self._words or token in self._alike or (self._base is not None and self._base.says(token))

    def nearest(self, token: str) -> tuple[tuple[int, int], str | None]:
        """The one-word term that this word most likely misspells, and its distance."""
        measured, found = self._nearest(token)
        return measured, next(iter(found), None)

    def closest_name(self, token: str) -> str | None:
        """The drug or brand that this word most likely misspells. There are thousands, so it comes last."""
        own = next(iter(self._names.find(token)), None)
        return own if own is not None or self._base is None else self._base.closest_name(token)

    def _nearest(self, token: str) -> tuple[tuple[int, int], list[str]]:
        own = self._close.measure(token)
        return own if self._base is None else min(self._base._nearest(token), own, key=itemgetter(0))

    def divide(self, tokens: Sequence[str]) -> list[Segment]:
        """The segments of the query from left to right: the longest term at each place; other words alone."""
        asked = tuple(tokens)
        divided = self._recent.get(asked)
        if divided is None:
            if len(self._recent) >= RECENT:
                self._recent.clear()
            divided = self._recent[asked] = self._divide(asked)
        return divided

    def _divide(self, tokens: tuple[str, ...]) -> list[Segment]:
        folded = [self._fold(token) for token in tokens]
        divided = []
        at = 0
        while at < len(tokens):
            segment = self._longest_at(tokens, folded, at)
            divided.append(segment)
            at += len(segment.tokens)
        return divided

    def _longest_at(self, tokens: tuple[str, ...], folded: Sequence[str], at: int) -> Segment:
        for end in range(min(at + self._longest + _MOST_PASSED_OVER, len(tokens)), at, -1):
            spoken = tokens[at:end]
            if self._has(spoken):
                found = self._exactly(spoken)
            elif end > at + 1 and folded[at] and folded[end - 1]:
                found = self._loosely(spoken, folded[at:end])
            else:
                continue
            if found is not None:
                return found
        return Segment((tokens[at],))


def _key(folded: Iterable[str]) -> tuple[str, ...]:
    """The words of a term in one order; empty if there are fewer than two."""
    distinct = sorted({word for word in folded if word})
    return tuple(distinct) if len(distinct) > 1 else ()
