"""Every kind of chart child."""

from __future__ import annotations

from typing import Any

from app.ems.entries.attachments import ATTACHMENTS
from app.ems.entries.children import ChildKind
from app.ems.entries.crew import CREW
from app.ems.entries.element_groups import ELEMENT_GROUPS
from app.ems.entries.interventions import INTERVENTIONS
from app.ems.entries.narratives import NARRATIVES
from app.ems.entries.patients import PATIENTS
from app.ems.entries.signatures import SIGNATURES
from app.ems.entries.uploads import UploadKind
from app.ems.entries.vitals import VITALS

EntryKind = ChildKind[Any, Any] | UploadKind[Any, Any]

KINDS: tuple[ChildKind[Any, Any], ...] = (PATIENTS, VITALS, INTERVENTIONS, NARRATIVES, ELEMENT_GROUPS, CREW)
UPLOADS: tuple[UploadKind[Any, Any], ...] = (SIGNATURES, ATTACHMENTS)
ENTRY_KINDS: tuple[EntryKind, ...] = (*KINDS, *UPLOADS)
