"""Fixes of one record in one request: sent one by one, the first would make the version of all others stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from app.ems.readiness.port import Fix

N = TypeVar("N")
_VERSION = "version"


def combined(fixes: Iterable[tuple[N, Fix]]) -> list[tuple[Fix, list[N]]]:
    """The fixes put together, each with the names of what it clears, in an order in which all of them succeed.

    PATCHes of one address become one. A PATCH that says another thing of a field than one before it is left out until
    that one has been sent. What else is done to a record comes after its PATCH, with the version that the requests
    before it leave: a fix always changes something, once.
    """
    patches: dict[str, tuple[Fix, list[N]]] = {}
    others: list[tuple[Fix, list[N]]] = []
    for name, fix in fixes:
        if fix.method != "PATCH":
            others.append((fix, [name]))
        elif fix.path not in patches:
            patches[fix.path] = fix, [name]
        else:
            first, names = patches[fix.path]
            if not _contradict(first.body, fix.body):
                patches[fix.path] = first._replace(body=_merged(first.body, fix.body)), [*names, name]
    sent = Counter(patches.keys())
    later = []
    for fix, names in others:
        record = fix.path.rpartition("/")[0]
        later.append((fix._replace(body={**fix.body, _VERSION: fix.body[_VERSION] + sent[record]}), names))
        sent[record] += 1
    return [*patches.values(), *later]


def _contradict(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """True if both bodies say something of one field, or of one of its elements, and not the same."""
    for name in first.keys() & second.keys():
        one, other = first[name], second[name]
        if _contradict(one, other) if _nested(one) and _nested(other) else one != other:
            return True
    return False


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """What either body says; of a field that holds elements, the elements of both."""
    both = {name: _merged(first[name], second[name]) for name in first.keys() & second.keys() if _nested(second[name])}
    return {**first, **second, **both}


def _nested(value: Any) -> bool:
    return isinstance(value, dict)
