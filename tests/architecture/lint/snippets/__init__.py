"""What each rule refuses and accepts. In refused code, `# here` marks exactly the lines that are at fault."""

from __future__ import annotations

from tests.architecture.lint.snippets import (
    endpoints,
    escapes,
    persistence,
    repositories,
    runtime,
    testing,
    transactions,
    words,
)

_FAMILIES = (escapes, transactions, repositories, endpoints, persistence, runtime, words, testing)
REFUSED = [case for family in _FAMILIES for case in family.REFUSED]
ACCEPTED = [case for family in _FAMILIES for case in family.ACCEPTED]
