"""`python -m scripts.lint PATH…` prints findings and exits 1 if there are any; `--rules` prints the rule table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scripts.lint.rule import REFUSALS
from scripts.lint.runner import lint_paths


def rule_table() -> str:
    """Markdown: every rule, its reason, and the part of the house style that it enforces."""
    rows = [
        f"| {code} | {entry.refuses} | {entry.because} | {entry.section} |" for code, entry in sorted(REFUSALS.items())
    ]
    return "\n".join(["| id | refuses | because | house style |", "|---|---|---|---|", *rows])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.lint", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's root (default: here)")
    parser.add_argument("--rules", action="store_true", help="print the rule table")
    given = parser.parse_args(arguments)
    if given.rules:
        print(rule_table())
        return 0
    if not given.paths:
        parser.error("give the files or directories to check")
    try:
        findings = lint_paths(given.paths, given.root)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
