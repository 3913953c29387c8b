"""An element of the standard, with its place in the chart and all that a device needs to judge values offline."""

from __future__ import annotations

from pydantic import Field

from app.core.schemas import ReadModel
from app.ems.public import PertinentNegativeMode


class ValueConstraints(ReadModel):
    """What XML Schema asks of a value, in its own terms. Null: it asks nothing of the kind."""

    base: str = Field(
        description="string, integer, positiveInteger, decimal, date, dateTime or base64Binary", examples=["integer"]
    )
    pattern: str | None = Field(description="A regular expression that matches the whole value")
    length: int | None = Field(description="Exactly so many characters")
    min_length: int | None
    max_length: int | None
    total_digits: int | None
    fraction_digits: int | None
    minimum: str | None = Field(description="Inclusive, as a value is written", examples=["0"])
    maximum: str | None = Field(description="Inclusive, as a value is written", examples=["500"])


class PertinentNegativeRead(ReadModel):
    code: str = Field(examples=["8801019"])
    label: str = Field(examples=["Refused"])
    beside: PertinentNegativeMode = Field(
        description="`empty`: it stands instead of a value; `value`: beside one; `either`: with or without one"
    )


class AttributeRead(ReadModel):
    name: str = Field(examples=["ETCO2Type"])
    required: bool
    codes: dict[str, str] = Field(description="Codes and labels, where the values are listed")
    constraints: ValueConstraints


class ElementRead(ReadModel):
    id: str = Field(examples=["eVitals.10"])
    name: str = Field(examples=["Heart Rate"])
    owner: str = Field(description="The entity that stores it", examples=["vital"])
    group: str | None = Field(description="The element group that stores it, for repeating groups")
    internal_field: str | None = Field(
        description="The field that carries it; null: stored under its id in `elements`", examples=["vital.heart_rate"]
    )
    usage: str = Field(examples=["Required"])
    national: bool
    deprecated: bool
    min_occurs: int
    max_occurs: int | None = Field(description="Null: without bound")
    nillable: bool = Field(description="Whether a NOT value or a pertinent negative may stand instead of a value")
    not_values: dict[str, str] = Field(
        description="Codes and labels of the NOT values that it accepts", examples=[{"7701003": "Not Recorded"}]
    )
    pertinent_negatives: list[PertinentNegativeRead]
    attributes: list[AttributeRead] = Field(description="XML attributes other than NV and PN")
    expects: str = Field(description="What a value must be, in words", examples=["a whole number from 0 to 500"])
    codes: dict[str, str] = Field(description="Codes and labels of an enumerated element; no other value is accepted")
    constraints: ValueConstraints = Field(description="Of an element without `codes`")


class DictionaryRead(ReadModel):
    """`elements` in document order: at most the 453 of the EMSDataSet."""

    build: str = Field(examples=["3.5.1.251001CP2"])
    elements: list[ElementRead]
