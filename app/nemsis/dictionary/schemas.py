"""An element of the standard, with its place in the chart."""

from __future__ import annotations

from pydantic import Field

from app.core.schemas import ReadModel


class ElementRead(ReadModel):
    id: str = Field(examples=["eVitals.10"])
    name: str = Field(examples=["Heart Rate"])
    owner: str = Field(description="The entity that stores it")
    group: str | None = Field(description="The element group that stores it, for repeating groups")
    internal_field: str | None = Field(description="The field that carries it; null: stored under its id in `elements`")
    usage: str
    national: bool
    deprecated: bool
    min_occurs: int
    max_occurs: int | None
    not_values: dict[str, str]
    pertinent_negatives: list[str]
    expects: str = Field(description="What a value must be, in words")
    codes: dict[str, str] = Field(description="Codes and labels of an enumerated element")


class DictionaryRead(ReadModel):
    """`elements` in document order: at most the 453 of the EMSDataSet."""

    build: str = Field(examples=["3.5.1.251001CP2"])
    elements: list[ElementRead]
