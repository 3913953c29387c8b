"""Looks up medications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from app.coding.lookup.book import CodeBook, Consultation
from app.coding.releases.models import CodeSystem
from app.coding.releases.repository import find_current_release
from app.coding.releases.schemas import ReleaseRead
from app.coding.rxnorm.index import CODE_SHAPE, RXNORM_BOOK, SUGGESTED, Medication
from app.coding.rxnorm.models import Terminology
from app.coding.rxnorm.repository import find_concept, list_related
from app.coding.rxnorm.schemas import RelatedConcept, RxNormDetail, RxNormFound, RxNormResults
from app.coding.search.ranking import Query, search
from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency
from app.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class RxNormSearch:
    """Suppressed and retired concepts are found only on request."""

    text: str
    limit: int
    suggested: bool = False
    include_suppressed: bool = False


class RxNormLookup:
    def __init__(self, uow: ReadUnitOfWork, book: CodeBook) -> None:
        self._uow = uow
        self._book = book

    async def consult(self) -> Consultation:
        """The data that answers a search now."""
        return await self._book.consult(self._uow)

    async def get(self, code: str) -> RxNormDetail:
        """The medication by rxcui or SNOMED CT code. Raises NotFound."""
        row = await find_concept(self._uow, code)
        release = await find_current_release(self._uow, CodeSystem.RXNORM)
        if row is None or release is None:
            raise NotFound
        related = await list_related(self._uow, code) if row["terminology"] == Terminology.RXNORM else []
        shown = _found(
            code=row["code"],
            name=row["name"],
            about=Medication(
                Terminology(row["terminology"]), row["term_type"], row["strength"], row["ingredients"], row["brands"]
            ),
            suppressed=row["suppressed"],
        )
        return RxNormDetail(
            **shown.model_dump(),
            retired_on=row["retired_on"],
            related=[
                RelatedConcept(
                    relation=one["relation"], rxcui=one["code"], name=one["name"], term_type=one["term_type"]
                )
                for one in related
            ],
            release=ReleaseRead(**{**dict(release), "imported_at": release["created_at"]}),
        )


def find_medications(consulted: Consultation, asked: RxNormSearch) -> RxNormResults:
    """The medications found. The search is in memory and sends no statement."""
    codes = consulted.codes
    index = codes.index
    among = index.listed if asked.include_suppressed else index.leading
    if asked.suggested:
        among &= codes.lists["medication"]
    found = search(
        index,
        Query(
            text=asked.text,
            vocabulary=consulted.vocabulary,
            code_shape=CODE_SHAPE,
            among=among,
            favoured=codes.favoured,
            limit=asked.limit,
            leaders=codes.leaders,
        ),
    )
    return RxNormResults(
        release=codes.release,
        items=[
            _found(
                code=index.codes[number],
                name=index.names[number],
                about=index.details[number],
                suppressed=not index.leading >> number & 1,
            )
            for number in found
        ],
    )


def _found(*, code: str, name: str, about: Medication, suppressed: bool) -> RxNormFound:
    is_rxnorm = about.terminology is Terminology.RXNORM
    return RxNormFound(
        rxcui=code if is_rxnorm else None,
        snomed=None if is_rxnorm else code,
        name=name,
        term_type=about.term_type,
        strength=about.strength,
        ingredients=about.ingredients,
        brands=about.brands,
        suppressed=suppressed,
        suggested=code in SUGGESTED,
    )


async def rxnorm_lookup(runtime: RuntimeDependency, uow: ReadUow) -> RxNormLookup:
    return RxNormLookup(uow, runtime.gateways.get(RXNORM_BOOK))


RxNormLookups = Annotated[RxNormLookup, Depends(rxnorm_lookup)]
