"""The rules of writing of each part below the incident. Its routes are made from them.

`app/ems/parts.py` declares what a chart consists of. Here each part is given its rules, once.
"""

from __future__ import annotations

from collections.abc import Mapping
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

KINDS: tuple[ChildKind[Any, Any], ...] = (PATIENTS, VITALS, INTERVENTIONS, NARRATIVES, ELEMENT_GROUPS, CREW)
"""Entries that are fields, written by PATCH."""
UPLOADS: tuple[UploadKind[Any, Any], ...] = (SIGNATURES, ATTACHMENTS)
"""Entries with a content in the object store, moved by transitions."""
CHILD_KINDS: Mapping[str, ChildKind[Any, Any]] = {kind.part.entity_type: kind for kind in KINDS}
UPLOAD_KINDS: Mapping[str, UploadKind[Any, Any]] = {kind.repository.entity.entity_type: kind for kind in UPLOADS}
