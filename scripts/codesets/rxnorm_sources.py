"""Where RxNorm comes from: NLM's RRF files, a CSV, or the medications that ship with the service."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from app.coding.lookup.shipped import DATA
from app.coding.rxnorm.models import Terminology
from scripts.codesets.reading import Refusals, Source

SHIPPED = DATA / "medications.csv"
SHIPPED_SOURCE = "the shipped medications"
SHIPPED_SINCE = dt.date(2025, 1, 14)
"""The date of the NEMSIS defined list that they contain: older than any release that one would load on top of them."""
CSV_REQUIRED = ("rxcui", "name")
CSV_OPTIONAL = ("tty", "ingredient_rxcui", "ingredient_name", "brands", "synonyms", "snomed", "strength", "suppressed")
CONCEPT_TYPES = frozenset(
    ("IN", "PIN", "MIN", "BN", "SCD", "SBD", "SCDC", "SBDC", "SCDF", "SBDF", "SCDG", "SBDG", "GPCK", "BPCK")
)
SYNONYM_TYPES = frozenset(("PSN", "SY", "TMSY"))
RELATIONS = frozenset(
    ("has_ingredient", "has_ingredients", "has_precise_ingredient", "consists_of", "contains", "tradename_of")
)
_LONGEST = {"name": 3000, "tty": 20, "strength": 500}
_CODE = re.compile(r"[0-9]{1,18}")
_NOT_SUPPRESSED = "N"


class ConceptRow(NamedTuple):
    """A concept, or (`synonym` true) one more name of it. Brands and ingredients may be given as names only.

    None: the source does not say.
    """

    line: int
    terminology: str
    code: str
    name: str
    term_type: str | None
    suppressed: bool | None = None
    synonym: bool = False
    strength: str | None = None
    ingredients: list[str] | None = None
    brands: list[str] | None = None
    synonyms: list[str] | None = None


class RelationRow(NamedTuple):
    """`rxcui` has `relation` to `other`."""

    line: int
    rxcui: str
    relation: str
    other: str


class StrengthRow(NamedTuple):
    line: int
    rxcui: str
    strength: str


class RrfFiles:
    """RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF of a release's directory (RxNorm Technical Documentation, section 12)."""

    whole = True
    relates = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _records(self, name: str, fields: int, source: Source, refusals: Refusals) -> Iterator[tuple[int, list[str]]]:
        for line, text in source.lines(self._directory / name, refusals):
            values = text.split("|")
            if len(values) != fields + 1 or values[-1]:
                refusals.add(line, f"{name}: {len(values) - 1} fields instead of {fields}")
            else:
                yield line, values

    def concepts(self, source: Source, refusals: Refusals) -> Iterator[ConceptRow]:
        """RXCUI (1), LAT (2), SAB (12), TTY (13), STR (15), SUPPRESS (17) of RxNorm's own names."""
        for line, values in self._records("RXNCONSO.RRF", 18, source, refusals):
            term_type = values[12]
            synonym = term_type in SYNONYM_TYPES
            if values[1] != "ENG" or values[11] != "RXNORM" or not (synonym or term_type in CONCEPT_TYPES):
                continue
            if not _CODE.fullmatch(values[0]) or not values[14]:
                refusals.add(line, "RXNCONSO.RRF: no rxcui, or no name")
                continue
            suppressed = values[16] != _NOT_SUPPRESSED
            if not (synonym and suppressed):
                yield ConceptRow(
                    line, Terminology.RXNORM.value, values[0], values[14], term_type, suppressed, synonym=synonym
                )

    def relations(self, source: Source, refusals: Refusals) -> Iterator[RelationRow]:
        """RXCUI1 (1), STYPE1 (3), RXCUI2 (5), RELA (8), SAB (11): the second has the relation to the first."""
        for line, values in self._records("RXNREL.RRF", 16, source, refusals):
            if values[10] == "RXNORM" and values[2] == "CUI" and values[7] in RELATIONS:
                yield RelationRow(line, rxcui=values[4], relation=values[7], other=values[0])

    def strengths(self, source: Source, refusals: Refusals) -> Iterator[StrengthRow]:
        """RXCUI (1), ATN (9), SAB (10), ATV (11)."""
        for line, values in self._records("RXNSAT.RRF", 13, source, refusals):
            if values[8] == "RXN_AVAILABLE_STRENGTH" and values[9] == "RXNORM":
                yield StrengthRow(line, values[0], values[10])


class CsvFile:
    """`rxcui,name` and any of CSV_OPTIONAL; lists are separated by `;`. Without an rxcui, `snomed` is the code.

    What such a file lacks may well be in RxNorm: it is somebody's selection. `relates`, known once it is read: whether
    it has a column for relations.
    """

    whole = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.relates = False
        self._related: list[RelationRow] = []

    def concepts(self, source: Source, refusals: Refusals) -> Iterator[ConceptRow]:
        seen: set[tuple[str, str]] = set()
        for line, record in source.records(self._path, refusals, CSV_REQUIRED, CSV_OPTIONAL):
            self.relates = "ingredient_rxcui" in record
            rxcui, snomed = record["rxcui"], record.get("snomed", "")
            code, terminology = (rxcui, Terminology.RXNORM) if rxcui else (snomed, Terminology.SNOMED)
            if not _CODE.fullmatch(code) or not record["name"] or not record["name"].isprintable():
                refusals.add(line, "no code, or no name")
            elif any(len(record.get(name, "")) > most for name, most in _LONGEST.items()):
                refusals.add(line, "a field is too long: " + ", ".join(f"{n} {most}" for n, most in _LONGEST.items()))
            elif code in _parts(record.get("ingredient_rxcui", "")):
                refusals.add(line, f"{code} is its own ingredient")
            elif (code, terminology) in seen:
                refusals.add(line, f"{code} stands in the file twice")
            elif any(not _CODE.fullmatch(one) for one in _parts(record.get("ingredient_rxcui", ""))):
                refusals.add(line, "ingredient_rxcui is no rxcui")
            else:
                seen.add((code, terminology))
                relation = "tradename_of" if record.get("tty") == "BN" else "has_ingredient"
                self._related += [
                    RelationRow(line, code, relation, one) for one in _parts(record.get("ingredient_rxcui", ""))
                ]
                yield ConceptRow(
                    line=line,
                    terminology=terminology.value,
                    code=code,
                    name=record["name"],
                    term_type=record.get("tty") or None,
                    suppressed=_suppressed(record.get("suppressed")),
                    strength=record.get("strength") or None,
                    ingredients=_said(record.get("ingredient_name")),
                    brands=_said(record.get("brands")),
                    synonyms=_said(record.get("synonyms")),
                )

    def relations(self, source: Source, refusals: Refusals) -> Iterator[RelationRow]:
        """The relations of the concepts that were read."""
        yield from self._related

    def strengths(self, source: Source, refusals: Refusals) -> Iterator[StrengthRow]:
        yield from ()


RxNormFiles = RrfFiles | CsvFile


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _said(text: str | None) -> list[str] | None:
    """The values that a field lists, or None where the file has no such column."""
    return None if text is None else _parts(text)


def _suppressed(text: str | None) -> bool | None:
    return None if text is None else text.upper() in ("1", "Y", "YES", "TRUE", "O", "E")
