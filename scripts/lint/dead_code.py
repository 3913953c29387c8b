"""Finds code that nothing uses: vulture over the service and its scripts, with the settings in pyproject.toml.

`python -m scripts.lint.dead_code` prints the findings, and exits with 1 when there are any. The tests are not searched:
what only they use is a finding too. Fields of classes are left out, because tables, schemas and enums declare them for
the database and for clients. Local variables are left out, because ruff judges them. An exception is a name in
`ignore_names` of `[tool.vulture]`, below its reason. A name there that excuses nothing is a finding.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from vulture import Vulture
from vulture.core import Item

_FIELDS_AND_LOCALS = ("variable", "attribute")


@dataclass(frozen=True)
class Search:
    """Where vulture looks, and what it leaves out. The names of `ignore_names` are exact."""

    paths: list[str]
    ignore_decorators: list[str]
    ignore_names: list[str]

    def findings(self, root: Path) -> list[str]:
        """A line for each piece of unused code, and one for each exception that excuses nothing."""
        vulture = Vulture(ignore_decorators=self.ignore_decorators)
        vulture.scavenge([root / path for path in self.paths])
        unused = [item for item in vulture.get_unused_code() if _counts(item)]
        excused = {item.name for item in unused} & set(self.ignore_names)
        found = [_line(item, root) for item in unused if item.name not in excused]
        needless = [name for name in self.ignore_names if name not in excused]
        return [*found, *(f"pyproject.toml: nothing needs the exception {name}" for name in needless)]


def _counts(item: Item) -> bool:
    """True if it is a definition, or a constant of a module: the only variables that are not indented."""
    kind, name = str(item.typ), str(item.name)
    if kind not in _FIELDS_AND_LOCALS:
        return True
    declared = Path(item.filename).read_text(encoding="utf-8").splitlines()[item.first_lineno - 1]
    return kind == "variable" and declared.startswith(name)


def _line(item: Item, root: Path) -> str:
    return f"{Path(item.filename).relative_to(root)}:{item.first_lineno} unused {item.typ} {item.name}"


def configured(root: Path) -> Search:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["vulture"]
    return Search(**settings)


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    found = configured(root).findings(root)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
