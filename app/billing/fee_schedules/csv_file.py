"""Reads a price list from the text of a CSV file. Every fault is named by its line and its column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from app.billing.fee_schedules.schemas import MAX_ITEMS, FeeItemRow
from app.core.errors import Problem, ValidationFailed, refuse
from app.core.http import invalid

_COLUMNS = ("hcpcs", "unit_price", "effective_from", "effective_to")
_REQUIRED = ("hcpcs", "unit_price")


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row and the line at which it ends, counted from 1; the heading is line 1."""

    line: int
    row: FeeItemRow

    @property
    def place(self) -> str:
        return place_of(self.line)


def place_of(line: int) -> str:
    """The beginning of the name of a cell: `csv[3].`."""
    return f"csv[{line}]."


def read_rows(text: str) -> list[FileRow]:
    """The rows of the file. Raises ValidationFailed with every problem: `csv[3].unit_price` is a cell of line 3."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    lines = _lines(reader)
    rows: list[FileRow] = []
    problems: list[Problem] = []
    columns = _heading(next(lines, (1, []))[1])
    for line, cells in lines:
        if len(cells) != len(columns):
            message = f"Line {line} has {len(cells)} cells, and the heading {len(columns)}."
            problems.append(Problem(f"csv[{line}]", "wrong_columns", message))
        else:
            given = {name: cell.strip() or None for name, cell in zip(columns, cells, strict=True)}
            try:
                rows.append(FileRow(line, FeeItemRow.model_validate(given)))
            except ValidationError as error:
                problems += _of_line(line, error)
    refuse([*problems, *_repeated(rows)])
    if not rows:
        raise ValidationFailed.of("csv", "empty", "The file has no prices.")
    return rows


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold something, with their numbers. Raises ValidationFailed for what is no CSV, or too long."""
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > MAX_ITEMS + 1:
                raise ValidationFailed.of("csv", "too_many", f"A file holds {MAX_ITEMS} prices at most.")
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise ValidationFailed.of(f"csv[{number + 1}]", "not_csv", "This line is not CSV (RFC 4180).") from error


def _heading(cells: list[str]) -> list[str]:
    """The names of the columns. Raises ValidationFailed for a column that is unknown, twice there or missing."""
    names = [cell.strip().lower() for cell in cells]
    takes = f"The columns are {', '.join(_COLUMNS)}; the dates may be left out."
    known = set(names) <= set(_COLUMNS) and len(set(names)) == len(names)
    if not known or not set(_REQUIRED) <= set(names):
        raise ValidationFailed.of("csv[1]", "wrong_columns", takes)
    return names


def _of_line(line: int, error: ValidationError) -> Iterator[Problem]:
    found = invalid(error.errors(include_url=False, include_input=False), FeeItemRow)
    for problem in found.details["problems"]:
        message = f"Line {line}: {problem['message']}"
        yield Problem(f"{place_of(line)}{problem['field']}", problem["code"], message)


def _repeated(rows: list[FileRow]) -> Iterator[Problem]:
    """The second of two lines for the same code and first day."""
    seen: dict[tuple[object, object], int] = {}
    for found in rows:
        first = seen.setdefault((found.row.hcpcs, found.row.effective_from), found.line)
        if first != found.line:
            message = f"Line {found.line} repeats the code and first day of line {first}."
            yield Problem(f"{found.place}hcpcs", "duplicate", message)
