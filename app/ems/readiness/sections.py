"""Folds findings by section, so that a first look at a new chart is short."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.filters import one_of
from app.ems.elements import SECTIONS, TARGET_BUILD, load_dictionary
from app.ems.parts import PART_OF, closed_vocabulary
from app.ems.readiness.port import BLANK, Finding, ReadinessSeverity
from app.ems.readiness.schemas import ReadinessFindingRead, SectionRead

_ROWS: Mapping[str, str] = {
    "incident": "Call",
    "patient": "Patient",
    "vital": "Vital signs",
    "intervention": "Medications and procedures",
    "narrative": "Narrative",
    "crew_member": "Crew",
    "element_group": "Further findings",
    "signature": "Signatures",
    "attachment": "Attachments",
    "claim": "Claim",
    "tenant": "Agency",
}
"""Titles of findings that are about no element of NEMSIS, by the kind of row."""
ReadinessSection: Any = closed_vocabulary(
    "ReadinessSection",
    "What findings are summed up by: a section of NEMSIS, or a kind of row.",
    [*dict.fromkeys(each.section for each in load_dictionary(TARGET_BUILD).elements.values()), *_ROWS],
)
OneOfSections: Any = one_of(ReadinessSection)


@dataclass(frozen=True, slots=True)
class Shown:
    """The findings that a client asked for. `folded` leaves out blank lines outside the `sections` that it named."""

    folded: bool = False
    sections: frozenset[str] = frozenset()

    def holds(self, line: ReadinessFindingRead) -> bool:
        """True if the line is to be shown."""
        if self.sections:
            return line.section in self.sections
        return not (self.folded and line.code == BLANK)


def section_of(finding: Finding) -> str:
    """The section of NEMSIS that the finding's rule or field belongs to, else the kind of row that it is about."""
    elements = load_dictionary(TARGET_BUILD).elements
    part = PART_OF.get(finding.entity)
    columns: Mapping[str, str] = {} if part is None else getattr(part.entity, "element_columns", {})
    field = columns.get(finding.field) or finding.field.removeprefix("elements.")
    named = (elements.get(name) for name in (finding.rule or "", field))
    return next((found.section for found in named if found is not None), finding.entity)


def summed_up(lines: Iterable[ReadinessFindingRead]) -> list[SectionRead]:
    """The counts of each section and patient, in the order of their most urgent line."""
    counts: dict[tuple[str, uuid.UUID | None], Counter[str]] = {}
    for line in lines:
        kind = BLANK if line.code == BLANK else line.severity
        counts.setdefault((line.section, line.patient_id), Counter())[kind] += 1
    return [
        SectionRead(
            section=section,
            title=SECTIONS.get(section) or _ROWS.get(section, section),
            patient_id=patient_id,
            blocking=count[ReadinessSeverity.BLOCKING],
            warnings=count[ReadinessSeverity.WARNING],
            blank=count[BLANK],
        )
        for (section, patient_id), count in counts.items()
    ]
