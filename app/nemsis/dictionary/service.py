"""Lists the dictionary."""

from __future__ import annotations

import hashlib
from functools import cache

from app.ems.public import (
    TARGET_BUILD,
    ElementDefinition,
    SimpleType,
    expectation,
    load_dictionary,
    owner_of,
    repeating_group_of,
)
from app.nemsis.dictionary.schemas import (
    AttributeRead,
    DictionaryRead,
    ElementRead,
    PertinentNegativeRead,
    ValueConstraints,
)
from app.nemsis.mapping import internal_field


@cache
def _all() -> tuple[ElementRead, ...]:
    return tuple(_read(element) for element in load_dictionary(TARGET_BUILD).elements.values())


def _read(element: ElementDefinition) -> ElementRead:
    labels = load_dictionary(TARGET_BUILD).pertinent_negatives
    return ElementRead(
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
        nillable=element.nillable,
        not_values=dict(element.not_values),
        pertinent_negatives=[
            PertinentNegativeRead(code=code, label=labels[code], beside=mode)
            for code, mode in element.pertinent_negatives.items()
        ],
        attributes=[
            AttributeRead(
                name=attribute.name,
                required=attribute.required,
                codes=dict(attribute.type.codes),
                constraints=_constraints(attribute.type),
            )
            for attribute in element.attributes.values()
        ],
        expects=expectation(element.type),
        codes=dict(element.type.codes),
        constraints=_constraints(element.type),
    )


def _constraints(type_: SimpleType) -> ValueConstraints:
    facets = type_.facets
    return ValueConstraints(
        base=type_.base,
        pattern=facets.pattern,
        length=facets.length,
        min_length=facets.min_length,
        max_length=facets.max_length,
        total_digits=facets.total_digits,
        fraction_digits=facets.fraction_digits,
        minimum=facets.min_inclusive,
        maximum=facets.max_inclusive,
    )


@cache
def edition() -> str:
    """A name for the whole dictionary's content. It changes with the build and with the descriptions of elements."""
    whole = read_elements(None).model_dump_json().encode()
    return f"{TARGET_BUILD}.{hashlib.sha256(whole).hexdigest()[:12]}"


def read_elements(section: str | None) -> DictionaryRead:
    """Elements of one section, or all; an unknown section has none."""
    elements = [element for element in _all() if section is None or element.id.partition(".")[0] == section]
    return DictionaryRead(build=TARGET_BUILD, elements=elements)
