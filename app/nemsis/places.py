"""The places of elements and repeating groups in the neutral content. The builder and the reader share them."""

from collections.abc import Sequence
from functools import cache

from app.ems.public import Dictionary, ElementDefinition, GroupDefinition
from app.nemsis.content import DocumentContentError, Elements, GroupInstance

HEADER = "Header"
REPORT = "PatientCareReport"


@cache
def holder_of(name: str, dictionary: Dictionary) -> str:
    """The repeating group that holds an element or a group. REPORT or HEADER if no other group is around it.

    Raises KeyError for a name that the dictionary does not have.
    """
    element = dictionary.elements.get(name)
    above = element.group_path if element is not None else dictionary.groups[name].path[:-1]
    return next((group for group in reversed(above) if dictionary.groups[group].repeats), HEADER)


@cache
def names_within(group: GroupDefinition) -> frozenset[str]:
    """The elements and repeating groups of an instance that would be written inside `group`."""
    names: set[str] = set()
    for child in group.children:
        if isinstance(child, ElementDefinition):
            names.add(child.id)
        elif child.repeats:
            names.add(child.name)
        else:
            names |= names_within(child)
    return frozenset(names)


def check_places(elements: Elements, groups: Sequence[GroupInstance], holder: str, dictionary: Dictionary) -> None:
    """Raises DocumentContentError for content that has no place below `holder`. So no content is dropped in silence."""
    for element_id in elements:
        if element_id not in dictionary.elements:
            raise DocumentContentError("the content holds an element that is not in the dictionary")
        _check_place(element_id, holder, dictionary)
    for instance in groups:
        group = dictionary.groups.get(instance.name)
        if group is None or not group.repeats or instance.name in (HEADER, REPORT):
            raise DocumentContentError("the content holds an instance of something that is no repeating group")
        _check_place(instance.name, holder, dictionary)
        check_places(instance.elements, instance.children, instance.name, dictionary)


def _check_place(name: str, holder: str, dictionary: Dictionary) -> None:
    expected = holder_of(name, dictionary)
    if expected != holder:
        raise DocumentContentError(f"{name} belongs in {expected}, not in {holder}")
