"""A term as administrators create, change and read it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.coding.search.words import words
from app.core.schemas import CreateModel, EntityRead, Text, VersionedPatch, length


class CodeDomain(StrEnum):
    """Which lookups a term is for."""

    ICD10 = "icd10"
    RXNORM = "rxnorm"
    PROCEDURES = "procedures"


def _has_words(value: str) -> str:
    if not words(value):
        raise PydanticCustomError("no_word", "Give at least one letter or digit")
    return value


def _distinct(values: list[CodeDomain]) -> list[CodeDomain]:
    return list(dict.fromkeys(values))


Phrase = Annotated[Text, length(60), AfterValidator(_has_words)]
Meaning = Annotated[Text, length(120), AfterValidator(_has_words)]
Code = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.]{0,17}$")]
Means = Annotated[list[Meaning], Field(max_length=10, description="What to search for instead, the best first")]
Boost = Annotated[list[Code], Field(max_length=10, description="Codes that lead the answer")]
Domains = Annotated[list[CodeDomain], Field(min_length=1, max_length=len(CodeDomain)), AfterValidator(_distinct)]
_TERM: Any = {"say": "medic 5 special", "means": ["chest pain"], "boost": ["R07.9"], "domains": ["icd10"]}


class VocabularyTermCreate(CreateModel):
    """Without `means` and `boost` the term takes a shipped one of the same words away."""

    model_config = {"json_schema_extra": {"examples": [_TERM]}}

    say: Phrase = Field(description="What is typed; case, accents and punctuation do not matter")
    means: Means = []
    boost: Boost = []
    domains: Domains = Field(default=list(CodeDomain))


class VocabularyTermPatch(VersionedPatch):
    say: Phrase | MISSING = MISSING
    means: Means | MISSING = MISSING
    boost: Boost | MISSING = MISSING
    domains: Domains | MISSING = MISSING


class VocabularyTermRead(EntityRead):
    say: str
    means: list[str]
    boost: list[str]
    domains: list[CodeDomain]
