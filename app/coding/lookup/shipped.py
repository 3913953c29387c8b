"""Data that ships with the service: the vocabulary, and which codes NEMSIS's defined lists suggest."""

from __future__ import annotations

import csv
import hashlib
import itertools
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.coding.search.vocabulary import Term, Vocabulary
from app.coding.vocabulary.schemas import CodeDomain

DATA = Path(__file__).resolve().parents[1] / "data"
SEARCH = DATA.with_name("search")
ICD10 = DATA.with_name("icd10")
_OPIOIDS = "T40."
"""A combination with an opioid counts as an overdose of the opioid."""


@cache
def _vocabulary_file() -> dict[str, Any]:
    return tomllib.loads((DATA / "vocabulary.toml").read_text(encoding="utf-8"))


@cache
def shipped_edition() -> str:
    """A part of every ETag. It changes with the shipped data and with the code that reads and ranks queries."""
    digest = hashlib.sha256()
    for file in sorted((*DATA.glob("*.*"), *SEARCH.glob("*.py"), *ICD10.glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def shipped_terms(domain: CodeDomain) -> Vocabulary:
    """The shipped vocabulary of one code set."""
    drugs = list(_drugs()) if domain is CodeDomain.ICD10 else []
    classes = {name.casefold(): drug.within for drug in drugs for name in (drug.say, *drug.also)}
    terms = [
        Term(
            say=term["say"],
            also=tuple(term.get("also", ())),
            means=tuple(term.get("means", ())),
            boost=tuple(term.get("boost", ())),
            within=tuple(term.get("within", ())) or _classes_of(term, classes),
            noise=term.get("noise", False),
        )
        for term in _vocabulary_file()["term"]
        if domain in term.get("domains", list(CodeDomain))
    ]
    return Vocabulary(itertools.chain(drugs, terms), alike=_vocabulary_file()["alike"])


def _classes_of(term: Mapping[str, Any], classes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The classes of the drugs that are among the words of a term."""
    said = (term["say"], *term.get("also", ()))
    return tuple(dict.fromkeys(one for text in said for one in classes.get(text, ())))


def _drugs() -> Iterator[Term]:
    """Terms for each drug and its brands: its class of poisonings by ICD-10-CM's Table of Drugs and Chemicals."""
    with (DATA / "drug_classes.csv").open(encoding="utf-8", newline="") as file:
        classes = {row["drug"]: row["class"] for row in csv.DictReader(file)}
    with (DATA / "medications.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["tty"] in ("IN", "MIN"):
                parts = row["ingredient_name"].split(";") if row["tty"] == "MIN" else [row["name"]]
                within = {classes[name] for name in parts if name in classes}
                opioids = {one for one in within if one.startswith(_OPIOIDS)}
                names = [row["name"], *filter(None, row["brands"].split(";"))]
                if within:
                    yield Term(say=names[0], also=tuple(names[1:]), within=tuple(sorted(opioids or within)))


@cache
def suggested_codes(code_types: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """Codes of these types by NEMSIS list: `impression`, `symptom`, `cause_of_injury`, `medication`…"""
    found: dict[str, set[str]] = {}
    with (DATA / "nemsis_suggestions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["code_type"] in code_types:
                found.setdefault(row["list"], set()).add(row["code"])
    return {name: frozenset(codes) for name, codes in found.items()}


@cache
def shipped_ingredients() -> Mapping[str, frozenset[str]]:
    """The ingredients of the shipped medications, by rxcui. An ingredient is its own."""
    with (DATA / "medications.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["rxcui"]: frozenset((row["ingredient_name"] or row["name"]).split(";")) for row in csv.DictReader(file)
        }
