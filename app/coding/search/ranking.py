"""Which codes answer a query, in which order.

Ever weaker readings of the query are tried until enough codes are found: its exact code, the vocabulary's word for the
whole of it, codes that begin so, descriptions that consist of its words, descriptions with all of them as typed,
then by what the vocabulary makes of them, then as beginnings, then as misspellings, and finally some of them.
Within a reading billable codes precede the others, and what NEMSIS suggests precedes the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.coding.search.index import TextIndex
from app.coding.search.vocabulary import Segment, Vocabulary
from app.coding.search.words import FILLERS, content, words

MOST_WORDS = 64
_WEAK_WORDS = 8  # how many words are read as beginnings and misspellings, or left out in turn


@dataclass(frozen=True, slots=True)
class Query:
    """`among`: the set of documents that may be found. `favoured`: sets that precede others, the most favoured first.

    `code_shape`: what a text must look like to be read as a code.
    """

    text: str
    vocabulary: Vocabulary
    code_shape: re.Pattern[str]
    among: int
    favoured: Sequence[int]
    limit: int


def search(index: TextIndex, query: Query) -> list[int]:
    """At most `limit` documents, the best first."""
    found: list[int] = []
    seen = 0
    for reading in _readings(index, query):
        for number in reading:
            bit = 1 << number
            if query.among & bit and not seen & bit:
                seen |= bit
                found.append(number)
                if len(found) == query.limit:
                    return found
    return found


def _readings(index: TextIndex, query: Query) -> Iterator[Iterable[int]]:
    text = query.text.strip()
    tokens = words(text)[:MOST_WORDS]
    coded = index.coded(text) if query.code_shape.fullmatch(text) else []
    exact = index.exactly(text) if coded else []
    yield exact
    said = query.vocabulary.find(tokens)
    if said is not None:
        yield _in_turn(index, said.boost)
    yield index.members(index.set_of(coded) & index.leading)
    yield index.members(index.set_of(coded) & index.listed)
    if exact or not tokens:
        return
    called = index.set_of(index.called(tokens))
    yield index.members(called & index.leading)
    segments = _telling(query.vocabulary.divide(tokens))
    boosted = index.set_of(number for segment in segments for number in _in_turn(index, segment.boost))
    known = called | index.set_of(index.known_as(content(tokens)))
    for found in (known & index.leading, _under(index, known), known):
        yield _ordered(index, query, found, boosted)
    for found in _by_words(index, query.vocabulary, segments):
        yield _ordered(index, query, found, boosted)


def _under(index: TextIndex, found: int) -> int:
    """What is coded below the codes that only head others."""
    return index.set_of(
        number for heading in index.members(found & ~index.leading) for number in index.coded(index.codes[heading])
    )


def _in_turn(index: TextIndex, codes: Sequence[str]) -> list[int]:
    return [number for code in codes for number in index.exactly(code)]


def _telling(segments: list[Segment]) -> list[Segment]:
    """Without fillers and repetitions, unless there is nothing else."""
    distinct = list({segment.tokens: segment for segment in segments}.values())
    telling = [segment for segment in distinct if segment.meanings or not FILLERS.issuperset(segment.tokens)]
    return telling or distinct


def _by_words(index: TextIndex, vocabulary: Vocabulary, segments: Sequence[Segment]) -> Iterator[int]:
    tokens = [token for segment in segments for token in segment.tokens]
    yield _all(index.named(token) for token in tokens)
    meant = [_meant(index, segment) for segment in segments]
    yield _all(meant)
    yield _all(index.having(token) for token in tokens)
    for named in (True, False):
        yield _all([*meant[:-1], _all(index.beginning(token, named=named) for token in segments[-1].tokens)])
    begun = [found | _begun(index, segment) for found, segment in zip(meant, segments, strict=True)]
    yield _all(begun)
    for named in (True, False):
        close = [
            found or (_close(index, vocabulary, segment, named) if at < _WEAK_WORDS else 0)
            for at, (found, segment) in enumerate(zip(begun, segments, strict=True))
        ]
        yield _all(close)
    rarest = sorted(filter(None, close), key=int.bit_count)
    for left_out in range(min(len(rarest), _WEAK_WORDS) - 1, -1, -1):
        yield _all(rarest[:left_out] + rarest[left_out + 1 :])
    for kept in range(len(rarest) - 2, 0, -1):
        yield _all(rarest[:kept])
    yield from rarest


def _meant(index: TextIndex, segment: Segment) -> int:
    """By the vocabulary's best meaning, or by the segment's own words."""
    if not segment.meanings:
        return _all(index.having(token) for token in segment.tokens)
    return _all(index.having(token) or index.beginning(token) for token in segment.meanings[0])


def _begun(index: TextIndex, segment: Segment) -> int:
    """By any meaning, or by words that begin with the segment's own."""
    found = _all(index.beginning(token) for token in segment.tokens)
    for meaning in segment.meanings[1:]:
        found |= _all(index.having(token) or index.beginning(token) for token in meaning)
    return found


def _close(index: TextIndex, vocabulary: Vocabulary, segment: Segment, named: bool) -> int:
    """By words that it may be a misspelling of, of the code set or of the vocabulary."""
    found = _all(index.close_to(token, named=named) for token in segment.tokens)
    if found or len(segment.tokens) > 1:
        return found
    return _all(_meant(index, meant) for meant in vocabulary.close_to(segment.tokens[0]))


def _all(sets: Iterable[int]) -> int:
    """What is in every one of the sets; nothing when there are none."""
    found = None
    for members in sets:
        found = members if found is None else found & members
        if not found:
            return 0
    return found or 0


def _ordered(index: TextIndex, query: Query, found: int, boosted: int) -> Iterator[int]:
    """The boosted ones; then the billable, those most favoured first; then the others alike."""
    found &= index.listed & query.among
    preferences = [boosted & index.leading, boosted]
    preferences += [favoured & index.leading for favoured in query.favoured]
    for better in (*preferences, index.leading, *query.favoured):
        yield from index.members(found & better)
        found &= ~better
    yield from index.members(found)
