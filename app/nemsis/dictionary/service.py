"""Lists the dictionary."""

from __future__ import annotations

from functools import cache

from app.ems.public import TARGET_BUILD, expectation, load_dictionary, owner_of, repeating_group_of
from app.nemsis.dictionary.schemas import DictionaryRead, ElementRead
from app.nemsis.mapping import internal_field


@cache
def _all() -> tuple[ElementRead, ...]:
    return tuple(
        ElementRead(
            id=element.id,
            name=element.name,
            owner=owner_of(element.id).value,
            group=repeating_group_of(element.id),
            internal_field=internal_field(element.id),
            usage=element.usage.value,
            national=element.national,
            deprecated=element.deprecated,
            min_occurs=element.min_occurs,
            max_occurs=element.max_occurs,
            not_values=dict(element.not_values),
            pertinent_negatives=list(element.pertinent_negatives),
            expects=expectation(element.type),
            codes=dict(element.type.codes),
        )
        for element in load_dictionary(TARGET_BUILD).elements.values()
    )


def read_elements(section: str | None) -> DictionaryRead:
    """Elements of one section, or all; an unknown section has none."""
    elements = [element for element in _all() if section is None or element.id.partition(".")[0] == section]
    return DictionaryRead(build=TARGET_BUILD, elements=elements)
