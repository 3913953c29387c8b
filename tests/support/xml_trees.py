"""Documents compared as XML: the project's own reader would overlook on both sides what it never reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lxml import etree


class Tree(NamedTuple):
    """An element without its namespace; repeating instances in a canonical order, since a chart sorts them by time."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    text: str
    children: tuple[Any, ...]


def tree_of(node: etree._Element) -> Tree:
    attributes = {etree.QName(str(name)).localname: str(value) for name, value in node.attrib.items()}
    children = sorted(tree_of(child) for child in node.iterchildren("*"))
    return Tree(
        etree.QName(node).localname, tuple(sorted(attributes.items())), (node.text or "").strip(), tuple(children)
    )


def differences(ours: Tree, theirs: Tree, path: str = "") -> list[str]:
    """`lost` and `added` elements, and what stands otherwise in ours than in theirs, each by its path."""
    here = f"{path}/{theirs.name}"
    found = [] if ours.text == theirs.text else [f"changed {here}: {theirs.text!r} to {ours.text!r}"]
    given, stored = dict(ours.attributes), dict(theirs.attributes)
    found += [f"changed {here}/@{name}" for name in sorted(given | stored) if given.get(name) != stored.get(name)]
    added, lost = _without(ours.children, theirs.children), _without(theirs.children, ours.children)
    for child in lost:
        counterpart = next((other for other in added if other.name == child.name), None)
        if counterpart is None:
            found.append(f"lost {here}/{child.name}")
        else:
            added.remove(counterpart)
            found += differences(counterpart, child, here)
    return found + [f"added {here}/{child.name}" for child in added]


def _without(children: Iterable[Tree], others: Iterable[Tree]) -> list[Tree]:
    left = list(children)
    for other in others:
        if other in left:
            left.remove(other)
    return left
