"""Reading the files of a release: hashed, counted and shown as they stream; lines that will not do are collected."""

from __future__ import annotations

import csv
import hashlib
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHOWN_FAULTS = 50
LONGEST_FIELD = 4000
"""Of a list in a CSV; the longest of the code sets' own have half of that."""
_EVERY_SECONDS = 0.2
_BAR = 30


def storable(text: str) -> bool:
    """Printable text (no NUL, no line ends) of a length that an index takes."""
    return len(text) <= LONGEST_FIELD and text.isprintable()


class BadRelease(Exception):
    """The release is not imported: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    line: int
    reason: str


@dataclass
class Refusals:
    """Lines that will not do. One is enough to refuse the file; all are counted, the first are shown."""

    count: int = 0
    shown: list[Refusal] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        self.count += 1
        if len(self.shown) < SHOWN_FAULTS:
            self.shown.append(Refusal(line, reason))

    def require_none(self, source: str) -> None:
        """Raises BadRelease when a line was refused."""
        if self.count:
            lines = [f"  line {refusal.line}: {refusal.reason}" for refusal in self.shown]
            more = [f"  … and {self.count - len(self.shown)} more"] if self.count > len(self.shown) else []
            raise BadRelease("\n".join([f"{source}: {self.count} lines refused", *lines, *more]))


class Progress:
    """A bar on a terminal; nothing anywhere else."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = max(total, 1)
        self._done = 0
        self._shown_at = 0.0
        self._on = sys.stderr.isatty()

    def advance(self, by: int) -> None:
        self._done += by
        if self._on and time.monotonic() - self._shown_at > _EVERY_SECONDS:
            self._shown_at = time.monotonic()
            share = min(self._done / self._total, 1.0)
            bar = "#" * round(share * _BAR)
            print(f"\r{self._label} [{bar:.<{_BAR}}] {share:4.0%}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._on:
            print(f"\r{'':<{len(self._label) + _BAR + 10}}\r", end="", file=sys.stderr, flush=True)


@dataclass
class Source:
    """Files of one release. `sha256` is right once they have been read to their ends."""

    name: str
    _digest: object = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        digest: str = self._digest.hexdigest()  # type: ignore[attr-defined]  # hashlib names no public type
        return digest

    def note(self, content: bytes) -> None:
        self._digest.update(content)  # type: ignore[attr-defined]

    def lines(self, path: Path, refusals: Refusals) -> Iterator[tuple[int, str]]:
        """(number, text) of each line without its end; a line that is not UTF-8 is refused."""
        progress = Progress(path.name, path.stat().st_size)
        with path.open("rb") as file:
            for number, content in enumerate(file, start=1):
                self.note(content)
                progress.advance(len(content))
                try:
                    text = content.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    refusals.add(number, "not UTF-8")
                    continue
                if "\0" in text:
                    refusals.add(number, "has a NUL, which no text may hold")
                    continue
                yield number, text.rstrip("\r\n")
        progress.close()

    def records(
        self, path: Path, refusals: Refusals, required: Iterable[str], optional: Iterable[str]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """(line number, {column: value}) of a CSV with a head line. Raises BadRelease for a head that will not do."""
        at = 0

        def numbered() -> Iterator[str]:
            nonlocal at
            for number, text in self.lines(path, refusals):
                at = number
                yield f"{text}\n"

        rows = csv.reader(numbered(), strict=True)
        try:
            head = [name.strip().lower() for name in next(rows, [])]
            missing = [name for name in required if name not in head]
            unknown = [name for name in head if name not in {*required, *optional}]
            if missing or unknown or len(set(head)) < len(head):
                raise BadRelease(
                    f"{path.name}: the first line must name the columns {', '.join(required)}"
                    f" and may name {', '.join(optional)}"
                )
            for row in rows:
                if len(row) != len(head):
                    if row:
                        refusals.add(at, f"{len(row)} fields instead of {len(head)}")
                    continue
                record = {name: value.strip() for name, value in zip(head, row, strict=True)}
                wrong = next((name for name, value in record.items() if not storable(value)), None)
                if wrong is not None:
                    refusals.add(
                        at, f"{wrong} has more than {LONGEST_FIELD:,} characters, or one that is not printable"
                    )
                    continue
                yield at, record
        except csv.Error as error:
            refusals.add(at, str(error))
