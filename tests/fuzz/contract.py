"""What every answer owes its client, whatever the request was (the API contract's conventions)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

import httpx

from tests.fuzz.document import Described

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=63072000",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}

REVALIDATED = {"cache-control": "private, no-cache"}
"""Answers with an ETag hold reference data and may be kept, by the client that asked and to be asked about again."""


def check_answer(answer: httpx.Response, operation: Described, submitted: Iterable[str] = ()) -> None:
    """`submitted` are texts of the request that an error may not repeat."""
    case = f"{answer.request.method} {operation.path}: {answer.status_code} {answer.text[:1000]}"
    assert answer.status_code < 500, case
    if answer.request.method == operation.method:  # another method is no operation of the document
        assert str(answer.status_code) in operation.part["responses"], f"undocumented status: {case}"
    trace_id = uuid.UUID(answer.headers["x-request-id"])
    expected = SECURITY_HEADERS if "etag" not in answer.headers else SECURITY_HEADERS | REVALIDATED
    for name, value in expected.items():
        assert answer.headers.get(name) == value, f"{name}: {case}"
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/json", case
    body = answer.json()
    assert set(body) == {"error"}, case
    error = body["error"]
    assert set(error) == {"code", "message", "details", "trace_id"}, case
    assert error["code"].isupper() and error["message"] and isinstance(error["details"], dict), case
    assert uuid.UUID(error["trace_id"]) == trace_id, case
    spoken = json.dumps(error["details"], ensure_ascii=False) + error["message"]
    for text in submitted:
        assert text not in spoken, f"{text!r} is repeated: {case}"
