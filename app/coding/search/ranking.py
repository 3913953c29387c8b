"""Which codes answer a query, in which order.

Ever weaker readings of the query are tried until enough codes are found: its exact code, its exact description, the
vocabulary's word for the whole of it, codes that begin so, descriptions that consist of its words, descriptions with
all of them as typed, then by what the vocabulary makes of them, then as beginnings, then as misspellings, and finally
some of them.
Within a reading billable codes precede the others, and what NEMSIS suggests precedes the rest.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.coding.search.index import TextIndex
from app.coding.search.vocabulary import Segment, Vocabulary
from app.coding.search.words import FILLERS, content, words

MOST_WORDS = 64
_NEIGHBOURHOODS = (8, 6, 5)  # characters that a code shares with a boosted one: itself, its site, its subcategory
_WEAK_WORDS = 8  # how many words are read as beginnings and misspellings, or left out in turn


@dataclass(frozen=True, slots=True)
class Query:
    """`among`: the set of documents that may be found. `favoured`: sets that precede others, the most favoured first.

    `code_shape`: what a text must look like to be read as a code. `leaders`: the document that goes before another one
    which words found, such as a drug before its brand.
    """

    text: str
    vocabulary: Vocabulary
    code_shape: re.Pattern[str]
    among: int
    favoured: Sequence[int]
    limit: int
    leaders: Mapping[int, int] = field(default_factory=dict)


def search(index: TextIndex, query: Query) -> list[int]:
    """At most `limit` documents, the best first."""
    found: dict[int, None] = {}
    readings = _readings(index, query)
    exact = next(readings)
    for reading in itertools.chain((exact,), (_led(query.leaders, reading) for reading in readings)):
        for number in reading:
            if query.among >> number & 1:
                found[number] = None
                if len(found) == query.limit:
                    return list(found)
    return list(found)


def _led(leaders: Mapping[int, int], reading: Iterable[int]) -> Iterator[int]:
    """Each document of a reading behind its leader."""
    for number in reading:
        if number in leaders:
            yield leaders[number]
        yield number


def _readings(index: TextIndex, query: Query) -> Iterator[Iterable[int]]:
    """The code itself comes first, and alone."""
    text = query.text.strip()
    tokens = words(text)[:MOST_WORDS]
    coded = index.coded_set(text) if query.code_shape.fullmatch(text) else 0
    exact = index.exactly(text) if coded else []
    yield exact
    called = 0 if exact else index.set_of(index.called(tokens)) & index.leading
    yield [number for number in index.members(called) if words(index.names[number]) == tokens]
    said = query.vocabulary.find(tokens)
    if said is not None:
        yield _in_turn(index, said.boost)
    yield index.members(coded & index.leading)
    yield index.members(coded & index.listed)
    if exact or not tokens:
        return
    yield index.members(called)
    yield from _by_words(index, query, tokens)
    respelt = _respelt(index, query.vocabulary, tokens)
    if respelt != tokens:
        said = query.vocabulary.find(respelt)
        if said is not None:
            yield _in_turn(index, said.boost)
        yield from _by_words(index, query, respelt)
    segments = _telling(query.vocabulary.divide(respelt))
    rooted = (_meant(index, segment) | _begun(index, segment) | _rooted(index, segment) for segment in segments)
    yield _ordered(index, query, _all(rooted))
    yield from _by_some_words(index, query, respelt)


def _by_words(index: TextIndex, query: Query, tokens: Sequence[str]) -> Iterator[Iterable[int]]:
    """All of the words, ever less literally."""
    known = index.set_of([*index.called(tokens), *index.known_as(content(tokens))])
    for found in (known & index.leading, _under(index, known), known):
        yield _ordered(index, query, found)
    segments = _telling(query.vocabulary.divide(tokens))
    tokens = [token for segment in segments for token in segment.tokens]
    meant = [_meant(index, segment) for segment in segments]
    for at, segment in enumerate(segments if len(segments) > 1 else ()):
        others = _all([*meant[:at], *meant[at + 1 :]])
        for length in _NEIGHBOURHOODS if others else ():
            near = [number for code in segment.boost for number in index.coded(code[:length])]
            yield _ordered(index, query, index.set_of(near) & others)
    yield _ordered(index, query, _all(index.named(token) for token in tokens))
    yield _ordered(index, query, _all(meant))
    yield _ordered(index, query, _all(index.having(token) for token in tokens))
    for named in (True, False):
        unfinished = _all(index.beginning(token, named=named) for token in segments[-1].tokens)
        yield _ordered(index, query, _all([*meant[:-1], unfinished]))
    begun = [found | _begun(index, segment) for found, segment in zip(meant, segments, strict=True)]
    yield _ordered(index, query, _all(begun))


def _by_some_words(index: TextIndex, query: Query, tokens: Sequence[str]) -> Iterator[Iterable[int]]:
    """All but one of the words and of what they mean, the most frequent left out first; then the rarest ones."""
    segments = _telling(query.vocabulary.divide(tokens))
    meant = dict.fromkeys(
        token for segment in segments for token in (segment.meanings[0] if segment.meanings else segment.tokens)
    )
    sets = [index.having(token) or index.beginning(token) or index.beginning(_root(token)) for token in meant]
    rarest = sorted(filter(None, sets), key=int.bit_count)
    for left_out in range(min(len(rarest), _WEAK_WORDS) - 1, -1, -1):
        yield _ordered(index, query, _all(rarest[:left_out] + rarest[left_out + 1 :]))
    for kept in range(len(rarest) - 2, 0, -1):
        yield _ordered(index, query, _all(rarest[:kept]))
    for found in rarest:
        yield _ordered(index, query, found)


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


def _rooted(index: TextIndex, segment: Segment) -> int:
    return _all(index.beginning(_root(token)) for token in segment.tokens)


def _root(token: str) -> str:
    """What words of one family share: sacrum and sacral, dehydrated and dehydration, confused and confusion."""
    return token[: max(4, len(token) - (2 if len(token) < 8 else 3))]


def _respelt(index: TextIndex, vocabulary: Vocabulary, tokens: Sequence[str]) -> list[str]:
    """With the closest words known instead of those that begin nothing; the vocabulary's before the code set's."""
    respelt, corrected = [], 0
    for token in tokens:
        if corrected < _WEAK_WORDS and not (vocabulary.says(token) or index.beginning(token)):
            corrected += 1
            respelt.append(vocabulary.closest(token) or index.closest(token) or token)
        else:
            respelt.append(token)
    return respelt


def _all(sets: Iterable[int]) -> int:
    """What is in every one of the sets; nothing when there are none."""
    found = None
    for members in sets:
        found = members if found is None else found & members
        if not found:
            return 0
    return found or 0


def _ordered(index: TextIndex, query: Query, found: int) -> Iterator[int]:
    """The billable, those most favoured first; then the others alike."""
    found &= index.listed & query.among
    for better in (*(favoured & index.leading for favoured in query.favoured), index.leading, *query.favoured):
        yield from index.members(found & better)
        found &= ~better
    yield from index.members(found)
