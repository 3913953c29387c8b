"""All routers of coding, and what warms its indexes up."""

from __future__ import annotations

from fastapi import FastAPI

from app.coding.icd10.index import ICD10
from app.coding.icd10.router import router as icd10
from app.coding.lookup.serving import book_in
from app.coding.rxnorm.index import RXNORM
from app.coding.rxnorm.router import router as rxnorm
from app.coding.vocabulary.router import router as vocabulary

routers = (icd10, rxnorm, vocabulary)


async def load_code_sets(app: FastAPI) -> None:
    """Load both indexes beside the first requests, so that none of them has to wait."""
    for code_set in (RXNORM, ICD10):
        await book_in(app, code_set).refresh()
