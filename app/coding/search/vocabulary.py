"""Finds the words of ambulance crews in a query: `fx l wrist` is fracture, left, wrist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from app.coding.search.words import CloseWords, content, words


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


class Vocabulary:
    """Terms by their spoken words. A later term replaces an earlier one of the same words, also one of `base`.

    `base` is shared, not copied: it is the shipped vocabulary below each agency's few terms.
    """

    def __init__(self, terms: Iterable[Term], base: Vocabulary | None = None) -> None:
        self._base = base
        self._segments: dict[tuple[str, ...], Segment | None] = {}
        for term in terms:
            meanings = tuple(tuple(content(words(phrase))) for phrase in term.means)
            for said in (term.say, *term.also):
                tokens = tuple(words(said))
                if tokens:
                    self._segments[tokens] = (
                        None if term.empty else Segment(tokens, meanings, term.boost, term.within, term.noise)
                    )
        self._longest = max(map(len, self._segments), default=0)
        if base is not None:
            self._longest = max(self._longest, base._longest)
        self._words = {token for tokens in self._segments for token in tokens}
        single = {tokens[0]: segment for tokens, segment in self._segments.items() if len(tokens) == 1}
        self._close = CloseWords(word for word, segment in single.items() if segment is None or not segment.within)
        self._names = CloseWords(word for word, segment in single.items() if segment is not None and segment.within)

    def find(self, tokens: Sequence[str]) -> Segment | None:
        """The term that consists of exactly these words."""
        key = tuple(tokens)
        if self._base is None or key in self._segments:
            return self._segments.get(key)
        return self._base.find(key)

    def says(self, token: str) -> bool:
        """True if any term has the word."""
        return token in self._words or (self._base is not None and self._base.says(token))

    def closest(self, token: str) -> str | None:
        """The one-word term that this word most likely misspells."""
        return next(iter(self._nearest(token)[1]), None)

    def closest_name(self, token: str) -> str | None:
        """The drug or brand that this word most likely misspells. There are thousands, so it comes last."""
        own = next(iter(self._names.find(token)), None)
        return own if own is not None or self._base is None else self._base.closest_name(token)

    def _nearest(self, token: str) -> tuple[tuple[int, int], list[str]]:
        own = self._close.measure(token)
        return own if self._base is None else min(self._base._nearest(token), own, key=itemgetter(0))

    def divide(self, tokens: Sequence[str]) -> list[Segment]:
        """The segments of the query from left to right: the longest term at each place; other words alone."""
        divided = []
        at = 0
        while at < len(tokens):
            segment = next(
                (
                    found
                    for length in range(min(self._longest, len(tokens) - at), 0, -1)
                    if (found := self.find(tokens[at : at + length])) is not None
                ),
                Segment((tokens[at],)),
            )
            divided.append(segment)
            at += len(segment.tokens)
        return divided
