"""Custom elements as clients create, change and read them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import MISSING, Field

from app.core.schemas import CreateModel, EntityRead, Text, VersionedPatch, length
from app.ems.elements import GivenElements, to_json

CustomElementId = Annotated[Text, length(255, 2), Field(description="What eCustomResults.02 refers to")]
_ABOUT = "eCustomConfiguration.01 to .09 keyed by id, as in a chart; .01 to .05 are mandatory"
EXAMPLE = {
    "eCustomConfiguration.01": [{"value": "Station dog on board"}],
    "eCustomConfiguration.02": [{"value": "Whether the station's dog rode along"}],
    "eCustomConfiguration.03": [{"value": "9902011"}],
    "eCustomConfiguration.04": [{"value": "9923001"}],
    "eCustomConfiguration.05": [{"value": "9903007"}],
}


class CustomElementCreate(CreateModel):
    custom_element_id: CustomElementId
    elements: GivenElements = Field(description=_ABOUT, examples=[EXAMPLE])

    def values(self) -> dict[str, Any]:
        return {**super().values(), "elements": to_json(self.elements)}


class CustomElementPatch(VersionedPatch):
    custom_element_id: CustomElementId | MISSING = MISSING
    elements: GivenElements = Field(default_factory=dict, description=_ABOUT + "; replaces all of them")

    def changes(self) -> dict[str, Any]:
        changes = super().changes()
        return {**changes, "elements": to_json(self.elements)} if "elements" in changes else changes


class CustomElementRead(EntityRead):
    custom_element_id: str
    elements: dict[str, Any] = Field(description=_ABOUT)
