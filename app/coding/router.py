"""All routers of coding."""

from __future__ import annotations

from app.coding.icd10.router import router as icd10
from app.coding.procedures.router import router as procedures
from app.coding.rxnorm.router import router as rxnorm
from app.coding.vocabulary.router import router as vocabulary
from app.core.tags import Tag

TAG = Tag("coding", "ICD-10-CM, RxNorm and procedures lookup, and the agency's search vocabulary.")
routers = (icd10, rxnorm, procedures, vocabulary)
