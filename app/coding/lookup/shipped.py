"""Data that ships with the service: the vocabulary, and which codes NEMSIS's defined lists suggest."""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.coding.search.vocabulary import Term, Vocabulary
from app.coding.vocabulary.schemas import CodeDomain

DATA = Path(__file__).resolve().parents[1] / "data"
SEARCH = DATA.with_name("search")


@cache
def _vocabulary_file() -> dict[str, Any]:
    return tomllib.loads((DATA / "vocabulary.toml").read_text(encoding="utf-8"))


@cache
def shipped_edition() -> str:
    """Part of every ETag. Another one whenever the shipped data, or how a query is read and ranked, is another."""
    digest = hashlib.sha256()
    for file in sorted((*DATA.glob("*.*"), *SEARCH.glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def shipped_terms(domain: CodeDomain) -> Vocabulary:
    """The shipped vocabulary of one code set."""
    return Vocabulary(
        Term(
            say=term["say"],
            also=tuple(term.get("also", ())),
            means=tuple(term.get("means", ())),
            boost=tuple(term.get("boost", ())),
        )
        for term in _vocabulary_file()["term"]
        if domain in term.get("domains", list(CodeDomain))
    )


@cache
def suggested_codes(code_types: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """Codes of these types by NEMSIS list: `impression`, `symptom`, `cause_of_injury`, `medication`…"""
    found: dict[str, set[str]] = {}
    with (DATA / "nemsis_suggestions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["code_type"] in code_types:
                found.setdefault(row["list"], set()).add(row["code"])
    return {name: frozenset(codes) for name, codes in found.items()}
