"""The query of each list of entries, made from what the repository of the kind declares."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query
from pydantic import create_model

from app.core.db.columns import EnumText
from app.core.filters import FilterText, From, To, values_of
from app.core.pagination import PagingWithDeleted, sort_field
from app.core.repository import Repository


def list_query(repository: type[Repository[Any]]) -> Any:
    """The page that a client asks for, with the filters, bounds and orders of the list, as a parameter of its route.

    The chart is named in the path, so it is no filter.
    """
    columns = repository.entity.__table__.columns
    fields: dict[str, Any] = {
        name: (_values_of(columns[name].type), None) for name in repository.filters if name != "incident_id"
    }
    for name in repository.ranges:
        fields |= {f"{name}_from": (From, None), f"{name}_to": (To, None)}
    if repository.sorts:
        fields["sort"] = sort_field(*repository.sorts)
    model = create_model(f"{repository.entity.__name__}Query", __base__=PagingWithDeleted, **fields)
    return Annotated[model, Query()]


def _values_of(kind: Any) -> Any:
    if isinstance(kind, EnumText):
        return values_of(kind.enum)
    return values_of(uuid.UUID if isinstance(kind, sa.Uuid) else FilterText)
