"""All routers of coding, and what a web process holds for them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from app.coding.icd10.index import ICD10
from app.coding.icd10.router import router as icd10
from app.coding.lookup.serving import open_books
from app.coding.procedures.index import PROCEDURES
from app.coding.procedures.router import router as procedures
from app.coding.rxnorm.index import RXNORM
from app.coding.rxnorm.router import router as rxnorm
from app.coding.vocabulary.router import router as vocabulary

routers = (icd10, rxnorm, procedures, vocabulary)


def code_books(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """The indexes of the code sets, the smallest first."""
    return open_books(app, (PROCEDURES, RXNORM, ICD10))
