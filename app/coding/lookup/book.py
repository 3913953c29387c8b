"""CodeBook: one code set in the memory of a process. Every query checks that it is still the loaded release."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from app.coding.lookup.shipped import shipped_edition, shipped_terms
from app.coding.releases.models import CodeSystem
from app.coding.releases.repository import find_current_release, read_state
from app.coding.search.index import TextIndex
from app.coding.search.vocabulary import Term, Vocabulary
from app.coding.vocabulary.repository import VocabularyRepository
from app.coding.vocabulary.schemas import CodeDomain
from app.core.db.pool import ConnectionSource
from app.core.db.uow import ReadUnitOfWork, Transaction
from app.core.gateways import Held
from app.core.ids import TenantId
from app.core.logging import get_logger
from app.core.pools import CODES

AGENCIES = 256
MANY_TERMS = 100
"""More terms are made into a vocabulary beside the event loop: two thousand take some 40 ms."""
LOG_KEYS = ("code_system", "rows")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedCodes:
    """`lists`: the set of each NEMSIS list by its name. `favoured`: sets that precede others, best first.

    `leaders`: as in `Query`.
    """

    index: TextIndex
    lists: Mapping[str, int]
    favoured: Sequence[int]
    leaders: Mapping[int, int] = field(default_factory=dict)
    release_id: uuid.UUID | None = None
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Consultation:
    """The data that answers one query. `edition` changes whenever the answer to any query may change."""

    codes: LoadedCodes
    vocabulary: Vocabulary
    edition: str


class Snapshot(Transaction):
    """A transaction in which all batches of a load see one state, even during an import."""

    __slots__ = ()

    def _opening(self) -> str:
        return "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


@dataclass(frozen=True, slots=True)
class CodeSet:
    """One code system, and how its index is made: `load` reads, and the function that it returns makes the index.

    That function runs in a thread. `system` is None for codes that ship with the service and have no releases.
    """

    system: CodeSystem | None
    domain: CodeDomain
    load: Callable[[Transaction], Awaitable[Callable[[], LoadedCodes]]]

    @property
    def name(self) -> str:
        return self.domain if self.system is None else self.system


@dataclass
class CodeBook:
    database: ConnectionSource
    code_set: CodeSet
    _loaded: LoadedCodes | None = None
    _loading: asyncio.Task[LoadedCodes] | None = None
    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _vocabularies: OrderedDict[TenantId, tuple[int, Vocabulary]] = field(default_factory=OrderedDict)

    def start(self) -> asyncio.Task[LoadedCodes]:
        """Load what the database has now, unless a load is running. The next query tries a failed load again."""
        if self._loading is None or self._loading.done():
            self._connected.clear()
            self._loading = asyncio.create_task(self._load())
            self._loading.add_done_callback(_report_failure)
        return self._loading

    async def refresh(self) -> LoadedCodes:
        """Do the same as `start`, and wait. Concurrent requests share one load, which outlives each of them."""
        return await asyncio.shield(self.start())

    async def close(self) -> None:
        """End a running load, because the pool would leave its connection open.

        It first waits until the load has its connection: a connection that is cancelled while opening stays open too.
        """
        if self._loading is not None:
            await self._connected.wait()
            self._loading.cancel()
            await asyncio.wait((self._loading,))

    async def consult(self, uow: ReadUnitOfWork) -> Consultation:
        """The data for a query. Only the first query of a process waits; a newer release is loaded beside the queries.

        It waits before `uow` has a connection, because waiting queries may not take connections that the load needs.
        """
        codes = self._loaded or await self.refresh()
        state = await read_state(uow, self.code_set.system)
        if state.release_id != codes.release_id:
            self.start()
        vocabulary = await self._vocabulary(uow, state.vocabulary_version)
        edition = f"{codes.release_id}.{shipped_edition()}.{uow.tenant_id}.{state.vocabulary_version}"
        return Consultation(codes, vocabulary, edition)

    async def _load(self) -> LoadedCodes:
        try:
            async with Snapshot(self.database) as transaction:
                release = await self._release(transaction)
                self._connected.set()
                make = await self.code_set.load(transaction)
        finally:
            self._connected.set()  # after a failure too, so that nobody waits for ever
        codes = await CODES.run(make)  # seconds, during which no transaction may stay idle
        if release is not None:
            codes = replace(codes, release_id=release["id"], release=release["release"])
        self._loaded = codes
        _log.info("code set loaded", code_system=self.code_set.name, rows=codes.index.size)
        return codes

    async def _release(self, transaction: Transaction) -> Any:
        """The newest row of the code system. None before the first import, and for codes that are never imported."""
        system = self.code_set.system
        return None if system is None else await find_current_release(transaction, system)

    async def _vocabulary(self, uow: ReadUnitOfWork, version: int) -> Vocabulary:
        """The agency's vocabulary, made again when its version changed; the shipped one for an agency without terms."""
        if version == 0:
            return shipped_terms(self.code_set.domain)
        held = self._vocabularies.get(uow.tenant_id)
        if held is None or held[0] != version:
            own = await VocabularyRepository(uow).list_all(uow.tenant_id)
            terms = [
                Term(say=term.say, means=tuple(term.means), boost=tuple(term.boost))
                for term in own
                if self.code_set.domain in term.domains
            ]
            make = partial(Vocabulary, terms, base=shipped_terms(self.code_set.domain))
            held = version, make() if len(terms) < MANY_TERMS else await CODES.run(make)
            self._vocabularies[uow.tenant_id] = held
        self._vocabularies.move_to_end(uow.tenant_id)
        if len(self._vocabularies) > AGENCIES:
            self._vocabularies.popitem(last=False)
        return held[1]


def book_of(code_set: CodeSet) -> Held[CodeBook]:
    """Declare the book of `code_set` that a process holds. A web process loads it beside its first requests."""
    return Held(
        f"{code_set.domain.value} book",
        lambda runtime: CodeBook(runtime.database, code_set),
        close=CodeBook.close,
        started=CodeBook.start,
    )


def _report_failure(loading: asyncio.Task[LoadedCodes]) -> None:
    if not loading.cancelled() and (error := loading.exception()) is not None:
        _log.warning("code set not loaded", exc_info=error)
