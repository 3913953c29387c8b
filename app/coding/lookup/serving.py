"""Lookups over HTTP: the process's books, conditional requests, the parameters that all code sets share."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request, Response

from app.coding.lookup.book import CodeBook, CodeSet
from app.coding.lookup.shipped import shipped_edition
from app.coding.releases.schemas import ReleaseRead
from app.core.runtime import Runtime

QueryText = Annotated[
    str, Query(max_length=300, description="A code, or words as they are said: `sob`, `fx l wrist`, `I21.3`")
]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has this answer already"}}
LookupLimit = Annotated[int, Query(ge=1, le=100, description="At most so many codes, the best first")]
IfNoneMatch = Annotated[
    str | None, Header(max_length=1000, description="The ETag of an earlier answer: 304 while it is still right")
]


def book_in(app: FastAPI, code_set: CodeSet) -> CodeBook:
    """The book of this process, made at first use."""
    books: dict[str, CodeBook] = app.state.__dict__.setdefault("code_books", {})
    runtime: Runtime = app.state.runtime
    return books.setdefault(code_set.name, CodeBook(runtime.database, code_set))


@contextlib.asynccontextmanager
async def open_books(app: FastAPI, code_sets: Iterable[CodeSet]) -> AsyncIterator[None]:
    """Load beside the first requests, so that none of them has to wait, and end with the process."""
    books = [book_in(app, code_set) for code_set in code_sets]
    for book in books:
        book.start()
    try:
        yield
    finally:
        for book in books:
            await book.close()


def book_of(request: Request, code_set: CodeSet) -> CodeBook:
    return book_in(request.app, code_set)


def detail_edition(release: ReleaseRead) -> str:
    """Of what is told about a single code, by whichever agency: another one when a release came or changed."""
    return f"{release.imported_at.timestamp():.6f}.{release.sha256[:12]}.{shipped_edition()}"


def not_modified(response: Response, edition: str, if_none_match: str | None) -> Response | None:
    """Sets the answer's ETag; the 304 to send instead when the client has this edition already."""
    tag = f'"{edition}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    given = [] if if_none_match is None else [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    if tag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None
