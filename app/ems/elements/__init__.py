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
from app.ems.elements.national_rules import (
    NATIONAL_RULES,
    RXNORM_CODE,
    RXNORM_CODE_TYPE,
    SNOMED_CODE_TYPE,
    SNOMED_MEDICATIONS,
    NationalRule,
    Occurrence,
    PertinentNegativeMode,
    broken_rules,
    pertinent_negative_mode,
)
from app.ems.elements.ownership import (
    CUSTOM_CONFIGURATION_GROUP,
    ENTITY_GROUPS,
    REPEATING_GROUPS,
    Owner,
    RepeatingGroup,
    owner_of,
    repeating_group_of,
)
from app.ems.elements.phi import PhiClass, phi_class
from app.ems.elements.simple_types import Facets, SimpleType, Violation, has_illegal_character
from app.ems.elements.values import ElementPatch, ElementValue, ElementValues, from_json, merge, to_json
from app.ems.elements.wording import expectation

__all__ = [
    "BUILDS",
    "CUSTOM_CONFIGURATION_GROUP",
    "ENTITY_GROUPS",
    "NATIONAL_RULES",
    "NOT_APPLICABLE",
    "NOT_RECORDED",
    "REPEATING_GROUPS",
    "RXNORM_CODE",
    "RXNORM_CODE_TYPE",
    "SNOMED_CODE_TYPE",
    "SNOMED_MEDICATIONS",
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
    "NationalRule",
    "Occurrence",
    "Owner",
    "PertinentNegativeMode",
    "PhiClass",
    "ProblemCode",
    "RepeatingGroup",
    "SimpleType",
    "Usage",
    "Violation",
    "broken_rules",
    "check_elements",
    "check_group_attributes",
    "definition_name",
    "expectation",
    "from_json",
    "has_illegal_character",
    "load_dictionary",
    "merge",
    "owner_of",
    "pertinent_negative_mode",
    "phi_class",
    "repeating_group_of",
    "to_json",
]
