"""The NEMSIS element dictionary and the checks of what a chart stores against it."""

from app.ems.elements.checks import (
    ElementProblem,
    ProblemCode,
    check_elements,
    check_group_attributes,
)
from app.ems.elements.dictionary import (
    NOT_APPLICABLE,
    NOT_RECORDED,
    AttributeDefinition,
    Definition,
    Dictionary,
    ElementDefinition,
    GroupDefinition,
    Usage,
    definition_name,
)
from app.ems.elements.loading import BUILDS, TARGET_BUILD, load_dictionary
from app.ems.elements.ownership import (
    CUSTOM_CONFIGURATION_GROUP,
    ENTITY_GROUPS,
    PER_PATIENT,
    PER_PATIENT_GROUPS,
    REPEATING_GROUPS,
    Owner,
    RepeatingGroup,
    may_stand_under,
    owner_of,
    repeating_group_of,
)
from app.ems.elements.pertinent_negatives import APPROXIMATE, PertinentNegativeMode, pertinent_negative_mode
from app.ems.elements.phi import PhiClass, phi_class
from app.ems.elements.simple_types import Facets, SimpleType, Violation, has_illegal_character
from app.ems.elements.values import ElementPatch, ElementValue, ElementValues, from_json, merge, to_json
from app.ems.elements.wording import expectation

__all__ = [
    "APPROXIMATE",
    "BUILDS",
    "CUSTOM_CONFIGURATION_GROUP",
    "ENTITY_GROUPS",
    "NOT_APPLICABLE",
    "NOT_RECORDED",
    "PER_PATIENT",
    "PER_PATIENT_GROUPS",
    "REPEATING_GROUPS",
    "TARGET_BUILD",
    "AttributeDefinition",
    "Definition",
    "Dictionary",
    "ElementDefinition",
    "ElementPatch",
    "ElementProblem",
    "ElementValue",
    "ElementValues",
    "Facets",
    "GroupDefinition",
    "Owner",
    "PertinentNegativeMode",
    "PhiClass",
    "ProblemCode",
    "RepeatingGroup",
    "SimpleType",
    "Usage",
    "Violation",
    "check_elements",
    "check_group_attributes",
    "definition_name",
    "expectation",
    "from_json",
    "has_illegal_character",
    "load_dictionary",
    "may_stand_under",
    "merge",
    "owner_of",
    "pertinent_negative_mode",
    "phi_class",
    "repeating_group_of",
    "to_json",
]
