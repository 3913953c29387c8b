"""The data of the code lookup is consistent: vocabulary, medications, NEMSIS marks, and the queries that judge it."""

from __future__ import annotations

import csv
import json
import re
import tomllib
import warnings
from bisect import bisect_left
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import shared_dir

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package reads its data with the deprecated pkg_resources
    import simple_icd_10_cm as icd10  # type: ignore[import-untyped, unused-ignore]

DATA = Path(__file__).parents[2] / "app" / "coding" / "data"
RELEVANCE = Path(__file__).with_name("relevance.toml")
DOMAINS = {"icd10", "rxnorm", "procedures"}
LISTS = {
    "impression": "Impression",
    "symptom": "Symptom",
    "cause_of_injury": "CauseOfInjury",
    "medication": "Medication",
}
RXNORM_CODE_TYPE = "9924003"
"""NEMSIS CodeType.05: the code is RxNorm's; 9924005 is SNOMED CT."""

Entry = dict[str, Any]


KINDS = Path(__file__).with_name("relevance_kinds.toml")
OPENED = 346
"""So many of the first queries by kind have been looked at; none of them is held out any more."""
FRESH = 122
"""So many of the last ones were kept from whoever made the rules: all of them are held out."""


def read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def read_csv(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


VOCABULARY = read_toml(DATA / "vocabulary.toml")
TERMS: list[Entry] = VOCABULARY["term"]
QUERIES: list[Entry] = read_toml(RELEVANCE)["query"]
MEDICATIONS = read_csv("medications.csv")
SUGGESTIONS = read_csv("nemsis_suggestions.csv")
MEDICATION_NAMES = {row["rxcui"] or row["snomed"]: row["name"] for row in MEDICATIONS}


def domains(entry: Entry) -> set[str]:
    return set(entry.get("domains", DOMAINS))


def spellings(entry: Entry) -> list[str]:
    return [entry["say"], *entry.get("also", [])]


def folded(text: str) -> str:
    """A spelling without the marks that a search ignores."""
    return " ".join(re.sub(r"[-/]", " ", re.sub(r"[.']", "", text.casefold())).split())


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9']+(?:\.[0-9]+)?", text.casefold()))


def is_icd10(code: str) -> bool:
    """A code of a category or below; `is_chapter_or_block` would refuse Z66, whose block carries the same name."""
    return icd10.is_valid_item(code) and re.fullmatch(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?", code) is not None


def is_billable(code: str) -> bool:
    return is_icd10(code) and icd10.is_leaf(code)


@cache
def icd10_index() -> dict[str, set[str]]:
    index: dict[str, set[str]] = defaultdict(set)
    for code in icd10.get_all_codes():
        if is_icd10(code):
            for word in words(icd10.get_description(code)):
                index[word].add(code)
    return index


def finds_icd10(phrase: str) -> bool:
    return bool(set.intersection(*(icd10_index().get(word, set()) for word in words(phrase))))


def finds_medication(phrase: str) -> bool:
    return any(words(phrase) <= words(name) for name in MEDICATION_NAMES.values())


def test_vocabulary_is_large_enough_and_every_entry_well_formed() -> None:
    assert re.fullmatch(r"\d{4}\.\d+", VOCABULARY["version"])
    assert len(TERMS) >= 300
    for entry in TERMS:
        assert set(entry) <= {"say", "also", "means", "domains", "boost", "within", "noise"}, entry
        assert bool(entry.get("means") or entry.get("within")) != bool(entry.get("noise")), entry
        assert all(phrase.strip() == phrase != "" for phrase in entry.get("means", [])), entry
        assert all(text == text.strip().casefold() != "" for text in spellings(entry)), entry
        assert domains(entry) and domains(entry) <= DOMAINS, entry


@pytest.mark.parametrize("domain", sorted(DOMAINS))
def test_no_spelling_stands_for_two_terms_of_one_code_set(domain: str) -> None:
    terms = [entry for entry in TERMS if domain in domains(entry)]
    said = Counter(text for entry in terms for text in spellings(entry))
    assert [text for text, count in said.items() if count > 1] == []
    owners: dict[str, set[str]] = defaultdict(set)
    for entry in terms:
        for text in spellings(entry):
            owners[folded(text)].add(entry["say"])
    assert {text: says for text, says in owners.items() if len(says) > 1} == {}


def test_a_word_is_alike_one_group_only() -> None:
    said = Counter(word for group in VOCABULARY["alike"] for word in group)
    assert [word for word, count in said.items() if count > 1] == []
    assert all(len(group) > 1 and all(words(word) == {word} for word in group) for group in VOCABULARY["alike"])


def test_classes_in_the_vocabulary_begin_codes_of_poisonings() -> None:
    for entry in TERMS:
        for beginning in entry.get("within", []):
            assert is_poisoning(beginning) and "icd10" in domains(entry), entry


def test_meanings_are_words_of_the_code_sets() -> None:
    unknown = [
        (entry["say"], phrase)
        for entry in TERMS
        for phrase in entry.get("means", [])
        if not (
            ("icd10" in domains(entry) and finds_icd10(phrase))
            or ("rxnorm" in domains(entry) and finds_medication(phrase))
        )
    ]
    assert unknown == []


def test_boosted_codes_exist_and_can_be_claimed() -> None:
    unknown = [
        (entry["say"], code)
        for entry in TERMS
        for code in entry.get("boost", [])
        if not (
            ("icd10" in domains(entry) and is_billable(code))
            or ("rxnorm" in domains(entry) and code in MEDICATION_NAMES)
        )
    ]
    assert unknown == []


def parts(row: dict[str, str], column: str) -> list[str]:
    return row[column].split(";") if row[column] else []


def test_medications_hold_each_code_once_with_a_name() -> None:
    assert len(MEDICATION_NAMES) == len(MEDICATIONS) >= 2777
    assert len({row["name"] for row in MEDICATIONS}) == len(MEDICATIONS)
    for row in MEDICATIONS:
        assert bool(row["rxcui"]) != bool(row["snomed"]), row
        assert row["name"].strip() == row["name"] != "", row
        assert re.fullmatch(r"\d+", row["rxcui"] or row["snomed"]), row
        assert row["tty"] in ({"IN", "PIN", "MIN", "BN", "BPCK", "SCDC", "SCD"} if row["rxcui"] else {""}), row
        assert row["suppressed"] in ("", "Y"), row
        for column in ("brands", "synonyms"):
            said = [one.casefold() for one in parts(row, column)]
            assert all(one == one.strip() != "" for one in said) and len(set(said)) == len(said), row


def test_a_brand_names_one_drug_or_combination_of_drugs() -> None:
    """Epinephrine apart, whose strengths NEMSIS lists: the brands of its injections stand there too."""
    brands = Counter(
        brand.casefold() for row in MEDICATIONS if row["tty"] in ("IN", "MIN") for brand in parts(row, "brands")
    )
    assert [brand for brand, count in brands.items() if count > 1] == []
    elsewhere = {row["name"] for row in MEDICATIONS if row["brands"] and row["tty"] not in ("IN", "MIN")}
    assert elsewhere == {"epinephrine 1 MG/ML"}


def test_ingredients_are_rows_of_the_table() -> None:
    by_rxcui = {row["rxcui"]: row for row in MEDICATIONS if row["rxcui"]}
    for row in MEDICATIONS:
        names, numbers = parts(row, "ingredient_name"), parts(row, "ingredient_rxcui")
        assert bool(names) == (row["tty"] not in ("IN", "")), row
        for name, number in zip(names, numbers, strict=True):
            assert (by_rxcui[number]["tty"], by_rxcui[number]["name"]) == ("IN", name), row
            assert row["tty"] != "MIN" or name in row["name"], row


def test_medications_are_all_that_two_sources_confirm() -> None:
    """Codes, names, term types, ingredients, brands and which of them are obsolete; synonyms are ours."""
    shared = shared_dir()
    if shared is None:
        pytest.skip("needs the collected names of RxNorm (SHARED_DIR)")
    with (shared / "rxnorm" / "medications.csv").open(encoding="utf-8", newline="") as file:
        confirmed = [row for row in csv.DictReader(file, strict=True) if int(row["confirmed_by"]) >= 2]
    expected = {
        (
            row["rxcui"],
            row["name"],
            row["tty"],
            row["ingredient_rxcuis"] if row["tty"] != "IN" else "",
            "OBSOLETE" in row["note"],
        )
        for row in confirmed
    }
    assert {
        (row["rxcui"], row["name"], row["tty"], row["ingredient_rxcui"].replace(";", "|"), row["suppressed"] == "Y")
        for row in MEDICATIONS
        if row["rxcui"]
    } == expected
    ours = {row["rxcui"]: {brand.casefold() for brand in parts(row, "brands")} for row in MEDICATIONS if row["rxcui"]}
    drugs = {row["ingredient_rxcuis"]: row["rxcui"] for row in confirmed if row["tty"] in ("IN", "MIN")}
    missing = [
        row["name"]
        for row in confirmed
        if row["tty"] == "BN" and (drug := drugs.get(row["ingredient_rxcuis"])) is not None
        if row["name"].casefold() not in ours[drug]
    ]
    assert missing == []


def test_the_acknowledgement_of_the_library_of_medicine_is_given() -> None:
    told = " ".join((DATA / "README.md").read_text(encoding="utf-8").split())
    assert "This product uses publicly available data courtesy of the U.S. National Library of Medicine (NLM)" in told
    assert "NLM is not responsible for the product and does not endorse or recommend this or any other product." in told


def test_nemsis_marks_are_codes_only_and_exist() -> None:
    assert len({(row["list"], row["code"]) for row in SUGGESTIONS}) == len(SUGGESTIONS)
    for row in SUGGESTIONS:
        assert set(row) == {"list", "code", "code_type"}
        assert row["list"] in LISTS, row
        match row["code_type"]:
            case "icd10":
                assert is_icd10(row["code"]), row
            case "rxnorm":
                assert row["list"] == "medication" and row["code"] in MEDICATION_NAMES, row
            case "snomed":
                assert row["list"] == "medication" and row["code"] in MEDICATION_NAMES, row
            case other:
                pytest.fail(f"unknown code type {other}")
    marked = {row["code"] for row in SUGGESTIONS if row["list"] == "medication"}
    assert marked <= set(MEDICATION_NAMES)


@pytest.mark.parametrize("name", LISTS)
def test_nemsis_marks_are_the_defined_list(name: str) -> None:
    shared = shared_dir()
    if shared is None:
        pytest.skip("needs the NEMSIS defined lists (SHARED_DIR)")
    listed = json.loads((shared / "nemsis" / "lists" / f"{LISTS[name]}.json").read_text(encoding="utf-8"))
    values = [item["Value"] for item in listed["DefinedList"]["Codes"]["Code"]]
    code_type = "rxnorm" if name == "medication" else "icd10"
    expected = {
        (value["Value"], "snomed" if name == "medication" and value["CodeType"] != RXNORM_CODE_TYPE else code_type)
        for value in values
    }
    assert {(row["code"], row["code_type"]) for row in SUGGESTIONS if row["list"] == name} == expected


def test_queries_are_enough_and_every_third_is_held_out() -> None:
    assert len(QUERIES) >= 150
    assert [query["held_out"] for query in QUERIES] == [position % 3 == 2 for position in range(len(QUERIES))]
    asked = Counter((query["domain"], query["q"].casefold()) for query in QUERIES)
    assert [query for query, count in asked.items() if count > 1] == []
    for domain, least in (("icd10", 100), ("rxnorm", 40)):
        assert sum(query["domain"] == domain for query in QUERIES) >= least


def test_queries_by_kind_are_enough_and_every_third_new_one_is_held_out() -> None:
    queries = read_toml(KINDS)["query"]
    assert len(queries) >= 700
    made = len(queries) - FRESH
    assert [query["held_out"] for query in queries] == [
        position >= made or (position >= OPENED and position % 3 == 2) for position in range(len(queries))
    ]
    asked = Counter(query["q"].casefold() for query in [*queries, *QUERIES] if query.get("domain") != "rxnorm")
    assert [query for query, count in asked.items() if count > 1] == []
    for query in queries:
        assert set(query) == {"kind", "q", "accept", "held_out"}, query
        assert query["accept"] and all(map(is_billable, query["accept"])), query


def test_every_drug_with_a_class_is_a_medication_and_every_class_has_its_circumstances() -> None:
    """A class is the beginning of codes for an accidental poisoning and the others of the same substance."""
    ingredients = {row["name"] for row in MEDICATIONS if row["tty"] == "IN"}
    rows = read_csv("drug_classes.csv")
    assert len({row["drug"] for row in rows}) == len(rows) >= 450
    billable = [code for code in icd10.get_all_codes() if code.startswith("T") and is_billable(code)]
    for row in rows:
        assert row["drug"] in ingredients, row
        assert re.fullmatch(r"T(3[6-9]|4[0-9]|50)\.([0-9]{1,2}|A)", row["class"]), row
    for drug_class in {row["class"] for row in rows}:
        below = [icd10.get_description(code) for code in billable if code.startswith(drug_class)]
        for circumstance in ("accidental", "self-harm", "dverse effect"):
            assert any(circumstance in description for description in below), drug_class


def is_poisoning(beginning: str) -> bool:
    """True if a digit for the intent follows, after a placeholder or at once."""
    return "T36" <= beginning < "T66" and any(is_billable(f"{beginning}{rest}") for rest in ("X1A", "1XA", "1A"))


def test_circumstances_are_well_formed_and_begin_billable_codes() -> None:
    file = read_toml(DATA / "circumstances.toml")
    intents = {"accident", "self_harm", "assault", "undetermined"}
    billable = sorted(code for code in icd10.get_all_codes() if is_billable(code))
    for row in file["circumstance"]:
        assert set(row) <= {"acts", "things", "reflexive"} | intents, row
        assert (row.get("acts") or row.get("things")) and set(row) & intents, row
        assert set(row.get("acts", ())) <= set(file["acts"]), row
        for beginning in (beginning for intent in intents & set(row) for beginning in row[intent]):
            assert billable[bisect_left(billable, beginning)].startswith(beginning), (row, beginning)
    assert {name for row in file["circumstance"] for name in row.get("acts", ())} == set(file["acts"])


def test_accepted_answers_exist_and_can_be_claimed() -> None:
    for query in QUERIES:
        assert set(query) <= {"q", "domain", "accept", "note", "held_out"}, query
        assert query["accept"] and len(set(query["accept"])) == len(query["accept"]), query
        for code in query["accept"]:
            if query["domain"] == "rxnorm":
                assert code in MEDICATION_NAMES, query
            else:
                by_its_own_code = query["q"].upper().replace(".", "") == code.replace(".", "")
                assert is_billable(code) or (is_icd10(code) and by_its_own_code), query
