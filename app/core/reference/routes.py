"""The routes of a kind of reference record: list, get and those that its declaration adds.

They are made from its ReferenceKind. Annotations are values here, hence no `from __future__ import annotations`.
"""

import inspect
import uuid
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from app.core.dependencies import ReadUow, Uow, requires
from app.core.filters import one_of
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, PagingQuery
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.service import ReferenceReader, ReferenceService
from app.core.schemas import RestoreRequest, VersionQuery


def reference_router(kind: ReferenceKind[Any]) -> APIRouter:
    """The router of one kind."""
    router = APIRouter(prefix=f"/{kind.path}", tags=[kind.tag])
    _add_reading(router, kind)
    add = {Verb.CREATE: _add_create, Verb.REVISE: _add_revise, Verb.DELETE: _add_delete, Verb.RESTORE: _add_restore}
    for verb in kind.actions:
        add[verb](router, kind)
    if kind.lifecycle is not None:
        _add_transition(router, kind)
    return router


def _service_of(kind: ReferenceKind[Any]) -> Any:
    async def service(uow: Uow) -> ReferenceService[Any]:
        return ReferenceService(uow, kind)

    return Annotated[ReferenceService[Any], Depends(service)]


def _name(verb: str, noun: str) -> str:
    return f"{verb}_{noun.lower().replace(' ', '_')}"


def _selection(kind: ReferenceKind[Any]) -> Callable[..., dict[str, Any]]:
    """A dependency whose query parameters are the kind's filters and, for kinds with deletion, the one for deleted."""

    def select(**given: Any) -> dict[str, Any]:
        return given

    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=one_of(value))
        for name, value in kind.filters.items()
    ]
    if Verb.DELETE in kind.actions:
        deleted = inspect.Parameter("include_deleted", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=bool)
        parameters.append(deleted)
    select.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what FastAPI reads
    return select


def _add_reading(router: APIRouter, kind: ReferenceKind[Any]) -> None:
    async def reader(uow: ReadUow) -> ReferenceReader[Any]:
        return ReferenceReader(uow, kind)

    # These types are values: FastAPI reads them at run time, and mypy cannot.
    read_model: Any = kind.read
    page_model: Any = Page[read_model]
    reader_type: Any = Annotated[ReferenceReader[Any], Depends(reader)]
    selection_type: Any = Annotated[dict[str, Any], Depends(_selection(kind))]
    deleted = " `include_deleted` is for those who may change them." if Verb.DELETE in kind.actions else ""

    @router.get(
        "",
        name=_name("list", kind.plural),
        summary=f"List {kind.plural}",
        description=f"{kind.about} Newest first.{deleted}",
        dependencies=[requires(kind.may_read)],
    )
    async def list_page(
        records: reader_type,
        selection: selection_type,
        paging: PagingQuery,
    ) -> page_model:
        return await records.list_page(paging, **selection)

    @router.get(
        "/{record_id}",
        name=_name("get", kind.noun),
        summary=f"Get {kind.noun}",
        description=f"One {kind.noun} of the agency.",
        dependencies=[requires(kind.may_read)],
    )
    async def get(record_id: uuid.UUID, records: reader_type) -> read_model:
        return await records.get(record_id)


def _add_create(router: APIRouter, kind: ReferenceKind[Any]) -> None:
    create_model: Any = kind.create
    created_model: Any = kind.created or kind.read
    service_type: Any = _service_of(kind)
    once = " What is shown once stands in the first answer alone: a repeated request is answered without it."

    @router.post(
        "",
        status_code=201,
        name=_name("create", kind.noun),
        summary=f"Create {kind.noun}",
        description=f"Add a {kind.noun} to the agency's records.{'' if kind.created is None else once}",
        dependencies=[requires(kind.may_write)],
    )
    async def create(given: create_model, records: service_type, creation: CreationDependency) -> created_model:
        return await records.create(given, creation)


def _add_revise(router: APIRouter, kind: ReferenceKind[Any]) -> None:
    patch_model: Any = kind.patch
    read_model: Any = kind.read
    service_type: Any = _service_of(kind)

    @router.patch(
        "/{record_id}",
        name=_name("revise", kind.noun),
        summary=f"Revise {kind.noun}",
        description="Change a record: `version` and the fields that changed.",
        dependencies=[requires(kind.may_write)],
    )
    async def revise(record_id: uuid.UUID, patch: patch_model, records: service_type) -> read_model:
        return await records.revise(record_id, patch)


def _add_transition(router: APIRouter, kind: ReferenceKind[Any]) -> None:
    transition_model: Any = kind.transition
    read_model: Any = kind.read
    service_type: Any = _service_of(kind)

    @router.post(
        "/{record_id}/transitions",
        name=_name("transition", kind.noun),
        summary=f"Transition {kind.noun}",
        description=f"Move a {kind.noun} along its lifecycle; `allowed_actions` says what is possible.",
        dependencies=[requires(kind.may_write)],
    )
    async def transition(record_id: uuid.UUID, given: transition_model, records: service_type) -> read_model:
        return await records.transition(record_id, given)


def _add_delete(router: APIRouter, kind: ReferenceKind[Any]) -> None:
    service_type: Any = _service_of(kind)

    @router.delete(
        "/{record_id}",
        status_code=204,
        name=_name("delete", kind.noun),
        summary=f"Delete {kind.noun}",
        description=f"Soft-delete a {kind.noun}; its name is free again.",
        dependencies=[requires(kind.may_write)],
    )
    async def delete(record_id: uuid.UUID, version: VersionQuery, records: service_type) -> None:
        await records.delete(record_id, version)


def _add_restore(router: APIRouter, kind: ReferenceKind[Any]) -> None:
    read_model: Any = kind.read
    service_type: Any = _service_of(kind)

    @router.post(
        "/{record_id}/restore",
        name=_name("restore", kind.noun),
        summary=f"Restore {kind.noun}",
        description=f"Bring a deleted {kind.noun} back, unless another one has taken its name.",
        dependencies=[requires(kind.may_write)],
    )
    async def restore(record_id: uuid.UUID, given: RestoreRequest, records: service_type) -> read_model:
        return await records.restore(record_id, given.version)
