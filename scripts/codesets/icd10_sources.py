"""Where ICD-10-CM comes from: CMS's order file, a CSV, or the code set that the package simple-icd-10-cm ships."""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.metadata
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from app.coding.icd10.models import Icd10Kind
from scripts.codesets.reading import BadRelease, Progress, Refusals, Source

PACKAGE = "simple-icd-10-cm"
_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(\.?[0-9A-Z]{1,4})?")
_BILLABLE = {"1": True, "0": False, "true": True, "false": False, "yes": True, "no": False, "y": True, "n": False}
# Chapters by their first categories (ICD-10-CM tabular list).
_CHAPTER_STARTS = (
    ("A00", "1"), ("C00", "2"), ("D50", "3"), ("E00", "4"), ("F01", "5"), ("G00", "6"), ("H00", "7"), ("H60", "8"),
    ("I00", "9"), ("J00", "10"), ("K00", "11"), ("L00", "12"), ("M00", "13"), ("N00", "14"), ("O00", "15"),
    ("P00", "16"), ("Q00", "17"), ("R00", "18"), ("S00", "19"), ("U00", "22"), ("V00", "20"), ("Z00", "21"),
)  # fmt: skip
CSV_REQUIRED = ("code", "description")
CSV_OPTIONAL = ("short_description", "billable", "category", "chapter", "parent", "inclusion_terms")

_LONGEST = {"short_description": 100, "category": 10, "chapter": 10, "parent": 10}


class Icd10Row(NamedTuple):
    """A line of a release. None means that the source does not say. `line` is its number in the file."""

    line: int
    code: str
    kind: str
    description: str
    short_description: str | None = None
    inclusion_terms: list[str] | None = None
    billable: bool | None = None
    category: str | None = None
    chapter: str | None = None
    parent: str | None = None


def chapter_of(code: str) -> str:
    """The chapter's number, by the order of categories."""
    return next(number for start, number in reversed(_CHAPTER_STARTS) if code[:3] >= start)


def dotted(code: str) -> str:
    """The code with its dot: S52501A becomes S52.501A."""
    code = code.replace(".", "")
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code


@dataclass(frozen=True, slots=True)
class _Judge:
    refusals: Refusals
    seen: set[str]

    def accept(self, line: int, code: str, description: str) -> str | None:
        """The code with its dot; None when the line is refused."""
        code = code.strip().upper()
        if not _CODE.fullmatch(code):
            self.refusals.add(line, "not an ICD-10-CM code")
        elif not description or len(description) > 400 or not description.isprintable():
            self.refusals.add(line, "no description, or one that cannot be right")
        elif (code := dotted(code)) in self.seen:
            self.refusals.add(line, f"{code} stands in the file twice")
        else:
            self.seen.add(code)
            return code
        return None


def read_csv(path: Path, source: Source, refusals: Refusals) -> Iterator[Icd10Row]:
    """`code,description` and any of CSV_OPTIONAL; `inclusion_terms` are separated by `;`. Raises BadRelease.

    Without `billable`, a code is billable when nothing stands below it.
    """
    judge = _Judge(refusals, set())
    for line, record in source.records(path, refusals, CSV_REQUIRED, CSV_OPTIONAL):
        code = judge.accept(line, record["code"], record["description"])
        said, parent = record.get("billable", "").lower(), record.get("parent", "").upper()
        if said and said not in _BILLABLE:
            refusals.add(line, "billable is neither yes nor no")
        elif parent and dotted(parent) == code:
            refusals.add(line, f"{code} is its own parent")
        elif any(len(record.get(name, "")) > most for name, most in _LONGEST.items()):
            refusals.add(line, "a field is too long: " + ", ".join(f"{name} {most}" for name, most in _LONGEST.items()))
        elif code is not None:
            terms = record.get("inclusion_terms")
            yield Icd10Row(
                line=line,
                code=code,
                kind=Icd10Kind.CODE.value,
                description=record["description"],
                short_description=record.get("short_description") or None,
                inclusion_terms=None if terms is None else [term.strip() for term in terms.split(";") if term.strip()],
                billable=_BILLABLE.get(said),
                category=record.get("category") or code[:3],
                chapter=record.get("chapter") or chapter_of(code),
                parent=dotted(parent) if parent else None,
            )


def read_order_file(path: Path, source: Source, refusals: Refusals) -> Iterator[Icd10Row]:
    """CMS's order file by columns: number 1-5, code 7-13, billable 15 (0 or 1), short 17-76, long description 78-."""
    judge = _Judge(refusals, set())
    for line, text in source.lines(path, refusals):
        if not text.strip():
            continue
        flag, description = text[14:15], text[77:].strip()
        if not text[:5].isdigit() or flag not in ("0", "1") or text[5:6] + text[13:14] + text[15:16] != "   ":
            refusals.add(line, "not a line of an order file")
            continue
        code = judge.accept(line, text[6:13], description)
        if code is not None:
            yield Icd10Row(
                line=line,
                code=code,
                kind=Icd10Kind.CODE.value,
                description=description,
                short_description=text[16:76].strip() or None,
                billable=flag == "1",
                category=code[:3],
                chapter=chapter_of(code),
            )


class ShippedSet(NamedTuple):
    """The package's release: its name is the day from which it is used."""

    source: str
    effective_from: dt.date


def shipped_set() -> ShippedSet:
    """The package's release, read without importing the package: that takes seconds and much memory.

    Raises BadRelease.
    """
    files = importlib.metadata.files(PACKAGE) or []
    for file in files:
        found = re.fullmatch(r"code-list-([A-Z][a-z]+)-(\d{4})\.txt", file.name)
        if found is not None:
            month = {"January": 1, "April": 4, "October": 10}.get(found[1])
            if month is not None:
                version = importlib.metadata.version(PACKAGE)
                return ShippedSet(f"{PACKAGE} {version} ({file.name})", dt.date(int(found[2]), month, 1))
    raise BadRelease(f"{PACKAGE} ships no code list that says its month")


def read_shipped(source: Source, refusals: Refusals) -> Iterator[Icd10Row]:
    """Every chapter, block and code of the package. A block of a single category has that category's code: the
    category stands for both.
    """
    package = _package()
    codes = list(dict.fromkeys(package.get_all_codes()))
    progress = Progress(PACKAGE, len(codes))
    for line, code in enumerate(codes, start=1):
        is_code = package.is_category_or_subcategory(code)
        parent = package.get_parent(code)
        row = Icd10Row(
            line=line,
            code=code,
            kind=(Icd10Kind.CODE if is_code else _heading(package, code)).value,
            description=package.get_description(code),
            inclusion_terms=package.get_inclusion_term(code) if is_code else [],
            billable=is_code and package.is_leaf(code),
            category=code[:3] if is_code else None,
            chapter=package.get_ancestors(code)[-1] if parent else code,
            parent=_outer(package, code) if parent == code else parent or None,
        )
        source.note("\t".join(map(str, row)).encode())
        progress.advance(1)
        yield row
    progress.close()


def _outer(package: Any, code: str) -> str:
    """The parent of the block that shares its code with its only category."""
    parent: str = package.get_parent(code, prioritize_blocks=True)
    return parent


def _heading(package: Any, code: str) -> Icd10Kind:
    return Icd10Kind.CHAPTER if package.is_chapter(code) else Icd10Kind.BLOCK


def _package() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, of importlib.resources
        return importlib.import_module("simple_icd_10_cm")
