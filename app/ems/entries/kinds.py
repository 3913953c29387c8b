"""Every kind of chart child."""

from __future__ import annotations

from typing import Any

from app.ems.entries.children import ChildKind
from app.ems.entries.element_groups import ELEMENT_GROUPS
from app.ems.entries.interventions import INTERVENTIONS
from app.ems.entries.narratives import NARRATIVES
from app.ems.entries.patients import PATIENTS
from app.ems.entries.vitals import VITALS

KINDS: tuple[ChildKind[Any, Any], ...] = (PATIENTS, VITALS, INTERVENTIONS, NARRATIVES, ELEMENT_GROUPS)
