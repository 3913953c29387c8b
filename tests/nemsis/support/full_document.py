"""A valid EMSDataSet that holds every element and group of the dictionary, for tests that must reach all of them."""

import random
from decimal import Decimal

from lxml import etree

from app.ems.elements import Dictionary, ElementDefinition, GroupDefinition, SimpleType

PATTERN_EXAMPLES = {
    "ANSICountyCode": ["36079", "09001"],
    "ANSIStateCode": ["36", "09"],
    "AssociatedSymptoms": ["R07.9", "R53", "S06.0X0A", "R73.9", "R99"],
    "BloodGlucoseLevel": ["0", "110", "2000", "High", "Low"],
    "CensusTracts": ["36079012345"],
    "DBP": ["80", "500", "P", "p"],
    "DateTimeType": ["2024-10-11T17:05:20-04:00", "1950-01-01T00:00:00-00:00", "2024-02-29T24:00:00.0+14:00"],
    "EmailAddress": ["someone@example.org", "a@b"],
    "GPSLocation": ["41.394,-73.619", "-90.0,+180"],
    "IncidentLocationType": ["Y92.410", "Y92.0"],
    "MedicationAllergies": ["Z88.0", "7980"],
    "PhoneNumber": ["203-555-0134", "+44 20 7946 0018"],
    "ProvidersImpression": ["I21.3", "R69", "U07.1"],
    "SocialSecurityNumber": ["000000000"],
    "USNG": ["18TXL30058488"],
    "UUID": ["8a3f1c9e-2b4d-4e6f-9a0b-1c2d3e4f5a6b"],
    "ZIP": ["10509", "06810-1234", "K1A 0B1"],
    "icd10Activity": ["Y93.01", "Y93.A"],
    "icd10Code": ["S01.00XA", "I10"],
    "icd10CodeInjury": ["W10.8XXA", "V43"],
    "icd10CodeOutcomeProcedures": ["0HQ0XZZ"],
    "icd10MedSurge": ["E11.9", "0DTJ4ZZ"],
}


def example(type_: SimpleType, rnd: random.Random) -> str:
    """A valid value of the type."""
    if type_.members:
        return example(rnd.choice(type_.members), rnd)
    if type_.codes:
        return rnd.choice(list(type_.codes))
    if type_.facets.pattern is not None:
        return rnd.choice(PATTERN_EXAMPLES[type_.name])
    return _unpatterned(type_, rnd)


def _unpatterned(type_: SimpleType, rnd: random.Random) -> str:
    facets = type_.facets
    match type_.base:
        case "string":
            longest = facets.length or facets.max_length or 8
            shortest = facets.length or facets.min_length or 0
            return "x" * rnd.choice([shortest, min(longest, 400)])
        case "date":
            return rnd.choice(["1984-06-30", "2000-02-29", "1984-06-30Z"])
        case "base64Binary":
            return rnd.choice(["QUJD", "QUI=", "QQ=="])
        case _:
            low = Decimal(facets.min_inclusive or "1")
            high = Decimal(facets.max_inclusive or "9")
            return str(rnd.choice([low, high, (low + high) // 2]))


def full_document(dictionary: Dictionary, seed: int) -> etree._Element:
    """Every element once or twice, with a valid value each."""
    return _group(dictionary.root, dictionary, random.Random(seed))  # noqa: S311


def _group(definition: GroupDefinition, dictionary: Dictionary, rnd: random.Random) -> etree._Element:
    node = etree.Element(f"{{{dictionary.namespace}}}{definition.name}", nsmap={None: dictionary.namespace})  # type: ignore[dict-item]
    _set_attributes(node, definition, rnd)
    for child in definition.children:
        once = child.max_occurs == 1 or (isinstance(child, GroupDefinition) and child.name == "Header")
        for _ in range(1 if once else rnd.choice([1, 2])):
            if isinstance(child, GroupDefinition):
                node.append(_group(child, dictionary, rnd))
            else:
                node.append(_element(child, dictionary, rnd))
    return node


def _set_attributes(node: etree._Element, definition: ElementDefinition | GroupDefinition, rnd: random.Random) -> None:
    for attribute in definition.attributes.values():
        unique = attribute.name == "CorrelationID"
        node.set(attribute.name, f"c{rnd.getrandbits(64)}" if unique else example(attribute.type, rnd))


def _element(definition: ElementDefinition, dictionary: Dictionary, rnd: random.Random) -> etree._Element:
    node = etree.Element(f"{{{dictionary.namespace}}}{definition.id}")
    _set_attributes(node, definition, rnd)
    node.text = example(definition.type, rnd)
    return node
