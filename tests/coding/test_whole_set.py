"""Over every code that the package ships: what is found by what, and how well real queries are answered."""

from __future__ import annotations

import string
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.coding.lookup.book import LoadedCodes
from app.coding.lookup.shipped import shipped_terms
from app.coding.rxnorm.index import CODE_SHAPE as RXCUI_SHAPE
from app.coding.rxnorm.index import entry, marked
from app.coding.search.index import IndexBuilder
from app.coding.search.ranking import Query, search
from app.coding.search.words import FILLERS, words
from app.coding.vocabulary.schemas import CodeDomain
from scripts.codesets.icd10_sources import Icd10Row
from scripts.codesets.reading import Refusals, Source
from scripts.codesets.rxnorm_sources import SHIPPED, CsvFile
from tests.coding.whole import find

QUERIES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("relevance.toml").read_text(encoding="utf-8"))[
    "query"
]
GOOD = 0.95
LEAST = {False: (0.96, 0.98), True: (0.9, 0.95)}
"""What queries by kind are answered with: {held out: (the first code, one of five)}, as shares."""


PARTS = [pytest.param(7, id="every seventh"), pytest.param(1, id="all", marks=pytest.mark.long)]


@pytest.mark.parametrize("step", PARTS)
def test_codes_are_found_by_their_own_code(shipped: list[Icd10Row], whole: LoadedCodes, step: int) -> None:
    """With the dot and, every third, as it is typed; headings too."""
    typed = (
        (row.code, row.code if at % 3 else row.code.replace(".", "").lower()) for at, row in enumerate(shipped[::step])
    )
    missed = [code for code, text in typed if find(whole, text, 1) != [code]]
    assert missed == []


@pytest.mark.parametrize("step", PARTS)
def test_billable_codes_are_first_by_their_own_description(
    shipped: list[Icd10Row], whole: LoadedCodes, step: int
) -> None:
    """Also where a heading has the same text."""
    missed = [row.code for row in shipped[::step] if row.billable and find(whole, row.description, 1) != [row.code]]
    assert missed == []


@given(chosen=st.integers(min_value=0), data=st.data(), loud=st.booleans())
@settings(max_examples=150, deadline=None)
def test_words_of_a_description_find_it_in_any_order(
    chosen: int, data: st.DataObject, loud: bool, shipped: list[Icd10Row], whole: LoadedCodes
) -> None:
    """Whatever the capitals. Several codes may have the same words: one of them is first."""
    row = shipped[chosen % len(shipped)]
    if not row.billable:
        return
    typed = " ".join(data.draw(st.permutations(row.description.split())))
    [first] = find(whole, typed.upper() if loud else typed, 1)
    described = whole.index.names[whole.index.exactly(first)[0]]
    assert sorted(words(described)) == sorted(words(row.description))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("chest pain", "R07.9"),
        ("pain chest", "R07.9"),
        ("chst pain", "R07.9"),
        ("chest pa", "R07.9"),
        ("i21", "I21"),
        ("sob", "R06.02"),
        ("hypothermia", "T68.XXXA"),
        ("Ménière's disease", "H81.09"),
        ("menieres disease", "H81.09"),
    ],
)
def test_what_is_typed(whole: LoadedCodes, typed: str, code: str) -> None:
    assert code in find(whole, typed, 3)


@pytest.fixture(scope="module")
def drugs() -> LoadedCodes:
    """The index of the shipped medications, made without a database."""
    builder = IndexBuilder()
    builder.add(
        entry({**row._asdict(), "retired_on": None}) for row in CsvFile(SHIPPED).concepts(Source("shipped"), Refusals())
    )
    return marked(builder.finish())


def find_drugs(drugs: LoadedCodes, text: str, limit: int) -> list[str]:
    """Rxcuis (or SNOMED CT codes) for what was typed, without those that are suppressed."""
    index = drugs.index
    asked = Query(
        text, shipped_terms(CodeDomain.RXNORM), RXCUI_SHAPE, index.leading, drugs.favoured, limit, drugs.leaders
    )
    return [index.codes[number] for number in search(index, asked)]


def test_medications_are_found_by_every_name_that_they_have(drugs: LoadedCodes) -> None:
    """By name and rxcui, by brand behind the drug itself, by obsolete brand, by synonym; a drug comes before brands."""
    missed = []
    for row in CsvFile(SHIPPED).concepts(Source("shipped"), Refusals()):
        if not row.suppressed:
            missed += [row.name] * (row.code not in find_drugs(drugs, row.name, 2))
            missed += [row.code] * (find_drugs(drugs, row.code, 1) != [row.code])
        if row.term_type in ("IN", "MIN"):
            missed += [brand for brand in row.brands or () if find_drugs(drugs, brand, 1) != [row.code]]
        missed += [said for said in row.synonyms or () if row.code not in find_drugs(drugs, said, 5)]
    assert missed == []


@pytest.mark.parametrize(
    ("typed", "drug"),
    [
        ("salbutamol", "albuterol"),
        ("lactated ringers", "calcium chloride / lactate / potassium chloride / sodium chloride"),
        ("tpa", "alteplase"),
        ("2-pam", "pralidoxime"),
        ("2pam", "pralidoxime"),
        ("vicodin", "acetaminophen / hydrocodone"),
        ("flexeril", "cyclobenzaprine"),
        ("elaquis", "apixaban"),
        ("metoprolal", "metoprolol"),
        ("lisinpril", "lisinopril"),
        ("seroqel", "quetiapine"),
        ("benedryl", "diphenhydramine"),
    ],
)
def test_medications_as_they_are_said(drugs: LoadedCodes, typed: str, drug: str) -> None:
    """Synonyms, obsolete brands, misspellings."""
    [first] = find_drugs(drugs, typed, 1)
    assert drugs.index.names[drugs.index.exactly(first)[0]] == drug


def _answers(whole: LoadedCodes, drugs: LoadedCodes) -> dict[str, bool]:
    """True if each query has an accepted code among its first three."""
    answers = {}
    for query in QUERIES:
        found = find(whole, query["q"], 3) if query["domain"] == "icd10" else find_drugs(drugs, query["q"], 3)
        answers[f"{query['domain']} {query['q']}"] = bool(set(found) & set(query["accept"]))
    return answers


@pytest.mark.parametrize("held_out", [False, True], ids=["open", "held out"])
def test_real_queries_have_a_right_answer_among_the_first_three(
    whole: LoadedCodes, drugs: LoadedCodes, held_out: bool
) -> None:
    """At least 95 of 100, of those that the ranking was tuned by and of those that nobody looked at."""
    answers = _answers(whole, drugs)
    asked = [f"{query['domain']} {query['q']}" for query in QUERIES if query["held_out"] is held_out]
    hits = sum(answers[query] for query in asked)
    assert hits >= GOOD * len(asked), f"{hits} of {len(asked)}"


KINDS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("relevance_kinds.toml").read_text(encoding="utf-8")
)["query"]


@pytest.mark.parametrize("held_out", [False, True], ids=["open", "held out"])
def test_queries_of_the_kinds_that_have_rules(whole: LoadedCodes, held_out: bool) -> None:
    """First, and among the first five, in so many of 100."""
    first, among = LEAST[held_out]
    asked = [query for query in KINDS if query["held_out"] is held_out]
    found = [(find(whole, query["q"], 5), set(query["accept"])) for query in asked]
    assert sum(accept.issuperset(codes[:1]) and codes != [] for codes, accept in found) >= first * len(asked)
    assert sum(not accept.isdisjoint(codes) for codes, accept in found) >= among * len(asked)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("R07.9,", "R07.9"),
        ("(R07.9)", "R07.9"),
        ("W21.89A", "W21.89XA"),
        ("w19a", "W19.XXXA"),
        ("S09.90A", "S09.90XA"),
        ("icd-10 I10", "I10"),
        ("R 07.9", "R07.9"),
        ("R07-9", "R07.9"),
    ],
)
def test_codes_as_they_are_pasted(whole: LoadedCodes, typed: str, code: str) -> None:
    """In brackets, with punctuation, without placeholders."""
    assert find(whole, typed, 1) == [code]


def test_a_hyphen_asks_for_the_codes_below(whole: LoadedCodes) -> None:
    found = find(whole, "S72.0-")
    assert "S72.0" not in found[:5] and all(code.startswith("S72.0") for code in found)
    assert find(whole, "S72.0", 1) == ["S72.0"]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("heroin overdose", "T40.1X1A"),
        ("intentional heroin overdose", "T40.1X2A"),
        ("suicide attempt lopressor", "T44.7X2A"),
        ("side effect of zestril", "T46.4X5A"),
        ("toprol overdose", "T44.7X1A"),
        ("lisinopril suicide attempt", "T46.4X2A"),
    ],
)
def test_a_drug_leads_to_its_class_and_the_intent_to_its_code(whole: LoadedCodes, typed: str, code: str) -> None:
    assert find(whole, typed, 1) == [code]


_PLAIN = string.ascii_lowercase + string.digits
_TYPED = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="%_'\"\\;-./()[]{}*?\x00\t ", max_size=300),
    st.lists(st.sampled_from(sorted(FILLERS)), max_size=40).map(" ".join),
    st.lists(st.text(alphabet=string.ascii_lowercase + string.digits, min_size=1, max_size=12), max_size=30).map(
        " ".join
    ),
    st.text(alphabet="\u0301e\u00df\u0663\u0130\u200d\U0001f691\ufb01", max_size=100),
)


@given(text=_TYPED)
@settings(max_examples=400, deadline=None)
def test_whatever_is_typed_has_an_answer(text: str, whole: LoadedCodes) -> None:
    found = find(whole, text)
    assert len(found) == len(set(found)) <= 20
    assert found == find(whole, text)


def test_filters_hold_and_do_not_change_the_order(whole: LoadedCodes) -> None:
    """Of the same query, what is left stands as it stood."""
    everything = find(whole, "fracture wrist", 100)
    index = whole.index
    terms = shipped_terms(CodeDomain.ICD10)
    headings = index.listed & ~index.leading
    asked = Query("fracture wrist", terms, RXCUI_SHAPE, headings, whole.favoured, 100)
    found = [index.codes[number] for number in search(index, asked)]
    assert found and all(not index.leading >> index.exactly(code)[0] & 1 for code in found)
    common = [code for code in everything if code in set(found)]
    assert common == [code for code in found if code in set(common)]
